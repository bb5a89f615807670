import type { Random } from '../base/random.ts';
import type { HostFailure } from './api.ts';
import { type Server, showServer } from './connect-string.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 2000;
/** Clients of a server that died do not all come back in the same millisecond. */
const SPREAD_MS = 50;
/** A connection that lived this long was a good one: the next delay starts small again. */
const GOOD_LIFE_MS = 1000;

/** Which server is next and after what delay: each in turn from a shuffled list, waiting longer after each full round. */
export class Hosts {
  readonly #servers: readonly Server[];
  readonly #random: Random;
  readonly #reasons = new Map<string, string>();
  #next = 0;
  #tried = 0; // in this round
  round = 0;
  constructor(servers: readonly Server[], random: Random) {
    this.#random = random;
    const shuffled = [...servers];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j] as Server, shuffled[i] as Server];
    }
    this.#servers = shuffled;
  }
  get count(): number {
    return this.#servers.length;
  }
  get all(): readonly Server[] {
    return this.#servers;
  }
  /** The latest reason of each server that failed since the last success, as `connect()` reports it. */
  get failures(): HostFailure[] {
    return [...this.#reasons].map(([host, reason]) => ({ host, reason }));
  }
  next(): Server {
    const server = this.#servers[this.#next] as Server;
    this.#next = (this.#next + 1) % this.#servers.length;
    this.#tried++;
    return server;
  }
  /** Makes `server` the next one tried. */
  prefer(server: Server): void {
    const at = this.#servers.findIndex(({ host, port }) => host === server.host && port === server.port);
    if (at >= 0) this.#next = at;
  }
  /** How patient an attempt is: `baseMs` at first, more with each round in which nobody answered. */
  patience(baseMs: number): number {
    return baseMs * (1 + this.round);
  }
  /** An attempt failed. Returns the delay before the next, ms. */
  failed(server: Server, reason: string): number {
    this.#reasons.set(showServer(server), reason);
    if (this.#tried < this.#servers.length) return 0;
    this.#tried = 0;
    return this.#delay();
  }
  established(): void {
    this.#reasons.clear();
    this.#tried = 0;
  }
  /** A connection that was up was lost after `livedMs`. Returns the delay before the next attempt, ms. */
  lost(livedMs: number): number {
    if (livedMs < GOOD_LIFE_MS) return this.#delay();
    this.round = 0;
    return this.#random.below(SPREAD_MS);
  }
  #delay(): number {
    const full = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.round, 10));
    this.round++;
    return full / 2 + this.#random.below(Math.ceil(full / 2) + 1);
  }
}
