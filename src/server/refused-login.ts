import { isDigestScheme } from '../base/digest-schemes.ts';

/** A login that counted for nothing, as it is told: never what was to prove it. What the protocol does not tell is undefined. */
export interface RefusedLogin {
  readonly door: 'client' | 'admin';
  readonly ip: string;
  readonly session: bigint | undefined;
  readonly scheme: string | undefined;
  /** The name that was claimed. */
  readonly user: string | undefined;
}

/** So much of a name that somebody claims is told, in characters. */
const MOST = 128;

/** A name as it may be told. */
export const claimed = (name: string): string => (name.length > MOST ? `${name.slice(0, MOST)}...` : name);

const SCHEMES: ReadonlySet<string> = new Set(['world', 'auth', 'ip', 'digest', 'digest256', 'x509', 'sasl', 'super']);
/** A slip of the fingers puts a password, or a whole login, where its scheme belongs: only those that there are are told. */
export const claimedScheme = (scheme: string): string => (SCHEMES.has(scheme) ? scheme : 'an unknown scheme');

/** The name in a credential; nothing in one without a colon can be told from a password. */
export function claimedUser(scheme: string, credential: Uint8Array | null): string | undefined {
  if (credential === null || !isDigestScheme(scheme)) return undefined;
  const colon = credential.indexOf(0x3a);
  return colon < 0 ? undefined : claimed(Buffer.from(credential.subarray(0, colon)).toString('utf8'));
}
