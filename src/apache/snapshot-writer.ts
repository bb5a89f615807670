import { Writer } from '../protocol/bytes.ts';
import { AclVector } from '../protocol/data.ts';
import type { AclList } from '../records/txns.ts';
import { adler32 } from './adler.ts';
import { DIGEST_VERSION, FILE_VERSION, FileHeader, SNAPSHOT_MAGIC, StatPersisted } from './records.ts';
import type { SnapshotDigest } from './snapshot-parser.ts';

/** The ACL that is in no table. */
export const OPEN_KEY = -1n;

/** Writes a snapshot part by part: sessions and ACLs, nodes with parents first, the end. {@link take} hands out the bytes. */
export class SnapshotWriter {
  private readonly to = new Writer(65536);
  private sum = 1;

  constructor(sessions: ReadonlyMap<bigint, number>, acls: ReadonlyMap<bigint, AclList>) {
    const { to } = this;
    FileHeader.write(to, { magic: SNAPSHOT_MAGIC, version: FILE_VERSION, dbid: -1n });
    to.int32(sessions.size);
    for (const [id, timeoutMs] of sessions) {
      to.int64(id);
      to.int32(timeoutMs);
    }
    to.int32(acls.size);
    for (const [key, acl] of acls) {
      to.int64(key);
      AclVector.write(
        to,
        acl.map(({ perms, scheme, id }) => ({ perms, id: { scheme, id } })),
      );
    }
  }
  /** Bytes that wait to be taken. */
  get pending(): number {
    return this.to.at;
  }
  /** What was written since the last call, as bytes of its own. */
  take(): Buffer {
    const bytes = this.to.take();
    this.to.at = 0;
    this.sum = adler32(bytes, 0, bytes.length, this.sum);
    return bytes;
  }
  /** `path` is empty for the root, which comes first. */
  node(path: Uint8Array, data: Uint8Array | null, aclKey: bigint, stat: StatPersisted): void {
    this.to.buffer(path);
    this.to.buffer(data);
    this.to.int64(aclKey);
    StatPersisted.write(this.to, stat);
  }
  /** The last bytes. Servers before 3.6 read to the first seal, newer ones on to the digest and to the last zxid. */
  end(more: { readonly digest?: SnapshotDigest; readonly lastZxid?: bigint } = {}): Buffer {
    const { to } = this;
    const parts: Buffer[] = [];
    to.text('/');
    parts.push(...this.seal());
    if (more.digest !== undefined) {
      to.int64(more.digest.zxid);
      to.int32(DIGEST_VERSION);
      to.int64(more.digest.digest);
      parts.push(...this.seal());
    }
    if (more.lastZxid !== undefined) {
      to.int64(more.lastZxid);
      parts.push(...this.seal());
    }
    return Buffer.concat(parts);
  }
  private seal(): Buffer[] {
    const before = this.take();
    this.to.int64(BigInt(this.sum));
    this.to.text('/');
    return [before, this.take()];
  }
}
