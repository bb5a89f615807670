import { Spread } from '../base/spread.ts';

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
  /** Large requests for which there was no room. */
  largeRejected: number;
  /** Requests dropped since their client had gone before their turn came. */
  staleDropped: number;
  /** How often requests had to wait for the request throttle. */
  stalls: number;
  /** How likely a handshake is refused by the connection throttle, 0 to 1. */
  dropChance: number;
  /** Tokens that its bucket lacked, at each handshake. */
  readonly tokenDeficit: Spread;
}
export const noTraffic = (): Traffic => ({
  bytesReceived: 0,
  bytesSent: 0,
  requests: 0,
  rejected: 0,
  dropped: 0,
  sessionless: 0,
  handshakes: { failed: 0, refused: 0, exceeded: 0 },
  largeRejected: 0,
  staleDropped: 0,
  stalls: 0,
  dropChance: 0,
  tokenDeficit: new Spread(),
});
