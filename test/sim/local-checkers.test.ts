/** The checkers of local sessions and of read-only servers are shown what is right and what is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '../../src/base/ids.ts';
import { KIND } from '../../src/records/txns.ts';
import { Conversation } from './check/conversation.ts';
import { register } from './check/register.ts';
import { Rig, SESSION, worldAcl } from './check/rig.ts';

const OTHER = (SESSION + 1n) as SessionId;
const EPHEMERAL = 1;
const NOT_READ_ONLY = -119;
const REFUSED = -120;
const create = (flags = 0) => ({ path: '/a', data: Buffer.from('x'), acl: worldAcl, flags });

test('I9: a local session writes and begins again where it was; its numbers are its own', () => {
  const rig = new Rig('local');
  const first = rig.beginLocally();
  rig.ask(first, 1, 'create', create());
  rig.answer(first, 1, rig.create('/a', 1), 'create', { path: '/a' });
  rig.hangUp(first);
  rig.now += 500;
  rig.connect();
  assert.deepEqual(rig.rules, []);
  rig.beginLocally();
  assert.deepEqual(rig.rules, ['I9'], 'given out twice');
});

test('I9: a local session outlives neither its term nor its end', () => {
  const rig = new Rig('local');
  rig.beginLocally();
  rig.term = {};
  rig.refused();
  assert.deepEqual(rig.rules, []);
  rig.connect();
  assert.deepEqual(rig.rules, ['I9'], 'the term is over');

  const ended = new Rig('local');
  const on = ended.beginLocally();
  ended.ask(on, 1, 'closeSession', {});
  ended.refused();
  assert.deepEqual(ended.rules, []);
  ended.connect();
  assert.deepEqual(ended.rules, ['I9'], 'it has ended');
});

test('I9: an end that waited for a sync when its connection ended may come and may not; one that did not wait comes', () => {
  for (const [synced, then, rules] of [
    [false, 'connect', []],
    [false, 'refused', []],
    [true, 'connect', ['I9']],
    [true, 'refused', []],
  ] as const) {
    const rig = new Rig('local');
    const on = rig.beginLocally();
    rig.ask(on, 1, 'create', create());
    const zxid = rig.create('/a', 1);
    rig.answer(on, 1, zxid, 'create', { path: '/a' });
    rig.ask(on, 2, 'sync', { path: '/' });
    if (synced) rig.answer(on, 2, zxid, 'sync', { path: '/' });
    rig.ask(on, 3, 'closeSession', {});
    rig.now += 1;
    rig.hangUp(on);
    rig[then]();
    assert.deepEqual(rig.rules, rules, `${synced}, ${then}`);
  }
  const back = new Rig('local');
  const on = back.beginLocally();
  back.ask(on, 1, 'sync', { path: '/' });
  back.ask(on, 2, 'closeSession', {});
  back.now += 1;
  back.hangUp(on);
  const again = back.connect();
  back.ask(again, 3, 'closeSession', {});
  back.now += 1;
  back.hangUp(again);
  back.connect();
  assert.deepEqual(back.rules, ['I9'], 'the second end waited for nothing');
});

test('I9: nor is an end done that waits for a sync on a connection which another takes the session from', () => {
  for (const synced of [false, true]) {
    const rig = new Rig('local');
    const on = rig.beginLocally();
    rig.ask(on, 1, 'create', create());
    const zxid = rig.create('/a', 1);
    rig.answer(on, 1, zxid, 'create', { path: '/a' });
    rig.ask(on, 2, 'sync', { path: '/' });
    if (synced) rig.answer(on, 2, zxid, 'sync', { path: '/' });
    rig.ask(on, 3, 'closeSession', {});
    const again = rig.connect();
    assert.deepEqual(rig.rules, synced ? ['I9'] : []);
    rig.hangUp(on);
    if (synced) continue;
    rig.ask(again, 3, 'closeSession', {});
    rig.now += 1;
    rig.hangUp(again);
    rig.connect();
    assert.deepEqual(rig.rules, ['I9'], 'that end waited for nothing');
  }
});

test('I9: no doubt about an end that was asked for elsewhere, or that what was done before it shows', () => {
  const elsewhere = new Rig('local');
  const first = elsewhere.beginLocally();
  elsewhere.ask(first, 1, 'sync', { path: '/' });
  const second = elsewhere.connect();
  elsewhere.ask(second, 2, 'closeSession', {});
  elsewhere.now += 1;
  elsewhere.hangUp(second);
  elsewhere.hangUp(first);
  elsewhere.connect();
  assert.deepEqual(elsewhere.rules, ['I9']);
  for (const done of [false, true]) {
    const rig = new Rig('local');
    const on = rig.beginLocally();
    rig.ask(on, 1, 'sync', { path: '/' });
    rig.ask(on, 2, 'create', create());
    rig.ask(on, 3, 'closeSession', {});
    rig.now += 1;
    rig.hangUp(on);
    if (done) rig.create('/a', 2);
    rig.connect();
    assert.deepEqual(rig.rules, done ? ['I9'] : []);
  }
});

test("I9: what stands behind the end of a local session does not make it everybody's", () => {
  const rig = new Rig('upgraded');
  const on = rig.beginLocally();
  rig.ask(on, 1, 'closeSession', {});
  rig.ask(on, 2, 'create', create(EPHEMERAL));
  rig.begin();
  assert.deepEqual(rig.rules, ['I9']);
});

test('I9: a number that was given again belongs to whoever has the newer password', () => {
  const given = (rig: Rig): Rig => {
    const [older, newer] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
    rig.password = older;
    rig.beginLocally();
    rig.life++;
    rig.password = newer;
    rig.beginLocally();
    rig.commit({ kind: KIND.createSession, id: SESSION, timeoutMs: 1000, secret: Buffer.alloc(16) });
    rig.password = older;
    return rig;
  };
  const told = given(new Rig('upgraded'));
  const before = told.rules;
  told.refused();
  assert.deepEqual(told.rules, before, 'its own session is over');
  assert.ok(!told.border.toldExpired.has(SESSION), 'the other one need not end');
  assert.equal(told.border.lastHeard.get(SESSION)?.at(-1)?.isVerified, false, 'and was not heard');
  const taken = given(new Rig('upgraded'));
  taken.connect();
  assert.deepEqual(taken.rules, [...before, 'I9'], 'it was taken up as the other one');
});

test('I9: who comes back with the password of before a number was given again is told rightly that it is over', () => {
  for (const [password, rules] of [
    [1, []],
    [2, ['I9']],
  ] as const) {
    const rig = new Rig('local');
    for (const each of [1, 2]) {
      rig.password = Buffer.alloc(16, each);
      rig.beginLocally();
      rig.life++;
    }
    const before = rig.rules;
    rig.password = Buffer.alloc(16, password);
    rig.refused();
    assert.deepEqual(rig.rules, [...before, ...rules]);
  }
});

test('I9: what is heard of a session whose end is decided does not count', () => {
  for (const ending of [false, true]) {
    const rig = new Rig('shared');
    rig.ending = ending;
    rig.commit({ kind: KIND.createSession, id: SESSION, timeoutMs: 1000, secret: Buffer.alloc(16) });
    rig.refused();
    assert.equal(rig.border.lastHeard.get(SESSION)?.at(-1)?.isVerified, !ending);
  }
});

test('I9: a server ends its own session when nothing was heard of it for its time, not before', () => {
  for (const silent of [500, 2000]) {
    const rig = new Rig('local');
    const on = rig.beginLocally();
    rig.now = 300;
    rig.ask(on, -2, 'ping', {});
    rig.now += silent;
    rig.refused();
    assert.deepEqual(rig.rules, silent < 1000 ? ['I9'] : []);
  }
});

test("I9: an ephemeral is refused to a local session, and makes it everybody's where that may be", () => {
  const refused = new Rig('local');
  const on = refused.beginLocally();
  refused.ask(on, 1, 'create', create(EPHEMERAL));
  refused.answer(on, 1, refused.commit({ kind: KIND.error, code: REFUSED }, SESSION, 1), 'create', REFUSED);
  assert.deepEqual(refused.rules, []);
  refused.ask(on, 2, 'create', create(EPHEMERAL));
  refused.commit(
    {
      kind: KIND.create,
      path: '/a',
      data: Buffer.from('x'),
      acl: worldAcl.map(({ perms, id }) => ({ perms, ...id })),
      owner: SESSION,
      creates: 1,
    },
    SESSION,
    2,
  );
  assert.deepEqual(refused.rules, ['oracle'], 'it owns one');

  const upgraded = new Rig('upgraded');
  const asks = upgraded.beginLocally();
  upgraded.ask(asks, 1, 'create', create(EPHEMERAL));
  upgraded.begin();
  assert.deepEqual(upgraded.rules, []);
  for (const mode of ['local', 'upgraded'] as const) {
    const rig = new Rig(mode);
    rig.beginLocally();
    rig.begin();
    assert.deepEqual(rig.rules, ['I9'], 'it asked for nothing');
  }
  const withheld = new Rig('upgraded');
  withheld.ask(withheld.beginLocally(), 1, 'create', create(EPHEMERAL));
  withheld.commit({ kind: KIND.error, code: REFUSED }, SESSION, 1);
  assert.deepEqual(withheld.rules, ['I9'], 'it could have been upgraded');
});

test('I9: nothing is done that is asked behind the end of a local session; and its end is one', () => {
  const rig = new Rig('local');
  const on = rig.beginLocally();
  rig.ask(on, 1, 'closeSession', {});
  rig.ask(on, 2, 'create', create());
  rig.create('/a', 2);
  assert.deepEqual(rig.rules, ['I9']);

  const skipped = new Rig('shared');
  const began = skipped.begin();
  const of = skipped.connect();
  skipped.ask(of, 1, 'closeSession', {});
  skipped.answer(of, 1, began, 'closeSession', {});
  assert.deepEqual(skipped.rules, ['I9'], 'told of an end that did not come');
});

test('oracle, I7: a read-only server says what it is, takes who allows it, and does nothing', () => {
  const rig = new Rig('local');
  const made = rig.beginLocally(OTHER);
  rig.ask(made, 1, 'create', create());
  const zxid = rig.commit(
    {
      kind: KIND.create,
      path: '/a',
      data: Buffer.from('x'),
      acl: worldAcl.map(({ perms, id }) => ({ perms, ...id })),
      owner: 0n,
      creates: 1,
    },
    OTHER,
    1,
  );
  rig.readOnly = true;
  const on = rig.beginLocally(SESSION, { allows: true, readOnly: true });
  rig.ask(on, 1, 'delete', { path: '/a', version: -1 });
  rig.ask(on, 2, 'sync', { path: '/a' });
  rig.answer(on, 1, zxid, 'delete', NOT_READ_ONLY);
  rig.answer(on, 2, zxid, 'sync', NOT_READ_ONLY);
  assert.deepEqual(rig.rules, []);
  rig.ask(on, 3, 'delete', { path: '/a', version: -1 });
  rig.answer(on, 3, zxid, 'delete', {});
  assert.deepEqual(rig.rules, ['I7'], 'a write was acknowledged');
  rig.commit({ kind: KIND.delete, path: '/a' }, SESSION, 3);
  assert.deepEqual(rig.rules, ['I7', 'oracle'], 'and done');

  for (const [allows, says] of [
    [false, true],
    [true, false],
  ] as const) {
    const each = new Rig('local');
    each.readOnly = true;
    each.beginLocally(SESSION, { allows, readOnly: says });
    assert.deepEqual(each.rules, ['oracle']);
  }
});

test('oracle: what a session asked for may be done when its number is that of a read-only one by then', () => {
  const rig = new Rig('local');
  const on = rig.beginLocally();
  rig.ask(on, 1, 'create', create());
  // it started anew, with what it has not on its disk forgotten and its wall clock back, and finds no leader
  rig.hangUp(on);
  rig.life++;
  rig.readOnly = true;
  const reads = rig.beginLocally(SESSION, { allows: true, readOnly: true });
  rig.ask(reads, 2, 'create', create());
  rig.create('/a', 1);
  assert.deepEqual(rig.rules, []);
  rig.create('/b', 2);
  assert.deepEqual(rig.rules, ['oracle'], 'asked of a server that only shows what it has');
});

test("I9: a session becomes everybody's though its number is that of a read-only one by then, if it asked for that", () => {
  for (const [flags, rules] of [
    [EPHEMERAL, []],
    [0, ['I9']],
  ] as const) {
    const rig = new Rig('upgraded');
    const on = rig.beginLocally();
    rig.ask(on, 1, 'create', create(flags));
    // what its server has written of that counts for nothing before there is a leader, and its wall clock went back
    rig.hangUp(on);
    for (let again = 0; again < 2; again++) {
      rig.life++;
      rig.readOnly = true;
      const reads = rig.beginLocally(SESSION, { allows: true, readOnly: true });
      rig.ask(reads, 1, 'create', create(EPHEMERAL));
      rig.hangUp(reads);
    }
    rig.begin();
    assert.deepEqual(rig.rules, rules);
  }
});

test('linear: what a read-only server refused changed nothing', () => {
  assert.equal(register.apply(null, { op: 'create', value: 'x' }, { is: 'refused' }), null);
});

test('a word that comes letter by letter is no conversation', () => {
  const word = new Conversation(1, 1, 'client');
  for (const letter of 'isro') assert.deepEqual(word.heard(Buffer.from(letter)), []);
  assert.equal(word.foreign, true);
});

test("a session that becomes everybody's after its client came to another server may be over for him there", () => {
  for (const isLate of [true, false]) {
    const rig = new Rig('upgraded');
    const begin = (): void => {
      rig.commit({ kind: KIND.createSession, id: SESSION, timeoutMs: 1000, secret: Buffer.alloc(16) });
    };
    const on = rig.beginLocally();
    rig.ask(on, 1, 'create', { path: '/a', data: null, acl: null, flags: 1 });
    rig.hangUp(on);
    if (!isLate) begin();
    rig.refused(() => {
      if (isLate) begin();
    });
    assert.deepEqual(rig.rules, isLate ? [] : ['I9']);
    assert.ok(rig.border.toldExpired.has(SESSION));
  }
});
