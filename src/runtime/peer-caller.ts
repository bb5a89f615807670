import type { Random } from '../base/random.ts';
import type { Clock } from '../ports/clock.ts';
import type { Address } from '../server/config-servers.ts';
import { CallError, type CallSurroundings, callServer } from './peer-call.ts';

/** Before the first call that follows a failed one, ms; doubled each time up to a bound, and drawn between half and all. */
const FIRST_PAUSE_MS = 50;

export interface CallerOwner {
  /** Whether there is no connection for votes to that server. */
  isNeeded(): boolean;
  failed(error: CallError): void;
}

/** Keeps calling one server for votes while there is no connection to it, ever more rarely. */
export class Caller {
  readonly sid: number;
  addresses: readonly Address[];
  private readonly around: CallSurroundings;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly mostPauseMs: number;
  private readonly owner: CallerOwner;
  private readonly stopped = new AbortController();
  private attempt = 0;
  private failures = 0;
  private calling = false;
  private timer: Disposable | undefined;

  constructor(
    sid: number,
    addresses: readonly Address[],
    around: CallSurroundings,
    clock: Clock,
    random: Random,
    mostPauseMs: number,
    owner: CallerOwner,
  ) {
    this.sid = sid;
    this.addresses = addresses;
    this.around = around;
    this.clock = clock;
    this.random = random;
    this.mostPauseMs = mostPauseMs;
    this.owner = owner;
  }
  /** Calls now, if that is needed and no call is under way, and forgets how often it failed. */
  hurry(): void {
    this.failures = 0;
    this.call();
  }
  /** The connection closed: calls again after a short while. */
  lost(): void {
    this.failures = Math.max(this.failures, 1);
    this.later();
  }
  stop(): void {
    this.stopped.abort();
    this.timer?.[Symbol.dispose]();
  }
  private later(): void {
    this.timer?.[Symbol.dispose]();
    if (this.stopped.signal.aborted) return;
    const most = Math.min(this.mostPauseMs, FIRST_PAUSE_MS * 2 ** Math.min(this.failures - 1, 20));
    this.timer = this.clock.after(most / 2 + this.random.below(Math.ceil(most / 2) + 1), () => this.call());
  }
  private call(): void {
    this.timer?.[Symbol.dispose]();
    const { signal } = this.stopped;
    if (this.calling || signal.aborted || !this.owner.isNeeded()) return;
    this.calling = true;
    const call = {
      sid: this.sid,
      purpose: 'election' as const,
      addresses: this.addresses,
      attempt: ++this.attempt,
      signal,
    };
    callServer(call, this.around).then(
      () => {
        this.calling = false;
        this.failures = 0;
        // it may have ended again already
        if (this.owner.isNeeded()) this.lost();
      },
      (error: unknown) => {
        this.calling = false;
        if (!(error instanceof CallError)) throw error;
        this.failures++;
        this.owner.failed(error);
        this.later();
      },
    );
  }
}
