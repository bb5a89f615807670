import { oneLine } from '../base/one-line.ts';
import type { Clock } from '../ports/clock.ts';
import type { LoginSink } from '../server/office.ts';
import type { RefusedLogin } from '../server/refused-login.ts';
import { ClearPasswords } from './clear-passwords.ts';
import type { Logger } from './log.ts';

/** Within this time the same sentence is told once, and so many sentences at most: whoever guesses fills no disk. */
const WINDOW_MS = 60_000;
const MOST = 60;

const DOORS = { client: 'a client at', admin: 'the admin server was asked from' } as const;

/** The server whose logins they are. */
export interface Noting {
  readonly ports: { readonly clock: Clock };
  readonly options: { readonly logger: Pick<Logger, 'warn'> };
}

/** What the log tells of logins: those that were refused, and passwords that others could read on the way. */
export class LoginNotes implements LoginSink {
  private readonly around: Noting;
  private readonly clear = new ClearPasswords((sentence) => this.around.options.logger.warn(sentence));
  private readonly told = new Set<string>();
  private since = Number.NEGATIVE_INFINITY;

  constructor(around: Noting) {
    this.around = around;
  }
  readInClear(ip: string): void {
    this.clear.from(ip);
  }
  refused({ door, ip, scheme, user }: RefusedLogin): void {
    const now = this.around.ports.clock.monotonic();
    if (now - this.since >= WINDOW_MS) {
      this.since = now;
      this.told.clear();
    }
    const who = user === undefined ? '' : ` as "${oneLine(user)}"`;
    const sentence = `${DOORS[door]} ${ip}: a login by ${oneLine(scheme ?? 'no scheme')}${who} was refused`;
    if (this.told.size > MOST || this.told.has(sentence)) return;
    this.told.add(sentence);
    this.around.options.logger.warn(
      this.told.size > MOST
        ? `more logins are refused than are told of in a minute; auth_failed_count counts them all`
        : sentence,
    );
  }
}
