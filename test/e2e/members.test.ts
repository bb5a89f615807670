/** Ensembles of real processes: what they acknowledge stays, whoever is killed; who was away comes back to the same. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import { type Client, connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { Workload } from '../sim/workload.ts';
import { MemberRaw } from './member-raw.ts';
import { type MemberOfTest, Members, STEADY, until } from './members.ts';

const KILLS = 5;
const PATIENT = { connectTimeoutMs: PATIENCE_MS };
const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 31));

/** Names below `path` as `member` has them after a sync. */
async function namesAt(member: MemberOfTest, path: string): Promise<Set<string>> {
  await using client = await connect(member.hosts, PATIENT);
  await client.sync(path);
  return new Set((await client.getChildren(path)).children);
}
const write = async (client: Client, path: string, count: number, bytes = 100): Promise<void> => {
  await client.create(path);
  const data = Buffer.alloc(bytes, 97);
  for (let at = 0; at < count; at += 200)
    await Promise.all(
      Array.from({ length: Math.min(200, count - at) }, (_, i) => client.create(`${path}/n${at + i}`, data)),
    );
};

test('a leader killed again and again: nothing acknowledged is lost, sessions and ephemerals stay', async () => {
  const random = seededRandom(seed);
  await using members = await Members.start({ voters: 3, lines: [STEADY] });
  // one client that begins at each member, and one that knows them all
  const hosts = [0, 1, 2].map((by) =>
    [...members.all.slice(by), ...members.all.slice(0, by)].map((m) => m.hosts).join(),
  );
  const options = { ...PATIENT, timeoutMs: 40_000 };
  const clients = await Promise.all([...hosts, members.hosts].map((each) => connect(each, options)));
  const load = await Workload.begin(random, clients);
  const setUp = clients[0] as Client;
  for (const path of ['/raw', '/seq']) await setUp.create(path);
  const raw = await Promise.all(members.all.map((member) => MemberRaw.begin(member.id)));
  const sequence: { path: string; data: string }[] = [];
  const gaps: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    load.start();
    let isOn = true;
    const others = [
      ...raw.map((each, at) => each.write(() => isOn, members.all[at] as MemberOfTest)),
      (async () => {
        for (let i = 0; isOn; i++) {
          const data = `${kill}-${i}`;
          await setUp
            .create('/seq/s-', data, { mode: 'persistentSequential' })
            .then(({ path }) => sequence.push({ path, data }))
            .catch(() => sleep(5));
        }
      })(),
    ];
    try {
      await sleep(200 + random.below(200));
      // a life on a machine that is busy goes on for longer
      const acknowledged = (): number[] => [
        load.acknowledged,
        sequence.length,
        ...raw.map((each) => each.acknowledged.length),
      ];
      await until(
        () => acknowledged().every((count) => count > 30 * (kill + 1)),
        PATIENCE_MS,
        () => `${acknowledged()}${members.tail()}`,
      );
      const leader = await members.leader();
      const before = performance.now();
      assert.equal(await leader.kill('SIGKILL'), 128);
      load.stop();
      await members.leader(leader.id);
      gaps.push(performance.now() - before);
      await sleep(100);
      leader.start();
      await members.serving();
    } finally {
      isOn = false;
      load.stop();
    }
    await Promise.all(others);
    const late = Date.now() + PATIENCE_MS;
    assert.ok(await load.settled(() => sleep(5, Date.now() < late)), `${load.surprises}${members.tail()}`);
    for (const member of members.all) {
      await using reader = await connect(member.hosts, PATIENT);
      await reader.sync('/');
      assert.deepEqual(await load.faults(reader), [], `member ${member.id}, kill ${kill}, seed ${seed}`);
    }
  }
  for (const member of members.all) {
    const [there, seq] = [await namesAt(member, '/raw'), await namesAt(member, '/seq')];
    for (const each of raw)
      assert.deepEqual(
        each.acknowledged.filter((name) => !there.has(name)),
        [],
        `lost at member ${member.id}, seed ${seed}`,
      );
    assert.deepEqual(
      sequence.filter(({ path }) => !seq.has(path.slice('/seq/'.length))),
      [],
      `seed ${seed}`,
    );
  }
  assert.equal(new Set(sequence.map(({ path }) => path)).size, sequence.length, 'a sequence number was given twice');
  for (const { path, data } of sequence) assert.equal((await setUp.get(path)).data?.toString(), data);
  const rawCount = raw.reduce((sum, each) => sum + each.acknowledged.length, 0);
  console.log(
    `kills of the leader: ${KILLS} (seed ${seed}); acknowledged: ${load.acknowledged} by our client, ${rawCount} raw, ${sequence.length} numbered; in flight ${load.inFlight}, done of these ${load.survived}; lost 0; new leader after ${gaps.map(Math.round)} ms`,
  );
  assert.ok(load.acknowledged > 100 && rawCount > 100 && sequence.length > 20 && load.inFlight > 0);
  for (const each of raw) each.close();
  // ephemerals go with their sessions
  await load.close();
  await members.equal();
  for (const member of members.all) {
    await using reader = await connect(member.hosts, PATIENT);
    await reader.sync('/');
    for (const name of (await reader.getChildren('/w')).children)
      assert.equal((await reader.exists(`/w/${name}`))?.ephemeralOwner, 0n, name);
  }
});

test('a write sent behind a sync is answered behind it, through every member', async () => {
  await using members = await Members.start({ voters: 3, lines: [STEADY] });
  for (const { id, hosts } of members.all) {
    const clients = await Promise.all([1, 2, 3].map(() => connect(hosts, PATIENT)));
    await Promise.all(
      clients.map(async (client, lane) => {
        const path = `/s${id}-${lane}`;
        for (let i = 0; i < 30; i++) {
          // the client ends a connection whose replies come out of order, and these would reject
          const [, , seen, , late] = await Promise.all([
            client.create(`${path}-${i}`, 'a'),
            client.sync('/'),
            client.get(`${path}-${i}`),
            client.set(`${path}-${i}`, 'b'),
            client.get(`${path}-${i}`),
          ]);
          assert.equal(`${seen.data}${late.data}`, 'ab');
          assert.ok(seen.stat.mzxid < late.stat.mzxid);
        }
        // a sync that was answered holds nothing back any more
        await client.sync('/');
        const written = client.set(`${path}-0`, 'c').then(() => true);
        assert.ok(
          await Promise.race([written, sleep(PATIENCE_MS, false, { ref: false })]),
          'a write after a sync hangs',
        );
      }),
    );
    for (const client of clients) await client.close();
  }
});

test('a member that missed little or much comes back to the same tree, by a difference or by a snapshot', async () => {
  await using members = await Members.start({
    voters: 3,
    lines: ['snapCount=500', 'commitLogCount=200', 'preAllocSize=64', STEADY],
  });
  const away = await members.follower();
  const client = await connect(
    members.all
      .filter((each) => each !== away)
      .map((each) => each.hosts)
      .join(),
    PATIENT,
  );
  await write(client, '/few', 50);
  await away.kill();
  await write(client, '/some', 100);
  away.start();
  await members.serving();
  assert.doesNotMatch(away.log, /from a snapshot of the leader/);
  assert.deepEqual([...(await namesAt(away, '/some'))].length, 100);
  await members.equal();
  await away.kill();
  await write(client, '/many', 3000);
  away.start();
  await members.serving();
  await until(
    () => /from a snapshot of the leader/.test(away.log),
    PATIENCE_MS,
    () => members.tail(),
  );
  assert.equal((await namesAt(away, '/many')).size, 3000);
  await members.equal();
  // and it goes on from what it was given, as any other
  const leader = await members.leader();
  await leader.kill();
  await members.leader(leader.id);
  await members.serving([away.id]);
  await using late = await connect(away.hosts, PATIENT);
  await late.create('/after');
  leader.start();
  await members.serving();
  await members.equal();
  assert.ok(readdirSync(join(away.data, `zoosh-1`)).some((name) => name.startsWith('snapshot.')));
  await client.close();
});

test('SIGTERM hands the lead over: writes hardly pause, every server ends with 0', async () => {
  await using members = await Members.start({ voters: 3 });
  const pauses: number[] = [];
  const ends: number[] = [];
  const isLate = (): boolean => Math.min(...pauses) >= 1000 || Math.min(...ends) >= 900;
  // a leader waits for a second: where nobody who could take the lead got the processor in it, the round does not count
  let handed = 0;
  const handovers = ({ log }: MemberOfTest): number => log.match(/handed over to server/g)?.length ?? 0;
  // what is slow by itself is slow every time
  for (let round = 0; handed < 3 || isLate(); round++) {
    assert.ok(
      round < 10 && round - handed <= 2,
      `${handed} of ${round} times handed over, pauses ${pauses}, ends ${ends}${members.tail()}`,
    );
    const leader = await members.leader();
    const before = handovers(leader);
    const others = members.all.filter((each) => each !== leader);
    const clients = await Promise.all(others.map(({ hosts }) => connect(hosts, PATIENT)));
    let isOn = true;
    let last = performance.now();
    let longest = 0;
    let written = 0;
    const writers = clients.map(async (client, at) => {
      for (let i = 0; isOn; i++)
        await client.create(`/h${round}-${at}-${i}`).then(
          () => {
            longest = Math.max(longest, performance.now() - last);
            last = performance.now();
            written++;
          },
          () => sleep(1),
        );
    });
    await sleep(200);
    longest = 0;
    const asked = performance.now();
    assert.equal(await leader.kill('SIGTERM'), 0, leader.log.slice(-1000));
    ends.push(Math.round(performance.now() - asked));
    if (handovers(leader) > before) handed++;
    await sleep(300);
    for (const until = performance.now() + PATIENCE_MS; written <= 20 && performance.now() < until; ) await sleep(20);
    isOn = false;
    await Promise.all(writers);
    pauses.push(Math.round(longest));
    assert.ok(written > 20, `${written} written`);
    for (const client of clients) await client.close();
    leader.start();
    await members.serving();
  }
  console.log(
    `pauses of writes while the lead was handed over: ${pauses.join(', ')} ms; processes ended after ${ends.join(', ')} ms`,
  );
  assert.ok(Math.min(...pauses) < 1000, `${pauses}`);
  assert.ok(Math.min(...ends) < 900, `${ends}`); // nothing that waits keeps the process
  await members.equal();
});

test('observers serve reads, send writes on, and decide nothing', async () => {
  await using members = await Members.start({ voters: 3, observers: 2, lines: [STEADY] });
  const [one, two] = [members.member(4), members.member(5)];
  for (const observer of [one, two]) {
    assert.match(await observer.word('srvr'), /^Mode: observer$/m);
    assert.equal((await observer.ask({ op: 'status' })).role, 'observer');
  }
  await using client = await connect(one.hosts, PATIENT);
  await client.create('/o', 'x');
  await client.create('/o/e', '', { mode: 'ephemeral' });
  await using other = await connect(two.hosts, PATIENT);
  await other.sync('/o');
  let tell = (): void => {};
  const changed = new Promise<void>((resolve) => {
    tell = resolve;
  });
  await other.get('/o', { watch: () => tell() });
  await client.set('/o', 'y');
  await changed;
  assert.equal((await other.get('/o')).data?.toString(), 'y');
  await members.equal();
  // without two voters nothing is decided, however many observers there are
  const down = members.all.filter(({ id }) => id <= 2);
  for (const member of down) await member.kill();
  await until(
    async () => (await one.status())?.serving === false,
    PATIENCE_MS,
    () => members.tail(),
  );
  for (const member of down) member.start();
  await members.serving();
  await client.create('/o/late');
  assert.equal(client.state, 'connected');
  await members.equal();
});
