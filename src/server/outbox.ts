import { Spread } from '../base/spread.ts';
import { Writer } from '../protocol/bytes.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { ClientConnection } from './connection.ts';
import { Sizes } from './sizes.ts';

/** Writers larger than this, and more of them than that, are not kept. */
const KEEP_BYTES = 262144;
const KEEP_WRITERS = 256;

/** Figures of all requests; times in whole ms, `minLatency` -1 before the first. */
export interface Counts {
  received: number;
  sent: number;
  minLatency: number;
  maxLatency: number;
  totalLatency: number;
  answered: number;
  authFailed: number;
}

/** Bytes for the clients, gathered until the end of the turn, and what is counted about them. */
export class Outbox {
  /** Connections with bytes to send since the last flush. */
  readonly dirty: ClientConnection[] = [];
  readonly counts: Counts = {
    received: 0,
    sent: 0,
    minLatency: -1,
    maxLatency: 0,
    totalLatency: 0,
    answered: 0,
    authFailed: 0,
  };
  /** Of replies and events, without their length in front. */
  readonly sizes = new Sizes();
  /** Times of requests, ms. */
  readonly reads = new Spread();
  readonly updates = new Spread();
  /** Bytes of events. */
  eventBytes = 0;
  private readonly writers: Writer[] = [];
  private readonly tree: DataTree;

  constructor(tree: DataTree) {
    this.tree = tree;
  }
  /** Where bytes for this connection are appended. */
  to(connection: ClientConnection): Writer {
    if (connection.out === undefined) {
      connection.out = this.writers.pop() ?? new Writer(16384);
      connection.told = 0;
      this.dirty.push(connection);
    }
    return connection.out;
  }
  /** The bytes of `writer` are with the kernel: it may be used again. */
  reuse(writer: Writer): void {
    if (writer.bytes.length > KEEP_BYTES || this.writers.length > KEEP_WRITERS) return;
    writer.at = 0;
    this.writers.push(writer);
  }
  received(connection: ClientConnection): void {
    this.counts.received++;
    connection.stats.received++;
  }
  sent(connection: ClientConnection): void {
    this.counts.sent++;
    connection.stats.sent++;
    const { out, told } = connection;
    if (out === undefined || out.at === told) return;
    this.sizes.add(out.at - told - 4);
    connection.told = out.at;
  }
  /** A request that came at `since` is answered at `now`, monotonic ms. */
  timed(connection: ClientConnection, since: number, now: number, spread = this.reads): void {
    const latency = Math.max(0, Math.round(now - since));
    const { counts } = this;
    spread.add(latency);
    counts.answered++;
    counts.totalLatency += latency;
    if (latency > counts.maxLatency) counts.maxLatency = latency;
    if (counts.minLatency < 0 || latency < counts.minLatency) counts.minLatency = latency;
    connection.answered(latency, now, this.tree.zxidHi, this.tree.zxidLo);
  }
  /** As `srst` does: figures of requests begin again. */
  resetCounts(): void {
    this.sizes.forget();
    Object.assign(this.counts, { received: 0, sent: 0, minLatency: -1, maxLatency: 0, totalLatency: 0, answered: 0 });
  }
}
