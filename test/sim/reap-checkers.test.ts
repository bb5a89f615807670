/** Checkers of containers and of nodes with a time to live: each is shown what is right and what is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KIND, OPEN_ACL, ttlOwner } from '../../src/records/txns.ts';
import { Clocks } from './check/clocks.ts';
import type { Committed } from './check/ledger.ts';
import { Rig, SESSION, worldAcl } from './check/rig.ts';
import { Verdicts } from './check/verdicts.ts';
import { decide as decideWrite, WRONG } from './model/decide.ts';
import { CONTAINER, ModelTree } from './model/tree.ts';
import { overdue } from './run/aftermath.ts';
import type { Ensemble } from './run/ensemble.ts';
import { decide } from './run/shares.ts';

/** A node /a of this kind; transactions are of 1000 ms and their counter. */
function made(ttl: bigint | undefined): Rig {
  const rig = new Rig();
  rig.begin();
  const on = rig.connect();
  const request = { path: '/a', data: Buffer.from('x'), acl: worldAcl, flags: ttl === undefined ? 4 : 5 };
  if (ttl === undefined) rig.ask(on, 1, 'createContainer', request);
  else rig.ask(on, 1, 'createTtl', { ...request, ttl });
  const owner = ttl === undefined ? CONTAINER : ttlOwner(Number(ttl));
  rig.commit({ kind: KIND.create, path: '/a', data: Buffer.from('x'), acl: OPEN_ACL, owner, creates: 1 }, SESSION, 1);
  assert.deepEqual(rig.rules, []);
  return rig;
}
const child = (rig: Rig): void => {
  rig.ask(1, 2, 'create', { path: '/a/b', data: Buffer.from('x'), acl: worldAcl, flags: 0 });
  rig.create('/a/b', 2);
};
const reap = (rig: Rig): readonly string[] => {
  rig.commit({ kind: KIND.reap, path: '/a' }, 0n);
  return rig.rules;
};

test('a node goes when its time is over since it was changed, and not in its last millisecond', () => {
  assert.deepEqual(reap(made(1n)), ['oracle'], 'it is changed in 2 and goes in 3');
  const rig = made(1n);
  rig.commit({ kind: KIND.noop }, 0n);
  assert.deepEqual(reap(rig), []);
  assert.deepEqual(rig.oracle.reaped, { timed: 1, containers: 0 });
});

test('a node with children stays, and so does a container that nothing was below', () => {
  const timed = made(1n);
  child(timed);
  assert.deepEqual(reap(timed), ['oracle']);
  const used = made(undefined);
  child(used);
  used.ask(1, 3, 'delete', { path: '/a/b', version: -1 });
  used.commit({ kind: KIND.delete, path: '/a/b' }, SESSION, 3);
  assert.deepEqual(reap(used), []);
  assert.deepEqual(used.oracle.reaped, { timed: 0, containers: 1 });
  assert.deepEqual(reap(made(undefined)), ['oracle']);
});

test('what is asked of a time to live is decided as the server does', () => {
  const tree = new ModelTree();
  const ask = (flags: number, ttl: bigint) =>
    decideWrite(tree, SESSION, { op: 'create', path: '/a', data: null, acl: OPEN_ACL, flags, container: false, ttl });
  for (const [flags, ttl] of [
    [5, -1n],
    [5, 0n],
    [6, 1n << 40n],
    [0, 5n],
  ] as const)
    assert.equal(ask(flags, ttl), WRONG.badArguments);
  for (const ttl of [1n, (1n << 40n) - 1n])
    assert.equal((ask(5, ttl) as { owner: bigint }).owner, ttlOwner(Number(ttl)));
});

test('what is due by the clock of the leader is told in the end', () => {
  const rig = made(10n);
  const at = (wall: number): string[] =>
    overdue({ oracle: rig.oracle, leader: { host: { wall: () => wall } } } as unknown as Ensemble);
  assert.deepEqual(at(1012), []);
  assert.deepEqual(at(1013), ['/a']);
  child(rig);
  assert.deepEqual(at(9999), []);
});

test('a leader reaps by a clock that a quorum shares, or shared until lately', () => {
  const offsets = new Map([
    [1, 0],
    [2, 0],
    [200, 0],
  ]);
  let now = 0;
  let until = Number.POSITIVE_INFINITY;
  const verdicts = new Verdicts(() => now);
  const clocks = new Clocks({
    ...{ verdicts, now: () => now, patienceMs: 1000, offsets: () => offsets, termOf: () => ({ sid: 200, until }) },
    decides: (holds) => decide([1, 2, 200], holds),
  });
  const judge = (): number => {
    clocks.look();
    clocks.judge({ zxid: 1n << 32n, writtenAt: now } as unknown as Committed);
    return verdicts.violations.length;
  };
  assert.equal(judge(), 0);
  offsets.set(1, 70_000);
  now = 5000;
  assert.equal(judge(), 0, 'two of three agree');
  offsets.set(2, -70_000);
  assert.equal(judge(), 0, 'nobody may have heard of it yet');
  now = 6001;
  assert.equal(judge(), 1);
  // its leader was gone by then, and a follower's log hung
  until = 4999;
  assert.equal(judge(), 1);
  until = 6001;
  assert.equal(judge(), 2);
});
