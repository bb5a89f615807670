/** What is wrong with Apache's files is told with file and offset; what was never whole is left out. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ApacheDamage } from '../../src/apache/damage.ts';
import { type LoadedApache, loadApache } from '../../src/apache/load.ts';
import { settled } from '../../src/apache/settle.ts';
import { SnapshotWriter } from '../../src/apache/snapshot-writer.ts';
import type { Change } from '../../src/apache/txn.ts';
import type { SessionId, Zxid } from '../../src/base/ids.ts';
import { OPEN_ACL } from '../../src/records/txns.ts';
import { encodeTxn, type Logged, logEntry, logFile, logHead } from './log-writer.ts';
import { goldenFiles, memoryDisk } from './memory-disk.ts';

const FOLDERS = { data: '/v2', log: '/v2' };
const TIME = 1_700_000_000_000;
const create = (path: string, creates: number, type = 1): Change => ({
  op: 'create',
  type,
  path,
  data: Buffer.from(path),
  acl: OPEN_ACL,
  owner: 0n,
  creates,
});
const logged = (zxid: number, txn: Logged['txn']): Logged => ({
  zxid: BigInt(zxid),
  time: TIME + zxid,
  session: 5n,
  txn,
});
/** Creates of /n1, /n2 and so on. */
const creates = (from: number, to: number): Logged[] =>
  Array.from({ length: to - from + 1 }, (_, i) => logged(from + i, create(`/n${from + i}`, from + i)));

interface MadeNode {
  readonly path: string;
  readonly aclKey?: bigint;
  readonly owner?: bigint;
  readonly zxid?: bigint;
}
function snapshot(nodes: readonly MadeNode[], end: Parameters<SnapshotWriter['end']>[0] = {}): Buffer {
  const to = new SnapshotWriter(new Map([[7n, 4000]]), new Map());
  for (const { path, aclKey = -1n, owner = 0n, zxid = 0n } of nodes)
    to.node(Buffer.from(path), Buffer.from('d'), aclKey, {
      ...{ czxid: zxid as Zxid, mzxid: zxid as Zxid, pzxid: zxid as Zxid, ctime: TIME, mtime: TIME },
      ...{ version: 0, cversion: 0, aversion: 0, ephemeralOwner: owner as SessionId },
    });
  return to.end(end);
}
const ROOT: MadeNode[] = [{ path: '' }, { path: '/zookeeper' }, { path: '/zookeeper/quota' }];
const load = (files: Record<string, Buffer>, acceptLoss = false): Promise<LoadedApache> =>
  loadApache(memoryDisk('/v2', new Map(Object.entries(files))), FOLDERS, { acceptLoss });

async function refused(files: Record<string, Buffer>, what: RegExp): Promise<void> {
  await assert.rejects(load(files), (error) => {
    assert.ok(error instanceof ApacheDamage, String(error));
    assert.match(error.message, what);
    return true;
  });
}
const nodesOf = ({ state }: LoadedApache): number => state.tree.rows.count;
const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 0x10;
  return copy;
};

test('a snapshot of 3.4 has neither /zookeeper/config nor a tail, and newer ones may end with each seal', async () => {
  const log = logFile([]);
  for (const end of [
    {},
    { digest: { zxid: 9n, digest: 5n } },
    { digest: { zxid: 9n, digest: 5n }, lastZxid: 2n },
    { lastZxid: 2n },
  ]) {
    const loaded = await load({ 'snapshot.2': snapshot(ROOT, end), 'log.1': log });
    assert.equal(nodesOf(loaded), 4);
    assert.equal(loaded.state.tree.aversion(loaded.state.tree.find('/zookeeper/config')), -1);
    assert.equal(loaded.state.sessions.get(7n), 4000);
    assert.equal(loaded.digestIsRight, undefined);
  }
});

test('logs of before 3.4 and 3.6 lack counters, lists and digests', async () => {
  const bytes = [
    logged(1, { op: 'createSession', type: -10, timeoutMs: 4000 }),
    logged(2, { ...create('/e', 1), owner: 5n } as Change),
    logged(3, { op: 'closeSession', type: -11, paths: undefined }),
    logged(4, create('/p', -1)),
    logged(5, create('/p/q', 1, 15)),
  ].map(encodeTxn);
  bytes[3] = (bytes[3] as Buffer).subarray(0, (bytes[3] as Buffer).length - 4); // without the parent's counter
  const { state } = await load({ 'log.1': Buffer.concat([logHead(), ...bytes.map(logEntry)]) });
  assert.equal(state.zxid, 5n);
  assert.equal(state.tree.find('/e'), 0);
  assert.equal(state.tree.creates(state.tree.root), 2);
  assert.notEqual(state.tree.find('/p/q'), 0);
  assert.equal(state.ephemerals, 0);
});

test('a time to live as 3.5.3 wrote it is one, and no ephemeral of a session', async () => {
  const owner = -0x8000_0000_0000_0000n | 90_000n;
  const session = -0x7ffe_8000_0000_0000n; // of server 128
  const made = snapshot([...ROOT, { path: '/old', owner }, { path: '/old/child' }, { path: '/e', owner: session }]);
  const { state } = await load({ 'snapshot.2': made, 'log.1': logFile([]) });
  assert.equal(state.ephemerals, 1);
  assert.deepEqual(state.dropSessions(9n), { sessions: 1, ephemerals: 1 });
  const tree = settled(state);
  const row = tree.find('/old');
  assert.deepEqual([tree.ttlMs(row), tree.isEphemeral(row), [...tree.timed]], [90_000, false, [row]]);
  assert.equal(tree.find('/e'), 0);
});

test('the digest of a tree is compared where the files tell it', async () => {
  const golden = Object.fromEntries([...goldenFiles()].filter(([name]) => name !== 'dump.json'));
  assert.equal((await load(golden)).digestIsRight, true);
  const txn = create('/more', 99);
  const log = Buffer.concat([
    (golden['log.3d'] as Buffer).subarray(0, (golden['log.3d'] as Buffer).lastIndexOf('B') + 1),
    logEntry(encodeTxn({ ...logged(0x46, txn), digest: 12345n })),
  ]);
  await refused({ ...golden, 'log.3d': log }, /another digest than the server that wrote them had at 0x46$/);
  const taken = await load({ ...golden, 'log.3d': log }, true);
  assert.equal(taken.digestIsRight, false);
  assert.equal(taken.lost.length, 1);
});

test('a tail that was never whole is left out, in every file', async () => {
  const whole = logFile(creates(1, 5));
  const half = logEntry(encodeTxn(creates(6, 6)[0] as Logged));
  for (const zeros of [0, 700])
    for (let cut = 1; cut < half.length; cut++) {
      const torn = Buffer.concat([whole, half.subarray(0, cut), Buffer.alloc(zeros)]);
      const loaded = await load({ 'log.1': torn });
      assert.equal(loaded.state.zxid, 5n, `cut at ${cut}`);
      // what begins with zeros looks as if nothing was begun
      if (cut > 7) assert.match(loaded.notes[0] ?? '', /log\.1, offset \d+: a transaction that was never whole/);
    }
  const torn = Buffer.concat([whole, half.subarray(0, 40), Buffer.alloc(100)]);
  const loaded = await load({ 'log.1': torn, 'log.6': logFile(creates(6, 8), 50) });
  assert.equal(loaded.state.zxid, 8n);
  assert.match(loaded.notes[0] ?? '', /the next file goes on without it$/);
});

test('damage in a log is refused where it is, and taken up to there when that is said', async () => {
  const log = logFile(creates(1, 9), 200);
  const third = logFile(creates(1, 2)).length;
  const lost = async (files: Record<string, Buffer>, upTo: bigint): Promise<void> => {
    const loaded = await load(files, true);
    assert.equal(loaded.state.zxid, upTo);
    assert.equal(loaded.lost.length, 1);
  };
  await refused(
    { 'log.1': flipped(log, third + 60) },
    new RegExp(`^/v2/log.1, offset ${third}: the checksum of a transaction is wrong`),
  );
  await lost({ 'log.1': flipped(log, third + 60) }, 2n);
  // its length: what follows is found all the same
  await refused(
    { 'log.1': flipped(log, third + 9) },
    new RegExp(`^/v2/log.1, offset ${third}: .*another follows at offset`),
  );
  // the last one's end and length, behind which nothing is: no torn write leaves such bytes
  const last = logFile(creates(1, 8)).length;
  const end = logFile(creates(1, 9)).length - 1;
  await refused(
    { 'log.1': flipped(log, end) },
    new RegExp(`^/v2/log.1, offset ${last}: a transaction without its end$`),
  );
  await refused(
    { 'log.1': flipped(log, last + 8) },
    new RegExp(`^/v2/log.1, offset ${last}: a transaction of \\d+ bytes$`),
  );
  // a sector that is gone in the middle
  const hole = Buffer.from(log);
  hole.fill(0, third, third + 60);
  await refused({ 'log.1': hole }, new RegExp(`^/v2/log.1, offset ${third}: .*another follows at offset`));
  await refused({ 'log.1': flipped(log, 2) }, /^\/v2\/log.1, offset 0: it does not begin as a transaction log does/);
  await refused({ 'log.1': flipped(log, 7) }, /a log of version/);
  await refused({ 'log.1': log.subarray(0, 9) }, /the head of the file is not whole/);
  // files that are missing
  const parts = { 'log.1': logFile(creates(1, 3)), 'log.7': logFile(creates(7, 9)) };
  await refused(parts, /^\/v2\/log.7, offset 16: transactions are missing: 0x7 comes after 0x3/);
  await lost(parts, 3n);
  await refused({ 'log.5': logFile(creates(5, 9)) }, /no snapshot in it, and the logs do not reach back/);
  await refused({ 'log.1': logFile([...creates(1, 3), ...creates(2, 2)]) }, /transaction 0x2 comes after 0x3/);
  await refused(
    { 'log.1': logFile([logged(1, { op: 'setData', type: 77, path: '/', data: null, version: 1 })]) },
    /unknown type 77/,
  );
  await refused({ 'log.1': logFile([logged(1, create('/a//b', 1))]) }, /has an empty name in it/);
  await refused({}, /neither a snapshot nor a log/);
});

test('a snapshot that is damaged is passed over where an older one and the logs hold as much, and refused where not', async () => {
  const logs = { 'log.1': logFile(creates(1, 3)), 'log.4': logFile(creates(4, 9)) };
  const newer = snapshot([...ROOT, { path: '/n1', zxid: 1n }, { path: '/n2', zxid: 2n }, { path: '/n3', zxid: 3n }]);
  for (let at = 0; at < newer.length; at += 7) {
    const loaded = await load({ ...logs, 'snapshot.0': snapshot(ROOT), 'snapshot.3': flipped(newer, at) });
    assert.equal(loaded.state.zxid, 9n);
    assert.equal(loaded.snapshot, 'snapshot.0', `flipped at ${at}`);
    assert.match(loaded.notes[0] ?? '', /^\/v2\/snapshot\.3, offset \d+: .*; it is passed over$/);
    assert.equal(nodesOf(loaded), 13);
  }
  for (let length = 0; length < newer.length; length += 3)
    assert.equal((await load({ ...logs, 'snapshot.3': newer.subarray(0, length) })).snapshot, undefined);
  await refused({ 'log.4': logs['log.4'], 'snapshot.3': flipped(newer, 99) }, /no snapshot in it is whole/);
  await refused(
    { 'log.1': logs['log.1'], 'snapshot.0': snapshot(ROOT), 'snapshot.5': flipped(newer, 99) },
    /it cannot be used, and the logs end before it, at 0x3/,
  );
  await refused({ 'snapshot.3': newer }, /there is no log in it, and snapshot.3 needs the one/);
  const packed = gzipSync(newer);
  assert.equal(gunzipSync(packed).length, newer.length);
  assert.equal((await load({ ...logs, 'snapshot.3.gz': packed })).snapshot, 'snapshot.3.gz');
  for (const bad of [
    packed.subarray(0, 40),
    flipped(packed, 30),
    Buffer.concat([packed.subarray(0, 20), Buffer.alloc(50)]),
  ])
    assert.equal((await load({ ...logs, 'snapshot.3.gz': bad })).snapshot, undefined);
});

test('what cannot be a tree, or needs a log that is not there, is refused', async () => {
  const log = { 'log.1': logFile([]) };
  const made = (nodes: readonly MadeNode[]): Record<string, Buffer> => ({ ...log, 'snapshot.3': snapshot(nodes) });
  const none = /no snapshot in it is whole|the logs do not reach|it cannot be used/;
  await refused(made([{ path: '/a' }]), none);
  await refused(made([...ROOT, { path: '/b/c' }]), none);
  await refused(made([...ROOT, { path: '/b' }, { path: '/b' }]), none);
  await refused(made([...ROOT, ...ROOT]), none);
  await refused(made([...ROOT, { path: 'b' }]), none);
  await refused(made([...ROOT, { path: '/b/' }]), none);
  await refused(
    made([...ROOT, { path: '/late', zxid: 4n }]),
    /while transactions up to 0x4 went on, and the logs end at 0x3/,
  );
  await refused(made([...ROOT, { path: '/acl', aclKey: 9n }]), /the ACL of \/acl, number 9, is not in it/);
  await refused(made([...ROOT, { path: '/e', owner: 7n }, { path: '/e/x' }]), /the ephemeral \/e has children/);
});

test('what is wrong within a packed snapshot is told also where much is still to come, and an older one is taken', async () => {
  const plain = snapshot([...ROOT, { path: '/a' }]);
  const bad = Buffer.from(plain);
  bad.writeInt32BE(0x7fffff00, bad.indexOf('/a') + 2);
  // more than is unpacked in a piece, so that the rest is on its way when the fault is found
  const packed = gzipSync(Buffer.concat([bad, randomBytes(4 << 20)]), { level: 1 });
  await refused({ 'snapshot.2.gz': packed, 'log.1': logFile([]) }, /snapshot\.2\.gz: it cannot be used/);
  const loaded = await load({ 'snapshot.0': snapshot(ROOT), 'snapshot.2.gz': packed, 'log.1': logFile(creates(1, 3)) });
  assert.equal(loaded.snapshot, 'snapshot.0');
  assert.match(loaded.notes.join(), /snapshot\.2\.gz, offset \d+: a node with a length .* passed over/);
});
