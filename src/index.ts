/** The client library: `connect()` and what it gives back. */
export { type KeeperCode, KeeperError } from './base/errors.ts';
export type { SessionId, Zxid } from './base/ids.ts';
export * from './client/api.ts';
export { type ClientPorts, connect, fourLetterWord } from './client/connect.ts';
export { ConnectStringError } from './client/connect-string.ts';
export type { FourLetterOptions } from './client/four-letter.ts';
export type { TlsOptions } from './ports/network.ts';
export * from './recipes/index.ts';
