import { type Answer, respond } from '../sasl/digest-md5.ts';
import type { Credential } from './api.ts';

/** What comes of a server's word in a login. */
export type LoginStep =
  | { readonly type: 'say'; readonly token: Uint8Array }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly reason: string };

export const isSasl = ({ scheme }: Credential): boolean => scheme === 'sasl';

/** Why a credential cannot be presented; `another`: the session has one of scheme sasl already. */
export function loginFault(credential: Credential, another: boolean): string | undefined {
  if (!isSasl(credential)) return undefined;
  if (another) return 'a session logs in by SASL once';
  return Buffer.from(credential.auth).indexOf(':') < 1 ? 'a sasl credential is user:password' : undefined;
}

/** A login by SASL DIGEST-MD5 over one connection. Pure; it begins with an empty token. */
export class Login {
  readonly credential: Credential;
  /** Of the token that is not answered yet. */
  xid = 0;
  readonly #cnonce: string;
  #answer: Answer | undefined;

  /** `cnonce`: printable, never given before. */
  constructor(credential: Credential, cnonce: string) {
    this.credential = credential;
    this.#cnonce = cnonce;
  }
  /** The server's answer: its error, and its token where there is none. */
  heard(err: number, token: Uint8Array | null): LoginStep {
    if (err !== 0) return failed('the server refused the sasl credential');
    if (this.#answer !== undefined)
      return token !== null && this.#answer.proves(token)
        ? { type: 'done' }
        : failed('the server does not prove that it knows the password of the sasl credential');
    if (token === null) return failed('the server has no logins by SASL');
    const text = Buffer.from(this.credential.auth).toString('utf8');
    const colon = text.indexOf(':');
    this.#answer = respond(token, text.slice(0, colon), text.slice(colon + 1), this.#cnonce);
    if (this.#answer === undefined) return failed('the server asks for another login by SASL than DIGEST-MD5');
    return { type: 'say', token: this.#answer.token };
  }
}

const failed = (reason: string): LoginStep => ({ type: 'failed', reason });
