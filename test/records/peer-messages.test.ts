import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { PackReader, PackWriter, RecordError, unpack } from '../../src/records/pack.ts';
import { type Entry, entryOf } from '../../src/records/peer-entries.ts';
import { beginFrame, PEER_HEADER, PEER_LEVEL, PeerFrameCutter, sealFrame } from '../../src/records/peer-frame.ts';
import {
  MAX_MESSAGES,
  MESSAGE_TYPES,
  type PeerMessage,
  partsOf,
  readMessages,
  writeMessage,
} from '../../src/records/peer-messages.ts';
import { KIND, writeEnvelope } from '../../src/records/txns.ts';
import { amount } from '../amount.ts';
import { mutated, noise } from '../fuzz/mutate.ts';
import { stopwatch } from '../patience.ts';
import { anyMessage, messageOf } from './peer-samples.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
const CAP = 1024 * 1024;

function frameOf(body: Buffer): Buffer {
  const to = new PackWriter();
  beginFrame(to);
  to.room(body.length);
  body.copy(to.bytes, to.at);
  to.at += body.length;
  sealFrame(to, 0, PEER_LEVEL);
  return Buffer.from(to.bytes.subarray(0, to.at));
}
function bodyOf(messages: readonly PeerMessage[]): Buffer {
  const to = new PackWriter();
  for (const message of messages) writeMessage(to, message);
  return Buffer.from(to.bytes.subarray(0, to.at));
}
const read = (body: Buffer): PeerMessage[] => readMessages(new PackReader(body));

/** Pushes a stream in pieces and decodes every frame of it. */
function cut(cutter: PeerFrameCutter, pieces: readonly Buffer[]): PeerMessage[][] {
  const frames: PeerMessage[][] = [];
  for (const piece of pieces)
    cutter.push(piece, (bytes, start, end) => {
      frames.push(readMessages(new PackReader(bytes, start, end)));
      return true;
    });
  return frames;
}
function pieces(random: Random, stream: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const next = at + 1 + random.below(random.below(4) === 0 ? 3 : stream.length);
    found.push(stream.subarray(at, next));
    at = next;
  }
  return found;
}

for (const type of MESSAGE_TYPES)
  test(`${type} comes out as it went in`, () => {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        assert.deepEqual(read(bodyOf([message])), [message]);
      }),
      { seed, numRuns: 60 },
    );
  });

test('what is written is MessagePack as any reader of it understands', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const found = unpack(bodyOf([message])) as unknown[];
      assert.ok(Array.isArray(found) && typeof found[0] === 'number');
      assert.equal(found.length, Object.keys(message).length);
    }),
    { seed, numRuns: 300 },
  );
});

test('frames come out of a stream however it is cut, and single bytes of it hold nothing back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(anyMessage, { minLength: 1, maxLength: 4 }), { maxLength: 4 }),
      fc.nat(),
      (frames, by) => {
        const stream = Buffer.concat(frames.map((messages) => frameOf(bodyOf(messages))));
        const random = seededRandom(by);
        assert.deepEqual(cut(new PeerFrameCutter(CAP), pieces(random, stream)), frames);
        const cutter = new PeerFrameCutter(CAP);
        assert.deepEqual(
          cut(
            cutter,
            Array.from(stream, (byte) => Buffer.from([byte])),
          ),
          frames,
        );
        assert.equal(cutter.pending, 0);
      },
    ),
    { seed, numRuns: 60 },
  );
});

test('no single bit of a frame can change on its way without being seen', () => {
  const frame = frameOf(bodyOf(fc.sample(anyMessage, { seed, numRuns: 3 })));
  let refused = 0;
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const changed = Buffer.from(frame);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.throws(() => cut(new PeerFrameCutter(CAP), [changed]), RecordError, `bit ${bit}`);
    refused++;
  }
  assert.equal(refused, frame.length * 8);
});

test('a length above the cap is refused with the head alone, and a promise of much keeps little', () => {
  const to = new PackWriter();
  beginFrame(to);
  const body = bodyOf([{ type: 'ALIVE', number: 1 }]);
  const frame = frameOf(body);
  assert.throws(() => cut(new PeerFrameCutter(body.length - 1), [frame.subarray(0, PEER_HEADER)]), /at most 2 are/);
  const large = frameOf(Buffer.alloc(CAP));
  const cutter = new PeerFrameCutter(CAP);
  assert.deepEqual(cut(cutter, [large.subarray(0, PEER_HEADER), large.subarray(PEER_HEADER, 100)]), []);
  assert.equal(cutter.pending, 100);
});

test('what is no message is told with its place', () => {
  const packed = (write: (to: PackWriter) => void): Buffer => {
    const to = new PackWriter();
    write(to);
    return Buffer.from(to.bytes.subarray(0, to.at));
  };
  assert.throws(() => read(Buffer.alloc(0)), /a frame without a message/);
  assert.throws(
    () =>
      read(
        packed((to) => {
          to.array(1);
          to.int(99);
        }),
      ),
    /no message has the number 99/,
  );
  assert.throws(
    () =>
      read(
        packed((to) => {
          to.array(3);
          to.int(42);
          to.int(5);
          to.int(6);
        }),
      ),
    /COMMIT\.upTo: expected a 64-bit integer/,
  );
  assert.throws(
    () =>
      read(
        packed((to) => {
          to.array(2);
          to.int(36);
          to.int(-1);
        }),
      ),
    /NEWLEADER\.epoch: -1 is not within/,
  );
  const many = Buffer.concat(Array.from({ length: MAX_MESSAGES + 1 }, () => bodyOf([{ type: 'ALIVE', number: 0 }])));
  assert.throws(() => read(many), /more than 16384 messages/);
});

test('transactions that leave a gap, repeat or go back are no PROPOSAL', () => {
  const found = fc
    .sample(messageOf('PROPOSAL'), { seed, numRuns: 200 })
    .filter((message) => message.type === 'PROPOSAL' && message.entries.length >= 3);
  assert.ok(found.length > 20);
  for (const message of found) {
    if (message.type !== 'PROPOSAL') continue;
    const [a, b, c] = message.entries as [Entry, Entry, Entry];
    // the first of a later epoch may follow anything earlier
    for (const entries of [c.counter === 1 ? [b, b] : [a, c], [b, a], [a, a]])
      assert.throws(() => read(bodyOf([{ ...message, entries }])), /PROPOSAL\.entries: entries out of order/);
  }
});

test('a long history travels in parts that together say the same', () => {
  const entries: Entry[] = [];
  const to = new PackWriter();
  for (let i = 1; i <= 70_000; i++) {
    to.at = 0;
    const data = Buffer.alloc(i === 30_000 ? 3_000_000 : i % 50);
    writeEnvelope(to, 4, i, 0, 0n, 0, { kind: KIND.setData, path: '/a', data, version: i }, 0, 0);
    entries.push(entryOf(Buffer.from(to.bytes.subarray(0, to.at))));
  }
  const parts = partsOf({ type: 'PROPOSAL', epoch: 4, entries });
  assert.ok(parts.length > 5);
  const told: Entry[] = [];
  for (const part of parts) {
    assert.ok(part.type === 'PROPOSAL' && part.epoch === 4);
    const body = bodyOf([part]);
    assert.ok(body.length < 1_200_000 || part.entries.length === 1, `${part.entries.length} in ${body.length} bytes`);
    assert.deepEqual(read(body), [part]);
    told.push(...part.entries);
  }
  assert.deepEqual(told, entries);
  const short = { type: 'INFORM', epoch: 4, entries: entries.slice(0, 3) } as const;
  assert.deepEqual(partsOf(short), [short]);
});

const HOSTILE = amount(100_000, 20_000);
test(`${HOSTILE} hostile frames: refused in a sentence or read, nothing else, at once`, () => {
  const random = seededRandom(seed);
  const pool = fc.sample(anyMessage, { seed, numRuns: 3000 }).map((message) => bodyOf([message]));
  const outcomes = new Map<string, number>();
  let decoded = 0;
  let longest = 0;
  for (let i = 0; i < HOSTILE; i++) {
    let body = pool[random.below(pool.length)] as Buffer;
    if (random.below(3) === 0) body = Buffer.concat([body, pool[random.below(pool.length)] as Buffer]);
    // four in five are whole frames with right checksums around a body that is not right; the others are anything
    const known = random.below(5) > 0;
    const bytes = known
      ? frameOf(random.below(4) === 0 ? noise(random, body) : mutated(random, body, random.below(5) === 0 ? 0 : 2))
      : noise(random, frameOf(body));
    const cuts = random.below(4) === 0 ? pieces(random, bytes) : [bytes];
    let outcome = '';
    let reached = 0;
    let spent = Number.POSITIVE_INFINITY;
    // one that took long is tried again: it may have been the machine that was busy
    for (let times = 0; times < 3 && spent > 20; times++) {
      const watch = stopwatch();
      reached = 0;
      try {
        outcome = 'waits for more';
        const cutter = new PeerFrameCutter(CAP);
        for (const piece of cuts)
          cutter.push(piece, (from, start, end) => {
            reached++;
            const messages = readMessages(new PackReader(from, start, end));
            assert.deepEqual(read(bodyOf(messages)), messages);
            outcome = 'read';
            return true;
          });
        assert.ok(cutter.pending <= bytes.length);
      } catch (fault) {
        if (!(fault instanceof RecordError))
          throw new Error(`ZOOSH_SEED=${seed}: ${bytes.toString('hex')}`, { cause: fault });
        outcome = fault.message.replace(/\d+/g, 'N').replace(/^([A-Z_]+)\..*: /, '$1: ');
      }
      spent = Math.min(spent, watch());
    }
    decoded += reached;
    longest = Math.max(longest, spent);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  const sorted = [...outcomes].sort((a, b) => b[1] - a[1]);
  console.log(
    `peer frames (seed ${seed}): ${decoded} of ${HOSTILE} reached the decoder of messages; longest ${longest.toFixed(1)} ms; ${sorted.length} outcomes: ${sorted
      .slice(0, 25)
      .map(([name, count]) => `${name} ${count}`)
      .join('; ')}`,
  );
  assert.ok(decoded >= HOSTILE / 2 && longest <= 100, `${decoded} decoded, ${longest} ms`);
  assert.ok((outcomes.get('read') ?? 0) > 1000 && sorted.length > 100);
});
