import { createHash } from 'node:crypto';
import { assert } from '../base/assert.ts';

/** What is stored of a session's password: SHA-256 cut to 16 bytes (foundations.md 10). */
export const sessionSecret = (password: Uint8Array): Buffer =>
  createHash('sha256').update(password).digest().subarray(0, 16);

/** A session as the log knows it. */
export interface SessionEntry {
  readonly id: bigint;
  readonly timeoutMs: number;
  /** SHA-256 of the password, cut to 16 bytes. */
  readonly secret: Uint8Array;
  /** Head of the list of its ephemerals, which runs through their rows. */
  firstEphemeral: number;
  ephemeralCount: number;
}

const SHARDS = 256; // no map of millions: growing one blocks the loop (foundations.md 9)

/** Which sessions exist, decided by the log alone. */
export class SessionTable {
  private readonly shards = Array.from({ length: SHARDS }, () => new Map<bigint, SessionEntry>());
  /** Highest id per server id, so that an id is never given twice. */
  readonly highest = new Map<number, bigint>();
  size = 0;
  private shard(id: bigint): Map<bigint, SessionEntry> {
    return this.shards[Number(id & 255n)] as Map<bigint, SessionEntry>;
  }
  get(id: bigint): SessionEntry | undefined {
    return this.shard(id).get(id);
  }
  /** The owner of an ephemeral, which must exist (I9). */
  ownerOf(id: bigint): SessionEntry {
    const entry = this.get(id);
    assert(entry !== undefined, 'an ephemeral node of a session that does not exist');
    return entry;
  }
  /** Adds a session; one that is there keeps its ephemerals, and has this timeout and password from now on. */
  add(id: bigint, timeoutMs: number, secret: Uint8Array): void {
    const shard = this.shard(id);
    const { firstEphemeral = 0, ephemeralCount = 0 } = shard.get(id) ?? {};
    if (!shard.has(id)) this.size++;
    shard.set(id, { id, timeoutMs, secret: Uint8Array.from(secret), firstEphemeral, ephemeralCount });
    const server = Number(BigInt.asUintN(64, id) >> 56n);
    const high = this.highest.get(server);
    if (high === undefined || id > high) this.highest.set(server, id);
  }
  remove(id: bigint): void {
    if (this.shard(id).delete(id)) this.size--;
  }
  *all(): Iterable<SessionEntry> {
    for (const shard of this.shards) yield* shard.values();
  }
}
