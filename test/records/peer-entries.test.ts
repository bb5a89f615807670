import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PackWriter } from '../../src/records/pack.ts';
import { entryOf } from '../../src/records/peer-entries.ts';
import { KIND, type Txn, writeEnvelope } from '../../src/records/txns.ts';
import { THREE } from '../zab/hand.ts';

test('of a transaction only config records and starts of members are read', () => {
  const entry = (txn: Txn) => {
    const to = new PackWriter(256);
    writeEnvelope(to, 1, 2, 1_700_000_000_000, 0n, 0, txn, 5, 6);
    return entryOf(to.bytes.subarray(0, to.at));
  };
  const config = { type: 'config', config: THREE };
  assert.deepEqual(entry({ kind: KIND.found, ensembleId: 'e', config: THREE }).note, config);
  assert.deepEqual(entry({ kind: KIND.config, config: THREE }).note, config);
  const seen = { sid: 4, incarnation: 'aa', tag: 'bb' };
  assert.deepEqual(entry({ kind: KIND.seen, ...seen }).note, { type: 'seen', ...seen });
  const plain = entry({ kind: KIND.delete, path: '/a' });
  assert.deepEqual([plain.note, plain.epoch, plain.counter], [undefined, 1, 2]);
  assert.throws(() => entryOf(Buffer.from([1, 2, 3])));
});
