import { createHash } from 'node:crypto';
import type { Identity } from './acl.ts';
import type { SaslOptions } from './sasl-login.ts';

export interface AuthOptions {
  /** `super:<base64 of the hash>`, or undefined: nobody is super. */
  readonly superDigest: string | undefined;
  /** Name of the hash as node:crypto knows it; ZooKeeper's default is SHA1. */
  readonly digestAlgorithm: string;
  readonly digestEnabled: boolean;
  /** Absent: nobody logs in by digest256, whose hash is always SHA-256. `superDigest` as that of digest. */
  readonly digest256?: { readonly superDigest: string | undefined } | undefined;
  /** Absent: logins by digest and digest256 count on any connection; true: by TLS alone. */
  readonly digestByTls?: boolean | undefined;
  /** Schemes that ACLs may name; absent: digest and ip. */
  readonly providers?: ReadonlySet<string> | undefined;
  /** Absent: a client that begins a SASL login is told nothing, and goes on. */
  readonly sasl?: SaslOptions | undefined;
  /** Without an identity of one of these schemes nothing may be asked. */
  readonly enforced?: ReadonlySet<string> | undefined;
}

/** `user:base64(hash(user:password))`, the identity behind a digest login. */
export function digestIdentity(credential: Buffer, algorithm: string): string {
  const colon = credential.indexOf(0x3a);
  const user = credential.subarray(0, colon < 0 ? credential.length : colon).toString('utf8');
  return `${user}:${createHash(algorithm).update(credential).digest('base64')}`;
}

/**
 * The identities a credential proves, or undefined when it proves nothing: unknown scheme, or one that only the
 * connection itself (TLS, SASL) can prove.
 */
export function authenticate(
  scheme: string | null,
  credential: Buffer | null,
  peerIp: string,
  options: AuthOptions,
  byTls = false,
): readonly Identity[] | undefined {
  if (scheme === 'ip') return [{ scheme, id: peerIp }];
  if (options.digestByTls === true && !byTls) return undefined;
  const { digestEnabled, digestAlgorithm, superDigest, digest256 } = options;
  let how: { algorithm: string; superDigest: string | undefined } | undefined;
  if (scheme === 'digest' && digestEnabled) how = { algorithm: digestAlgorithm, superDigest };
  if (scheme === 'digest256' && digest256 !== undefined) how = { algorithm: 'sha256', ...digest256 };
  if (scheme === null || how === undefined) return undefined;
  const id = digestIdentity(credential ?? Buffer.alloc(0), how.algorithm);
  const own = { scheme, id };
  return how.superDigest !== undefined && equalTexts(id, how.superDigest) ? [{ scheme: 'super', id: '' }, own] : [own];
}

/** May whoever has these identities ask anything at all? */
export const isLetIn = (identities: readonly Identity[], { enforced }: AuthOptions): boolean =>
  enforced === undefined || identities.some(({ scheme }) => enforced.has(scheme));

/** Equal, in a time that does not tell where they differ. */
const equalTexts = (a: string, b: string): boolean => equalSecrets(Buffer.from(a), Buffer.from(b));

/** Equal, in a time that does not tell where they differ. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}
