import { PackReader } from '../../../src/records/pack.ts';
import { type Config, type Envelope, KIND, readEnvelope } from '../../../src/records/txns.ts';
import { EpochWatch } from './epochs.ts';
import { Holdings } from './holdings.ts';
import type { Written } from './log-tap.ts';
import type { Verdicts } from './verdicts.ts';
import { isMajority } from './voters.ts';

/** One transaction of the committed history. */
export interface Committed {
  readonly envelope: Envelope;
  readonly zxid: bigint;
  readonly chain: string;
  readonly size: number;
  /** When it was first written to any disk, ms of simulated time. */
  readonly writtenAt: number;
}

/**
 * The committed history: what any member ever applied, proved to be one sequence. A chain of hashes names everything
 * before it, so two members that applied something different are seen at once (I2), and nothing in it may ever be lost (I3).
 */
export class Ledger {
  readonly history: Committed[] = [];
  readonly holdings = new Map<number, Holdings>();
  private readonly epochs: EpochWatch;
  /** No counter of an epoch is beyond. */
  lastCounter = 0xffff_ff00;
  /** Told of each transaction once it is known committed, in order. */
  onCommitted: (committed: Committed) => void = () => {};
  private readonly written = new Map<string, Written & { readonly at: number }>();
  private readonly places = new Map<bigint, number>();
  private readonly verdicts: Verdicts;
  private readonly now: () => number;
  private readonly reader = new PackReader(Buffer.alloc(0));
  /** Who counts, by the last config record of the history; undefined before the first. */
  private config: Config | undefined;
  /** Whether these servers decide where the history does not say. */
  private readonly isQuorum: (sids: readonly number[]) => boolean;

  constructor(verdicts: Verdicts, now: () => number, isQuorum: (sids: readonly number[]) => boolean) {
    this.verdicts = verdicts;
    this.now = now;
    this.isQuorum = isQuorum;
    this.epochs = new EpochWatch(verdicts);
  }
  holdingsOf(sid: number): Holdings {
    let found = this.holdings.get(sid);
    if (found === undefined) {
      found = new Holdings();
      this.holdings.set(sid, found);
    }
    return found;
  }
  wrote(sid: number, path: string, bytes: Uint8Array, at: number): void {
    const written = this.holdingsOf(sid).wrote(path, bytes, at);
    for (const each of written) this.noteWritten(each);
    const identity = this.epochs.wrote(
      sid,
      path,
      bytes,
      written.map(({ zxid }) => zxid),
    );
    if (identity !== undefined) this.holdingsOf(sid).named(identity.incarnation);
  }
  /** What was on this disk is gone, or is what it once was. */
  lose(sid: number, left: ReadonlySet<string> = new Set()): void {
    this.holdingsOf(sid).lose(new Map([...left].map((chain) => [chain, this.written.get(chain)?.zxid ?? 0n])));
    this.epochs.forget(sid);
  }
  noteWritten(written: Written): void {
    if (!this.written.has(written.chain)) this.written.set(written.chain, { ...written, at: this.now() });
  }
  get tip(): { zxid: bigint; chain: string } {
    return this.history.at(-1) ?? { zxid: 0n, chain: '0:0' };
  }
  at(zxid: bigint): Committed | undefined {
    const place = this.places.get(zxid);
    return place === undefined ? undefined : this.history[place];
  }
  /** Whose directory has it. */
  holders(chain: string): number[] {
    return [...this.holdings].flatMap(([sid, each]) => (each.has(chain) ? [sid] : []));
  }
  /** Whether voters that decide have it on their disks, under the incarnations that count. */
  private isHeld(chain: string, configs: readonly Config[]): boolean {
    const { holdings } = this;
    if (configs.length === 0)
      return this.isQuorum([...holdings].flatMap(([sid, each]) => (each.holds(chain, each.incarnation) ? [sid] : [])));
    const holds = (sid: number, incarnation: string): boolean => holdings.get(sid)?.holds(chain, incarnation) === true;
    return configs.every((config) => isMajority(config, holds));
  }
  /** Transactions that were written and are not known committed. */
  *beyond(): Iterable<Envelope> {
    for (const { zxid, bytes } of this.written.values())
      if (zxid > this.tip.zxid) {
        this.reader.reset(bytes, 0, bytes.length);
        yield readEnvelope(this.reader, undefined);
      }
  }
  /** A member's state is everything up to here. */
  applied(sid: number, zxid: bigint, chain: string): void {
    const { tip } = this;
    if (zxid === 0n) return;
    if (zxid <= tip.zxid) {
      const known = this.at(zxid);
      if (known === undefined)
        this.verdicts.fail('I2', `server ${sid} applied ${hex(zxid)}, which is not in the history`);
      else if (known.chain !== chain)
        this.verdicts.fail('I2', `server ${sid} applied another ${hex(zxid)} than was applied before`);
      return;
    }
    const path = this.walk(tip.chain, chain);
    if (path === undefined) {
      this.verdicts.fail(
        'I2',
        `server ${sid} applied up to ${hex(zxid)}, which does not continue what was applied up to ${hex(tip.zxid)}`,
      );
      return;
    }
    for (const each of path) this.commit(each);
  }
  /** Whether a state that ends so goes on where the history does: its server went before it could be seen to apply the rest. */
  goesBeyond(zxid: bigint, chain: string): boolean {
    return zxid > this.tip.zxid && this.walk(this.tip.chain, chain) !== undefined;
  }
  /** The transactions from one chain to another, in order. */
  private walk(from: string, to: string): (Written & { at: number })[] | undefined {
    const back: (Written & { at: number })[] = [];
    for (let at = to; at !== from; ) {
      const each = this.written.get(at);
      if (each === undefined) return undefined;
      back.push(each);
      at = each.before;
    }
    return back.reverse();
  }
  private commit({ zxid, chain, bytes, at }: Written & { at: number }): void {
    const last = this.tip.zxid;
    const sameEpoch = zxid >> 32n === last >> 32n;
    if (sameEpoch ? zxid !== last + 1n : zxid < last || (zxid & 0xffff_ffffn) !== 1n)
      this.verdicts.fail('I4', `${hex(zxid)} follows ${hex(last)}`);
    if ((zxid & 0xffff_ffffn) > BigInt(this.lastCounter))
      this.verdicts.fail('I4', `${hex(zxid)} is beyond ${this.lastCounter}, where counters end`);
    this.reader.reset(bytes, 0, bytes.length);
    const envelope = readEnvelope(this.reader, undefined);
    const { txn } = envelope;
    const { config: before } = this;
    if (txn.kind === KIND.found || txn.kind === KIND.config) this.config = txn.config;
    const configs = new Set([before, this.config].filter((each) => each !== undefined));
    if (!this.isHeld(chain, [...configs])) {
      const holders = this.holders(chain).join() || 'nobody';
      this.verdicts.fail('I3', `${hex(zxid)} is applied, and on the disks of ${holders} alone`);
    }
    const committed: Committed = { envelope, zxid, chain, size: bytes.length, writtenAt: at };
    this.places.set(zxid, this.history.length);
    this.history.push(committed);
    this.onCommitted(committed);
  }
}
export const hex = (zxid: bigint): string => `0x${BigInt.asUintN(64, zxid).toString(16)}`;
