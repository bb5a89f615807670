import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PackWriter } from '../../src/records/pack.ts';
import { KIND, type Txn, writeEnvelope } from '../../src/records/txns.ts';
import { noteOf } from '../../src/zab/note.ts';
import { THREE } from './hand.ts';

test('of a transaction only config records and starts of members are read', () => {
  const note = (txn: Txn) => {
    const to = new PackWriter(256);
    writeEnvelope(to, 1, 2, 1_700_000_000_000, 0n, 0, txn, 5, 6);
    return noteOf(to.bytes.subarray(0, to.at));
  };
  const config = { type: 'config', config: THREE };
  assert.deepEqual(note({ kind: KIND.found, ensembleId: 'e', config: THREE }), config);
  assert.deepEqual(note({ kind: KIND.config, config: THREE }), config);
  const seen = { sid: 4, incarnation: 'aa', tag: 'bb' };
  assert.deepEqual(note({ kind: KIND.seen, ...seen }), { type: 'seen', ...seen });
  assert.equal(note({ kind: KIND.delete, path: '/a' }), undefined);
  assert.throws(() => noteOf(Buffer.from([1, 2, 3])));
});
