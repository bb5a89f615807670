import { envelopesOf, type Written } from './log-tap.ts';

/** A group under way to a disk. */
interface Group {
  readonly at: number;
  readonly bytes: Buffer;
  readonly envelopes: readonly Written[];
}
/** What the disk of one life of a directory held, by chain, and the zxids of that. */
class Held {
  readonly chains = new Map<string, bigint>();
  readonly zxids = new Set<bigint>();
  /** The disk said of something that it is there, and it is elsewhere. */
  wasLiedTo = false;
  add(chain: string, zxid: bigint): void {
    this.chains.set(chain, zxid);
    this.zxids.add(zxid);
  }
}

/**
 * What one member's disk is known to hold, by the incarnation of its directory: a disk that was emptied holds nothing for the
 * next. Bits that rot are not taken off it: nobody but the disk is to blame for these.
 */
export class Holdings {
  /** What no power cut takes away. */
  readonly durable = new Set<string>();
  /** The incarnation that its identity record named last; see {@link named}. */
  incarnation = '';
  private readonly held = new Map<string, Held>();
  /** What we took from a directory while others may have counted on it: it stands as long as they know no better. */
  private readonly taken = new Map<string, Held>();
  /** What is left after a loss, until it is known of which incarnation that is. */
  private left: ReadonlyMap<string, bigint> | undefined;
  private readonly under = new Map<string, Group[]>();

  private get now(): Held {
    let found = this.held.get(this.incarnation);
    if (found === undefined) this.held.set(this.incarnation, (found = new Held()));
    return found;
  }
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
      if (durable.subarray(group.at, stop).equals(group.bytes)) this.keep(group.envelopes);
      return false;
    });
    if (left.length === 0) this.under.delete(path);
    else this.under.set(path, left);
  }
  /** What is durable in these files: with what came to the disk by a sync that failed. */
  durableIn(files: ReadonlyMap<string, Buffer>): Set<string> {
    const found = new Set(this.durable);
    for (const [path, groups] of this.under)
      for (const { at, bytes, envelopes } of groups)
        if (
          files
            .get(path)
            ?.subarray(at, at + bytes.length)
            .equals(bytes) === true
        )
          for (const { chain } of envelopes) found.add(chain);
    return found;
  }
  /** These are on its disk now. */
  keep(envelopes: readonly Pick<Written, 'chain' | 'zxid'>[]): void {
    for (const { chain, zxid } of envelopes) {
      this.durable.add(chain);
      this.now.add(chain, zxid);
    }
  }
  /** The disk says that it is there, and it is not: nobody is blamed but the disk. */
  believed(path: string, from: number, end: number): void {
    this.now.wasLiedTo = true;
    for (const group of this.under.get(path) ?? [])
      if (group.at < end && group.at + group.bytes.length > from)
        for (const { chain, zxid } of group.envelopes) this.now.add(chain, zxid);
  }
  /** A bit of what is under way to the disk changes: it will come there so. */
  rotted(path: string, at: number, bit: number): void {
    for (const group of this.under.get(path) ?? []) {
      const inside = at - group.at;
      if (inside >= 0 && inside < group.bytes.length)
        group.bytes[inside] = (group.bytes[inside] as number) ^ (1 << bit);
    }
  }
  /** What was on it is gone, but for what is left, by chain. It may be the directory of another incarnation by now. */
  lose(left: ReadonlyMap<string, bigint>): void {
    this.left = left;
    this.under.clear();
    this.durable.clear();
    for (const chain of left.keys()) this.durable.add(chain);
    this.replace(this.incarnation, left);
  }
  /** An identity record is written. */
  named(incarnation: string): void {
    if (this.left !== undefined && incarnation !== this.incarnation) this.replace(incarnation, this.left);
    this.left = undefined;
    this.incarnation = incarnation;
  }
  private replace(incarnation: string, left: ReadonlyMap<string, bigint>): void {
    const taken = this.taken.get(incarnation) ?? new Held();
    for (const [chain, zxid] of this.held.get(incarnation)?.chains ?? []) taken.add(chain, zxid);
    this.taken.set(incarnation, taken);
    const rest = new Held();
    rest.wasLiedTo = true;
    for (const [chain, zxid] of left) rest.add(chain, zxid);
    this.held.set(incarnation, rest);
  }
  /** For those who count this server under that incarnation. */
  holds(chain: string, incarnation: string): boolean {
    return (
      this.held.get(incarnation)?.chains.has(chain) === true || this.taken.get(incarnation)?.chains.has(chain) === true
    );
  }
  /** Its present directory. */
  has(chain: string): boolean {
    return this.now.chains.has(chain);
  }
  hasZxid(zxid: bigint): boolean {
    return this.now.zxids.has(zxid);
  }
  /** Its present directory is what its server made of it, but for bits that rot and show it. */
  get isTrue(): boolean {
    return !this.now.wasLiedTo;
  }
}
