/** Partition and lag between servers, made and healed while they run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { realClock } from '../../src/platform/clock.ts';
import { proofName, pskPeerNetwork } from '../../src/platform/peer-psk.ts';
import type { ConnectionHandler } from '../../src/ports/network.ts';
import type { PeerLink } from '../../src/ports/peer-network.ts';
import { PeerFaults } from '../../src/runtime/peer-faults.ts';
import { PeerSecret } from '../../src/runtime/peer-secret.ts';
import { PATIENCE_MS } from '../patience.ts';
import { addressesOf, FakePeer, FakeWorld, identityOf, TICK_MS, VOTE } from './fake-peers.ts';

/** One end of a connection: what it heard, and when. */
class End implements ConnectionHandler {
  link!: PeerLink;
  readonly heard: string[] = [];
  closed_ = 0;
  private readonly world: FakeWorld;
  constructor(world: FakeWorld) {
    this.world = world;
  }
  data(bytes: Buffer): void {
    this.heard.push(`${bytes} at ${this.world.now - 1000}`);
  }
  closed(): void {
    this.closed_++;
  }
  say(text: string): void {
    this.link.send(Buffer.from(text));
  }
}

/** Servers 1 and 2 with a connection between them that 1 dialled; only 1 has faults. */
async function pair() {
  const world = new FakeWorld();
  const faults = new PeerFaults(world.clock);
  const net = faults.network(world.net('host1'));
  const [one, two] = [new End(world), new End(world)];
  await world.net('host2').listen(
    { host: 'host2', port: 1 },
    (link) => {
      two.link = link;
      return two;
    },
    () => {},
  );
  const dial = (timeoutMs = 500): Promise<PeerLink> =>
    net.dial(
      { sid: 2, hosts: ['host2'], address: 'host2', port: 1, timeoutMs, attempt: 1 },
      one,
      new AbortController().signal,
    );
  const dialling = dial();
  await world.run(0);
  one.link = await dialling;
  return { world, faults, one, two, dial };
}

test('without faults nothing is changed', async () => {
  const { world, one, two } = await pair();
  one.say('a');
  two.say('b');
  await world.run(0);
  assert.deepEqual([one.heard, two.heard], [['b at 0'], ['a at 0']]);
  assert.equal(one.link.waiting, 0);
  one.link.destroy();
  await world.run(0);
  assert.deepEqual([one.closed_, two.closed_], [1, 1]);
});

test('a partition keeps what is sent, tells nobody, and delivers late and in order when it heals', async () => {
  const { world, faults, one, two } = await pair();
  faults.partition([2]);
  assert.deepEqual(faults.inForce, { cut: [2], lagMs: 0 });
  for (const text of ['a', 'b']) one.say(text);
  two.say('x');
  await world.run(100);
  two.say('y');
  await world.run(100);
  assert.deepEqual([one.heard, two.heard, one.closed_, two.closed_], [[], [], 0, 0]);
  assert.equal(one.link.waiting, 2, 'what waits is counted, so that a sender that is not heard is noticed');
  faults.heal();
  one.say('c');
  await world.run(0);
  assert.deepEqual(two.heard, ['a at 200', 'b at 200', 'c at 200']);
  assert.deepEqual(one.heard, ['x at 200', 'y at 200']);
  assert.equal(one.link.waiting, 0);
});

test('other servers are not cut', async () => {
  const { world, faults, one, two } = await pair();
  faults.partition([3]);
  one.say('a');
  await world.run(0);
  assert.deepEqual(two.heard, ['a at 0']);
});

test('an end that gives a cut connection up is alone in knowing until the partition heals', async () => {
  const { world, faults, one, two } = await pair();
  faults.partition([2]);
  one.say('lost with the connection');
  one.link.destroy();
  assert.equal(one.closed_, 0, 'not told within the call');
  await world.run(50);
  assert.deepEqual([one.closed_, two.closed_], [1, 0]);
  two.say('into the void');
  await world.run(50);
  faults.heal();
  await world.run(0);
  assert.deepEqual([one.closed_, two.closed_, one.heard, two.heard], [1, 1, [], []]);
});

test('the other end hangs up during a partition: told when it heals, after what was sent before', async () => {
  const { world, faults, one, two } = await pair();
  faults.partition([2]);
  two.say('last words');
  await world.run(0);
  two.link.destroy();
  await world.run(50);
  assert.equal(one.closed_, 0);
  faults.heal();
  await world.run(0);
  assert.deepEqual([one.heard, one.closed_], [['last words at 50'], 1]);
});

test('both ends gave it up: each was told once', async () => {
  const { world, faults, one, two } = await pair();
  faults.partition([2]);
  two.link.destroy();
  await world.run(10);
  one.link.destroy();
  await world.run(10);
  faults.heal();
  await world.run(10);
  assert.deepEqual([one.closed_, two.closed_], [1, 1]);
});

test('dials into a partition get no answer; one that still waits when it heals gets through', async () => {
  const { world, faults, dial } = await pair();
  faults.partition([2]);
  const before = world.dials.length;
  const late = assert.rejects(dial(200), /^Error: no answer in 200 ms$/);
  await world.run(200);
  await late;
  assert.equal(world.dials.length, before, 'nothing was sent');
  const waiting = dial(500);
  await world.run(300);
  faults.heal();
  await world.run(0);
  await waiting;
  assert.equal(world.dials.length, before + 1);
});

test('a dial that is no longer wanted ends at once', async () => {
  const { world, faults } = await pair();
  faults.partition([2]);
  const abort = new AbortController();
  const net = faults.network(world.net('host1'));
  const to = { sid: 2, hosts: ['host2'], address: 'host2', port: 1, timeoutMs: 500, attempt: 1 };
  const ended = assert.rejects(net.dial(to, new End(world), abort.signal), /no longer wanted/);
  abort.abort();
  await ended;
});

test('lag: every chunk is later, both ways, and the order stays when the lag shrinks', async () => {
  const { world, faults, one, two, dial } = await pair();
  faults.lag(100);
  assert.deepEqual(faults.inForce, { cut: [], lagMs: 100 });
  one.say('a');
  two.say('x');
  await world.run(40);
  one.say('b');
  await world.run(10);
  faults.lag(5);
  one.say('c');
  await world.run(100);
  assert.deepEqual(two.heard, ['a at 100', 'b at 140', 'c at 140']);
  assert.deepEqual(one.heard, ['x at 100']);
  faults.lag(0);
  one.say('d');
  await world.run(0);
  assert.equal(two.heard.at(-1), 'd at 150');
  faults.lag(100);
  const dialled = dial(500);
  let at = 0;
  void dialled.then(() => {
    at = world.now;
  });
  const begun = world.now;
  await world.run(250);
  assert.equal(at - begun, 200, 'a dial goes there and back');
  await assert.rejects(Promise.all([dial(150), world.run(200)]), /no answer in 150 ms/);
});

test('a connection closed under lag: told once, also when both ends close it', async () => {
  const { world, faults, one, two } = await pair();
  faults.lag(50);
  two.say('x');
  two.link.destroy();
  await world.run(20);
  one.link.destroy();
  await world.run(200);
  assert.deepEqual([one.closed_, two.closed_], [1, 1]);
});

/** Three servers whose networks can each be hurt. */
async function three() {
  const world = new FakeWorld();
  const random = seededRandom(11);
  const faults = [1, 2, 3].map(() => new PeerFaults(world.clock));
  const peers = [1, 2, 3].map((sid, at) => {
    const net = (faults[at] as PeerFaults).network(world.net(`host${sid}`));
    const here = { host: `host${sid}`, port: 3888 };
    return new FakePeer(
      identityOf(sid),
      { net, clock: world.clock, random },
      { election: here, quorum: { ...here, port: 2888 } },
    );
  });
  for (const { port } of peers) {
    port.know(addressesOf(1, 2, 3));
    await port.start();
  }
  await world.run(TICK_MS);
  return { world, faults, peers };
}
const connectedOf = (peers: readonly FakePeer[]): number[][] => peers.map(({ port }) => [...port.connected].sort());

test('servers that are cut off lose each other by silence, and find each other when it heals', async () => {
  const { world, faults, peers } = await three();
  assert.deepEqual(connectedOf(peers), [
    [2, 3],
    [1, 3],
    [1, 2],
  ]);
  faults[0]?.partition([2, 3]);
  faults[1]?.partition([1]);
  faults[2]?.partition([1]);
  await world.run(2 * TICK_MS);
  assert.deepEqual(
    connectedOf(peers),
    [
      [2, 3],
      [1, 3],
      [1, 2],
    ],
    'nobody was told',
  );
  peers[0]?.port.vote(2, VOTE);
  peers[0]?.port.flush();
  await world.run(20 * TICK_MS);
  assert.deepEqual(connectedOf(peers), [[], [3], [2]]);
  assert.deepEqual(peers[1]?.votes, []);
  for (const each of faults) each.heal();
  await world.run(30 * TICK_MS);
  assert.deepEqual(connectedOf(peers), [
    [2, 3],
    [1, 3],
    [1, 2],
  ]);
});

test('one side alone cuts: its hellos get no answer, whoever dials', async () => {
  const { world, faults, peers } = await three();
  faults[1]?.partition([1]);
  await world.run(30 * TICK_MS);
  assert.deepEqual(connectedOf(peers), [[3], [3], [1, 2]]);
  // no link comes about either, though server 1 itself is whole
  peers[0]?.port.dial(2);
  await world.run(10 * TICK_MS);
  assert.ok(
    peers[0]?.told.some((each) => /dial to 2 failed: .*no answer/.test(each)),
    peers[0]?.told.join('; '),
  );
  assert.equal(peers[1]?.links.size, 0);
  faults[1]?.heal();
  await world.run(30 * TICK_MS);
  assert.deepEqual(connectedOf(peers), [
    [2, 3],
    [1, 3],
    [1, 2],
  ]);
});

test('over real sockets with a secret: one side cuts, and both are whole again', async () => {
  const secret = new PeerSecret(Buffer.alloc(32, 3));
  const faults = [1, 2].map(() => new PeerFaults(realClock));
  const any = { host: '127.0.0.1', port: 0 };
  const peers = [1, 2].map(
    (sid, at) =>
      new FakePeer(
        identityOf(sid),
        {
          net: (faults[at] as PeerFaults).network(pskPeerNetwork({ name: proofName('test', sid), keys: [secret] })),
          clock: realClock,
          random: seededRandom(sid),
        },
        { election: any, quorum: any },
      ),
  );
  try {
    const ports = await Promise.all(peers.map(({ port }) => port.start()));
    const addresses = ports.map(({ election, quorum }, at) => ({
      sid: at + 1,
      election: [{ ...any, port: election }],
      quorum: [{ ...any, port: quorum }],
    }));
    for (const { port } of peers) port.know(addresses);
    await until(() => peers.every(({ port }) => port.connected.length === 1), 'they are connected');
    faults[1]?.partition([1]);
    await until(() => peers.every(({ port }) => port.connected.length === 0), 'they lost each other');
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.ok(peers.every(({ port }) => port.connected.length === 0));
    faults[1]?.heal();
    await until(() => peers.every(({ port }) => port.connected.length === 1), 'they are connected again');
  } finally {
    for (const { port } of peers) port.close();
  }
});

async function until(fact: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !fact(); waited += 5) {
    if (waited > PATIENCE_MS) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
