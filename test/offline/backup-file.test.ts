/** Backups: what they say is what is in them, and what did not come whole has no name. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SessionId } from '../../src/base/ids.ts';
import { BackupWriter, readBackup } from '../../src/offline/backup-file.ts';
import { nodeDisk } from '../../src/platform/disk.ts';
import { CONTAINER_OWNER, KIND, OPEN_ACL, READ_ACL, type Txn, ttlOwner } from '../../src/records/txns.ts';
import { DamageError } from '../../src/storage/errors.ts';
import { encodeChunk, encodeHead, encodeTrailer, HEAD_BYTES } from '../../src/storage/snapshot-format.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { TreeDigest } from '../../src/tree/digest.ts';
import { SnapshotCursor } from '../../src/tree/snapshot.ts';

const SOURCE = { server: 3, epoch: 9, takenAt: 1_700_000_000_000, version: '1.2.3' };

/** One of everything, and enough of it for several chunks. */
function tree(): DataTree {
  const made = new DataTree(1);
  let counter = 0;
  const add = (txn: Txn): void => apply(made, 2, ++counter, 1000 + counter, txn, NO_SINK);
  const config = {
    members: [{ sid: 1, role: 'participant' as const, incarnation: 'aa', addresses: [], client: null }],
    maxTxnBytes: 1e6,
  };
  add({ kind: KIND.found, ensembleId: 'cafe', config });
  for (const id of [5n, 6n] as SessionId[])
    add({ kind: KIND.createSession, id, timeoutMs: 4000, secret: Buffer.alloc(16, Number(id)) });
  const node = (path: string, data: Buffer | null, owner: bigint, acl = OPEN_ACL): void =>
    add({ kind: KIND.create, path, data, acl, owner, creates: 1 });
  node('/e', Buffer.from('x'), 5n);
  node('/e2', null, 5n, READ_ACL);
  node('/box', Buffer.alloc(0), CONTAINER_OWNER);
  node('/short', Buffer.from('t'), ttlOwner(5000));
  for (let i = 0; i < 3000; i++) node(`/n${i}`, Buffer.alloc(i % 90, i), 0n);
  return made;
}
function snapshotOf(made: DataTree): Buffer {
  const cursor = new SnapshotCursor(made);
  const parts = [encodeHead({ zxid: cursor.zxid, chain: cursor.chain })];
  let at = HEAD_BYTES;
  for (let records = cursor.next(65536); records !== undefined; records = cursor.next(65536)) {
    if (records.length === 0) continue;
    const chunk = encodeChunk(records);
    parts.push(chunk);
    at += chunk.length;
  }
  return Buffer.concat([...parts, encodeTrailer(parts.length - 1, at)]);
}

test('the description says what is in it, and the digest is that of the tree', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-backup-'));
  try {
    const made = tree();
    const bytes = snapshotOf(made);
    const path = join(folder, 'b');
    const writer = await BackupWriter.create(nodeDisk, path, `${path}.tmp`);
    for (let at = 0; at < bytes.length; at += 1000) await writer.write(bytes.subarray(at, at + 1000));
    assert.deepEqual(readdirSync(folder), ['b.tmp'], 'nothing has its name before it is whole');
    const told = await writer.finish(SOURCE);
    assert.deepEqual(readdirSync(folder), ['b']);
    const digest = new TreeDigest(made);
    digest.step(1e9);
    const { sha256, zxid, ...rest } = told;
    assert.deepEqual(rest, {
      ...{ format: 1, ensembleId: 'cafe', digest: String(digest), nodes: 3008, ephemerals: 2, containers: 1, ttls: 1 },
      ...{ dataBytes: made.dataBytes - pathBytes(made), sessions: 2, bytes: bytes.length, ...SOURCE },
    });
    assert.equal(zxid, `0x200000${(3007).toString(16)}`);
    const again = await readBackup(nodeDisk, path);
    assert.deepEqual([again.description, again.isBackup], [told, true]);
    assert.equal(readFileSync(path).subarray(4096).equals(bytes), true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
function pathBytes(made: DataTree): number {
  let bytes = 0;
  for (let row = 1; row < made.rows.high; row++) bytes += made.pathLength(row);
  return bytes;
}

test('what is not a whole snapshot is refused, and nothing stays of it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-backup-'));
  try {
    const bytes = snapshotOf(tree());
    const path = join(folder, 'b');
    const changed = Buffer.from(bytes);
    changed[5000] = (changed[5000] as number) ^ 1;
    for (const came of [bytes.subarray(0, -1), changed, Buffer.concat([bytes, Buffer.from('x')]), Buffer.alloc(0)]) {
      const writer = await BackupWriter.create(nodeDisk, path, `${path}.tmp`);
      const run = async (): Promise<unknown> => {
        for (let at = 0; at < came.length; at += 65_536) await writer.write(came.subarray(at, at + 65_536));
        return writer.finish(SOURCE);
      };
      await assert.rejects(run(), (error) => error instanceof DamageError && /no whole snapshot/.test(error.message));
      await writer.discard();
      assert.deepEqual(readdirSync(folder), []);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
