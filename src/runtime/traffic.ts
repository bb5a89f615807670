/** What is counted at the client port since the process began. */
export interface Traffic {
  bytesReceived: number;
  bytesSent: number;
  /** Connections whose first packet asked for a session. */
  requests: number;
  /** Connections turned away since there are too many. */
  rejected: number;
  /** Connections that ended without asking for it. */
  dropped: number;
  /** Connections that never asked for a session in time. */
  sessionless: number;
}
export const noTraffic = (): Traffic => ({
  bytesReceived: 0,
  bytesSent: 0,
  requests: 0,
  rejected: 0,
  dropped: 0,
  sessionless: 0,
});
