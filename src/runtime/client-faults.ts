import type { Clock } from '../ports/clock.ts';
import { printable } from './peer-complaints.ts';

/** A bug is told again after this long; a client may run into it as often as it likes. */
const REPEAT_MS = 60_000;

/** Bugs of ours that cost a client its connection and nobody else anything, for the log: where it was, now and then. */
export class ClientFaults {
  /** How many there were. */
  count = 0;
  private toldAt = Number.NEGATIVE_INFINITY;
  private untold = 0;
  private readonly clock: Clock;
  private readonly tell: (sentence: string) => void;
  constructor(clock: Clock, tell: (sentence: string) => void) {
    this.clock = clock;
    this.tell = tell;
  }
  /** `what` was being done for the client at `address` when it was thrown. */
  met(address: string, what: string, fault: unknown): void {
    this.count++;
    const now = this.clock.monotonic();
    if (now - this.toldAt < REPEAT_MS) {
      this.untold++;
      return;
    }
    const more = this.untold === 0 ? '' : `; ${this.untold} more since the last such line`;
    this.toldAt = now;
    this.untold = 0;
    const stack = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
    const where = stack.split(/\s*\n\s*/).map(printable);
    this.tell(`a bug of this server ended the connection of ${address}, ${what}: ${where.join(' ')}${more}`);
  }
}
