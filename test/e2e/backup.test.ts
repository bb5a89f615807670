/** A running ensemble is backed up while it is written to, and a new one begins from that, with nobody of the old in it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type Ran, zoosh } from './cli.ts';
import { apacheData, Folder } from './folders.ts';
import { Members, until } from './members.ts';
import { ServerProcess } from './process.ts';
import { hello } from './raw.ts';

const EPOCHS_AHEAD = 65_536n;
interface Told {
  readonly zxid: string;
  readonly ensembleId: string;
  readonly digest: string;
  readonly nodes: number;
  readonly ephemerals: number;
  readonly sessions: number;
  readonly epoch: number;
  readonly server: number;
}
const json = <T>({ code, stdout, stderr }: Ran): T => {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
};

/** Creates one node after another, until told to stop; keeps the zxid of each that was acknowledged. */
async function write(
  client: Client,
  parent: string,
  acknowledged: Map<string, bigint>,
  until: () => boolean,
): Promise<void> {
  await client.create(parent);
  for (let i = 0; !until(); i++) {
    const path = `${parent}/n${i}`;
    const { stat } = await client.create(path, String(i));
    acknowledged.set(path, stat?.czxid ?? assert.fail());
  }
}

/** The session that a client gets which was of a session before and saw that zxid; rejects when it is turned away. */
async function welcome(port: number, lastZxidSeen: bigint): Promise<bigint> {
  const bytes = hello(5n);
  bytes.writeBigInt64BE(lastZxidSeen, 8);
  const socket = dial(port, '127.0.0.1');
  try {
    socket.write(bytes);
    for await (const answer of socket) return (answer as Buffer).readBigInt64BE(12);
    throw new Error('it hung up');
  } finally {
    socket.destroy();
  }
}

test('an ensemble is backed up under load; one member is restored, the others begin empty, old directories are refused', async () => {
  using folder = new Folder();
  // those that stand still for seconds stay what they are
  await using members = await Members.start({ voters: 3, tickMs: 2000 });
  const writers = await Promise.all(members.all.map(({ hosts }) => connect(hosts)));
  const [holder] = writers;
  await holder?.create('/held', 'e', { mode: 'ephemeral' });
  let isOver = false;
  const acknowledged = new Map<string, bigint>();
  const written = (which: (zxid: bigint) => boolean): number => [...acknowledged.values()].filter(which).length;
  const wrote = (what: () => boolean): Promise<void> =>
    until(what, PATIENCE_MS, () => `nothing is written: ${members.tail()}`);
  const writing = Promise.all(writers.map((client, at) => write(client, `/w${at}`, acknowledged, () => isOver)));
  writing.catch(() => {}); // heard below
  await sleep(200);
  await wrote(() => writers.every((_, each) => acknowledged.has(`/w${each}/n0`)));
  const { id } = await members.follower();
  await writers[id - 1]?.sync('/held'); // it may be behind, and what it gives is what it has
  const control = (of: number): string => join(members.member(of).folder, 'ctl');
  const file = folder.in('backup');
  const begun = zoosh(['-o', 'json', 'backup', file, '--control', control(id)]);
  const told = json<Told>(await begun);
  await sleep(100);
  const at = BigInt(told.zxid);
  await wrote(() => written((zxid) => zxid > at) > 0);
  isOver = true;
  await writing;
  const [before, after] = [written((zxid) => zxid <= at), written((zxid) => zxid > at)];
  assert.ok(before > 0 && after > 0, `${before} writes before it, ${after} after`);
  assert.deepEqual([told.server, told.ephemerals, told.sessions], [id, 1, 3]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder.path), ['backup']);

  // when nothing goes on, it has the digest that the members have
  await members.equal();
  const quiet = json<Told>(await zoosh(['-o', 'json', 'backup', folder.in('quiet'), '--control', control(1)]));
  const { zxid, digest } = await members.member(1).ask({ op: 'digest' });
  assert.deepEqual([quiet.zxid, quiet.digest], [zxid, digest]);
  const shown = await zoosh(['backup', folder.in('shown'), '--control', control(1)]);
  assert.match(shown.stdout, new RegExp(`, ${statSync(folder.in('shown')).size} bytes, read again and whole$`, 'm'));

  await Promise.all(members.all.map((member) => member.kill('SIGTERM')));
  const first = members.member(1);
  const config = join(first.folder, 'zoo.cfg');
  const refused = await zoosh(['restore', file, '--config', config]);
  assert.equal(refused.code, 42, refused.stdout);
  assert.match(refused.stderr, /--sacrifice/);
  const other = await zoosh(['restore', file, '--config', config, '--sacrifice', 'f'.repeat(32)]);
  assert.equal(other.code, 42, other.stdout);
  assert.match(other.stderr, new RegExp(`belongs to ensemble ${told.ensembleId}, not f+: nothing is sacrificed`));
  const words = ['-o', 'json', 'restore', file, '--config', config, '--sacrifice', told.ensembleId.slice(0, 8)];
  const restored = json<{ ensembleId: string; epoch: number; aside: string[] }>(await zoosh(words));
  assert.ok(BigInt(restored.epoch) >= BigInt(told.epoch) + EPOCHS_AHEAD, String(restored.epoch));
  assert.notEqual(restored.ensembleId, told.ensembleId);
  assert.deepEqual(restored.aside, [join(first.data, `zoosh-1.sacrificed-${told.ensembleId.slice(0, 8)}`)]);
  assert.equal((await zoosh(['verify', first.data])).code, 0);

  // one of the old ensemble neither joins nor is joined
  first.start();
  await members.serving([1]);
  members.note('restored');
  members.member(2).start();
  await until(
    () => members.member(2).log.split('--- restored')[1]?.includes(restored.ensembleId.slice(0, 8)) === true,
    PATIENCE_MS,
    () => members.tail(),
  );
  assert.notEqual((await members.member(2).status())?.serving, true);
  // nor does it end the restored one, which finds it at an address of its zoo.cfg, whoever of the two calls first
  await first.kill('SIGTERM');
  members.note('beside an old one');
  first.start();
  await until(
    () => /refused: server 1 .* belongs to another ensemble/.test(first.log.split('--- beside an old one')[1] ?? ''),
    PATIENCE_MS,
    () => members.tail(),
  );
  await members.serving([1]);
  await members.member(2).kill('SIGKILL');
  for (const each of [2, 3]) rmSync(join(members.member(each).data, 'zoosh-1'), { recursive: true });
  members.startAll();
  await members.serving();
  await members.equal();

  // every write acknowledged up to the backup is there, and none after; whoever was a client is let in, and has no session
  await Promise.all(writers.map((client) => client.close().catch(() => {})));
  const late = ((BigInt(told.epoch) + EPOCHS_AHEAD - 1n) << 32n) | 5n;
  assert.equal(await welcome(first.clientPort, late), 0n);
  const client = await connect(members.hosts);
  for (const at_ of [0, 1, 2]) {
    const { children } = await client.getChildren(`/w${at_}`);
    const expected = [...acknowledged].flatMap(([path, zxid]) =>
      path.startsWith(`/w${at_}/`) && zxid <= at ? [path.split('/')[2]] : [],
    );
    assert.deepEqual([...children].sort(), expected.sort());
  }
  assert.equal(await client.exists('/held'), undefined);
  const { stat } = await client.create('/after', 'x');
  assert.ok((stat?.czxid ?? 0n) >> 32n >= BigInt(restored.epoch));

  await client.close();

  // restored once more, the old backup goes beyond what its first restoration came to
  await Promise.all(members.all.map((member) => member.kill('SIGTERM')));
  const again = json<{ epoch: number }>(await zoosh([...words.slice(0, -1), restored.ensembleId]));
  assert.ok(again.epoch >= restored.epoch + Number(EPOCHS_AHEAD), String(again.epoch));
});

/** A backup of a few nodes of a server alone, and where it was made. */
async function small(folder: Folder): Promise<{ file: string; told: Told }> {
  await using server = new ServerProcess();
  const control = folder.in('ctl');
  server.words = ['--control', control, '--no-faults'];
  await server.start();
  const client = await connect(server.hosts);
  for (let i = 0; i < 50; i++) await client.create(`/n${i}`, 'x'.repeat(i));
  await client.create('/box', null, { mode: 'container' });
  const file = folder.in('backup');
  const told = json<Told>(await zoosh(['-o', 'json', 'backup', file, '--control', control, '--rate', '100M']));
  await client.close();
  const again = await zoosh(['backup', file, '--control', control]);
  assert.equal(again.code, 42);
  assert.match(again.stderr, /is there already/);
  const nowhere = await zoosh(['backup', folder.in('none', 'b'), '--control', control]);
  assert.equal(nowhere.code, 40, nowhere.stderr);
  return { file, told };
}

test('a backup tells what it is; a byte that is not as it was written is found, by every reader', async () => {
  using folder = new Folder();
  const { file, told } = await small(folder);
  const info = await zoosh(['snapshot', 'info', file]);
  assert.match(info.stdout, /^kind {9}zoosh backup$/m);
  assert.match(info.stdout, new RegExp(`^ensemble {5}${told.ensembleId}$`, 'm'));
  assert.match(info.stdout, new RegExp(`^digest {7}${told.digest}$`, 'm'));
  assert.match(info.stdout, /^nodes {8}55 \(0 ephemeral, 1 containers, 0 with a time to live\)$/m);
  assert.match(info.stdout, /^taken {8}\d{4}-.* of server 1 in epoch 1, by zoosh \d/m);
  const ls = await zoosh(['snapshot', 'ls', file]);
  assert.match(ls.stdout, /^\/n49$/m);
  const whole = await zoosh(['verify', file]);
  assert.deepEqual([whole.code, whole.stdout], [0, `${file}: whole, 55 nodes, zxid ${told.zxid}\n`]);
  const bytes = readFileSync(file);
  const bad = folder.in('bad');
  const changed = (at: number): void => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] as number) ^ 1;
    writeFileSync(bad, copy);
  };
  for (const at of [5, 300, 4200, bytes.length - 1]) {
    changed(at);
    assert.equal((await zoosh(['verify', bad])).code, 44, String(at));
  }
  assert.equal((await zoosh(['snapshot', 'info', bad])).code, 44);
  const refused = await zoosh(['restore', bad, '--to', folder.in('to')]);
  assert.equal(refused.code, 44, refused.stderr);
  assert.equal(existsSync(folder.in('to')), false); // it has made nothing
  changed(0); // what does not even begin like one
  assert.equal((await zoosh(['verify', bad])).code, 2);
  for (const length of [4000, 4096, bytes.length - 1]) {
    writeFileSync(bad, bytes.subarray(0, length));
    assert.equal((await zoosh(['verify', bad])).code, 44, String(length));
  }
  // without its first page it is what the admin server gives: a snapshot, which says less of itself
  writeFileSync(bad, bytes.subarray(4096));
  assert.equal((await zoosh(['verify', bad])).code, 0);
  const raw = await zoosh(['-o', 'json', 'restore', bad, '--to', folder.in('raw')]);
  assert.match(raw.stderr, /^warning: a snapshot does not say which epochs/);
  const made = json<{ backup: Partial<Told>; nodes: number; epoch: number }>(raw);
  assert.deepEqual(made.backup, { zxid: told.zxid, ensembleId: told.ensembleId, takenAt: null });
  assert.deepEqual([made.nodes, made.epoch], [55, Number(EPOCHS_AHEAD) + 2]);
  writeFileSync(bad, Buffer.concat([bytes, Buffer.from([0])]));
  assert.equal((await zoosh(['verify', bad])).code, 44);
});

test('a restoration is refused where it would hurt, and a dry run writes nothing', async () => {
  using folder = new Folder();
  const { file } = await small(folder);
  const dry = await zoosh(['-n', 'restore', file, '--to', folder.in('dry')]);
  assert.match(dry.stdout, /^would restore 55 nodes\. {2}Nothing was written\.$/m);
  assert.equal(existsSync(folder.in('dry')), false);
  apacheData(folder.in('apache'));
  const cases = [
    [['restore'], 2, /FILE is missing/],
    [['restore', file], 2, /--to DATADIR or --config/],
    [['restore', file, '--to', folder.in('x'), '--myid', '300'], 2, /1 to 254/],
    [['restore', file, '--to', folder.in('x'), '--epoch', 'x'], 2, /is not a number/],
    [['restore', file, '--to', folder.in('x'), '--epoch', '2147450000'], 43, /no epoch/],
    [['restore', file, '--to', folder.in('x'), '--sacrifice', 'none'], 42, /nothing to sacrifice/],
    [['restore', file, '--to', folder.in('apache')], 42, /data of an Apache ZooKeeper server/],
    [['restore', folder.in('apache/version-2/snapshot.0'), '--to', folder.in('x')], 2, /import-apache/],
    [['backup'], 2, /FILE is missing/],
    [['backup', folder.in('b'), '--control', folder.in('nobody')], 3, /no backup came/],
    [['backup', folder.in('b'), '--control', folder.in('nobody'), '--rate', 'x'], 2, /is not a size/],
  ] as const;
  for (const [args, code, text] of cases) {
    const ran = await zoosh(args);
    assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`);
    assert.match(ran.stderr, text);
  }
  // one that was interrupted is no empty tree: the server says so until it was done again
  await using server = new ServerProcess();
  const data = join(server.folder, 'data');
  assert.equal((await zoosh(['restore', file, '--to', data])).code, 0);
  mkdirSync(join(data, 'zoosh-1.importing'));
  renameSync(join(data, 'zoosh-1'), join(data, 'zoosh-1.importing', 'zoosh-1'));
  await assert.rejects(server.start(), /ended with 42.*was cut off/s);
  const restored = await zoosh(['restore', file, '--to', data, '--epoch', '900000']);
  assert.match(restored.stdout, /, epoch 96553[67]; other members/);
  await server.start();
  const client = await connect(server.hosts);
  assert.equal((await client.getChildren('/')).children.length, 52);
  await client.close();
  const used = await zoosh(['restore', file, '--to', data, '--sacrifice', 'none']);
  assert.equal(used.code, 42);
  assert.match(used.stderr, /a zoosh server uses/);
});
