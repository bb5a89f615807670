/** Messages that are read and written by straight code are the ones that their descriptions mean, faults included. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../src/base/random.ts';
import { PackReader, PackWriter, RecordError } from '../../src/records/pack.ts';
import { hex, union } from '../../src/records/peer-kinds.ts';
import { type PeerMessage, readMessages, SHAPES, STRAIGHT, writeMessage } from '../../src/records/peer-messages.ts';
import { mutated } from '../fuzz/mutate.ts';
import { messageOf } from './peer-samples.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
const described = union(SHAPES);
const TYPES = Object.keys(STRAIGHT) as PeerMessage['type'][];

function bytesOf(write: (to: PackWriter) => void): Buffer {
  const to = new PackWriter();
  write(to);
  return Buffer.from(to.bytes.subarray(0, to.at));
}
/** What reading comes to: the value and where it ended, or the sentence of the fault. */
function outcome(read: (from: PackReader) => unknown, bytes: Buffer): unknown {
  const from = new PackReader(bytes);
  try {
    return { value: read(from), at: from.at };
  } catch (fault) {
    assert.ok(fault instanceof RecordError, String(fault));
    return fault.message;
  }
}

test('what travels with every write goes straight', () => {
  for (const type of ['PROPOSAL', 'ACK', 'COMMIT', 'REQUEST', 'TAKEN'] as const) assert.ok(TYPES.includes(type), type);
});

for (const type of TYPES)
  test(`${type}: straight code and description write the same bytes and read the same from them`, () => {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        const bytes = bytesOf((to) => writeMessage(to, message));
        assert.deepEqual(
          bytes,
          bytesOf((to) => described.write(to, message)),
        );
        assert.deepEqual(
          outcome((from) => readMessages(from)[0], bytes),
          { value: message, at: bytes.length },
        );
        assert.deepEqual(
          outcome((from) => described.read(from), bytes),
          { value: message, at: bytes.length },
        );
      }),
      { seed, numRuns: 100 },
    );
  });

test('damaged bytes are refused by both with one sentence, which names the field', () => {
  const random = seededRandom(seed);
  let refused = 0;
  let named = 0;
  for (let i = 0; i < 6000; i++) {
    const type = TYPES[i % TYPES.length] as PeerMessage['type'];
    const [message] = fc.sample(messageOf(type), { seed: seed + i, numRuns: 1 }) as [PeerMessage];
    const whole = bytesOf((to) => writeMessage(to, message));
    const bytes = mutated(random, whole, 2);
    const straight = outcome((from) => {
      const found = readMessages(new PackReader(bytes, 0, bytes.length));
      from.at = bytes.length;
      return found;
    }, bytes);
    const plain = outcome((from) => {
      const found: PeerMessage[] = [];
      while (from.at < from.end) found.push(described.read(from));
      if (found.length === 0) throw new RecordError('a frame without a message');
      return found;
    }, bytes);
    assert.deepEqual(straight, plain, `seed ${seed}, input ${i}: ${bytes.toString('hex')}`);
    if (typeof plain !== 'string') continue;
    refused++;
    if (plain.startsWith(`${type}.`)) named++;
  }
  assert.ok(refused > 1000 && named > 300, `${refused} refused, ${named} of them with a field`);
});

test('a name in hexadecimal is the one that was sent, however many others came between', () => {
  const name = hex(8);
  const random = seededRandom(seed);
  const names = Array.from({ length: 300 }, () => Buffer.from(random.bytes(8)));
  // two that lie in one place of what is remembered, and differ in their first byte alone
  const twins = [Buffer.from(names[0] as Buffer), Buffer.from(names[0] as Buffer)] as const;
  twins[1][0] = (twins[1][0] as number) ^ 1;
  for (const bytes of [...twins, ...twins, ...names, ...names, ...twins]) {
    const text = bytes.toString('hex');
    const sent = bytesOf((to) => name.write(to, text));
    assert.equal(name.read(new PackReader(sent)), text);
    sent.fill(0); // what was remembered is no view on what was read
    assert.equal(name.read(new PackReader(bytesOf((to) => name.write(to, text)))), text);
  }
  assert.throws(() => name.read(new PackReader(bytesOf((to) => to.bin(Buffer.alloc(7))))), /7 bytes where 8 belong/);
});
