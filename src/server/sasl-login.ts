import type { Secret } from '../base/secret.ts';
import { challenge, userIn, verify } from '../sasl/digest-md5.ts';
import type { Identity } from './acl.ts';
import { claimed } from './refused-login.ts';

export interface SaslOptions {
  readonly users: ReadonlyMap<string, Secret>;
  readonly superUsers: ReadonlySet<string>;
  readonly allowFailed: boolean;
}

/** What a server says to a token; `proved` with the last of an exchange, `failed` when it proves nothing. */
export interface SaslStep {
  readonly reply: Buffer | null;
  readonly proved: readonly Identity[];
  readonly failed: boolean;
  /** Who it was said to be, where that failed. */
  readonly claimed?: string | undefined;
}

const SAID_NOTHING: SaslStep = { reply: null, proved: [], failed: false };
const FAILED: SaslStep = { reply: null, proved: [], failed: true };

/** The one login by DIGEST-MD5 that a connection may try: a challenge, an answer, and never again. */
export class SaslLogin {
  private nonce: string | undefined;
  private over = false;

  /** `draw` gives random bytes. A token of null is passed over, as ZooKeeper does. */
  step(token: Uint8Array | null, options: SaslOptions, draw: (count: number) => Uint8Array): SaslStep {
    if (token === null) return SAID_NOTHING;
    if (this.over) return FAILED;
    if (this.nonce === undefined) {
      this.over = token.length > 0;
      if (this.over) return FAILED;
      this.nonce = Buffer.from(draw(30)).toString('base64');
      return { reply: challenge(this.nonce), proved: [], failed: false };
    }
    this.over = true;
    const proven = verify(token, this.nonce, (user) => options.users.get(user)?.reveal());
    if (proven === undefined) {
      const user = userIn(token);
      return { ...FAILED, claimed: user === undefined ? undefined : claimed(user) };
    }
    const own = { scheme: 'sasl', id: proven.user };
    const proved = options.superUsers.has(proven.user) ? [own, { scheme: 'super', id: '' }] : [own];
    return { reply: proven.reply, proved, failed: false };
  }
}
