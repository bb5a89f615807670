/** Sessions that one member alone knows, against ensembles of real processes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { type MemberOfTest, Members, STEADY, until } from './members.ts';
import { Wire } from './wire.ts';

const LINES = ['localSessionsEnabled=true', 'localSessionsUpgradingEnabled=true', 'maxClientCnxns=0', STEADY];
/** Of sessions that are not to end by themselves: these clients send no pings. */
const LONG_MS = 60_000;
const NO_NODE = -101;
const ON_LOCAL = -120;

const figure = async (member: MemberOfTest, name: string): Promise<number> =>
  Number(new RegExp(`^zk_${name}\\t(\\d+)$`, 'm').exec(await member.word('mntr'))?.[1]);
const zxidOf = async (member: MemberOfTest): Promise<string | undefined> =>
  /^Zxid: (.*)$/m.exec(await member.word('srvr'))?.[1];
const soon = (is: () => Promise<boolean>, what: string, members: Members): Promise<void> =>
  until(is, PATIENCE_MS, () => `${what}: ${members.tail()}`);
const ownersOf = async (member: MemberOfTest): Promise<Map<string, string>> => {
  const text = (await member.word('dump')).split('Sessions with Ephemerals')[1] ?? '';
  const owners = new Map<string, string>();
  let owner = '';
  for (const line of (text.split('Connections dump:')[0] ?? '').split('\n')) {
    if (/^0x/.test(line)) owner = line.slice(0, -1);
    else if (line.startsWith('\t')) owners.set(line.trim(), owner);
  }
  return owners;
};

test('a local session is known to its member alone, and becomes everybody’s before its first ephemeral', async (t) => {
  await using members = await Members.start({ voters: 2, observers: 1, lines: LINES });
  const leader = await members.leader();
  const others = members.all.filter(({ id }) => id !== leader.id);
  // what members still told each other when they began to serve is behind this, and known to all
  const first = await Wire.open(leader);
  first.send(first.create(1, '/first'));
  assert.deepEqual(await first.answers(1), ['1:0']);
  first.send(first.end(2));
  assert.deepEqual(await first.answers(2), ['2:0', 'end']);
  await members.equal();
  for (const member of [leader, ...others])
    await t.test(`member ${member.id}, ${member === leader ? 'leading' : 'learning'}`, async () => {
      const root = `/m${member.id}`;
      const before = await zxidOf(member);
      const global = await figure(member, 'global_sessions');
      const wire = await Wire.open(member, LONG_MS);
      assert.equal(await zxidOf(member), before, 'it cost a transaction');
      assert.equal(await figure(member, 'local_sessions'), 1);
      assert.equal(await figure(member, 'global_sessions'), global);
      assert.match(await member.word('dump'), /^SessionTracker dump:\nLocal Session Sets \(1\)\/\(1\):\n/);

      // all at once: what is asked before, at and behind the upgrade is answered in the order asked
      wire.send(
        wire.create(1, root),
        wire.get(2, root),
        wire.create(3, `${root}/missing/e`, 1),
        wire.create(4, `${root}/e`, 1),
        wire.get(5, `${root}/e`),
        wire.sync(6),
        wire.multi(7, [`${root}/f`, 1], [`${root}/g`, 0]),
        wire.get(8, `${root}/f`),
      );
      const expected = ['1:0', '2:0', `3:${NO_NODE}`, '4:0', '5:0', '6:0', '7:0', '8:0'];
      assert.deepEqual(await wire.answers(8), expected);
      assert.equal(await figure(member, 'local_sessions'), 0);
      for (const each of members.all)
        await soon(async () => (await figure(each, 'global_sessions')) === global + 1, 'not known to all', members);

      // another member takes it up, with the password it always had
      wire.drop();
      const elsewhere = members.all.find(({ id }) => id !== member.id) as MemberOfTest;
      await soon(async () => (await ownersOf(elsewhere)).has(`${root}/e`), 'what it owns is not known', members);
      const moved = new Wire(elsewhere.clientPort);
      assert.equal(await moved.greet(wire.id, wire.password), 10_000);
      assert.equal(moved.id, wire.id);
      const owner = `0x${wire.id.toString(16)}`;
      assert.equal((await ownersOf(elsewhere)).get(`${root}/e`), owner);
      moved.send(moved.end(1));
      assert.deepEqual(await moved.answers(2), ['1:0', 'end']);
      for (const each of members.all)
        await soon(async () => !(await ownersOf(each)).has(`${root}/e`), 'it outlives its session', members);
    });
  await members.equal();
});

test('a local session is taken up again where it is, and nowhere else, by who knows its password', async () => {
  await using members = await Members.start({ voters: 2, lines: LINES });
  const [here, there] = members.all as [MemberOfTest, MemberOfTest];
  const wire = await Wire.open(here, LONG_MS);
  const stranger = new Wire(here.clientPort);
  assert.equal(await stranger.greet(wire.id, Buffer.alloc(16, 7)), 0);
  wire.send(wire.get(1, '/'));
  assert.deepEqual(await wire.answers(1), ['1:0'], 'a wrong password ended somebody else’s connection');
  assert.equal(await new Wire(there.clientPort).greet(wire.id, wire.password), 0);
  const again = new Wire(here.clientPort);
  assert.equal(await again.greet(wire.id, wire.password), 10_000);
  assert.deepEqual(await wire.answers(1), ['end']);

  // behind its own end nothing is done, and before it everything
  again.send(again.create(1, '/a'), again.end(2), again.create(3, '/b'));
  assert.deepEqual(await again.answers(3), ['1:0', '2:0', 'end']);
  assert.equal(await new Wire(here.clientPort).greet(wire.id, wire.password), 0);
  const other = await Wire.open(here, LONG_MS);
  other.send(other.sync(1), other.get(2, '/a'), other.get(3, '/b'));
  assert.deepEqual(await other.answers(3), ['1:0', '2:0', `3:${NO_NODE}`]);

  // who is silent is over when his member says so; whoever speaks lives
  let silent = await Wire.open(there, 1000);
  silent.drop();
  // it has a second from its greeting on
  await timely(async (round) => {
    if (round > 0) {
      silent = await Wire.open(there, 1000);
      silent.drop();
    }
    const count = await figure(there, 'local_sessions');
    return lateIf(count !== 1, `${count} sessions`);
  });
  const start = performance.now();
  for (let xid = 2; performance.now() - start < 2500; xid++) {
    other.send(other.get(xid + 2, '/'));
    assert.deepEqual(await other.answers(1), [`${xid + 2}:0`]);
    await sleep(100);
  }
  await soon(async () => (await figure(there, 'local_sessions')) === 0, 'it never ends', members);
  assert.equal(await new Wire(there.clientPort).greet(silent.id, silent.password), 0);
  assert.equal(await figure(here, 'local_sessions'), 1);
});

test('where upgrading is off, a local session makes no ephemeral, and everything else', async () => {
  await using members = await Members.start({ voters: 2, lines: ['localSessionsEnabled=true', STEADY] });
  for (const member of members.all) {
    const wire = await Wire.open(member, LONG_MS);
    const root = `/m${member.id}`;
    wire.send(
      wire.create(1, root),
      wire.create(2, `${root}/e`, 1),
      wire.create(3, 'no path', 3),
      wire.multi(4, [`${root}/a`, 0], [`${root}/e`, 1]),
      wire.create(5, `${root}/a`),
    );
    assert.deepEqual(await wire.answers(3), ['1:0', `2:${ON_LOCAL}`, `3:${ON_LOCAL}`]);
    const multi = await wire.frame();
    assert.ok(multi?.includes(Buffer.from([0xff, 0xff, 0xff, 0x88])), 'the multi does not say why');
    assert.deepEqual(await wire.answers(1), ['5:0'], 'a part of the multi was done');
    assert.equal(await figure(member, 'local_sessions'), 1);
    assert.equal(await figure(member, 'global_sessions'), 0);
  }
});

test('I9: sessions upgraded while the leader goes are there once, with what they own, or not at all', async () => {
  await using members = await Members.start({ voters: 3, lines: LINES });
  const made: { wire: Wire; path: string; told: boolean }[] = [];
  // on a busy machine all may be told before the kill comes
  for (let round = 0; round < 3 || (round < 40 && made.every(({ told }) => told)); round++) {
    const leader = await members.leader();
    const wires: { wire: Wire; path: string }[] = [];
    for (let i = 0; i < 60; i++) {
      const member = members.all[i % 3] as MemberOfTest;
      wires.push({ wire: await Wire.open(member, LONG_MS), path: `/r${round}-${i}` });
    }
    // the leader goes when the first is told, or a third of them, or two
    let left = 1 + (round % 3) * 20;
    let ended: Promise<number> | undefined;
    const answered = wires.map(async ({ wire, path }) => {
      wire.send(wire.create(1, path, 1));
      const [answer] = await wire.answers(1);
      assert.ok(answer === '1:0' || answer === 'end', `${path}: ${answer}`);
      if (--left <= 0) ended ??= leader.kill();
      made.push({ wire, path, told: answer === '1:0' });
    });
    await Promise.all(answered);
    await ended;
    leader.start();
    await members.serving();
    await members.equal();
  }
  const owners = await ownersOf(members.member(1));
  let alive = 0;
  for (const [at, { wire, path, told }] of made.entries()) {
    wire.drop();
    const again = new Wire((members.all[at % 3] as MemberOfTest).clientPort);
    const granted = await again.greet(wire.id, wire.password, 30_000);
    if (told) assert.equal(granted, 30_000, `${path}: its session was lost`);
    assert.equal(owners.has(path), owners.get(path) === `0x${BigInt.asUintN(64, wire.id).toString(16)}`, 'not its own');
    if (owners.has(path)) assert.equal(granted, 30_000, `${path}: nobody owns it`);
    if (granted === 30_000) alive++;
  }
  const told = made.filter((each) => each.told).length;
  assert.ok(told > 0 && told < made.length, `${told} of ${made.length} were told before a leader went`);
  assert.equal(await figure(await members.leader(), 'global_sessions'), alive);
});
