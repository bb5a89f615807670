import type { Clock } from '../ports/clock.ts';
import type { ConnectionHandler } from '../ports/network.ts';
import type { PeerLink, PeerNetwork } from '../ports/peer-network.ts';
import { FaultyLink } from './faulty-link.ts';

/** What is wrong with the network between servers right now. */
export interface FaultsInForce {
  /** Servers that are cut off from this one, by id. */
  readonly cut: readonly number[];
  /** Everything sent to and heard from other servers is later by so many ms. */
  readonly lagMs: number;
}

/**
 * Faults of the network between servers, made and healed while they run, for people who want to see what an ensemble does
 * then. A partition is what TCP shows of one: dials and greetings get no answer, connections that stand fall silent and
 * nobody is told; once it heals they go on where they were, unless an end gave them up meanwhile.
 */
export class PeerFaults {
  private readonly clock: Clock;
  private readonly links = new Map<FaultyLink, number | undefined>();
  private readonly healed = new Set<() => void>();
  private cut: ReadonlySet<number> = new Set();
  private lagMs = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }
  get inForce(): FaultsInForce {
    return { cut: [...this.cut].sort((a, b) => a - b), lagMs: this.lagMs };
  }
  /** Cuts off these servers, and no others. */
  partition(sids: Iterable<number>): void {
    this.cut = new Set(sids);
    this.spread();
  }
  /** Delays each direction of every connection; 0 ends that. */
  lag(ms: number): void {
    this.lagMs = ms;
    this.spread();
  }
  heal(): void {
    this.cut = new Set();
    this.lagMs = 0;
    this.spread();
  }
  private spread(): void {
    for (const [link, sid] of [...this.links]) link.set(this.isCut(sid), this.lagMs);
    for (const look of [...this.healed]) look();
  }
  private isCut(sid: number | undefined): boolean {
    return sid !== undefined && this.cut.has(sid);
  }

  /** The network as these faults leave it. */
  network(net: PeerNetwork): PeerNetwork {
    return {
      resolve: (host) => net.resolve(host),
      dial: async (to, handler, signal) => {
        const begun = this.clock.monotonic();
        await this.passage(to.sid, to.timeoutMs, signal);
        const timeoutMs = Math.max(1, to.timeoutMs - (this.clock.monotonic() - begun));
        const link = this.makeLink(to.sid);
        link.attach(handler);
        try {
          link.bind(await net.dial({ ...to, timeoutMs }, link.handler, signal));
        } catch (error) {
          this.links.delete(link);
          throw error;
        }
        return link;
      },
      listen: (at, accept, turnedAway) => net.listen(at, (inner) => this.accept(inner, accept), turnedAway),
    };
  }
  private accept(inner: PeerLink, accept: (link: PeerLink) => ConnectionHandler): ConnectionHandler {
    const link = this.makeLink(undefined); // who that is it says itself
    link.bind(inner);
    link.attach(accept(link));
    return link.handler;
  }
  private makeLink(sid: number | undefined): FaultyLink {
    const link: FaultyLink = new FaultyLink(
      this.clock,
      () => void this.links.delete(link),
      (named) => {
        if (!this.links.has(link)) return true;
        this.links.set(link, named);
        link.set(this.isCut(named), this.lagMs);
        return !this.isCut(named);
      },
    );
    this.links.set(link, sid);
    link.set(this.isCut(sid), this.lagMs);
    return link;
  }

  /** Resolves once a connection request would have gone there and back. Rejects with a sentence when that takes too long. */
  private passage(sid: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.isCut(sid) && this.lagMs === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      let travel: Disposable | undefined;
      const done = (settle: () => void): void => {
        late[Symbol.dispose]();
        travel?.[Symbol.dispose]();
        this.healed.delete(look);
        signal.removeEventListener('abort', abort);
        settle();
      };
      const look = (): void => {
        travel?.[Symbol.dispose]();
        travel = this.isCut(sid) ? undefined : this.clock.after(2 * this.lagMs, () => done(resolve));
      };
      const abort = (): void => done(() => reject(new Error('no longer wanted')));
      const late = this.clock.after(timeoutMs, () => done(() => reject(new Error(`no answer in ${timeoutMs} ms`))));
      this.healed.add(look);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      else look();
    });
  }
}
