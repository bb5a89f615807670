/** Programs on kazoo while what they are connected to is backed up, restored, or becomes one of ours. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { ApacheServer } from '../apache/apache-server.ts';
import { zoosh } from '../e2e/cli.ts';
import { Folder } from '../e2e/folders.ts';
import { Members } from '../e2e/members.ts';
import { ServerProcess } from '../e2e/process.ts';
import { KazooProgram } from './kazoo-program.ts';

const secondsOf = ({ said }: KazooProgram): number => Number(/again ([\d.]+)/.exec(said)?.[1]);

test('every write that kazoo was told of before the zxid of a backup is restored, and none after', {
  timeout: 300_000,
}, async (t) => {
  using folder = new Folder();
  await using members = await Members.start({ voters: 3 });
  const log = folder.in('log');
  using workload = new KazooProgram('backup_kazoo.py', ['write', members.hosts, log]);
  await workload.until('ready\n');
  const { id } = await members.follower();
  const told: { zxid: string; ensembleId: string; nodes: number }[] = [];
  const file = (n: number): string => folder.in(`backup${n}`);
  for (let n = 0; n < 3; n++) {
    await sleep(700);
    const of = n === 0 ? (await members.leader()).id : id;
    const ran = await zoosh(['-o', 'json', 'backup', file(n), '--control', join(members.member(of).folder, 'ctl')]);
    assert.equal(ran.code, 0, ran.stderr);
    told.push(JSON.parse(ran.stdout));
  }
  await sleep(700);
  await workload.end();
  for (const [n, { zxid, ensembleId }] of told.entries()) {
    await Promise.all(members.all.map((member) => member.kill('SIGTERM')));
    const first = members.member(1);
    // what is given up is the ensemble before, restored or not
    const verified = await zoosh(['verify', first.data]);
    const before = /of ensemble ([0-9a-f]{32})/.exec(verified.stdout)?.[1] ?? assert.fail(verified.stdout);
    if (n === 0) assert.equal(before, ensembleId);
    const config = join(first.folder, 'zoo.cfg');
    const ran = await zoosh(['restore', file(n), '--config', config, '--sacrifice', before]);
    assert.equal(ran.code, 0, ran.stderr);
    for (const each of [2, 3]) rmSync(join(members.member(each).data, 'zoosh-1'), { recursive: true });
    members.startAll();
    await members.serving();
    await members.equal();
    using judge = new KazooProgram('backup_kazoo.py', ['judge', members.member(n + 1).hosts, log, zxid]);
    await judge.end();
    const [, earlier = '0', later = '0'] = /before (\d+) after (\d+)/.exec(judge.said) ?? [];
    t.diagnostic(`backup ${n + 1} at ${zxid}: ${earlier} acknowledged before it, ${later} after`);
    assert.ok(Number(earlier) > 0 && Number(later) > 0, judge.said);
  }
});

test('a kazoo client goes on with its session and its ephemeral node after an import that keeps them', {
  timeout: 200_000,
}, async (t) => {
  await using ours = new ServerProcess();
  const data = join(ours.folder, 'data');
  mkdirSync(data, { recursive: true });
  await using apache = await ApacheServer.start(ours.folder, { java: [], lines: [] });
  using kazoo = new KazooProgram('kept_kazoo.py', [apache.hosts]);
  await kazoo.until('ready\n');
  const silent = await connect(apache.hosts, { timeoutMs: 4000 });
  await silent.create('/silent', '', { mode: 'ephemeral' });
  await apache.end('SIGKILL');
  silent.close().catch(() => {});
  const ran = await zoosh(['-o', 'json', 'import-apache', data, '--keep-sessions']);
  assert.equal(ran.code, 0, ran.stderr);
  const { kept, dropped } = JSON.parse(ran.stdout);
  assert.deepEqual(
    [kept, dropped],
    [
      { sessions: 2, ephemerals: 2 },
      { sessions: 0, ephemerals: 0 },
    ],
  );
  ours.port = Number(apache.hosts.split(':')[1]);
  await ours.start();
  await kazoo.until('again ');
  t.diagnostic(`kazoo goes on ${secondsOf(kazoo)} s after it lost its connection`);
  assert.ok(secondsOf(kazoo) < 20, `one session timeout: ${secondsOf(kazoo)} s`);
  await kazoo.end();
  // a session whose client does not come back ends after its timeout
  const client = await connect(ours.hosts);
  for (let i = 0; (await client.exists('/silent')) !== undefined; i++) {
    assert.ok(i < 300, 'it does not end');
    await sleep(100);
  }
  await client.close();
});

test('a kazoo client goes on after a restoration, with a session of its own', { timeout: 200_000 }, async (t) => {
  using folder = new Folder();
  await using ours = new ServerProcess();
  const control = join(ours.folder, 'ctl');
  ours.words = ['--control', control, '--no-faults'];
  await ours.start();
  const client = await connect(ours.hosts);
  await client.create('/app');
  await client.create('/app/x');
  await client.close();
  using kazoo = new KazooProgram('migrate_kazoo.py', [ours.hosts]);
  await kazoo.until('ready\n');
  const file = folder.in('backup');
  const made = await zoosh(['-o', 'json', 'backup', file, '--control', control]);
  assert.equal(made.code, 0, made.stderr);
  // what it sees after the backup is beyond everything that is restored
  const later = await connect(ours.hosts);
  await later.set('/watched', '0');
  await later.close();
  await ours.kill('SIGTERM');
  const { ensembleId } = JSON.parse(made.stdout) as { ensembleId: string };
  const data = join(ours.folder, 'data');
  const ran = await zoosh(['restore', file, '--to', data, '--sacrifice', ensembleId]);
  assert.equal(ran.code, 0, ran.stderr);
  await ours.start();
  await kazoo.until('again ');
  t.diagnostic(`kazoo holds its node again ${secondsOf(kazoo)} s after it heard that its session was lost`);
  assert.ok(secondsOf(kazoo) < 10, `one session timeout: ${secondsOf(kazoo)} s`);
  await kazoo.end();
});
