/** Ensembles of real processes, as a person starts, hurts, grows and ends them with the built binary. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeeperError } from '../../src/base/errors.ts';
import { connect } from '../../src/client/connect.ts';
import { EnsembleFolder } from '../../src/ensemble/layout.ts';
import { processOf } from '../../src/ensemble/process.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { allEqual, base, folder, good, home, insist, portsFree, run, until, view } from './local-ensembles.ts';

test('start -d, status, kill the leader under a client, start it again, destroy: nothing is left', async (t) => {
  const first = await base();
  let stdout = '';
  await timely(async (round) => {
    if (round > 0) await good('-y', 'ensemble', 'destroy', 'demo');
    const began = performance.now();
    const ran = await run('start', 'ensemble', 'demo', '-n', '3', '--base-port', String(first), '-d');
    const took = performance.now() - began;
    assert.equal(ran.code, 0, ran.stderr);
    stdout = ran.stdout;
    assert.equal(stdout, `127.0.0.1:${first},127.0.0.1:${first + 1},127.0.0.1:${first + 2}\n`);
    t.diagnostic(`a quorum of three served ${Math.round(took)} ms after the command was typed`);
    return lateIf(took >= 3_000, `it took ${took} ms`);
  });

  const before = await allEqual('demo');
  const pids = before.members.map(({ pid }) => pid as number);
  assert.deepEqual([before.quorum, before.serving, before.voters], [true, 3, 3]);
  assert.equal(before.members.filter(({ role }) => role === 'leader').length, 1);
  const taken = await run('start', 'ensemble', 'other', '--base-port', String(first), '-d');
  assert.deepEqual([taken.code, taken.stdout], [41, '']);
  assert.match(taken.stderr, new RegExp(`port ${first} is in use by member 1 of demo`));
  assert.equal((await run('start', 'ensemble', 'demo', '-d')).code, 42);

  // a session with each of the three, and one with all of them
  const smoke = await good('-s', stdout.trim(), 'smoketest', '--timeout', '40s');
  assert.equal(smoke.match(/^127\.0\.0\.1:\d+ {2}heard of 3 deletions, in order, in /gm)?.length, 3, smoke);
  assert.match(smoke, /\nSmoke test successful\n$/);
  const twenty = ['bench', '--timeout', '40s', '--znode_count', '20'];
  const bench = await good('-s', stdout.trim(), ...twenty);
  assert.equal(bench.match(/^notif {8}20 {11}watches/gm)?.length, 3, bench);
  assert.match(bench, /\nLatency test complete\n$/);
  const asOne = await good('-s', stdout.trim(), ...twenty, '-q', '--cluster', stdout.trim());
  assert.equal(asOne, 'Latency test complete\n');
  // the one that is asked may be behind the one that removed it
  assert.equal(await good('-s', stdout.trim(), '-c', 'sync /; ls /'), 'zookeeper\n');

  const client = await connect(stdout.trim(), { timeoutMs: 40_000 });
  const session = client.sessionId;
  await client.create('/writes');
  await client.create('/mine', null, { mode: 'ephemeral' });
  const written: string[] = [];
  let writing = true;
  const writer = (async () => {
    for (let at = 0; writing; at++) {
      const path = `/writes/n${at}`;
      // what the client does not know to be done may be done
      await client.create(path, String(at)).then(
        () => written.push(path),
        () => sleep(20),
      );
    }
  })();
  await sleep(300);
  const killed = JSON.parse(await insist('-o', 'json', 'ensemble', 'kill', 'demo', 'leader')) as { killed: number[] };
  const atKill = written.length;
  await until('writes go on', async () => written.length > atKill + 20);
  writing = false;
  await writer;
  const during = await until('the other two are seen to serve', async () => {
    const found = await view('demo');
    return found.quorum && found.serving === 2 && found;
  });
  const dead = during.members.find(({ id }) => id === killed.killed[0]);
  assert.equal(dead?.state, 'down');
  assert.match(dead?.faults[0] ?? '', /^killed /);
  assert.deepEqual([during.quorum, during.serving], [true, 2]);
  assert.ok((during.electionMs ?? 0) > 0);
  assert.equal(await good('ensemble', 'start', 'demo'), '');
  const whole = await allEqual('demo');
  assert.equal(whole.members.filter(({ role }) => role === 'leader').length, 1);
  assert.equal(client.sessionId, session, 'the session lives on');
  assert.ok((await client.exists('/mine')) !== undefined);
  const { children } = await client.getChildren('/writes');
  const there = new Set(children.map((name) => `/writes/${name}`));
  assert.deepEqual(
    written.filter((path) => !there.has(path)),
    [],
    'acknowledged writes are lost',
  );
  await client.close();

  const listed = JSON.parse(await good('-o', 'json', 'ensemble', 'list')) as { name: string; up: number }[];
  assert.deepEqual(
    listed.map(({ name, up }) => [name, up]),
    [['demo', 3]],
  );
  assert.match(await good('ensemble', 'env', 'demo'), /^export ZOOSH_SERVER=127.0.0.1:\d+,/);
  assert.match(await good('ensemble', 'logs', 'demo', '-n', '2000'), /leading epoch/);
  assert.equal((await run('ensemble', 'destroy', 'demo')).code, 30, 'nobody is there to ask');
  const last = (await view('demo')).members.map(({ pid }) => pid as number);
  await good('-y', 'ensemble', 'destroy', 'demo');
  for (const pid of [...pids, ...last]) assert.equal(processOf(pid), undefined, `process ${pid} lives`);
  assert.ok(!existsSync(join(folder, 'demo')));
  await portsFree(first, 3);
});

const PART = ['start', 'ensemble', 'part', '-n', '3', '--set', 'tickTime=500', '-d'];
/** With ticks this short a machine that stands still costs a leader, and a client its connection: again, then. */
const again = <T>(change: () => Promise<T>): Promise<T> =>
  until('the connection holds', () =>
    change().catch((error: KeeperError) => {
      if (error.code !== 'ConnectionLoss') throw error;
      return undefined;
    }),
  );

test('a leader that is cut off is succeeded, and follows when the partition heals; pauses, lag, stops', async () => {
  const server = (await good(...PART, '--base-port', String(await base()))).trim();
  const before = await allEqual('part');
  const leader = before.members.find(({ role }) => role === 'leader')?.id as number;
  const others = before.members.map(({ id }) => id).filter((id) => id !== leader);
  const told = await insist('-o', 'json', 'ensemble', 'partition', 'part', others.join(','), '/', String(leader));
  assert.deepEqual(JSON.parse(told), { groups: [others, [leader]], quorum: others });
  const cut = await until('the others elect one of them, and the old leader looks', async () => {
    const found = await view('part');
    const old = found.members.find(({ id }) => id === leader);
    return found.quorum && found.serving === 2 && old?.state === 'starting' && found;
  });
  assert.deepEqual(cut.members.find(({ id }) => id === leader)?.faults, [`cut from ${others.join(',')}`]);
  const client = await connect(server, { connectTimeoutMs: PATIENCE_MS });
  await again(() =>
    client.create('/after', 'the partition').catch((error: KeeperError) => {
      if (error.code !== 'NodeExists') throw error;
      return true; // it was lost with its answer only
    }),
  );
  await insist('ensemble', 'heal', 'part');
  const healed = await allEqual('part');
  assert.deepEqual(
    healed.members.map(({ faults }) => faults),
    [[], [], []],
  );

  await insist('ensemble', 'lag', 'part', 'leader', '30ms');
  await again(() => client.set('/after', 'lag'));
  await insist('ensemble', 'heal', 'part');
  const { paused } = JSON.parse(await insist('-o', 'json', 'ensemble', 'pause', 'part', 'leader')) as {
    paused: number[];
  };
  assert.equal((await view('part')).members.find(({ id }) => id === paused[0])?.state, 'paused');
  await until('a new leader', async () => (await view('part')).quorum);
  await insist('ensemble', 'resume', 'part');
  await allEqual('part');
  await client.close();

  await good('ensemble', 'stop', 'part', '1', '2');
  const none = await run('ensemble', 'status', 'part');
  assert.equal(none.code, 1);
  await good('ensemble', 'stop', 'part');
  const anew = await run('start', 'ensemble', 'part', '-d');
  assert.deepEqual([anew.code, anew.stdout], [0, `${server}\n`], anew.stderr);
  await allEqual('part');
  assert.equal(await good(server, 'get', '/after'), 'lag\n');
  await good('-y', 'ensemble', 'destroy', 'part');
});

test('scale: 1 to 3 to 5 to 3 under a client whose writes all succeed', async (t) => {
  const port = String(await base());
  const server = (await good('start', 'ensemble', 'grow', '-n', '1', '--base-port', port, '-d')).trim();
  const client = await connect(server, { timeoutMs: 40_000 });
  await client.create('/n');
  let [writing, done] = [true, 0];
  const failed: string[] = [];
  let longest = 0;
  const writer = (async () => {
    while (writing) {
      const began = performance.now();
      // a connection may break with the member that leaves: then it is asked again, and may be there already
      for (let tries = 0; ; tries++) {
        const error = await client.create(`/n/${done}`).then(
          () => undefined,
          (found: KeeperError) => found,
        );
        if (error === undefined || (tries > 0 && error.code === 'NodeExists')) break;
        if (error.code !== 'ConnectionLoss') failed.push(error.message);
        await sleep(10);
      }
      done++;
      longest = Math.max(longest, performance.now() - began);
      await sleep(5);
    }
  })();
  await timely(async () => {
    longest = 0;
    for (const size of [3, 5, 3]) {
      await good('ensemble', 'scale', 'grow', String(size));
      const { members, quorum } = await allEqual('grow');
      assert.deepEqual([quorum, members.length], [true, size]);
    }
    return lateIf(longest > 1000, `a write took ${longest} ms while members came and went`);
  });
  writing = false;
  await writer;
  assert.deepEqual(failed, []);
  t.diagnostic(`${done} writes meanwhile; the longest took ${Math.round(longest)} ms`);
  assert.equal((await client.getChildren('/n')).children.length, done);
  await client.close();
  await good('ensemble', 'scale', 'grow', '3', '--observers', '1');
  assert.deepEqual((await allEqual('grow')).members.map(({ role }) => role === 'observer').sort(), [
    false,
    false,
    false,
    true,
  ]);
  // one that was made a bystander by hand is no voter, and is not counted as one
  const now = await view('grow');
  const [aside] = now.members.filter(({ role }) => role === 'follower');
  const superUser = `super:${new EnsembleFolder(now.directory).superPassword}`;
  await good(now.connect, '--auth', `digest:${superUser}`, '-y', 'reconfig', '--remove', String(aside?.id));
  const seen = await until('it is a bystander', async () => {
    const found = await view('grow');
    return found.members.find(({ id }) => id === aside?.id)?.role === 'observer' ? found : undefined;
  });
  assert.deepEqual([seen.voters, seen.members.find(({ id }) => id === aside?.id)?.votes], [2, false]);
  await good('ensemble', 'scale', 'grow', '3', '--observers', '0');
  const whole = await allEqual('grow');
  assert.deepEqual([whole.voters, whole.members.length, whole.members.every(({ votes }) => votes)], [3, 3, true]);
  const gone = (await view('grow')).members.map(({ pid }) => pid as number);
  await good('-y', 'ensemble', 'destroy', 'grow');
  for (const pid of gone) assert.equal(processOf(pid), undefined);
});

test('an observer joins a running ensemble, serves reads and writes, and is the same one the next time', async () => {
  const port = String(await base());
  const servers = (await good('start', 'ensemble', 'seen', '-n', '3', '--base-port', port, '-d')).trim();
  const data = join(home, 'observer');
  const join_ = ['start', 'observer', '--join', servers, '--data', data, '--port', String(await base())];
  for (const value of ['one', 'two']) {
    const { code, stdout, stderr } = await run(...join_, '-d');
    assert.equal(code, 0, stderr);
    const pid = Number(/process (\d+),/.exec(stderr)?.[1]);
    const observer = stdout.trim();
    const srvr = await until('it serves', async () => {
      const said = await good(observer, '4lw', 'srvr');
      return said.includes('not currently serving') ? undefined : said;
    });
    assert.match(srvr, /^Mode: observer$/m);
    await good(observer, 'put', '/seen', value);
    // the one that is asked may be behind the others
    assert.equal(await good('-s', servers, '-c', 'sync /seen; get /seen'), `${value}\n`);
    assert.equal(readFileSync(join(data, 'myid'), 'utf8'), '4\n');
    process.kill(pid, 'SIGTERM');
    await until('it ended', async () => processOf(pid) === undefined);
  }
  const participant = await run(...join_, '--myid', '1');
  assert.equal(participant.code, 43);
  assert.match(participant.stderr, /server 1 of .* is a participant/);
  await good('-y', 'ensemble', 'destroy', 'seen');
});

test('a flipped bit in a file of one member is mended, and status says what it was', async () => {
  const server = (await good('start', 'ensemble', 'bit', '-n', '3', '-d')).trim();
  for (let at = 0; at < 5; at++) await good(server, 'create', `/n${at}`, 'recognisable');
  await allEqual('bit');
  await good('ensemble', 'stop', 'bit', '1');
  const data = join(folder, 'bit', 'member-1', 'data', 'zoosh-1');
  const log = join(data, readdirSync(data).find((name) => name.startsWith('log.')) as string);
  const bytes = readFileSync(log);
  const at = bytes.indexOf('recognisable');
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(log, bytes);
  await good('ensemble', 'start', 'bit', '1');
  const { members } = await allEqual('bit');
  assert.deepEqual(
    members.map(({ faults }) => faults),
    [['repaired'], [], []],
  );
  assert.equal(members[0]?.repair, undefined);
  assert.match(members[0]?.damage.join() ?? '', /log\..*, offset \d+.*; \d+-\d+-\d+T/);
  await good('-y', 'ensemble', 'destroy', 'bit');
});
