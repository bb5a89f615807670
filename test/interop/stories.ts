/** Stories of disks and of strangers, on ensembles of real processes (foundations.md 3 and 4, reliability.md 2). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import { type Client, connect } from '../../src/index.ts';
import { SECTOR } from '../../src/records/log-record.ts';
import { BIN } from '../e2e/cli.ts';
import { type MemberOfTest, Members, until } from '../e2e/members.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { votes, wipe } from './nemesis-faults.ts';
import { StaleReads } from './nemesis-stale.ts';
import { onSmallDisk } from './small-disk.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 31));
const random = seededRandom(seed);
console.log(`stories: seed ${seed}`);
/** To deposed leaders. */
const LEAST_SYNCS = 100;

const hostsOf = (members: readonly MemberOfTest[]): string => members.map(({ hosts }) => hosts).join();
async function valueAt(member: MemberOfTest, path: string): Promise<string | undefined> {
  await using client = await connect(member.hosts);
  await client.sync(path);
  return (await client.get(path)).data?.toString();
}
const fill = (client: Client, under: string, count: number): Promise<unknown> =>
  Promise.all(
    Array.from({ length: count }, (_, i) => client.create(`${under}-${i}`, Buffer.alloc(200, 65 + (i % 26)))),
  );

// --- a voter that lost its disk ------------------------------------------------------------------------------------------

for (const variant of ['empty', 'an older copy'] as const)
  test(`a voter that comes back with ${variant === 'empty' ? 'nothing' : variant} does not lose what it acknowledged`, async () => {
    await using members = await Members.start({ voters: 3 });
    const [one, two, three] = [members.member(1), members.member(2), members.member(3)];
    await using client = await connect(hostsOf([one, three]), { timeoutMs: 40_000 });
    await client.create('/votes');
    await fill(client, '/before', 20);
    const copy = join(members.folder, 'copy');
    await one.kill();
    copyData(one.data, copy);
    one.start();
    await members.serving();
    await fill(client, '/between', 20);
    await members.equal();
    await two.kill();
    await members.serving([1, 3]);
    await client.create('/acknowledged', 'yes');
    await three.kill();
    await one.kill();
    if (variant === 'empty') wipe(one);
    else {
      rmSync(one.data, { recursive: true });
      copyData(copy, one.data);
    }
    one.start();
    two.start();
    // 2 was away, 1 knows nothing: they must not go on without 3
    for (let i = 0; i < 60; i++) {
      for (const member of [one, two]) {
        const status = await member.status();
        assert.equal(status?.serving ?? false, false, `member ${member.id} serves: ${members.tail()}`);
      }
      await sleep(100);
    }
    three.start();
    await members.serving();
    for (const member of members.all) assert.equal(await valueAt(member, '/acknowledged'), 'yes');
    await votes(members, one);
    await members.equal();
    if (variant !== 'empty') assert.match(one.log, /old copy/);
  });

// --- damage --------------------------------------------------------------------------------------------------------------

/** A data directory as somebody copies it: the socket by which it is locked is nothing that a file system copies. */
const copyData = (from: string, to: string): void =>
  cpSync(from, to, { recursive: true, filter: (path) => basename(path) !== 'zoosh.lock' });

test('a bit flipped in any file of a follower, then a fail-over to it: it is mended and all are equal', async () => {
  await using members = await Members.make({ voters: 3, lines: ['snapCount=100', 'preAllocSize=64'] });
  const [one, two, three] = [members.member(1), members.member(2), members.member(3)];
  members.startAll();
  await members.serving();
  const client = await connect(members.hosts, { timeoutMs: 40_000 });
  let flips = 0;
  let mended = 0;
  const names = new Set<string>();
  const kinds = ['first', 'log', 'snapshot', 'identity', 'identity.copy', 'log'];
  for (const [round, kind] of kinds.entries()) {
    await fill(client, `/r${round}`, 150);
    // 3 would win an election: it follows when the others lead already
    await three.kill();
    await members.leader();
    three.start();
    await members.serving();
    await fill(client, `/s${round}`, 20);
    await three.kill();
    const folder = join(three.data, 'zoosh-1');
    const files = readdirSync(folder).filter((name) =>
      kind.startsWith('identity')
        ? name === kind
        : name.startsWith(kind === 'first' ? 'log.0.' : `${kind}.`) && statSync(join(folder, name)).size > 0,
    );
    assert.ok(files.length > 0, `no ${kind} among ${readdirSync(folder)}`);
    const name = files[random.below(files.length)] as string;
    const bytes = readFileSync(join(folder, name));
    const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
    const at = kind === 'first' ? SECTOR + random.below(200) : random.below(used);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    writeFileSync(join(folder, name), bytes);
    flips++;
    names.add(kind);
    const said = three.log.length;
    three.start();
    const leader = await members.leader();
    await leader.kill();
    // the two of them are a quorum, also when 3 has lost the record of who belongs to the ensemble
    await until(
      async () => (await one.status())?.serving === true || (await two.status())?.serving === true,
      PATIENCE_MS,
      () => `after a flip of byte ${at} of ${name}: no quorum of the others and 3 (seed ${seed}): ${members.tail()}`,
    );
    leader.start();
    await members.serving();
    if (/damaged|old copy|given it again|unreadable/.test(three.log.slice(said))) mended++;
    for (const member of members.all) assert.notEqual(await valueAt(member, `/s${round}-19`), undefined);
    await members.equal();
  }
  await client.close();
  console.log(`flipped bits: ${flips} in ${[...names]}; noticed ${mended}; all members equal after each`);
});

for (const role of ['a follower', 'the leader'] as const)
  test(`the disk of ${role} fills: the others go on, and with room it comes back by itself`, async () => {
    const small = role === 'the leader' ? 3 : 1;
    await using members = await Members.make({
      voters: 3,
      lines: ['preAllocSize=64', 'snapCount=1000000'],
      wrap: (id, command, data) => (id === small ? onSmallDisk(id, data, command) : command),
    });
    members.startAll();
    await members.serving();
    const victim = members.member(small);
    // ids alone decide who leads, among those that are there in time
    for (let tries = 0; role === 'the leader' && tries < 6 && (await members.leader()) !== victim; tries++) {
      await (await members.leader()).kill('SIGTERM');
      members.startAll();
      await members.serving();
    }
    if (role === 'the leader') assert.equal((await members.leader()).id, small, 'who leads depends on ids alone here');
    const others = members.all.filter((each) => each !== victim);
    await using client = await connect(hostsOf(others), { timeoutMs: 40_000 });
    await fill(client, '/a', 50);
    // the small file system is seen through its process only
    const inside = `/proc/${victim.pid}/root${victim.data}`;
    assert.ok(readdirSync(inside).includes('zoosh-1'));
    const ballast = join(inside, 'ballast');
    for (let size = 8 << 20; size > 256; size >>= 1) {
      try {
        writeFileSync(ballast, Buffer.alloc(size), { flag: 'a' });
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      }
    }
    const acknowledged: string[] = [];
    for (let i = 0; i < 3000 && !/the disk is full/.test(victim.log); i++) {
      const path = `/full-${i}`;
      await client.create(path, Buffer.alloc(4000, 66)).then(
        () => acknowledged.push(path),
        () => sleep(20),
      );
    }
    assert.match(victim.log, /the disk is full/, members.tail());
    for (let i = 0; i < 50; ) {
      await client.create(`/on-${i}`).then(
        () => i++,
        (error) => {
          if (error.code !== 'ConnectionLoss') throw error;
          i++; // of a leader that goes: done or not
        },
      );
    }
    assert.notEqual((await members.leader()).id, small);
    assert.ok(victim.isUp, 'it waits for room');
    rmSync(ballast);
    await members.serving();
    await members.equal();
    const there = new Set((await client.getChildren('/')).children.map((name) => `/${name}`));
    assert.deepEqual(
      acknowledged.filter((path) => !there.has(path)),
      [],
    );
    assert.ok(victim.isUp && acknowledged.length > 0);
  });

test('a snapshot finds no room beside the history of a member: what a quorum holds without it goes first', async () => {
  const small = 1;
  await using members = await Members.make({
    voters: 3,
    lines: ['preAllocSize=64', 'snapCount=1000000', 'commitLogCount=50'],
    wrap: (id, command, data) => (id === small ? onSmallDisk(id, data, command, 24) : command),
  });
  members.startAll();
  await members.serving();
  const victim = members.member(small);
  const others = members.all.filter((each) => each !== victim);
  await using client = await connect(hostsOf(others), { timeoutMs: 40_000 });
  const large = (name: string, count: number): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, (_, i) => client.create(`/${name}-${i}`, Buffer.alloc(50_000, 67))));
  // some 10 MB that the member holds, and 6 that it missed: a snapshot of both does not go beside the first
  await large('held', 200);
  await members.equal();
  /** The leader gives the member up for its silence, and forgets what it missed. */
  const away = async (name: string, count: number): Promise<void> => {
    victim.signal('SIGSTOP');
    const leader = (
      await Promise.all(others.map(async (each) => ((await each.status())?.role === 'leader' ? [each] : [])))
    ).flat()[0];
    await until(
      async () => /^zk_synced_followers\t1$/m.test((await leader?.word('mntr')) ?? ''),
      PATIENCE_MS,
      () => members.tail(),
    );
    await large(name, count);
    await fill(client, `/after-${name}`, 200);
    victim.signal('SIGCONT');
  };
  await away('missed', 120);
  await members.serving();
  assert.match(victim.log, /the old files \(\d+\.\d MB\) are given up, since a quorum holds all of it/, members.tail());
  await members.equal();
  assert.equal((await victim.status())?.repair, undefined);
  // it counts again: with it alone the other is a quorum
  const [gone] = others;
  await gone?.kill();
  await members.serving(members.all.filter((each) => each !== gone).map(({ id }) => id));
  await client.create('/after');
  gone?.start();
  await members.serving();
  await members.equal();
  // a snapshot that does not fit at all is waited for, and the status says so
  const inside = `/proc/${victim.pid}/root${victim.data}`;
  writeFileSync(join(inside, 'ballast'), Buffer.alloc(5 << 20));
  await away('beyond', 100);
  await until(
    async () => /^waits for room: a snapshot needs \d+\.\d MB, /.test((await victim.status())?.repair ?? ''),
    PATIENCE_MS,
    () => members.tail(),
  );
  for (let i = 0; i < 100; i++) await client.delete(`/beyond-${i}`);
  rmSync(join(inside, 'ballast'));
  await members.serving();
  await members.equal();
});

// --- sync ----------------------------------------------------------------------------------------------------------------

test('a leader that slept or was alone and has no write open answers no sync from its belief', async () => {
  await using members = await Members.start({ voters: 3, lines: ['maxClientCnxns=0'] });
  const stale = new StaleReads();
  await using client = await connect(members.hosts, { timeoutMs: 40_000 });
  await stale.prepare(client);
  for (let round = 0; round < 3 || (stale.sent < LEAST_SYNCS && round < 12); round++) {
    await stale.ofStopped(members, await members.leader());
    await members.serving();
    await stale.ofPartitioned(members, await members.leader());
    await members.serving();
  }
  console.log(
    `syncs to deposed leaders: ${stale.sent}, to partitioned ones ${stale.sentBefore}; answered ${stale.answered}, hung up on ${stale.hungUp}`,
  );
  assert.deepEqual(stale.stale, []);
  assert.ok(stale.sent >= LEAST_SYNCS, `${stale.sent} syncs to deposed leaders`);
  await members.equal();
});

// --- what is large -------------------------------------------------------------------------------------------------------

test('large requests, and a session with many ephemerals, through every member; idle sessions live', () =>
  timely(async () => {
    await using members = await Members.start({ voters: 3, observers: 1 });
    const idle = await Promise.all(members.all.map(({ hosts }) => connect(hosts, { timeoutMs: 1500 })));
    const lost: string[] = [];
    for (const client of idle) client.on('state', ({ state }) => lost.push(state));
    await (idle[0] as Client).create('/many');
    for (const { id, hosts } of members.all) {
      const client = await connect(hosts);
      const data = Buffer.alloc(1_000_000, 66);
      await client.create(`/large${id}`, data);
      assert.ok((await client.get(`/large${id}`)).data?.equals(data));
      const parts = Array.from({ length: 100 }, (_, i) =>
        client.transaction().create(`/part${id}-${i}`, data.subarray(0, 9000)),
      );
      await client.multi(parts.flatMap(({ ops }) => ops));
      const names = Array.from({ length: 5000 }, (_, i) => `/many/${id}-${i}`);
      await Promise.all(names.map((name) => client.create(name, '', { mode: 'ephemeral' })));
      await client.close();
    }
    for (const { hosts } of members.all) {
      await using client = await connect(hosts);
      await client.sync('/many');
      assert.deepEqual((await client.getChildren('/many')).children, []);
    }
    await members.equal();
    const isLost = lost.length > 0;
    for (const client of idle) await client.close();
    return lateIf(isLost, `a session that only pings ended: ${lost}`);
  }));

// --- the first start -----------------------------------------------------------------------------------------------------

const STEPS = 16;
test('power fails at every step of a first start: the ensemble comes up all the same', async () => {
  let cuts = 0;
  let within = 0;
  for (let step = 1; step <= STEPS; step++) {
    // one member dies at its n-th step on the disk, and with it all others
    const victim = 1 + (step % 3);
    const call = ['fsync', 'rename', 'pwrite64', 'openat'][step % 4] as string;
    const inject = { victim, call, at: call === 'openat' ? 60 + 4 * step : 1 + Math.floor(step / 4) };
    let armed = true;
    await using members = await Members.make({
      voters: 3,
      wrap: (id, command) =>
        id === inject.victim
          ? [
              'sh',
              '-c',
              `[ -e "$0" ] && exec "$@"; touch "$0"; exec strace -D -f -qq -o /dev/null -e trace=${inject.call} -e inject=${inject.call}:signal=SIGKILL:when=${inject.at} "$@"`,
              join('/tmp', `zoosh-armed-${process.pid}-${step}`),
              ...command,
            ]
          : command,
    });
    try {
      members.startAll();
      const died = members.member(victim).ended.then(() => 'died');
      const came = members.serving(undefined, PATIENCE_MS).then(
        () => 'came',
        () => 'died',
      );
      if ((await Promise.race([died, came])) === 'died') within++;
      await Promise.all(members.all.map((each) => each.kill()));
      armed = false;
      await came;
      // and again at random moments
      for (let again = 0; again < 2; again++) {
        members.startAll();
        await sleep(random.below(900));
        await Promise.all(members.all.map((each) => each.kill()));
        cuts++;
      }
      cuts++;
      members.startAll();
      await members.serving();
      await using client = await connect(members.hosts);
      await client.create('/up');
      await members.equal();
    } catch (error) {
      throw new Error(`step ${step} (${inject.call} ${inject.at} of ${victim}, armed ${armed}), seed ${seed}`, {
        cause: error,
      });
    } finally {
      rmSync(join('/tmp', `zoosh-armed-${process.pid}-${step}`), { force: true });
    }
  }
  console.log(`power cuts of a first start: ${cuts} in ${STEPS} starts, ${within} of them within a call to the disk`);
  assert.ok(within >= STEPS / 3, `${within} members died at the step meant`);
});

// --- strangers -----------------------------------------------------------------------------------------------------------

/** Starts a server with this zoo.cfg and runs `during` beside it; it is gone afterwards. */
async function stranger(
  folder: string,
  lines: readonly string[],
  id: number,
  command: (cfg: string) => readonly string[],
  during: (log: () => string, end: () => Promise<number>) => Promise<void>,
): Promise<void> {
  mkdirSync(join(folder, 'data'), { recursive: true });
  writeFileSync(join(folder, 'data', 'myid'), `${id}\n`);
  const cfg = join(folder, 'zoo.cfg');
  writeFileSync(cfg, `${lines.join('\n')}\n`);
  const [program = '', ...args] = command(cfg);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk));
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 128)));
  try {
    await during(
      () => text,
      () => ended,
    );
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}
const OURS = (cfg: string): string[] => [process.execPath, BIN, 'start', 'server', '--config', cfg];
const APACHE = (cfg: string): string[] => [
  'java',
  '-Xmx256m',
  '-cp',
  '/usr/share/java/zookeeper.jar:/usr/share/java/*',
  'org.apache.zookeeper.server.quorum.QuorumPeerMain',
  cfg,
];
const configOf = (member: MemberOfTest): string[] =>
  readFileSync(join(member.folder, 'zoo.cfg'), 'utf8').trimEnd().split('\n');
/** The zoo.cfg of `member`, for a server elsewhere: its own line names other ports, and so does its data directory. */
async function elsewhere(member: MemberOfTest, folder: string): Promise<string[]> {
  const base = await ownBlock('127.0.0.1', 1);
  return configOf(member).map((line) => {
    if (line.startsWith('dataDir=')) return `dataDir=${join(folder, 'data')}`;
    if (!line.startsWith(`server.${member.id}=`)) return line;
    return `server.${member.id}=127.0.0.1:${base + 100}:${base + 200}:participant;127.0.0.1:${base}`;
  });
}
const logs = (members: Members): string => members.all.map(({ log }) => log).join('');

test('two servers with one id: the second is refused, and the log says so', async () => {
  await using members = await Members.start({ voters: 3 });
  await using client = await connect(members.hosts);
  await client.create('/x');
  const before = await members.equal();
  const folder = join(members.folder, 'second');
  await stranger(folder, await elsewhere(members.member(2), folder), 2, OURS, async (log) => {
    await until(
      () => /two servers have the id 2/.test(log() + logs(members)),
      PATIENCE_MS,
      () => log() + members.tail(),
    );
    await sleep(1000);
    await members.serving();
  });
  assert.equal(await members.equal(), before);
});

test('a server of another ensemble is refused, and the log says so', async () => {
  await using members = await Members.start({ voters: 3 });
  await using others = await Members.start({ voters: 3 });
  const lost = others.member(3);
  await lost.kill();
  const folder = join(members.folder, 'other');
  const lines = await elsewhere(members.member(3), folder);
  await members.member(3).kill();
  copyData(lost.data, join(folder, 'data'));
  await stranger(folder, lines, 3, OURS, async (log) => {
    await until(
      () => /belongs to another ensemble/.test(log() + logs(members)),
      PATIENCE_MS,
      () => log() + members.tail(),
    );
    await sleep(1000);
  });
  members.startAll();
  await members.serving();
  await members.equal();
});

test('an Apache ZooKeeper that is to be a member is refused, and the log says so', async () => {
  await using members = await Members.start({ voters: 3 });
  await members.member(3).kill();
  const folder = join(members.folder, 'apache');
  const lines = (await elsewhere(members.member(3), folder)).filter((line) => !line.startsWith('peerType'));
  await stranger(folder, lines, 3, APACHE, async (log) => {
    await until(
      () => /is an Apache server/.test(logs(members)),
      PATIENCE_MS,
      () => log().slice(-2000) + members.tail(),
    );
    await members.serving([1, 2]);
  });
  members.startAll();
  await members.serving();
  await members.equal();
});

for (const how of ['in the clear', 'with a secret'] as const)
  test(`a server of ours in an Apache ensemble, ${how}: it says who they are and serves nobody, they go on`, async () => {
    await using ours = await Members.make({ voters: 3 });
    const three = ours.member(3);
    const secret = join(ours.folder, 'secret');
    writeFileSync(secret, `${Buffer.alloc(32, 9).toString('base64')}\n`, { mode: 0o600 });
    if (how === 'with a secret') appendFileSync(join(three.folder, 'zoo.cfg'), `peer.secretFile=${secret}\n`);
    const apache = (id: number, during: (log: () => string) => Promise<void>): Promise<void> => {
      const folder = join(ours.folder, `apache${id}`);
      const lines = configOf(ours.member(id)).map((line) =>
        line.startsWith('dataDir=') ? `dataDir=${join(folder, 'data')}` : line,
      );
      return stranger(folder, [...lines, 'admin.enableServer=false'], id, APACHE, during);
    };
    await apache(1, (log) =>
      apache(2, async () => {
        three.start();
        await until(
          () => /member [12] is an Apache server; mixed ensembles do not work/.test(three.log),
          PATIENCE_MS,
          () => log().slice(-2000) + three.log.slice(-2000),
        );
        await using client = await connect(hostsOf([ours.member(1), ours.member(2)]), { timeoutMs: 40_000 });
        await client.create('/theirs');
        await sleep(1000);
        const status = await three.status();
        assert.deepEqual([status?.serving, status?.zxid], [false, '0x0']);
      }),
    );
  });
