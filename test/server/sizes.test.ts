/** What grows with the number of nodes is done in parts, or costs little: no size of a session or a parent stops the loop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { digest } from '../../src/tree/snapshot.ts';
import { lateIf, timely } from '../patience.ts';
import { ask, rig } from './rig.ts';

const EPHEMERALS = 100_000;
const CHILDREN = 200_000;
const TIMED = 20_000;
const BOUND_MS = 50;
const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

/** User CPU ms: what other processes take does not count. */
function cost(run: () => void): number {
  const began = process.cpuUsage();
  run();
  return process.cpuUsage(began).user / 1000;
}

test(`a session with ${EPHEMERALS} ephemerals ends as one transaction in many short parts`, () =>
  timely(() => {
    const all = rig(seededRandom(1));
    const { server, replica, parts, settle, attach } = all;
    const owner = attach();
    const other = attach();
    ask(all, other, 'create', { path: '/p', data: null, acl, flags: 0 });
    for (let i = 0; i < EPHEMERALS; i++) {
      ask(all, owner, 'create', { path: `/p/e${i}`, data: null, acl, flags: 1 });
      if (i % 500 === 0) settle();
    }
    settle();
    assert.equal(server.tree.ephemerals, EPHEMERALS);
    // decided and not applied: one of ours goes before, one comes, one is replaced by somebody else's
    ask(all, other, 'delete', { path: '/p/e1', version: -1 });
    ask(all, owner, 'create', { path: '/p/late', data: null, acl, flags: 1 });
    ask(all, other, 'delete', { path: '/p/e2', version: -1 });
    ask(all, other, 'create', { path: '/p/e2', data: null, acl, flags: 0 });
    const spent = cost(() => ask(all, owner, 'closeSession', {}));
    assert.ok(server.decidedAhead < 20, 'an entry for every ephemeral');
    // decisions behind it see what it leaves
    ask(all, other, 'create', { path: '/p/e7', data: null, acl, flags: 0 });
    ask(all, other, 'delete', { path: '/p/e9', version: -1 }); // NoNode
    ask(all, other, 'delete', { path: '/p/e2', version: -1 });
    ask(all, other, 'delete', { path: '/p/e7', version: -1 });
    ask(all, other, 'delete', { path: '/p', version: -1 });
    settle();
    assert.ok(parts.longest > 0 && parts.longest <= 2000 && parts.count >= EPHEMERALS / 2500, 'applied in one part');
    assert.equal(server.tree.ephemerals, 0);
    assert.equal(server.tree.find('/p'), 0, 'the parent could be deleted behind it');
    assert.equal(server.decidedAhead, 0);
    assert.equal(server.tree.sessions.get(owner.session), undefined);
    assert.equal(digest(replica), digest(server.tree));
    return lateIf(spent >= BOUND_MS, `the decision took ${spent} ms`);
  }));

test(`${CHILDREN} children are listed in less than ${BOUND_MS} ms`, async () => {
  const all = rig(seededRandom(2));
  const { server, settle, attach } = all;
  const connection = attach();
  ask(all, connection, 'create', { path: '/p', data: null, acl, flags: 0 });
  for (let i = 0; i < CHILDREN; i++) {
    ask(all, connection, 'create', { path: `/p/child-${i}`, data: null, acl, flags: 0 });
    if (i % 500 === 0) settle();
  }
  settle();
  await timely(() => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 6; i++) {
      const before = connection.out?.at ?? 0;
      least = Math.min(
        least,
        cost(() => ask(all, connection, 'getChildren', { path: '/p', watch: false })),
      );
      assert.ok((connection.out?.at ?? 0) - before > CHILDREN * 12);
      settle();
    }
    console.log(`listing of ${CHILDREN}: ${least.toFixed(1)} ms`);
    return lateIf(least >= BOUND_MS, `${least} ms`);
  });
  assert.equal(server.outstanding, 0);
});

test(`the reaper looks at ${TIMED} nodes a slice at a time and finds each that is due once`, () => {
  const all = rig(seededRandom(3));
  const { server, settle, attach } = all;
  const connection = attach();
  for (let i = 0; i < TIMED; i++) {
    const ttl = i % 1000 === 999 ? 1000n : 1_000_000n;
    ask(all, connection, 'createTtl', { path: `/t${i}`, data: null, acl, flags: 5, ttl });
    if (i % 500 === 0) settle();
  }
  settle();
  server.wall += 5000;
  const rounds: number[] = [];
  for (let done = false; !done && rounds.length < 100; ) {
    const slice = server.reap(1000);
    done = slice.done;
    rounds.push(slice.reaped);
    settle();
  }
  assert.deepEqual(rounds, [5, 5, 5, 5, 0]);
  assert.equal(server.tree.timed.size, TIMED - TIMED / 1000);
  // a limit ends a slice early, and the next goes on behind it
  server.wall += 2_000_000;
  assert.deepEqual(server.reap(1000), { reaped: 0, done: true }, 'a clock that jumped is not believed');
  server.now += 2_000_000;
  assert.deepEqual(server.reap(3), { reaped: 3, done: false });
  settle();
  assert.deepEqual(server.reap(2), { reaped: 2, done: false });
  settle();
  assert.equal(server.tree.timed.size, TIMED - TIMED / 1000 - 5);
});
