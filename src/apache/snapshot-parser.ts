import { Reader } from '../protocol/bytes.ts';
import { AclVector } from '../protocol/data.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { AclEntry } from '../records/txns.ts';
import { adler32 } from './adler.ts';
import { FormatError } from './damage.ts';
import { DIGEST_VERSION, FILE_VERSION, FileHeader, HEADER_BYTES, SNAPSHOT_MAGIC, StatPersisted } from './records.ts';
import { aclOf } from './txn.ts';

/** No node's path and data may be larger together: what a length claims makes nobody wait for more. */
const MAX_RECORD = 64 * 1024 * 1024;
/** Likewise an ACL list, which is read again with every piece until it is whole; a client can send 1 MiB of it. */
const MAX_ACL = 4 * 1024 * 1024;

/** Who takes what a snapshot holds, in this order. Bytes are views. */
export interface SnapshotTaker {
  session(id: bigint, timeoutMs: number): void;
  acl(key: bigint, acl: readonly AclEntry[]): void;
  /** Parents before their children; the root under the empty path. @throws FormatError for what cannot be in a tree */
  node(path: Buffer, data: Buffer | null, aclKey: bigint, stat: StatPersisted): void;
}

/** The tree's digest when the snapshot had been written, and up to where it was then. */
export interface SnapshotDigest {
  readonly zxid: bigint;
  readonly digest: bigint;
}

type Part =
  | 'head'
  | 'session count'
  | 'session'
  | 'acl count'
  | 'acl'
  | 'node'
  | 'seal'
  | 'digest'
  | 'last zxid'
  | 'end';
/** What follows a seal, in order; a file may end with each of them. */
const AFTER_SEAL: readonly Part[] = ['digest', 'last zxid', 'end'];

/** Reads a snapshot that comes in pieces of any size. Its checksums are verified as they come, each over all bytes before it. */
export class SnapshotParser {
  digest: SnapshotDigest | undefined;
  /** As newer servers say it; the name of the file is what counts. */
  lastZxid: bigint | undefined;
  sessions = 0;
  nodes = 0;
  /** Bytes taken for good. */
  at = 0;
  private readonly taker: SnapshotTaker;
  private readonly from = new Reader(Buffer.alloc(0));
  private part: Part = 'head';
  private left = 0;
  private rest: Buffer = Buffer.alloc(0);
  private sum = 1;
  private seals = 0;

  constructor(taker: SnapshotTaker) {
    this.taker = taker;
  }

  /** @throws FormatError */
  push(piece: Buffer): void {
    const bytes = this.rest.length === 0 ? piece : Buffer.concat([this.rest, piece]);
    let at = 0;
    for (;;) {
      const next = this.step(bytes, at);
      if (next < 0) break;
      // a seal's own sum is of what stands before it
      this.sum = adler32(bytes, at, next, this.sum);
      this.at += next - at;
      at = next;
    }
    this.rest = bytes.subarray(at);
    const most = this.part === 'acl' ? MAX_ACL : MAX_RECORD;
    if (this.rest.length > most) this.fail(`a ${this.part} of more than ${most} bytes`);
  }
  /** The file ended. @throws FormatError when it must not end here */
  end(): void {
    if (this.rest.length > 0 || !AFTER_SEAL.includes(this.part))
      this.fail(`it ends within ${this.part === 'node' ? 'its nodes' : `its ${this.part}`}`);
  }
  private fail(reason: string, at = this.at): never {
    throw new FormatError(reason, at);
  }

  /** Takes the next part of `bytes` from `at` on; where it ends, or -1 when more is needed. */
  private step(bytes: Buffer, at: number): number {
    const { from } = this;
    from.reset(bytes, at, bytes.length);
    const length = bytes.length - at;
    switch (this.part) {
      case 'head': {
        if (length < HEADER_BYTES) return -1;
        const { magic, version } = FileHeader.read(from);
        if (magic !== SNAPSHOT_MAGIC) this.fail('it does not begin as a snapshot does');
        if (version !== FILE_VERSION) this.fail(`a snapshot of version ${version}`, 4);
        this.part = 'session count';
        return from.at;
      }
      case 'session count':
        return this.count(from, 'session', 'acl count');
      case 'session': {
        if (length < 12) return -1;
        this.sessions++;
        this.taker.session(from.int64(), from.int32());
        if (--this.left === 0) this.part = 'acl count';
        return from.at;
      }
      case 'acl count':
        return this.count(from, 'acl', 'node');
      case 'acl':
        return this.acl(from);
      case 'node':
        return this.node(from);
      case 'seal':
        return this.seal(from);
      case 'digest':
        return this.readDigest(from);
      case 'last zxid':
        if (length < 8) return -1;
        this.lastZxid = from.int64();
        this.part = 'seal';
        return from.at;
      case 'end':
        if (length > 0) this.fail('bytes behind the end');
        return -1;
    }
  }
  private count(from: Reader, next: Part, none: Part): number {
    if (from.left < 4) return -1;
    const count = from.int32();
    if (count < 0) this.fail(`a count of ${count}`);
    this.left = count;
    this.part = count === 0 ? none : next;
    return from.at;
  }
  private acl(from: Reader): number {
    try {
      const key = from.int64();
      const acl = aclOf(AclVector.read(from));
      this.taker.acl(key, acl);
    } catch (error) {
      if (error instanceof ProtocolError) return this.short(error);
      throw error;
    }
    if (--this.left === 0) this.part = 'node';
    return from.at;
  }
  /** More bytes may help, unless a length can never be right. */
  private short(error: ProtocolError): number {
    const claimed = /a (?:length|count) of (-?\d+)/.exec(error.message)?.[1];
    if (claimed !== undefined && (Number(claimed) < -1 || Number(claimed) > MAX_RECORD))
      this.fail(`it cannot be read on: ${error.message}`);
    return -1;
  }
  private length(from: Reader): number | undefined {
    if (from.left < 4) return undefined;
    const length = from.int32();
    if (length < -1 || length > MAX_RECORD) this.fail(`a ${this.part} with a length of ${length}`);
    return length;
  }
  private node(from: Reader): number {
    const pathLength = this.length(from);
    if (pathLength === undefined || from.left < pathLength) return -1;
    if (pathLength < 0) this.fail('a node without a path');
    const start = from.at;
    from.at += pathLength;
    const path = from.bytes.subarray(start, from.at);
    if (pathLength === 1 && path[0] === 47) {
      this.part = 'seal';
      return from.at;
    }
    const dataLength = this.length(from);
    if (dataLength === undefined || from.left < Math.max(0, dataLength) + 68) return -1;
    const data = dataLength < 0 ? null : from.bytes.subarray(from.at, from.at + dataLength);
    from.at += Math.max(0, dataLength);
    const key = from.int64();
    const stat = StatPersisted.read(from);
    try {
      this.taker.node(path, data, key, stat);
    } catch (error) {
      if (error instanceof FormatError) this.fail(error.message);
      throw error;
    }
    this.nodes++;
    return from.at;
  }
  private seal(from: Reader): number {
    if (from.left < 13) return -1;
    const sum = from.int64();
    if (sum !== BigInt(this.sum)) this.fail('its checksum is wrong');
    if (from.int32() !== 1 || from.byte() !== 47) this.fail('it has no end where one must be');
    this.part = AFTER_SEAL[this.seals++] ?? 'end';
    return from.at;
  }
  private readDigest(from: Reader): number {
    if (from.left < 12) return -1;
    const zxid = from.int64();
    const version = from.int32();
    // without digests it is the last zxid that stands here, and then the four bytes are the upper half of a checksum
    if (version === 0) {
      this.lastZxid = zxid;
      this.seals = AFTER_SEAL.length - 1;
      this.part = 'seal';
      return from.at - 4;
    }
    if (version >= 2) {
      if (from.left < 8) return -1;
      const digest = from.int64();
      if (version === DIGEST_VERSION) this.digest = { zxid, digest };
    } else {
      const length = this.length(from);
      if (length === undefined || from.left < length) return -1;
      from.at += Math.max(0, length);
    }
    this.part = 'seal';
    return from.at;
  }
}
