/** Each checker is shown a history that is right and one that is not: a checker that finds nothing proves nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { pack } from '../../src/records/pack.ts';
import { KIND, OPEN_ACL } from '../../src/records/txns.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { EpochWatch } from './check/epochs.ts';
import { isLinearizable, type Operation } from './check/linear.ts';
import { type RegisterCall, type RegisterResult, register } from './check/register.ts';
import { Rig, SESSION, worldAcl } from './check/rig.ts';
import { judgeExpiry } from './check/sessions.ts';
import { treeFaults } from './check/trees.ts';
import { ModelState } from './model/state.ts';
import { shownStat } from './model/tree.ts';

type Step = Operation<RegisterCall, RegisterResult>;
const op = (
  client: number,
  call: number,
  end: number,
  input: RegisterCall,
  output: RegisterResult | undefined,
): Step => ({
  client,
  call,
  return: end,
  input,
  output,
});
const set = (value: string): RegisterCall => ({ op: 'set', value, version: -1 });
const done = (version: number): RegisterResult => ({ is: 'done', version });
const value = (text: string, version: number): RegisterResult => ({ is: 'value', value: text, version });
const READ: RegisterCall = { op: 'read' };

test('linear: one order explains reads that overlap writes, and no order a read of what was overwritten', () => {
  const born = op(1, 1, 2, { op: 'create', value: 'a' }, done(0));
  const fine = [
    born,
    op(1, 3, 8, set('b'), done(1)),
    op(2, 4, 5, READ, value('b', 1)),
    op(3, 4, 6, READ, value('a', 0)),
  ];
  assert.equal(isLinearizable(fine, register), 'linearizable');
  const stale = [born, op(1, 3, 4, set('b'), done(1)), op(2, 5, 6, READ, value('a', 0))];
  assert.equal(isLinearizable(stale, register), 'not linearizable');
  const backwards = [
    born,
    op(1, 3, 9, set('b'), done(1)),
    op(2, 4, 5, READ, value('b', 1)),
    op(3, 6, 7, READ, value('a', 0)),
  ];
  assert.equal(isLinearizable(backwards, register), 'not linearizable');
});

test('linear: what nobody knows the end of may have been done, late, or never', () => {
  const born = op(1, 1, 2, { op: 'create', value: 'a' }, done(0));
  const lost = op(1, 3, Number.POSITIVE_INFINITY, set('b'), undefined);
  assert.equal(isLinearizable([born, lost, op(2, 9, 10, READ, value('a', 0))], register), 'linearizable');
  assert.equal(isLinearizable([born, lost, op(2, 9, 10, READ, value('b', 1))], register), 'linearizable');
  const twice = [born, lost, op(2, 9, 10, READ, value('b', 1)), op(2, 11, 12, READ, value('a', 0))];
  assert.equal(isLinearizable(twice, register), 'not linearizable');
});

test('linear: agrees with trying every order', () => {
  const random = seededRandom(5);
  const seen = { linearizable: 0, 'not linearizable': 0 };
  for (let round = 0; round < 400; round++) {
    const history = randomHistory(random);
    const verdict = isLinearizable(history, register);
    assert.equal(verdict, anyOrder(history, register.first) ? 'linearizable' : 'not linearizable');
    seen[verdict]++;
  }
  assert.ok(seen.linearizable > 50 && seen['not linearizable'] > 50, JSON.stringify(seen));
});
function randomHistory(random: ReturnType<typeof seededRandom>): Step[] {
  const calls: RegisterCall[] = [READ, set('b'), set('c'), { op: 'create', value: 'a' }, { op: 'delete', version: -1 }];
  const results: RegisterResult[] = [
    done(0),
    done(1),
    value('a', 0),
    value('b', 1),
    { is: 'absent' },
    { is: 'exists' },
    { is: 'done' },
  ];
  const history = [op(0, 0, 1, { op: 'create', value: 'a' }, done(0))];
  for (let i = 0; i < 4; i++) {
    const call = 2 + random.below(6);
    const input = calls[random.below(calls.length)] as RegisterCall;
    // results that such a call can have at all
    const fits = results.filter((each) =>
      ['', { value: 'a', version: 0 }, { value: 'b', version: 0 }].some(
        (state) =>
          register.apply(state === '' ? null : (state as { value: string; version: number }), input, each) !==
          undefined,
      ),
    );
    history.push(op(i, call, call + 1 + random.below(5), input, fits[random.below(fits.length)] as RegisterResult));
  }
  return history;
}
function anyOrder(left: readonly Step[], state: typeof register.first): boolean {
  if (left.length === 0) return true;
  const earliest = Math.min(...left.map((each) => each.return));
  return left.some((each, i) => {
    if (each.call > earliest) return false;
    const after = register.apply(state, each.input, each.output);
    return after !== undefined && anyOrder([...left.slice(0, i), ...left.slice(i + 1)], after);
  });
}

// --- what is said at the border --------------------------------------------------------------------------------------

/** A session and a node /a made by request 1; returns the connection and the node's zxid. */
function begun(): { rig: Rig; on: number; zxid: bigint } {
  const rig = new Rig();
  rig.begin();
  const on = rig.connect();
  rig.ask(on, 1, 'create', { path: '/a', data: Buffer.from('x'), acl: worldAcl, flags: 0 });
  const zxid = rig.create('/a', 1);
  rig.answer(on, 1, zxid, 'create', { path: '/a' });
  return { rig, on, zxid };
}
const statOf = (rig: Rig, path: string) => shownStat(rig.oracle.state.tree.get(path) as never) as never;

test('oracle: a right conversation passes', () => {
  const { rig, on, zxid } = begun();
  rig.ask(on, 2, 'getData', { path: '/a', watch: true });
  rig.answer(on, 2, zxid, 'getData', { data: Buffer.from('x'), stat: statOf(rig, '/a') });
  rig.ask(on, 3, 'setData', { path: '/a', data: Buffer.from('y'), version: 0 });
  const set = rig.commit({ kind: KIND.setData, path: '/a', data: Buffer.from('y'), version: 1 }, SESSION, 3);
  rig.event(on, set, 3, '/a');
  rig.answer(on, 3, set, 'setData', { stat: statOf(rig, '/a') });
  rig.ask(on, 4, 'getChildren', { path: '/', watch: false });
  rig.answer(on, 4, set, 'getChildren', { children: ['zookeeper', 'a'] });
  assert.deepEqual(rig.verdicts.violations, []);
});

test('oracle: a transaction that is not what was asked for, one that nobody asked for, one that is there twice', () => {
  const { rig, on } = begun();
  rig.ask(on, 2, 'create', { path: '/a', data: null, acl: worldAcl, flags: 0 });
  rig.create('/b', 2);
  assert.deepEqual(rig.rules, ['oracle']);
  rig.commit({ kind: KIND.delete, path: '/a' }, SESSION, 77);
  assert.deepEqual(rig.rules, ['oracle', 'oracle']);
  const again = begun();
  again.rig.commit({ kind: KIND.error, code: -110 }, SESSION, 1);
  assert.ok(again.rig.rules.includes('I7'));
});

test('oracle: a read of other data, of a node that is gone, with a wrong Stat', () => {
  for (const answer of [
    (rig: Rig) => ({ data: Buffer.from('z'), stat: statOf(rig, '/a') }),
    () => -101,
    (rig: Rig) => ({ data: Buffer.from('x'), stat: { ...(statOf(rig, '/a') as object), version: 1 } as never }),
  ]) {
    const { rig, on, zxid } = begun();
    rig.ask(on, 2, 'getData', { path: '/a', watch: false });
    rig.answer(on, 2, zxid, 'getData', answer(rig) as never);
    assert.deepEqual(rig.rules, ['oracle']);
  }
});

test('I3: a write answered that one disk of three holds; a zxid that nobody applied', () => {
  const { rig, on } = begun();
  rig.holders.delete(2);
  rig.ask(on, 2, 'create', { path: '/b', data: Buffer.from('x'), acl: worldAcl, flags: 0 });
  rig.answer(on, 2, rig.create('/b', 2), 'create', { path: '/b' });
  assert.deepEqual(rig.rules, ['I3']);
  rig.ask(on, 3, 'exists', { path: '/c', watch: false });
  rig.answer(on, 3, (9n << 32n) | 1n, 'exists', -101);
  assert.deepEqual(rig.rules, ['I3', 'I3']);
});

test('I7, I8: replies out of order, a state that goes back, a reconnect to less than was seen', () => {
  const { rig, on, zxid } = begun();
  rig.ask(on, 2, 'exists', { path: '/b', watch: false });
  rig.ask(on, 3, 'exists', { path: '/b', watch: false });
  rig.answer(on, 3, zxid, 'exists', -101);
  assert.deepEqual(rig.rules, ['I7']);
  const back = begun();
  back.rig.ask(back.on, 2, 'exists', { path: '/a', watch: false });
  back.rig.answer(back.on, 2, back.zxid - 1n, 'exists', -101);
  assert.ok(back.rig.rules.includes('I8'));
  const other = begun();
  const late = other.rig.connect(other.zxid);
  other.rig.ask(late, 2, 'exists', { path: '/a', watch: false });
  other.rig.answer(late, 2, other.zxid - 1n, 'exists', -101);
  assert.ok(other.rig.rules.includes('I8'));
});

test('I10: an event that is missing, one too many, one after the state it tells of', () => {
  const watched = (): ReturnType<typeof begun> => {
    const made = begun();
    made.rig.ask(made.on, 2, 'exists', { path: '/b', watch: true });
    made.rig.answer(made.on, 2, made.zxid, 'exists', -101);
    made.rig.ask(made.on, 3, 'create', { path: '/b', data: Buffer.from('x'), acl: worldAcl, flags: 0 });
    return made;
  };
  const missing = watched();
  missing.rig.answer(missing.on, 3, missing.rig.create('/b', 3), 'create', { path: '/b' });
  assert.deepEqual(missing.rig.rules, ['I10']);
  const late = watched();
  const zxid = late.rig.create('/b', 3);
  late.rig.answer(late.on, 3, zxid, 'create', { path: '/b' });
  late.rig.event(late.on, zxid, 1, '/b');
  assert.deepEqual(late.rig.rules, ['I10']);
  const twice = watched();
  const made = twice.rig.create('/b', 3);
  twice.rig.event(twice.on, made, 1, '/b');
  twice.rig.event(twice.on, made, 1, '/b');
  twice.rig.answer(twice.on, 3, made, 'create', { path: '/b' });
  assert.deepEqual(twice.rig.rules, ['I10']);
});

test('P3: a sync that is answered below what another client was told before it was asked', () => {
  const { rig, zxid } = begun();
  const other = rig.connect();
  rig.ask(other, 5, 'sync', { path: '/' });
  rig.answer(other, 5, zxid - 1n, 'sync', { path: '/' });
  assert.deepEqual(rig.rules, ['P3']);
  const right = begun();
  const on = right.rig.connect();
  right.rig.ask(on, 5, 'sync', { path: '/' });
  right.rig.answer(on, 5, right.zxid, 'sync', { path: '/' });
  assert.deepEqual(right.rig.rules, []);
});

test('I2, I4: two servers that applied different things, a gap', () => {
  const rig = new Rig();
  rig.begin();
  const { tip } = rig.ledger;
  rig.ledger.applied(2, tip.zxid, '1:1');
  assert.deepEqual(rig.rules, ['I2']);
  rig.ledger.applied(2, tip.zxid + 5n, '2:2');
  assert.deepEqual(rig.rules, ['I2', 'I2']);
  const gap = new Rig();
  gap.begin();
  gap.commit({ kind: KIND.noop }, 0n, 0, (1n << 32n) | 3n);
  assert.deepEqual(gap.rules, ['I4']);
});

test('I5: epochs that go back, a present one above what was accepted, a record of an epoch that was not accepted', () => {
  const identity = (acceptedEpoch: number, currentEpoch: number, write: number, incarnation = 'aa'): Buffer => {
    const body = pack({ write, incarnation, acceptedEpoch, currentEpoch });
    const bytes = Buffer.alloc(12 + body.length + 4);
    bytes.writeUInt32BE(0x5a4f4944, 0);
    bytes.writeUInt32BE(body.length, 8);
    bytes.set(body, 12);
    return bytes;
  };
  const { verdicts } = new Rig();
  const watch = new EpochWatch(verdicts);
  const write = (bytes: Buffer) => watch.wrote(1, '/data/zoosh-1/identity.tmp', bytes, []);
  write(identity(3, 2, 1));
  write(identity(3, 3, 2));
  watch.wrote(1, '/log/zoosh-1/log.0', Buffer.alloc(4), [(3n << 32n) | 1n]);
  assert.deepEqual(verdicts.violations, []);
  watch.wrote(1, '/log/zoosh-1/log.0', Buffer.alloc(4), [(4n << 32n) | 1n]);
  write(identity(3, 2, 3));
  write(identity(3, 4, 4));
  write(identity(2, 2, 5));
  assert.deepEqual(
    verdicts.violations.map(({ rule }) => rule),
    ['I5', 'I5', 'I5', 'I5', 'I5'],
  );
  write(identity(1, 1, 1, 'bb'));
  assert.equal(verdicts.violations.length, 5);
});

// --- sessions and trees ----------------------------------------------------------------------------------------------

test('I9: a session ended before its time, in the first moments of an epoch, or when it may be', () => {
  const judge = (heardAt: number, writtenAt: number, ledSince = 0, inTouch = true, isVerified = true): string[] => {
    const rig = new Rig();
    const committed = { writtenAt, zxid: (1n << 32n) | 9n } as never;
    judgeExpiry(
      {
        verdicts: rig.verdicts,
        tickMs: 100,
        lastHeard: () => [{ at: heardAt, sid: 2, isVerified }],
        timeoutMs: () => 1000,
        wasInTouch: () => inTouch,
        ledSince: () => ledSince,
      },
      SESSION,
      committed,
    );
    return rig.rules;
  };
  assert.deepEqual(judge(5000, 6100), []);
  assert.deepEqual(judge(5000, 5500), ['I9']);
  assert.deepEqual(judge(5000, 5500, 0, false), []);
  assert.deepEqual(judge(5000, 5500, 0, true, false), []);
  assert.deepEqual(judge(1000, 5500, 5000), ['I9']);
});

test('I9: a session that has ended is welcomed', () => {
  const rig = new Rig();
  rig.begin();
  rig.connect();
  assert.deepEqual(rig.rules, []);
  rig.commit({ kind: KIND.closeSession, id: SESSION });
  rig.connect();
  assert.deepEqual(rig.rules, ['I9']);
});

test('I6: a tree that differs in one byte of data, in a Stat, in who owns what', () => {
  const state = new ModelState();
  const tree = new DataTree(1);
  const zxid = (n: number): bigint => (1n << 32n) | BigInt(n);
  state.openSession(zxid(1), SESSION, 1000);
  apply(tree, 1, 1, 0, { kind: KIND.createSession, id: SESSION, timeoutMs: 1000, secret: Buffer.alloc(16) }, NO_SINK);
  const write = {
    op: 'create',
    path: '/a',
    data: Buffer.from('x'),
    acl: OPEN_ACL,
    flags: 1,
    container: false,
    ttl: -1n,
  } as const;
  state.request(zxid(2), 5, SESSION, [write], false);
  apply(
    tree,
    1,
    2,
    5,
    { kind: KIND.create, path: '/a', data: Buffer.from('x'), acl: OPEN_ACL, owner: SESSION, creates: 1 },
    NO_SINK,
  );
  assert.deepEqual(treeFaults(tree, state), []);
  state.request(zxid(3), 6, SESSION, [{ op: 'set', path: '/a', data: Buffer.from('y'), version: -1 }], false);
  apply(tree, 1, 3, 6, { kind: KIND.setData, path: '/a', data: Buffer.from('z'), version: 1 }, NO_SINK);
  assert.equal(treeFaults(tree, state).length, 1);
  state.closeSession(zxid(4), SESSION);
  apply(tree, 1, 4, 7, { kind: KIND.noop }, NO_SINK);
  assert.ok(treeFaults(tree, state).length >= 2);
});
