/** What operators do to ensembles of real processes: found one with a few, go on from what one directory holds, ask for words. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Client, connect as connectNow } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { zoosh } from './cli.ts';
import { type MemberOfTest, Members, until } from './members.ts';

/** A member that stands still for some seconds keeps its leader and its followers. */
const SYNC = 'syncLimit=60';
const connect = (hosts: string): Promise<Client> => connectNow(hosts, { connectTimeoutMs: PATIENCE_MS });

const read = async (member: MemberOfTest, path: string): Promise<string | undefined> => {
  await using client = await connect(member.hosts);
  await client.sync(path);
  return (await client.get(path)).data?.toString();
};
const voters = (member: MemberOfTest): Promise<string | undefined> => read(member, '/zookeeper/config');
/** Waits until the leader has two followers that count. */
const twoFollow = (members: Members): Promise<void> =>
  until(
    async () => /^zk_synced_followers\t2$/m.test(await (await members.leader()).word('mntr').catch(() => '')),
    PATIENCE_MS,
    () => members.tail(),
  );

test('two of three found an ensemble with --bootstrap-with 2; the third comes later and votes', async () => {
  await using members = await Members.make({
    voters: 3,
    lines: [SYNC],
    wrap: (id, command) => (id < 3 ? [...command, '--bootstrap-with', '2'] : command),
  });
  const [one, two, three] = members.all as [MemberOfTest, MemberOfTest, MemberOfTest];
  one.start();
  await until(
    async () => (await one.status()) !== undefined,
    PATIENCE_MS,
    () => members.tail(),
  );
  await until(
    () =>
      /waits: voters not met: 2, 3\. An ensemble is founded when 2 of 3 are there, .*--bootstrap-with N on each/.test(
        one.log,
      ),
    PATIENCE_MS,
    () => members.tail(),
  );
  two.start();
  await members.serving([1, 2]);
  {
    await using client = await connect(`${one.hosts},${two.hosts}`);
    await client.create('/before', 'three came');
  }
  three.start();
  await members.serving();
  assert.equal(await read(three, '/before'), 'three came');
  // it was admitted: with one of the founders gone the other two are a quorum
  await twoFollow(members);
  assert.equal(await two.kill('SIGKILL'), 128);
  await members.serving([1, 3]);
  await until(
    async () => {
      await using client = await connect(`${one.hosts},${three.hosts}`);
      return client.create('/after', 'two went').then(
        () => true,
        // an answer that was lost was one all the same
        (error: { code?: string }) => error.code === 'NodeExists',
      );
    },
    PATIENCE_MS,
    () => members.tail(),
  );
  assert.equal(await read(three, '/after'), 'two went');
  // a directory that holds a history founds nothing
  two.start();
  assert.equal(await two.ended, 43);
  assert.match(two.log, /--bootstrap-with founds an ensemble from empty directories, and .*data holds a history/);
});

test('--bootstrap-with wants a majority of the voters, and an ensemble', async () => {
  await using members = await Members.make({ voters: 3 });
  const config = join(members.member(1).folder, 'zoo.cfg');
  for (const [enough, code, text] of [
    ['1', 43, /of 3 voters at least 2 and at most 3/],
    ['4', 43, /of 3 voters at least 2 and at most 3/],
    ['two', 2, /--bootstrap-with two is not a number of servers/],
  ] as const) {
    const ran = await zoosh(['start', 'server', '--config', config, '--bootstrap-with', enough]);
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, text);
  }
  const alone = await zoosh(['start', 'standalone', '--memory', '--port', '0', '--bootstrap-with', '1']);
  assert.equal(alone.code, 43);
  assert.match(alone.stderr, /for a member of an ensemble/);
});

for (const reconfig of [false, true])
  test(`accept-loss, reconfigEnabled=${reconfig}: one directory goes on alone, refuses the old members, and grows again to three`, async () => {
    await using members = await Members.start({ voters: 3, lines: [`reconfigEnabled=${reconfig}`, SYNC] });
    const [one, two, three] = members.all as [MemberOfTest, MemberOfTest, MemberOfTest];
    {
      await using client = await connect(members.hosts);
      await client.create('/kept', 'by one');
    }
    const args = ['server', 'accept-loss', '--config', join(one.folder, 'zoo.cfg')];
    const running = await zoosh([...args, '--yes']);
    assert.equal(running.code, 42);
    assert.match(running.stderr, /Stop it first/);
    await members.equal();
    for (const member of members.all) await member.kill('SIGTERM');
    // nobody is there to ask
    const asked = await zoosh(args);
    assert.equal(asked.code, 30);
    assert.match(asked.stderr, /nobody is there to ask/);
    const { code, stdout, stderr } = await zoosh([...args, '--yes']);
    assert.equal(code, 0, stderr);
    const [, end, id, epoch] =
      /up to zxid (0x[0-9a-f]+)\n[\s\S]*id ([0-9a-f]{32}), epoch (\d+), last zxid before \1$/m.exec(stdout) ?? [];
    assert.ok(end !== undefined && id !== undefined && epoch !== undefined, stdout);
    assert.ok(Number(epoch) > Number(BigInt(end) >> 32n));
    assert.match(stdout, /what the other members acknowledged after 0x[0-9a-f]+ is lost for good/);

    one.start();
    await members.serving([1]);
    assert.equal(await read(one, '/kept'), 'by one');
    assert.match((await voters(one)) ?? '', /^server\.1=[^\n]+\nversion=[0-9a-f]+$/);
    {
      await using client = await connect(one.hosts);
      await client.create('/alone', 'it can be written');
    }
    // an old member is refused, as long as its directory is what it was
    two.start();
    await until(
      () => /belongs to another ensemble/.test(one.log + two.log),
      PATIENCE_MS,
      () => members.tail(),
    );
    assert.notEqual((await two.status())?.serving, true);
    // and one that starts and finds it at an address of its zoo.cfg goes on, too
    // (with reconfigEnabled its zoo.cfg names it alone by now: it would call nobody)
    if (!reconfig) {
      await one.kill('SIGTERM');
      const before = one.log.length;
      one.start();
      await members.serving([1]);
      await until(
        () => !one.isUp || /belongs to another ensemble/.test(one.log.slice(before)),
        PATIENCE_MS,
        () => members.tail(),
      );
    }
    await using still = await connect(one.hosts);
    await still.create('/still', 'it can be written');
    await two.kill('SIGTERM');
    assert.match((await voters(one)) ?? '', /^server\.1=[^\n]+\nversion=[0-9a-f]+$/);

    // emptied, they come in as the servers of zoo.cfg
    for (const member of [two, three]) {
      rmSync(join(member.data, 'zoosh-1'), { recursive: true, force: true });
      member.start();
    }
    await members.serving();
    await until(
      async () => ((await voters(one).catch(() => '')) ?? '').includes('server.3='),
      PATIENCE_MS,
      () => members.tail(),
    );
    await members.equal();
    assert.equal(await read(three, '/alone'), 'it can be written');
    await twoFollow(members);
    // they count: without the one that kept it all the other two serve
    await one.kill('SIGKILL');
    await members.leader(1);
    await members.serving([2, 3]);
    assert.equal(await read(two, '/kept'), 'by one');
  });

test('accept-loss leaves alone what it cannot go on from', async () => {
  await using members = await Members.make({ voters: 3, observers: 1 });
  const ask = (id: number) =>
    zoosh(['--yes', 'server', 'accept-loss', '--config', join(members.member(id).folder, 'zoo.cfg')]);
  const empty = await ask(1);
  assert.equal(empty.code, 43);
  assert.match(empty.stderr, /holds no history to go on from/);
  const observer = await ask(4);
  assert.equal(observer.code, 43);
  assert.match(observer.stderr, /is an observer in zoo\.cfg/);
  assert.equal((await zoosh(['server', 'accept-loss'])).code, 2);
  assert.equal((await zoosh(['server', 'frobnicate'])).code, 2);
});

test('words of members have what ZooKeeper 3.8 says in the same role', async () => {
  await using members = await Members.start({ voters: 3, observers: 1, lines: [SYNC] });
  const leader = await members.leader();
  {
    await using client = await connect(members.hosts);
    for (const size of [10, 1000, 100]) await client.create(`/n${size}`, 'x'.repeat(size));
  }
  const observer = members.member(4);
  const follower = members.all.find(({ id }) => id !== leader.id && id !== 4) as MemberOfTest;
  const rows = async (member: MemberOfTest): Promise<Map<string, string>> =>
    new Map(
      (await member.word('mntr'))
        .trim()
        .split('\n')
        .map((line) => line.split('\t') as [string, string]),
    );
  let led = await rows(leader);
  await until(
    async () => {
      led = await rows(leader);
      return led.get('zk_synced_observers') === '1' && led.get('zk_synced_followers') === '2';
    },
    PATIENCE_MS,
    () => members.tail(),
  );
  for (const [key, value] of Object.entries({
    server_state: 'leader',
    peer_state: 'leading - broadcast',
    quorum_size: '3',
    learners: '3',
    synced_followers: '2',
    synced_observers: '1',
    synced_non_voting_followers: '0',
    pending_syncs: '0',
  }))
    assert.equal(led.get(`zk_${key}`), value, key);
  const number = (key: string): number => Number(led.get(`zk_${key}`));
  assert.ok(number('proposal_count') >= 4 && number('leader_uptime') > 0);
  assert.ok(number('leader_uptime') <= number('uptime'));
  assert.ok(number('max_proposal_size') > 1000 && number('min_proposal_size') > 0);
  assert.ok(number('last_proposal_size') <= number('max_proposal_size'));
  const followed = await rows(follower);
  assert.equal(followed.get('zk_peer_state'), 'following - broadcast');
  assert.equal(followed.get('zk_quorum_size'), '3');
  assert.equal(followed.get('zk_proposal_count'), '0');
  const leaders = ['learners', 'synced_followers', 'leader_uptime', 'pending_syncs', 'last_proposal_size'];
  for (const key of leaders) assert.equal(followed.get(`zk_${key}`), undefined, key);
  const observed = await rows(observer);
  assert.equal(observed.get('zk_peer_state'), 'observing - broadcast');
  assert.equal(observed.get('zk_observer_master_id'), String(leader.id));

  assert.match(
    await leader.word('srvr'),
    /\nMode: leader\nNode count: \d+\nProposal sizes last\/min\/max: \d+\/\d+\/\d+\n$/,
  );
  assert.match(
    await leader.word('stat'),
    /\nMode: leader\nNode count: \d+\nProposal sizes last\/min\/max: \d+\/\d+\/\d+\n$/,
  );
  assert.match(await follower.word('srvr'), /\nMode: follower\nNode count: \d+\n$/);
  assert.match(await observer.word('srvr'), /\nMode: observer\nNode count: \d+\n$/);
  await leader.word('srst');
  assert.match(await leader.word('srvr'), /Proposal sizes last\/min\/max: (-1\/-1\/-1|\d+\/\d+\/\d+)\n$/);

  const keys =
    'clientPort secureClientPort dataDir dataDirSize dataLogDir dataLogSize tickTime maxClientCnxns minSessionTimeout maxSessionTimeout clientPortListenBacklog serverId initLimit syncLimit electionAlg electionPort quorumPort peerType'.split(
      ' ',
    );
  for (const member of [leader, follower, observer]) {
    const text = await member.word('conf');
    const [settings = '', membership = ''] = text.split('membership: \n');
    assert.deepEqual(
      settings
        .trim()
        .split('\n')
        .map((line) => line.split('=')[0]),
      keys,
    );
    assert.match(settings, new RegExp(`^peerType=${member === observer ? 1 : 0}$`, 'm'));
    assert.match(
      settings,
      new RegExp(`^electionPort=${member.clientPort + 200}\nquorumPort=${member.clientPort + 100}$`, 'm'),
    );
    const lines = membership.split('\n');
    assert.equal(lines.length, 5);
    assert.match(lines[3] ?? '', /^server\.4=127\.0\.0\.1:\d+:\d+:observer;127\.0\.0\.1:\d+$/);
    assert.match(lines[4] ?? '', /^version=[0-9a-f]+$/);
  }
  // without a quorum nobody serves, and the words say so
  for (const member of members.all) if (member !== follower) await member.kill('SIGKILL');
  const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests\n';
  await until(
    async () => (await follower.word('srvr').catch(() => '')) === NOT_SERVING,
    PATIENCE_MS,
    () => members.tail(),
  );
  for (const word of ['mntr', 'stat', 'conf', 'cons']) assert.equal(await follower.word(word), NOT_SERVING);
  assert.equal(await follower.word('ruok'), 'imok');
  assert.equal(await follower.word('isro'), 'null');
});

/** Changes a byte of the first closed log file of a member. */
function spoilLog(member: MemberOfTest): string {
  const folder = join(member.data, 'zoosh-1');
  const [first, second] = readdirSync(folder)
    .filter((name) => /^log\./.test(name))
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(a).birthtimeMs - statSync(b).birthtimeMs) as [string, string];
  assert.ok(second !== undefined, 'no file is closed');
  const file = openSync(first, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, 700);
  writeSync(file, Buffer.from([(byte[0] as number) ^ 0x10]), 0, 1, 700);
  closeSync(file);
  return first;
}

test('damage on the disk of a running member is found and mended by the others, and status tells of it', async () => {
  await using members = await Members.start({ voters: 3, lines: ['scrub.interval=1s', SYNC] });
  {
    await using client = await connect(members.hosts);
    await client.create('/w');
    for (let i = 0; i < 50; i++) await client.create(`/w/n${i}`, 'x'.repeat(500));
  }
  // a start goes on in a new file: those before it are closed
  for (const member of members.all) {
    await member.kill('SIGTERM');
    member.start();
    await members.serving();
  }
  const took: number[] = [];
  for (const isLeader of [false, true]) {
    const victim = isLeader ? await members.leader() : await members.follower();
    const file = spoilLog(victim);
    let text = '';
    await until(
      async () => {
        const damage = (await victim.status())?.damage ?? [];
        text = JSON.stringify(damage);
        const isWhole = damage.every(({ mended }) => mended !== undefined);
        return isWhole && damage.some(({ found }) => found.includes(file));
      },
      PATIENCE_MS,
      () => `${text}${members.tail()}`,
    );
    await members.serving();
    const status = await victim.status();
    for (const { at, mended } of status?.damage ?? []) {
      assert.match(mended?.how ?? '', /^given again by server \d$/, text);
      assert.ok(at <= (mended?.at ?? 0) && (mended?.at ?? Number.POSITIVE_INFINITY) <= Date.now());
    }
    took.push(Math.max(...(status?.damage ?? []).map(({ at, mended }) => (mended?.at ?? 0) - at)));
    assert.match(victim.log, /data damaged: .*log\./);
    assert.match(victim.log, /what was damaged is whole again: given again by server \d/);
    if (isLeader) assert.match(victim.log, /handed over to server/);
    await using reader = await connect(victim.hosts);
    await reader.sync('/w');
    assert.equal((await reader.getChildren('/w')).children.length, 50);
  }
  await members.equal();
  console.log(`found and mended, a follower and a leader, within ${took.join(' and ')} ms`);
  // the mended log is a log like any other
  const leader = await members.leader();
  await leader.kill('SIGKILL');
  await members.leader(leader.id);
  leader.start();
  await members.serving();
  assert.deepEqual((await leader.ask({ op: 'status' })).damage, []);
  await members.equal();
});
