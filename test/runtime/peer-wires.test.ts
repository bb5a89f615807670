/** Connections between servers over a network that does as it is told: doubles, half-open ones, restarts, silence. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import type { ConnectionHandler } from '../../src/ports/network.ts';
import { PackWriter } from '../../src/records/pack.ts';
import { beginFrame, sealFrame } from '../../src/records/peer-frame.ts';
import { writeMessage } from '../../src/records/peer-messages.ts';
import { addressesOf, FakeEnsemble, FakePeer, identityOf, TICK_MS, VOTE } from './fake-peers.ts';

test('two servers that dial each other at once keep the one connection that the larger id dialled', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  one.port.know(addressesOf(1, 2));
  two.port.know(addressesOf(1, 2));
  await Promise.all([one.port.start(), two.port.start()]);
  await world.run(TICK_MS);
  assert.deepEqual([...world.dials].sort(), ['host1>host2:3888', 'host2>host1:3888']);
  assert.deepEqual([one.port.connected, two.port.connected], [[2], [1]]);
  assert.equal(one.told.at(-1), 'reached 2');
  assert.equal(two.told.at(-1), 'reached 1');
  const before = world.wires.map(({ writes }) => writes);
  one.port.vote(2, VOTE);
  one.port.flush();
  two.port.vote(1, { ...VOTE, round: 2 });
  two.port.flush();
  await world.run(0);
  assert.deepEqual(two.votes, [{ from: 1, message: VOTE }]);
  assert.deepEqual(one.votes, [{ from: 2, message: { ...VOTE, round: 2 } }]);
  const used = world.wires.filter(({ writes }, i) => writes > (before[i] as number));
  assert.deepEqual(
    used.map(({ dialledFrom }) => dialledFrom),
    ['host2'],
  );
  await world.run(20 * TICK_MS);
  assert.equal(world.dials.length, 2);
  assert.deepEqual([one.complaints, two.complaints], [[], []]);
});

test('what is said as soon as a server is reached arrives behind the greeting', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  one.eager = two.eager = true;
  await ensemble.start(one);
  await ensemble.start(two);
  await world.run(TICK_MS);
  assert.deepEqual([one.port.connected, two.port.connected], [[2], [1]]);
  assert.deepEqual(
    [one.votes.at(-1), two.votes.at(-1)],
    [
      { from: 2, message: VOTE },
      { from: 1, message: VOTE },
    ],
  );
  const times = (told: readonly string[], what: string): number => told.filter((each) => each === what).length;
  // at most once more, where both had dialled
  assert.ok(times(one.told, 'reached 2') <= 2 && times(two.told, 'reached 1') <= 2);
});

test('all that is sent in a turn is one write, and arrives in order and in one turn', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  await ensemble.start(one, two);
  one.port.dial(2);
  await world.run(10);
  assert.ok(one.told.includes('linked 2 out') && two.told.includes('linked 1 in'));
  const wire = world.wires.find(({ to, dialledFrom }) => dialledFrom === 'host1' && to.endsWith('2888'));
  const [writes, turns] = [wire?.writes as number, two.turns];
  const sent = Array.from({ length: 500 }, (_, id) => ({ type: 'SYNC' as const, epoch: 3, id }));
  for (const message of sent) assert.equal(one.port.send(one.links.get(2) as number, message), true);
  one.port.flush();
  one.port.flush();
  await world.run(0);
  assert.equal(wire?.writes, writes + 1);
  assert.equal(two.turns, turns + 1);
  assert.deepEqual(
    two.received.map(({ message }) => message),
    sent,
  );
});

test('a connection that fell silent is found dead within its ticks and made anew; a quiet one lives on', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  await ensemble.start(one, two);
  await world.run(TICK_MS);
  one.told.length = two.told.length = 0;
  await world.run(100 * TICK_MS);
  assert.deepEqual([one.port.connected, two.port.connected], [[2], [1]]);
  assert.ok(!one.told.includes('lost 2') && !two.told.includes('lost 1'));
  const began = world.now;
  for (const wire of world.wires) wire.frozen = true;
  while (!one.told.includes('lost 2')) {
    await world.run(TICK_MS / 4);
    assert.ok(world.now - began < 6 * TICK_MS, 'took too long');
  }
  assert.ok(world.now - began > 3 * TICK_MS, `given up after ${world.now - began} ms`);
  await world.run(4 * TICK_MS);
  assert.deepEqual([one.port.connected, two.port.connected], [[2], [1]]);
  const about = (sid: number, told: readonly string[]): string[] => told.filter((each) => each.endsWith(String(sid)));
  assert.deepEqual([about(2, one.told).at(-1), about(1, two.told).at(-1)], ['reached 2', 'reached 1']);
});

test('quorumCnxnTimeoutMs says after how long an election link that is silent is cut, two ticks at least', async () => {
  for (const [voteSilenceMs, least, most] of [
    [15 * TICK_MS, 14, 17],
    [1, 1, 4],
  ] as const) {
    const ensemble = new FakeEnsemble();
    const { world } = ensemble;
    const [one, two] = [ensemble.peer(1, { voteSilenceMs }), ensemble.peer(2, { voteSilenceMs })];
    await ensemble.start(one, two);
    await world.run(50 * TICK_MS);
    assert.deepEqual([one.port.connected, two.port.connected], [[2], [1]]);
    const began = world.now;
    one.told.length = 0;
    for (const wire of world.wires) wire.frozen = true;
    while (!one.told.includes('lost 2') && world.now - began < 40 * TICK_MS) await world.run(TICK_MS / 4);
    const ticks = (world.now - began) / TICK_MS;
    assert.ok(ticks > least && ticks < most, `given up after ${ticks} ticks`);
  }
});

test('a server that slept itself does not take the others for dead', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  await ensemble.start(one, two);
  await world.run(TICK_MS);
  one.told.length = two.told.length = 0;
  world.now += 100 * TICK_MS; // nothing ran meanwhile
  await world.run(2 * TICK_MS);
  assert.deepEqual([one.port.connected, two.port.connected], [[2], [1]]);
  assert.ok(!one.told.includes('lost 2') && !two.told.includes('lost 1'));
});

test('a server that restarted comes in although its old connection was never closed', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const two = ensemble.peer(2);
  const old = ensemble.peer(1);
  await ensemble.start(old, two);
  await world.run(TICK_MS);
  for (const wire of world.wires) wire.frozen = true; // its machine lost power
  const restarted = ensemble.peer(1, { life: 1 });
  await ensemble.start(restarted);
  await world.run(1.5 * TICK_MS);
  assert.deepEqual([restarted.port.connected, two.port.connected], [[2], [1]]);
  assert.deepEqual(two.told.slice(-2), ['lost 1', 'reached 1']);
  assert.deepEqual(two.complaints, []);
});

test('one end lost the connection and the other never heard of it: the next call comes through within a tick or so', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  await ensemble.start(one);
  await ensemble.start(two);
  await world.run(3 * TICK_MS);
  for (const end of ['acceptor', 'dialler'] as const) {
    const wire = world.wires.find(({ closed, frozen }) => !closed && !frozen);
    assert.equal(wire?.dialledFrom, 'host2');
    two.port.know([]); // it does not call by itself
    wire?.loseFor(end);
    await world.run(0);
    assert.deepEqual([one.port.connected.length, two.port.connected.length], end === 'acceptor' ? [0, 1] : [1, 0]);
    two.port.know(addressesOf(1, 2, 3));
    await world.run(1.6 * TICK_MS);
    assert.deepEqual([one.port.connected, two.port.connected], [[2], [1]], end);
    // for the second case the connection must be one that two dialled
    for (const each of world.wires) each.reset();
    one.port.know([]);
    await world.run(3 * TICK_MS);
    one.port.know(addressesOf(1, 2, 3));
  }
});

test('two living servers with the larger id: they do not take the connection from each other', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, first] = [ensemble.peer(1), ensemble.peer(3)];
  await ensemble.start(one, first);
  await world.run(TICK_MS);
  first.told.length = 0;
  const second = ensemble.peer(3, { life: 1, at: 'elsewhere' });
  await ensemble.start(second);
  await world.run(30 * TICK_MS);
  assert.deepEqual([one.port.connected, first.port.connected, second.port.connected], [[3], [1], []]);
  assert.ok(!first.told.includes('lost 1'));
  assert.match(second.complaints.join(), /two servers have the id 3/);
});

test('two living servers with one id: the second is refused and all three say so', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [first, other] = [ensemble.peer(1), ensemble.peer(3)];
  await ensemble.start(first, other);
  await world.run(TICK_MS);
  first.told.length = 0;
  const second = ensemble.peer(1, { life: 1, at: 'elsewhere' });
  await ensemble.start(second);
  await world.run(3 * TICK_MS);
  assert.deepEqual([first.port.connected, second.port.connected, other.port.connected], [[3], [], [1]]);
  assert.match(other.complaints[0] as string, /^two servers have the id 1, the one at .+ and the one at .+; give one/);
  assert.match(second.complaints.join(), /host3:3888 refused: two servers have the id 1/);
  // the one that was there noticed nothing
  assert.deepEqual(
    first.told.filter((each) => each.endsWith('3')),
    [],
  );
  // and a server that looks for its own id elsewhere, or finds itself there, is told as well
  second.port.know([{ sid: 2, election: [{ host: 'host1', port: 3888 }], quorum: [] }]);
  second.port.hurry();
  await world.run(3 * TICK_MS);
  assert.match(second.complaints.join('\n'), /two servers have the id 1, this one and the one at elsewhere:\d+; give/);
  first.port.know([{ sid: 2, election: [{ host: 'host1', port: 3888 }], quorum: [] }]);
  first.port.hurry();
  await world.run(TICK_MS);
  assert.match(first.complaints.join('\n'), /leads server 1 back to itself; correct its server line/);
});

test('a third connection under an id is told to wait while the second is looked at', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [first, other] = [ensemble.peer(1), ensemble.peer(3)];
  await ensemble.start(first, other);
  await world.run(TICK_MS);
  for (const wire of world.wires) wire.frozen = true;
  const second = ensemble.peer(1, { life: 1, at: 'second' });
  const third = ensemble.peer(1, { life: 2, at: 'third' });
  await ensemble.start(second, third);
  await world.run(TICK_MS / 2);
  assert.equal(third.told.filter((each) => each === 'lost 3').length > 0, true);
  assert.deepEqual(third.complaints, []);
  await world.run(3 * TICK_MS);
  // the first of the two was let in when the dead one did not answer; the other is refused by name
  assert.deepEqual([second.port.connected, third.port.connected], [[3], []]);
  assert.match(other.complaints.join(), /two servers have the id 1/);
});

test('one that waits while the present connection is looked at does not share the place with a third that takes it', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const other = ensemble.peer(3);
  await ensemble.start(other);
  /** Server 1 in one of its lives; it says hello and no more. */
  const call = async (life: number, attempt: number): Promise<() => void> => {
    const to = { sid: 3, hosts: ['host3'], address: 'host3', port: 3888, timeoutMs: 500, attempt };
    const silent = { data() {}, drained() {}, closed() {} } as unknown as ConnectionHandler;
    const link = await world.net('host1').dial(to, silent, new AbortController().signal);
    const greeting = { type: 'HELLO', leastLevel: 1, level: 1, purpose: 'election', to: 3, attempt } as const;
    const out = new PackWriter();
    beginFrame(out);
    writeMessage(out, { ...greeting, ...identityOf(1, life) });
    sealFrame(out, 0, 1);
    link.send(Buffer.from(out.bytes.subarray(0, out.at)));
    await world.run(1);
    return () => link.destroy();
  };
  await call(0, 1);
  await call(1, 1);
  const endThird = await call(0, 2);
  await world.run(TICK_MS / 4);
  endThird();
  await world.run(2 * TICK_MS);
  assert.deepEqual(other.port.connected, [1], 'the one that waited is let in');
  await world.run(20 * TICK_MS);
  assert.deepEqual(other.port.connected, [], 'it says nothing: nobody is left behind');
  assert.equal(world.wires.filter(({ dialledFrom, closed }) => dialledFrom === 'host1' && !closed).length, 0);
});

test('a server of another ensemble, and one that is not who was looked for, are refused on both sides', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const one = ensemble.peer(1);
  const stranger = ensemble.peer(2, { identity: { ...identityOf(2), ensembleId: 'aa'.repeat(16) } });
  await ensemble.start(one, stranger);
  await world.run(TICK_MS);
  assert.match(
    stranger.complaints.join(),
    /host1:3888 refused: server 2 at .+ belongs to another ensemble, aaaaaaaa \(test\), and server 1 to eeeeeeee \(test\); correct/,
  );
  assert.match(one.complaints.join(), /belongs to another ensemble, aaaaaaaa/);
  const named = ensemble.peer(3, { identity: { ...identityOf(3), ensembleName: 'staging' } });
  await ensemble.start(named);
  await world.run(TICK_MS);
  assert.match(named.complaints.join(), /is of an ensemble named "staging", server 1 of "test"/);
  assert.deepEqual([one.port.connected, stranger.port.connected, named.port.connected], [[], [], []]);
  // an address that leads to another member
  const four = ensemble.peer(4);
  four.port.know([{ sid: 2, election: [{ host: 'host1', port: 3888 }], quorum: [] }]);
  await four.port.start();
  await world.run(TICK_MS);
  assert.match(four.complaints.join(), /server 4 looks for server 2 here and finds server 1; compare/);
  // ports changed about
  const five = ensemble.peer(5);
  five.port.know([{ sid: 1, election: [{ host: 'host1', port: 2888 }], quorum: [] }]);
  await five.port.start();
  await world.run(TICK_MS);
  assert.match(five.complaints.join(), /server 5 takes the quorum port of server 1 for the election port/);
});

test('a server not yet founded meets one that is, and joins no other once it is', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const one = ensemble.peer(1);
  const empty = ensemble.peer(2, { identity: { ...identityOf(2), ensembleId: null } });
  await ensemble.start(one, empty);
  await world.run(TICK_MS);
  assert.deepEqual([one.port.connected, empty.port.connected], [[2], [1]]);
});

test('calls grow rarer while nobody answers, and an election makes them at once', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const two = ensemble.peer(2);
  two.port.know(addressesOf(1, 2));
  await two.port.start();
  await world.run(10 * TICK_MS);
  const early = world.dials.length;
  assert.ok(early >= 5 && early <= 14, `${early} calls in ten ticks`);
  await world.run(100 * TICK_MS);
  const rate = (world.dials.length - early) / 100;
  assert.ok(rate > 0.4 && rate < 1.1, `${rate} calls a tick`);
  assert.ok(two.told.every((each) => each === 'lost 1') && two.told.length === world.dials.length);
  const before = world.dials.length;
  two.port.hurry();
  await world.run(0);
  assert.equal(world.dials.length, before + 1);
  const one = ensemble.peer(1);
  one.port.know(addressesOf(1, 2));
  await one.port.start();
  await world.run(0);
  assert.deepEqual(two.port.connected, [1]);
});

test('a round of an election asks after each: connected, not reached, unknown, and one still being called', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  await ensemble.start(one, two);
  two.port.know([...addressesOf(1, 2, 3), { sid: 4, election: [{ host: 'nowhere', port: 3888 }], quorum: [] }]);
  world.blackholes.add('nowhere');
  await world.run(5 * TICK_MS);
  two.told.length = 0;
  two.port.gather([1, 2, 3, 4, 5]);
  assert.equal(two.told.length, 0); // never before the caller is through
  await world.run(0);
  assert.deepEqual([...two.told].sort(), ['lost 3', 'lost 5', 'reached 1']);
  await world.run(500);
  assert.ok(two.told.includes('lost 4'));
});

test('names are resolved at each call, and all their addresses are tried', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  world.names.set('one.example', []);
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  two.port.know([
    { sid: 1, election: [{ host: 'one.example', port: 3888 }], quorum: [{ host: 'one.example', port: 2888 }] },
  ]);
  await two.port.start();
  await one.port.start();
  await world.run(TICK_MS);
  assert.deepEqual(two.port.connected, []);
  world.names.set('one.example', ['gone1', 'gone2', 'host1']);
  await world.run(4 * TICK_MS);
  assert.deepEqual(two.port.connected, [1]);
  assert.deepEqual(world.dials.slice(-3), ['host2>gone1:3888', 'host2>gone2:3888', 'host2>host1:3888']);
  world.names.set('one.example', ['gone2']);
  two.port.dial(1);
  await world.run(0);
  assert.equal(two.told.at(-1), 'dial to 1 failed: one.example:2888 (gone2): nothing listens there');
});

test('an address that swallows everything costs one wait, not the election', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  world.names.set('host1', ['nowhere', 'host1']);
  world.blackholes.add('nowhere');
  const [one, two, three] = [ensemble.peer(1), ensemble.peer(2), ensemble.peer(3)];
  await three.port.start();
  two.port.know(addressesOf(1, 2, 3));
  await one.port.start();
  await two.port.start();
  await world.run(0);
  assert.deepEqual(two.port.connected, [3]);
  await world.run(600);
  assert.deepEqual([...two.port.connected].sort(), [1, 3]);
  // what led there comes first the next time
  for (const wire of world.wires) wire.reset();
  await world.run(TICK_MS);
  assert.deepEqual([...two.port.connected].sort(), [1, 3]);
});

test('a learner that dials again takes the place of its earlier link, and what is hung up is not told', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  await ensemble.start(one, two);
  one.port.dial(2);
  await world.run(1);
  const [first, theirs] = [one.links.get(2) as number, two.links.get(1) as number];
  one.port.dial(2);
  await world.run(1);
  assert.ok((one.links.get(2) as number) > first && (two.links.get(1) as number) > theirs);
  const links = (told: readonly string[]): string[] => told.filter((each) => /linked|closed/.test(each));
  assert.deepEqual(links(two.told), ['linked 1 in', 'closed: a newer connection took its place', 'linked 1 in']);
  // both may follow each other for a moment: that is two links
  two.port.dial(1);
  await world.run(1);
  assert.equal(links(one.told).at(-1), 'linked 2 in');
  assert.equal(links(two.told).at(-1), 'linked 1 out');
  two.told.length = one.told.length = 0;
  one.port.send(one.links.get(2) as number, { type: 'ASKSNAP', epoch: 1 });
  one.port.hangUp(one.links.get(2) as number, 'done');
  await world.run(1);
  assert.deepEqual(links(one.told), []);
});

test('a message on the wrong channel ends it', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  await ensemble.start(one, two);
  one.port.dial(2);
  await world.run(1);
  one.port.send(one.links.get(2) as number, VOTE);
  one.port.flush();
  await world.run(1);
  assert.equal(two.told.filter((each) => each.startsWith('closed')).at(-1), 'closed: VOTE on a quorum channel');
});

test('a server that takes nothing is cut at the bound, and only the newest vote waits for it', async () => {
  const ensemble = new FakeEnsemble();
  const { world } = ensemble;
  const [one, two] = [ensemble.peer(1), ensemble.peer(2)];
  await ensemble.start(one, two);
  one.port.dial(2);
  await world.run(1);
  for (const wire of world.wires) wire.stuck = true;
  const link = one.links.get(2) as number;
  const chunk = {
    type: 'CHUNK',
    epoch: 1,
    at: { epoch: 1, counter: 1 },
    offset: 0,
    total: 1e9,
    bytes: Buffer.alloc(65_536),
  } as const;
  let sent = 0;
  let paused = 0;
  while (!one.told.some((each) => each.startsWith('closed'))) {
    if (!one.port.send(link, chunk)) paused ||= sent;
    one.port.flush();
    assert.ok(++sent < 100);
  }
  assert.ok(paused >= 15 && paused <= 17, `asked to pause after ${paused}`);
  assert.ok(sent >= 63 && sent <= 65, `cut after ${sent} chunks of 64 KiB`);
  assert.match(one.told.at(-1) as string, /it does not keep up: 4\d{6} bytes wait for it/);
  for (let round = 0; round < 100_000; round++) {
    one.port.vote(2, { ...VOTE, round });
    one.port.flush();
  }
  assert.deepEqual(one.port.connected, [2]);
});

const RUNS = 150;
test(`${RUNS} runs of cut, frozen and doubled connections and restarts: each pair ends with one that both ends use`, async () => {
  const first = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
  let replaced = 0;
  for (let seed = first; seed < first + RUNS; seed++) {
    const random = seededRandom(seed);
    const ensemble = new FakeEnsemble();
    const { world } = ensemble;
    world.latency = () => (random.below(2) === 0 ? 0 : random.below(TICK_MS / 3));
    const lives = new Map<number, { peer: FakePeer; life: number; alive: boolean }>();
    const begin = async (sid: number): Promise<void> => {
      const old = lives.get(sid);
      if (old !== undefined) old.alive = false;
      for (const wire of world.wires) if (`${wire.dialledFrom} ${wire.to}`.includes(`host${sid}`)) wire.frozen = true;
      const life = { peer: undefined as unknown as FakePeer, life: (old?.life ?? -1) + 1, alive: true };
      const alive = (): boolean => life.alive;
      life.peer = new FakePeer(
        identityOf(sid, life.life),
        { net: world.net(`host${sid}`, alive), clock: world.clockOf(alive), random },
        { election: { host: `host${sid}`, port: 3888 }, quorum: { host: `host${sid}`, port: 2888 } },
      );
      life.peer.eager = random.below(2) === 0;
      lives.set(sid, life);
      await ensemble.start(life.peer);
    };
    for (const sid of [1, 2, 3]) await begin(sid);
    for (let step = 0; step < 12; step++) {
      const wire = world.wires[random.below(world.wires.length)];
      const what = random.below(6);
      if (what < 2 && wire !== undefined) wire.frozen = true;
      else if (what < 4) wire?.reset();
      else if (what === 4) await begin(1 + random.below(3));
      else for (const { peer } of lives.values()) peer.port.hurry();
      await world.run(random.below(random.below(3) === 0 ? 8 * TICK_MS : TICK_MS / 2));
    }
    await world.run(20 * TICK_MS);
    const peers = [...lives.values()].map(({ peer }) => peer);
    const where = `ZOOSH_SEED=${seed}`;
    const open = world.wires.filter(({ closed, frozen }) => !closed && !frozen);
    assert.equal(open.length, 3, `${where}: ${open.length} connections for three pairs`);
    for (const peer of peers) {
      const others = [1, 2, 3].filter((sid) => sid !== peer.identity.sid);
      assert.deepEqual([...peer.port.connected].sort(), others, where);
      for (const sid of others) peer.port.vote(sid, VOTE);
      peer.port.flush();
      replaced += peer.told.filter((each) => each.startsWith('lost')).length;
    }
    for (const peer of peers) peer.votes.length = 0;
    await world.run(TICK_MS);
    for (const peer of peers)
      assert.deepEqual(
        peer.votes.map(({ from }) => from).sort(),
        [1, 2, 3].filter((sid) => sid !== peer.identity.sid),
        where,
      );
    for (const peer of peers) assert.deepEqual(peer.port.complaints.sentences, [], where);
  }
  assert.ok(replaced > RUNS, `${replaced} connections were lost on the way`);
});
