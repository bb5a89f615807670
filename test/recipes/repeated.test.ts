/** Requests that are repeated after a lost reply: they take nothing that is another's by then, and prove nothing by themselves. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, DoubleBarrier, Group, KeeperError, Lock, LockingQueue } from '../../src/index.ts';
import { inTime, until, type Wired, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.openPatient();
});
after(() => world[Symbol.asyncDispose]());

/** The next write is carried out, its answer is lost, and the connection comes back `ms` later. */
function loseNextAnswer({ wire }: Wired, ms: number): void {
  wire.cut = { at: wire.writes + 1, how: 'unanswered' };
  const dial = wire.dial.bind(wire);
  wire.dial = async (...options) => {
    wire.dial = dial;
    await sleep(ms);
    return dial(...options);
  };
}

test('locking queue: a release whose answer was lost does not take the lock of the worker who has the item by then', async () => {
  const [a, b, c] = [await world.client(), await world.client(), await world.client()];
  await new LockingQueue(a, '/release').put('x');
  const first = await new LockingQueue(a, '/release').take();
  const second = new LockingQueue(b, '/release').take();
  await until('b waits', () => b.watches().length >= 2);
  loseNextAnswer(a, 300);
  const releasing = first.release();
  const got = await inTime('b', second);
  await inTime('the release', releasing);
  assert.equal(a.wire.cuts, 1);
  assert.equal(await new LockingQueue(c, '/release').tryTake(), undefined, 'a third one has it as well');
  assert.equal(got.hold.state, 'held');
  await got.consume();
  assert.equal(await new LockingQueue(c, '/release').length(), 0);
});

test('locking queue: a worker whose lock is gone is told, also when the next one has the item already', async () => {
  const [a, b, c] = [await world.client(1000), await world.client(), await world.client()];
  await new LockingQueue(a, '/robbed').put('x');
  const first = await new LockingQueue(a, '/robbed').take();
  const second = new LockingQueue(b, '/robbed').take();
  await until('b waits', () => b.watches().length >= 2);
  await c.delete(first.hold.node);
  const got = await inTime('b', second);
  await until('the first is told', () => first.hold.state === 'lost');
  await sleep(100); // what it does about its node it has done by then
  assert.notEqual(await c.exists(got.hold.node), undefined);
  await got.release();
});

test('locking queue: an item whose session ended while it was consumed is in doubt, not undone', async () => {
  const a = await world.client(1000);
  const queue = new LockingQueue(a, '/doubt');
  await queue.put('x');
  const taken = await queue.take();
  const { wire } = a;
  wire.cut = { at: wire.writes + 1, how: 'unanswered' };
  const consuming = taken.consume();
  consuming.catch(() => {}); // heard below
  await until('the cut', () => wire.cuts === 1);
  wire.silent = true;
  await assert.rejects(inTime('it', consuming), (error) => (error as KeeperError).code === 'ConnectionLoss');
  wire.silent = false;
});

test('group, curator: leaving again after a lost answer does not take away who has the name by then; joining survives two cuts', async () => {
  const [a, b] = [await world.client(), await world.client()];
  const member = await new Group(a, '/names', { style: 'curator' }).join('one');
  loseNextAnswer(a, 300);
  const leaving = member.leave();
  await until('it left', async () => (await b.exists('/names/one')) === undefined);
  await new Group(b, '/names', { style: 'curator' }).join('one');
  await inTime('it leaves', leaving);
  assert.equal((await b.exists('/names/one'))?.ephemeralOwner, b.sessionId);

  for (const how of ['unsent', 'unanswered'] as const)
    for (let second = 1; second <= 4; second++) {
      const c = await world.client();
      const group = new Group(c, `/twice-${how}-${second}`, { style: 'curator' });
      await group.members();
      await c.create(group.path);
      const { wire } = c;
      wire.cut = { at: wire.writes + 2, how: 'unanswered' }; // after the look at the style, the create
      const joining = group.join('me');
      joining.catch(() => {}); // heard below
      await until('the first cut', () => wire.cuts === 1);
      wire.cut = { at: wire.writes + second, how };
      await inTime(`${how} ${second}`, joining);
      await c.close();
    }
});

test('double barrier: taking the sign away again after a lost answer leaves that of the next round', async () => {
  const [a, b, c] = [await world.client(), await world.client(), await world.client()];
  const one = new DoubleBarrier(a, '/signs', 1);
  await one.enter();
  // the last write of `depart` is that which takes the sign away
  const deleting = a.delete.bind(a);
  a.delete = (path, ...rest) => {
    if (path === '/signs/ready') loseNextAnswer(a, 300);
    return deleting(path, ...rest);
  };
  const leaving = one.depart();
  await until('the sign is gone', async () => (await b.exists('/signs/ready')) === undefined);
  const [two, three] = [new DoubleBarrier(b, '/signs', 2), new DoubleBarrier(c, '/signs', 2)];
  await Promise.all([two.enter(), three.enter()]);
  await inTime('it departs', leaving);
  assert.equal(a.wire.cuts, 1);
  assert.notEqual(await b.exists('/signs/ready'), undefined);
  await Promise.all([two.leave(), three.leave()]);
});

test('what was found after a lost answer is proven before it is held: a sync is no proof', async () => {
  const client = await world.client();
  await new Lock(client, '/found').acquire().then((hold) => hold.release());
  const asked: string[] = [];
  const multi = client.multi.bind(client);
  client.multi = (ops, ...rest) => {
    asked.push(...ops.map(({ op, path }) => `${op} ${path}`));
    return multi(ops, ...rest);
  };
  const plain = await new Lock(client, '/found').acquire();
  assert.deepEqual(asked, []); // the answer to the create was proof
  await plain.release();
  const { wire } = client;
  wire.cut = { at: wire.writes + 2, how: 'unanswered' };
  const hold = await inTime('it', new Lock(client, '/found').acquire());
  assert.equal(wire.cuts, 1);
  assert.deepEqual(asked, [`check ${hold.node}`]);
  await hold.release();
});

test('a chroot that is not there is said by every recipe, at once', async () => {
  const { connect, Barrier, Counter, Queue, Semaphore } = await import('../../src/index.ts');
  const client: Client = await connect(`${world.server.connectString}/not/there`, { timeoutMs: 30_000 });
  try {
    const all: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['lock', () => new Lock(client, '/a').acquire()],
      ['lock at the top', () => new Lock(client, '/').acquire()],
      ['counter', () => new Counter(client, '/a/b').add(1)],
      ['counter at the top', () => new Counter(client, '/').add(1)],
      ['queue', () => new Queue(client, '/a').put('x')],
      ['taker', () => new Queue(client, '/a').take()],
      ['locking queue', () => new LockingQueue(client, '/a').put('x')],
      ['semaphore', () => new Semaphore(client, '/a', 2).acquire()],
      ['barrier', () => new Barrier(client, '/a').set()],
      ['double barrier', () => new DoubleBarrier(client, '/a', 1).enter()],
      ['group', () => new Group(client, '/a').join('x')],
    ];
    for (const [name, work] of all)
      await assert.rejects(
        inTime(name, work(), 5000),
        (error) => error instanceof KeeperError && error.code === 'NoNode',
        name,
      );
  } finally {
    await client.close();
  }
});

test('a server that takes a third of the timeout for every answer lets whoever waits in all the same', async () => {
  const [holder, client] = [await world.client(), await world.client(1500)];
  const hold = await new Lock(holder, '/slow').acquire();
  let asked = 0;
  const multi = client.multi.bind(client);
  client.multi = async (...args) => {
    asked++;
    const answer = await multi(...args);
    await sleep(450);
    return answer;
  };
  const waiting = new Lock(client, '/slow').acquire();
  await until('it waits', async () => (await holder.getChildren('/slow')).children.length === 2);
  await sleep(400); // what it knew when it came is not fresh any more
  await hold.release();
  const next = await inTime('the next', waiting, 10_000);
  assert.ok(asked >= 1);
  assert.notEqual(next.state, 'lost');
  await next.release();
});
