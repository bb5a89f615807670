import { PackReader } from '../../../src/records/pack.ts';
import { type Envelope, readEnvelope } from '../../../src/records/txns.ts';
import { EpochWatch } from './epochs.ts';
import { envelopesOf, type Written } from './log-tap.ts';
import type { Verdicts } from './verdicts.ts';

/** A group under way to a disk. */
interface Group {
  readonly at: number;
  readonly bytes: Buffer;
  readonly envelopes: readonly Written[];
}
/** What one member's disk is known to hold. */
export class Holdings {
  readonly durable = new Set<string>();
  /** What it ever held: a disk that was hurt by us is not blamed on its server. */
  readonly ever = new Set<string>();
  private readonly under = new Map<string, Group[]>();

  wrote(path: string, bytes: Uint8Array, at: number): readonly Written[] {
    const envelopes = envelopesOf(bytes);
    if (envelopes.length === 0) return envelopes;
    const groups = this.under.get(path) ?? [];
    groups.push({ at, bytes: Buffer.from(bytes), envelopes });
    this.under.set(path, groups);
    return envelopes;
  }
  reached(path: string, durable: Buffer, from: number, end: number): void {
    const groups = this.under.get(path);
    if (groups === undefined) return;
    const left = groups.filter((group) => {
      const stop = group.at + group.bytes.length;
      if (group.at < from || stop > end) return true;
      // after a power cut the bytes may be others by now
      if (durable.subarray(group.at, stop).equals(group.bytes))
        for (const { chain } of group.envelopes) {
          this.durable.add(chain);
          this.ever.add(chain);
        }
      return false;
    });
    if (left.length === 0) this.under.delete(path);
    else this.under.set(path, left);
  }
  /** The disk says that it is there, and it is not: nobody is blamed but the disk. */
  believed(path: string, at: number): void {
    for (const group of this.under.get(path) ?? [])
      if (group.at === at) for (const { chain } of group.envelopes) this.ever.add(chain);
  }
  forget(): void {
    this.durable.clear();
    this.under.clear();
  }
  restore(durable: ReadonlySet<string>): void {
    this.forget();
    for (const chain of durable) this.durable.add(chain);
  }
}

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
  /** Told of each transaction once it is known committed, in order. */
  onCommitted: (committed: Committed) => void = () => {};
  private readonly written = new Map<string, Written & { readonly at: number }>();
  private readonly places = new Map<bigint, number>();
  private readonly verdicts: Verdicts;
  private readonly now: () => number;
  private readonly reader = new PackReader(Buffer.alloc(0));

  constructor(verdicts: Verdicts, now: () => number) {
    this.verdicts = verdicts;
    this.now = now;
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
    this.epochs.wrote(
      sid,
      path,
      bytes,
      written.map(({ zxid }) => zxid),
    );
  }
  /** What was on this disk is gone, or is what it once was. */
  lose(sid: number, left: ReadonlySet<string> = new Set()): void {
    this.holdingsOf(sid).restore(left);
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
  /** Who has it on the disk, but for what was done to that disk from outside. */
  holders(chain: string): number[] {
    return [...this.holdings.keys()].filter((sid) => this.holdings.get(sid)?.ever.has(chain) === true);
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
    this.reader.reset(bytes, 0, bytes.length);
    const envelope = readEnvelope(this.reader, undefined);
    const committed: Committed = { envelope, zxid, chain, size: bytes.length, writtenAt: at };
    this.places.set(zxid, this.history.length);
    this.history.push(committed);
    this.onCommitted(committed);
  }
}
export const hex = (zxid: bigint): string => `0x${BigInt.asUintN(64, zxid).toString(16)}`;
