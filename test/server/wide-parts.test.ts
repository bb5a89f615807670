/** The answer to a multi is the same at the member that decided it and at the one that has it from the log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Reader, Writer } from '../../src/protocol/bytes.ts';
import { Multi, MultiAnswers, type MultiPart } from '../../src/protocol/operations.ts';
import { KIND, type MultiTxn } from '../../src/records/txns.ts';
import { writeMultiAnswer } from '../../src/server/multi.ts';
import { markAsAsked, widePartsOf } from '../../src/server/wide-parts.ts';
import { ask, rig } from './rig.ts';

/** Length, xid, zxid and code. */
const REPLY_HEADER = 20;
const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const bytesOf = (parts: readonly MultiPart[]): Buffer => {
  const to = new Writer(65_536);
  Multi.write(to, parts);
  return Buffer.from(to.take());
};
const answerTo = (txn: MultiTxn): Buffer => {
  const to = new Writer(65_536);
  const stats = txn.parts.filter(({ kind }) => kind === KIND.create || kind === KIND.setData);
  writeMultiAnswer(
    to,
    txn,
    stats.map(() => Buffer.alloc(68)),
  );
  return Buffer.from(to.take());
};

test('whichever creates stand in a multi, a learner answers as the leader does', () => {
  const random = seededRandom(7);
  let logged: { txn: unknown } | undefined;
  let sent = Buffer.alloc(0);
  const all = rig(seededRandom(5), {
    server: { extendedTypes: true },
    logged: (entry) => {
      logged = entry;
    },
    sent: (_connection, bytes) => {
      sent = Buffer.from(bytes);
    },
  });
  const client = all.attach();
  let made = 0;
  let wide = 0;
  for (let round = 0; round < 300; round++) {
    const parts: MultiPart[] = [];
    for (let i = random.below(5) + 1; i > 0; i--) {
      const path = `/n${made++}`;
      const data = random.below(3) === 0 ? null : Buffer.alloc(random.below(40));
      const create = { path, data, acl };
      const kinds: MultiPart[] = [
        { type: 1, request: { ...create, flags: random.below(5) } },
        { type: 15, request: { ...create, flags: random.below(5) } },
        { type: 19, request: { ...create, flags: 4 } },
        { type: 21, request: { ...create, flags: 5 + random.below(2), ttl: 5000n } },
        { type: 21, request: { ...create, flags: 0, ttl: -1n } },
        { type: 13, request: { path: '/', version: -1 } },
        { type: 5, request: { path: '/', data, version: -1 } },
      ];
      parts.push(kinds[random.below(kinds.length)] as MultiPart);
    }
    ask(all, client, 'multi', parts);
    all.settle();
    const txn = logged?.txn as MultiTxn;
    assert.equal(txn.kind, KIND.multi);
    const places = widePartsOf(bytesOf(parts));
    wide += places?.length ?? 0;
    markAsAsked(txn, places); // as it came in the log
    const fromLog = answerTo(txn);
    const types = (bytes: Buffer, from: number): number[] =>
      MultiAnswers.read(new Reader(bytes, from, bytes.length)).map(({ type }) => type);
    assert.equal(fromLog.length, sent.length - REPLY_HEADER);
    assert.deepEqual(types(fromLog, 0), types(sent, REPLY_HEADER));
  }
  assert.ok(wide > 100);
});

test('a request that cannot be read has no wide parts, and nobody falls over it', () => {
  const random = seededRandom(8);
  const whole = bytesOf([{ type: 15, request: { path: '/a', data: Buffer.alloc(9), acl, flags: 0 } }]);
  assert.deepEqual(widePartsOf(whole), [0]);
  for (let at = 0; at < whole.length - 9; at++) assert.equal(widePartsOf(whole.subarray(0, at)), undefined);
  for (let i = 0; i < 5000; i++) {
    const bytes = Buffer.from(whole);
    for (let n = random.below(4) + 1; n > 0; n--) bytes[random.below(bytes.length)] = random.below(256);
    widePartsOf(bytes);
  }
  assert.equal(widePartsOf(Buffer.alloc(0)), undefined);
});
