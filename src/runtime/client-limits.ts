import type { LimitsConfig } from '../server/config-limits.ts';
import type { ClientConnection } from '../server/connection.ts';
import type { Server } from '../server/server.ts';
import { ConnectionThrottle } from './connection-throttle.ts';
import type { Traffic } from './traffic.ts';

/** Requests whose end is not looked for yet, before it is. */
const SWEEP = 1024;
/**
 * Of a ping, a createSession and a closeSession; and of logins (auth, sasl), whose client would go on as nobody: these are never
 * refused for having waited.
 */
const PATIENT = new Set([11, -10, -11, 100, 102]);

/** A large request that was not answered when it came. */
interface Large {
  readonly connection: ClientConnection;
  readonly bytes: number;
  /** It is over when its connection has had so many answers. */
  readonly until: number;
}
/** Bytes of a client that came together. */
interface Arrival {
  left: number;
  readonly at: number;
}

/** The bounds of the client port that are off unless zoo.cfg sets them (ZooKeeper's throttles), and their figures. */
export class ClientLimits {
  /** Every single request must be looked at, before and after. */
  readonly perRequest: boolean;
  private readonly config: LimitsConfig;
  private readonly traffic: Traffic;
  private readonly now: () => number;
  private readonly throttle: ConnectionThrottle | undefined;
  private readonly maxRequests: number;
  private readonly globalLimit: number;
  private limit: number;
  /** The members that `limit` was worked out for. */
  private members: unknown;
  private large: Large[] = [];
  private largeBytes = 0;
  private sweepAt = SWEEP;
  private readonly arrivals = new Map<ClientConnection, Arrival[]>();

  /** `now`: monotonic ms. */
  constructor(config: LimitsConfig & { readonly globalOutstandingLimit: number }, traffic: Traffic, now: () => number) {
    this.config = config;
    this.traffic = traffic;
    this.now = now;
    this.globalLimit = config.globalOutstandingLimit;
    this.limit = this.globalLimit;
    this.maxRequests = config.requestThrottle?.maxRequests ?? 0;
    this.perRequest = config.largeRequests !== undefined || config.throttledOpWaitMs !== undefined;
    const { connectionThrottle } = config;
    if (connectionThrottle !== undefined) this.throttle = new ConnectionThrottle(connectionThrottle, now());
  }
  /** Requests under way before those are not read any more who have some of them: in an ensemble each member has its part. */
  outstanding({ tree, peer }: Server): number {
    if (tree.config === this.members) return this.limit;
    this.members = tree.config;
    const voters = tree.config?.members.filter(({ role }) => role === 'participant').length ?? 1;
    this.limit =
      peer.isMember && voters > 2 ? Math.max(1, Math.floor(this.globalLimit / (voters - 1))) : this.globalLimit;
    return this.limit;
  }
  /** So much is under way that nothing is taken. What a read-only server has not applied waits for a leader: it goes nowhere. */
  stalls(server: Server): boolean {
    return this.maxRequests > 0 && !server.readOnly && server.outstanding >= this.maxRequests;
  }
  get dropsStale(): boolean {
    return this.config.requestThrottle?.dropStale === true;
  }
  /** May this handshake go on? */
  admits(bytes: Buffer, start: number, end: number): boolean {
    const { throttle } = this;
    if (throttle === undefined) return true;
    const admitted = throttle.admits(bytes, start, end, this.now());
    this.traffic.dropChance = throttle.drop;
    this.traffic.tokenDeficit.add(throttle.deficit);
    if (!admitted) this.traffic.rejected++;
    return admitted;
  }
  /** Bytes came; when, counts only for those who may wait too long. */
  arrived(connection: ClientConnection, bytes: number): void {
    if (this.config.throttledOpWaitMs === undefined) return;
    const known = this.arrivals.get(connection);
    const arrival = { left: bytes, at: this.now() };
    if (known === undefined) this.arrivals.set(connection, [arrival]);
    else known.push(arrival);
  }
  gone(connection: ClientConnection): void {
    this.arrivals.delete(connection);
  }
  /** A frame that is no request to be judged: the handshake, and pings that were answered beside the others. */
  passed(connection: ClientConnection, bytes: number): void {
    this.waited(connection, bytes);
  }
  /** What becomes of this request, whose frame has so many bytes behind its length. */
  judge(connection: ClientConnection, type: number, bytes: number): 'take' | 'refuse' | 'end' {
    const { largeRequests, throttledOpWaitMs } = this.config;
    const waited = throttledOpWaitMs === undefined ? 0 : this.waited(connection, bytes);
    if (largeRequests !== undefined && bytes > largeRequests.threshold) {
      if (this.largeBytes + bytes > largeRequests.maxBytes) this.sweep();
      if (this.largeBytes + bytes > largeRequests.maxBytes) {
        this.traffic.largeRejected++;
        return 'end';
      }
    }
    return throttledOpWaitMs !== undefined && waited > throttledOpWaitMs && !PATIENT.has(type) ? 'refuse' : 'take';
  }
  /** The server has it. */
  took(connection: ClientConnection, bytes: number): void {
    const { largeRequests } = this.config;
    if (largeRequests === undefined || bytes <= largeRequests.threshold || connection.outstanding === 0) return;
    this.large.push({ connection, bytes, until: connection.finished + connection.outstanding });
    this.largeBytes += bytes;
    if (this.large.length >= this.sweepAt) this.sweep();
  }
  /** How long the last byte of the next frame has been here, ms. */
  private waited(connection: ClientConnection, bytes: number): number {
    const known = this.arrivals.get(connection);
    if (known === undefined) return 0;
    let left = bytes + 4;
    let at = this.now();
    while (left > 0) {
      const first = known[0];
      if (first === undefined) break;
      ({ at } = first);
      const part = Math.min(left, first.left);
      first.left -= part;
      left -= part;
      if (first.left === 0) known.shift();
    }
    return this.now() - at;
  }
  private sweep(): void {
    this.large = this.large.filter(
      ({ connection, until }) => connection.left || (connection.state === 'open' && connection.finished < until),
    );
    this.largeBytes = this.large.reduce((sum, { bytes }) => sum + bytes, 0);
    this.sweepAt = Math.max(SWEEP, 2 * this.large.length);
  }
}
