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
  /** TLS handshakes that came to nothing: in the handshake, by their certificate, by the time they took or the others that came. */
  readonly handshakes: { failed: number; refused: number; exceeded: number };
}
export const noTraffic = (): Traffic => ({
  bytesReceived: 0,
  bytesSent: 0,
  requests: 0,
  rejected: 0,
  dropped: 0,
  sessionless: 0,
  handshakes: { failed: 0, refused: 0, exceeded: 0 },
});
