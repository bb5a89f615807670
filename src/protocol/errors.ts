/** A peer sent bytes that are not what they claim to be. Ends the request or the connection, never us. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}
