/**
 * SASL DIGEST-MD5 (RFC 2831) as far as ZooKeeper uses it: `qop=auth`, one realm, one exchange for a connection. Both ends,
 * as functions of what was said; who draws nonces and keeps passwords is elsewhere.
 */
import { createHash } from 'node:crypto';
import { type Directives, only, quote, readDirectives } from './directives.ts';

/** Realm and host name that every ZooKeeper server and client takes, whatever the machine is called. */
const REALM = 'zk-sasl-md5';
const DIGEST_URI = `zookeeper/${REALM}`;
const FIRST_COUNT = '00000001';

/** What a server says first. `nonce`: never given before, printable, without quotes. */
export const challenge = (nonce: string): Buffer =>
  Buffer.from(`realm="${REALM}",nonce="${nonce}",charset=utf-8,algorithm=md5-sess`);

export interface Proven {
  readonly user: string;
  /** For the client: only who knows the password can say it. */
  readonly reply: Buffer;
}

/** Checks what a client answered to {@link challenge}. Undefined when it proves nothing, whatever the reason. */
export function verify(
  answer: Uint8Array,
  nonce: string,
  passwordOf: (user: string) => string | undefined,
): Proven | undefined {
  const said = readDirectives(answer);
  if (said === undefined) return undefined;
  const user = only(said, 'username');
  const cnonce = only(said, 'cnonce');
  const response = only(said, 'response');
  if (user === undefined || cnonce === undefined || cnonce === '' || response === undefined) return undefined;
  const realm = optional(said, 'realm', REALM);
  const qop = optional(said, 'qop', 'auth');
  const asked = realm === REALM && qop === 'auth' && only(said, 'nc') === FIRST_COUNT;
  if (!asked || only(said, 'nonce') !== nonce || only(said, 'digest-uri') !== DIGEST_URI) return undefined;
  const authzid = optional(said, 'authzid', undefined);
  // to act for somebody else is not offered
  if (authzid !== undefined && authzid !== user) return undefined;
  const password = passwordOf(user);
  const utf8 = only(said, 'charset')?.toLowerCase() === 'utf-8';
  // an unknown user takes as long as a wrong password
  const proof = proofs({ user, password: password ?? '', nonce, cnonce, authzid, utf8 });
  if (!same(response, proof.client) || password === undefined) return undefined;
  return { user, reply: Buffer.from(`rspauth=${proof.server}`) };
}

/** Who a client says that he is, whether he proves it or not. */
export function userIn(answer: Uint8Array): string | undefined {
  const said = readDirectives(answer);
  return said === undefined ? undefined : only(said, 'username');
}

export interface Answer {
  readonly token: Buffer;
  /** What the server then has to say. */
  readonly proves: (reply: Uint8Array) => boolean;
}

/** A client's answer to what the server said first; undefined when that is no challenge of DIGEST-MD5 that it can meet. */
export function respond(message: Uint8Array, user: string, password: string, cnonce: string): Answer | undefined {
  const said = readDirectives(message);
  const nonce = said && only(said, 'nonce');
  if (said === undefined || nonce === undefined || only(said, 'algorithm')?.toLowerCase() !== 'md5-sess')
    return undefined;
  const qops = said.get('qop')?.flatMap((list) => list.split(/[\s,]+/)) ?? ['auth'];
  if (!qops.includes('auth')) return undefined;
  const utf8 = only(said, 'charset')?.toLowerCase() === 'utf-8';
  const realm = said.get('realm')?.[0] ?? REALM;
  const proof = proofs({ user, password, nonce, cnonce, authzid: undefined, utf8, realm });
  const parts = [
    ...(utf8 ? ['charset=utf-8'] : []),
    `username=${quote(user)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `nc=${FIRST_COUNT}`,
    `cnonce=${quote(cnonce)}`,
    `digest-uri="${DIGEST_URI}"`,
    'maxbuf=65536',
    `response=${proof.client}`,
    'qop=auth',
  ];
  return {
    token: Buffer.from(parts.join(','), utf8 ? 'utf8' : 'latin1'),
    proves: (reply) => {
      const rspauth = readDirectives(reply)?.get('rspauth')?.[0];
      return rspauth !== undefined && same(rspauth, proof.server);
    },
  };
}

/** The value of a name that may be missing, but not come twice. */
function optional<T>(said: Directives, name: string, missing: T): string | T | undefined {
  return said.has(name) ? only(said, name) : missing;
}

interface Exchange {
  readonly user: string;
  readonly password: string;
  readonly nonce: string;
  readonly cnonce: string;
  readonly authzid: string | undefined;
  readonly utf8: boolean;
  readonly realm?: string;
}

/** 32 hex digits each: what the client proves itself with, and the server. RFC 2831, 2.1.2.1. */
function proofs(exchange: Exchange): { readonly client: string; readonly server: string } {
  const { user, password, nonce, cnonce, authzid, utf8, realm = REALM } = exchange;
  const bytes = (text: string): Buffer => hashed(text, utf8);
  const colon = Buffer.from(':');
  const who = md5(Buffer.concat([bytes(user), colon, bytes(realm), colon, bytes(password)]));
  const rest = `:${nonce}:${cnonce}${authzid === undefined ? '' : `:${authzid}`}`;
  const key = md5(Buffer.concat([who, Buffer.from(rest)])).toString('hex');
  const proof = (verb: string): string => {
    const what = md5(Buffer.from(`${verb}:${DIGEST_URI}`)).toString('hex');
    return md5(Buffer.from(`${key}:${nonce}:${FIRST_COUNT}:${cnonce}:auth:${what}`)).toString('hex');
  };
  return { client: proof('AUTHENTICATE'), server: proof('') };
}

/** Names and passwords are hashed as ISO 8859-1 where they fit into it, whatever is sent (RFC 2831, 2.1.2.1 and 2.1.1). */
function hashed(text: string, utf8: boolean): Buffer {
  for (const char of text) if (utf8 && (char.codePointAt(0) as number) > 0xff) return Buffer.from(text, 'utf8');
  return Buffer.from(text, 'latin1');
}
const md5 = (bytes: Uint8Array): Buffer => createHash('md5').update(bytes).digest();

/** In a time that does not tell where they differ. */
function same(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
