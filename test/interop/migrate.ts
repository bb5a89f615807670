/**
 * A data directory of Debian's ZooKeeper with one of everything and 100,000 znodes, snapshots written under load, killed:
 * imported, ours serves what it served; exported, it starts from our directory and serves the same again.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { ApacheServer } from '../apache/apache-server.ts';
import { type DumpedNode, dump } from '../apache/dump.ts';
import { firstPart, laterPart } from '../apache/scene.ts';
import { withoutEphemerals } from '../apache/without-ephemerals.ts';
import { zoosh } from '../e2e/cli.ts';
import { ServerProcess } from '../e2e/process.ts';
import { KazooProgram } from './kazoo-program.ts';

const NODES = 100_000;
const PER_PARENT = 1000;
const SUPER = 'DigestAuthenticationProvider.superDigest=super:xQJmxLMiHGwaqBvst5y6rkB6HQs=';
const APACHE = { java: [`-Dzookeeper.${SUPER}`], lines: ['snapCount=400'] };

/** Transactions of many nodes each, with deletions and changes among them, while Apache takes snapshots again and again. */
async function fill(zk: Client): Promise<void> {
  await zk.create('/bulk', '');
  const done: Promise<unknown>[] = [];
  for (let group = 0; group * PER_PARENT < NODES; group++) {
    const parent = `/bulk/g${group}`;
    done.push(zk.create(parent, ''));
    for (let from = 0; from < PER_PARENT; from += 100) {
      const txn = zk.transaction();
      for (let i = from; i < from + 100; i++) txn.create(`${parent}/n${i}`, `${group} ${i}`);
      done.push(txn.commit());
    }
    for (let i = 0; i < 5; i++) done.push(zk.set(`${parent}/n${i}`, 'changed'));
    done.push(zk.delete(`${parent}/n7`), zk.create(`${parent}/n7`, 'again'));
    if (group % 10 === 0) await Promise.all(done.splice(0));
  }
  await Promise.all(done);
}
async function dumpOf(hosts: string): Promise<DumpedNode[]> {
  const client = await connect(hosts, { auth: [{ scheme: 'digest', auth: 'super:admin' }], connectTimeoutMs: 60_000 });
  try {
    return await dump(client);
  } finally {
    await client.close();
  }
}
/** Deep equality of 100,000 records says little when it fails: the first that differ do. */
function same(found: readonly DumpedNode[], wanted: readonly DumpedNode[], what: string): void {
  const byPath = new Map(wanted.map((node) => [node.path, JSON.stringify(node)]));
  const odd = found.filter((node) => byPath.get(node.path) !== JSON.stringify(node)).slice(0, 3);
  assert.deepEqual(
    odd.map((node) => [JSON.stringify(node), byPath.get(node.path)]),
    [],
    what,
  );
  assert.equal(found.length, wanted.length, what);
}

test('100,000 znodes go from Apache to zoosh and back', { timeout: 600_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-migrate-'));
  let at = performance.now();
  const lap = (what: string): void => {
    const now = performance.now();
    t.diagnostic(`${what}: ${((now - at) / 1000).toFixed(1)} s`);
    at = now;
  };
  try {
    await using ours = new ServerProcess([SUPER, 'extendedTypesEnabled=true']);
    const data = join(ours.folder, 'data');
    let seen: DumpedNode[];
    {
      mkdirSync(data, { recursive: true });
      await using apache = await ApacheServer.start(ours.folder, APACHE);
      const clients = await firstPart(apache.hosts);
      await fill(clients[0] as Client);
      clients.push(await laterPart(apache.hosts, 1));
      lap('Apache is started and filled');
      seen = await dumpOf(apache.hosts);
      lap('and read');
      await apache.end('SIGKILL');
      for (const client of clients) client.close().catch(() => {});
    }
    const files = readdirSync(join(data, 'version-2'));
    assert.ok(files.filter((name) => name.startsWith('snapshot.')).length > 1, `no snapshot under load: ${files}`);
    const ran = await zoosh(['-o', 'json', 'import-apache', data]);
    assert.equal(ran.code, 0, ran.stderr);
    const told = JSON.parse(ran.stdout) as Record<string, unknown> & { zxid: string };
    t.diagnostic(`imported from ${told.snapshot}, ${told.replayed} transactions behind it`);
    assert.equal(told.digest, true);
    assert.deepEqual(told.lost, []);
    assert.deepEqual(told.dropped, { sessions: 3, ephemerals: 5 });
    lap('imported');
    await ours.start();
    const served = await dumpOf(ours.hosts);
    assert.ok(served.length > NODES);
    same(served, withoutEphemerals(seen, told.zxid.slice(2)), 'imported');
    await ours.kill('SIGTERM');
    lap('and read');
    const out = await zoosh(['-o', 'json', 'export-apache', data, '--to', join(folder, 'data')]);
    assert.equal(out.code, 0, out.stderr);
    lap('exported');
    const home = await zoosh(['import-apache', join(folder, 'data'), '--to', join(folder, 'home')]);
    assert.equal(home.code, 0, home.stderr);
    lap('and taken back');
    await using back = await ApacheServer.start(folder, { java: APACHE.java });
    same(await dumpOf(back.hosts), served, 'exported');
    lap('Apache is started on it and read');
    // it goes on from there
    const client = await connect(back.hosts);
    const { stat } = await client.create('/after', 'x');
    const { zxid } = JSON.parse(out.stdout) as { zxid: string };
    assert.ok(stat !== undefined && stat.czxid > BigInt(zxid));
    await client.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a kazoo client that held an ephemeral goes on after the import, without being started again', async (t) => {
  await using ours = new ServerProcess([SUPER, 'extendedTypesEnabled=true']);
  const data = join(ours.folder, 'data');
  mkdirSync(data, { recursive: true });
  await using apache = await ApacheServer.start(ours.folder, APACHE);
  const clients = await firstPart(apache.hosts);
  using kazoo = new KazooProgram('migrate_kazoo.py', [apache.hosts]);
  await kazoo.until('ready\n');
  await apache.end('SIGKILL');
  for (const client of clients) client.close().catch(() => {});
  const ran = await zoosh(['import-apache', data]);
  assert.equal(ran.code, 0, ran.stderr);
  ours.port = Number(apache.hosts.split(':')[1]);
  await ours.start();
  await kazoo.until('again ');
  await kazoo.end();
  const seconds = Number(/again ([\d.]+)/.exec(kazoo.said)?.[1]);
  t.diagnostic(`imported; kazoo holds its node again ${seconds} s after it heard that its session was lost`);
  assert.ok(seconds < 10, `one session timeout: ${seconds} s`);
});
