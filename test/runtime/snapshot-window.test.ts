/** A snapshot on its way: no more of it waits in a learner's memory than one window, and all of it arrives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import type { PeerMessage } from '../../src/records/peer-messages.ts';
import { SnapshotSender, TRANSFER } from '../../src/runtime/snapshot-sender.ts';
import { Staging } from '../../src/runtime/staging.ts';

const AT = { epoch: 1, counter: 9, chainHi: 1, chainLo: 2 };
const SIZE = 2 * TRANSFER.windowBytes + 12_345;
const LINK = 3;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const file = Buffer.alloc(SIZE);
for (let i = 0; i < SIZE; i += 1009) file[i] = i & 255;

/**
 * A leader's sender and a learner's staging; `room` is what the link says of each message. `has`: of the file, what came over a
 * link before.
 */
function rig(room: () => boolean, has: Buffer = Buffer.alloc(0)) {
  const begun = { offset: has.length, checksum: crc32(has) };
  const written: Uint8Array[] = [];
  const waiting: (() => void)[] = [];
  const out = { leastRead: SIZE, sent: 0, most: 0, done: 0, closed: 0, failed: [] as string[] };
  const onDisk = (): number => written.reduce((sum, { length }) => sum + length, 0);
  const sender: SnapshotSender = new SnapshotSender({
    transfer: TRANSFER,
    storage: {
      openSnapshot: async () => ({
        size: SIZE,
        read: async (offset, length) => {
          out.leastRead = Math.min(out.leastRead, offset);
          return file.subarray(offset, offset + length);
        },
        close: async () => void out.closed++,
      }),
    },
    send: (_link, message: PeerMessage) => {
      if (message.type !== 'CHUNK') return true;
      out.sent += message.bytes.length;
      staging.chunk(message);
      out.most = Math.max(out.most, out.sent - onDisk());
      return room();
    },
    flush: () => {},
    warn: (sentence) => void out.failed.push(sentence),
    hangUp: (_link, reason) => void out.failed.push(reason),
    unsound: () => {},
  });
  const asks: number[] = [];
  const resumes: number[] = [];
  const ask = (offset: number): void => {
    asks.push(offset);
    sender.asked(LINK, { type: 'ASKCHUNKS', epoch: 1, at: AT, offset });
  };
  sender.offer(LINK, { type: 'SNAP', epoch: 1, at: AT, configs: [], seen: [] });
  const staging: Staging = new Staging({
    windowBytes: TRANSFER.windowBytes,
    ...{ generation: 1, at: AT, seed: 1 },
    stage: () => ({
      log: { append: () => {} },
      resume: async () => begun,
      write: (bytes) =>
        new Promise((resolve) => {
          waiting.push(() => {
            written.push(bytes);
            resolve();
          });
        }),
      finish: async () => {},
    }),
    // an ask travels; the answer to it does not come within it
    ask: (offset) => void setImmediate(() => ask(offset)),
    resume: (offset, checksum) => {
      resumes.push(offset);
      setImmediate(() => sender.resumed(LINK, { type: 'RESUME', epoch: 1, at: AT, offset, checksum }));
    },
    done: () => void out.done++,
    failed: (error) => void out.failed.push(error.message),
  });
  /** The learner's disk takes the next. */
  const take = (): boolean => {
    const next = waiting.shift();
    next?.();
    return next !== undefined;
  };
  const content = (): boolean => Buffer.concat([has, ...written]).equals(file);
  /** Until it is whole, or nothing happens any more. */
  const settled = async (): Promise<void> => {
    for (let idle = 0; out.done === 0 && idle < 200; ) {
      idle = take() ? 0 : idle + 1;
      await settle();
    }
  };
  return { sender, staging, out, asks, resumes, take, settled, content };
}

test('a slow disk is waited for: one window at most is under way', async () => {
  const { out, asks, take, content } = rig(() => true);
  for (let i = 0; i < 200; i++) await settle();
  assert.equal(out.sent, TRANSFER.windowBytes, 'nothing beyond the first window before it is on the disk');
  for (let idle = 0; out.done === 0 && idle < 200; ) {
    idle = take() ? 0 : idle + 1;
    await settle();
  }
  assert.deepEqual(asks, [0, TRANSFER.windowBytes, 2 * TRANSFER.windowBytes]);
  assert.ok(out.most <= TRANSFER.windowBytes, `${out.most}`);
  assert.ok(content());
  assert.deepEqual([out.done, out.closed, out.failed], [1, 1, []]);
});

test('a link that says it is full behind the last of a window does not end it all', async () => {
  const { sender, out, take, content } = rig(() => false);
  for (let idle = 0; out.done === 0 && idle < 200; ) {
    if (out.sent % TRANSFER.windowBytes > 0) sender.drained(LINK); // behind a window the learner is faster than that news
    idle = take() ? 0 : idle + 1;
    await settle();
  }
  assert.ok(content());
  assert.deepEqual([out.done, out.failed], [1, []]);
});

test('behind what came over a link before the file goes on, and is verified from its beginning', async () => {
  const has = file.subarray(0, TRANSFER.windowBytes + 777);
  const { out, asks, resumes, settled, content, staging } = rig(() => true, has);
  await settled();
  assert.deepEqual([resumes, asks], [[has.length], [2 * TRANSFER.windowBytes + 777]]);
  assert.equal(out.sent, SIZE - has.length);
  assert.ok(content());
  assert.ok(staging.mayGoOn, 'this link brought something');
  assert.deepEqual([out.done, out.closed, out.failed], [1, 1, []]);
  assert.equal(out.leastRead, 0);
});

test('of another file nothing is sent, and the next link begins anew', async () => {
  const other = Buffer.from(file.subarray(0, 1000));
  other[500] = (other[500] as number) ^ 1;
  for (const has of [other, Buffer.alloc(SIZE + 1)]) {
    const { out, settled, staging } = rig(() => true, has);
    await settled();
    assert.deepEqual([out.sent, out.done, out.closed], [0, 0, 1]);
    assert.deepEqual(out.failed, ['what it has of the snapshot is another file']);
    assert.equal(staging.mayGoOn, false);
  }
});

test('a link that breaks before the leader was asked says nothing of its file: the next goes on behind the same', async () => {
  let found = (_: { offset: number; checksum: number }): void => {};
  const begun = new Promise<{ offset: number; checksum: number }>((resolve) => {
    found = resolve;
  });
  const asked: number[] = [];
  const staging = new Staging({
    windowBytes: TRANSFER.windowBytes,
    ...{ generation: 1, at: AT, seed: 1 },
    stage: () => ({
      log: { append: () => {} },
      resume: () => begun,
      write: async () => {},
      finish: async () => {},
    }),
    ask: () => assert.fail('it has a beginning'),
    resume: (offset) => void asked.push(offset),
    done: () => {},
    failed: (error) => assert.fail(error),
  });
  await settle();
  assert.ok(staging.mayGoOn, 'what is there is being read');
  found({ offset: 777, checksum: 1 });
  await settle();
  assert.deepEqual(asked, [777]);
  assert.equal(staging.mayGoOn, false, 'the leader was asked, and sent nothing');
});

test('a leader hangs up on who asks to go on where its file ends, or beyond; its own file that was cut off is doubted', async () => {
  const cases: [string, number, number, string[]][] = [
    ['all of it', SIZE, SIZE, ['hung up']],
    ['more than there is', Number.MAX_SAFE_INTEGER, SIZE, ['hung up']],
    ['behind what was cut off', TRANSFER.windowBytes + 1, TRANSFER.windowBytes, ['unsound', 'hung up']],
  ];
  for (const [what, offset, there, expected] of cases) {
    const told: string[] = [];
    let reads = 0;
    let closed = 0;
    const sender = new SnapshotSender({
      transfer: TRANSFER,
      storage: {
        openSnapshot: async () => ({
          size: SIZE,
          read: async (at, length) => {
            reads++;
            return file.subarray(Math.min(at, there), Math.min(at + length, there));
          },
          close: async () => void closed++,
        }),
      },
      send: (_link, { type }) => type === 'SNAP' || assert.fail(`${type} is sent`),
      flush: () => {},
      warn: () => {},
      hangUp: () => void told.push('hung up'),
      unsound: () => void told.push('unsound'),
    });
    const message = { type: 'RESUME', epoch: 1, at: AT, offset, checksum: crc32(file.subarray(0, offset)) } as const;
    sender.resumed(LINK, message); // nothing was offered yet
    sender.offer(LINK, { type: 'SNAP', epoch: 1, at: AT, configs: [], seen: [] });
    sender.resumed(LINK, message);
    sender.resumed(LINK, message);
    for (let i = 0; i < 100; i++) await settle();
    sender.resumed(LINK, message);
    for (let i = 0; i < 100; i++) await settle();
    assert.deepEqual([told, closed], [expected, 1], what);
    if (there === SIZE) assert.equal(reads, 0, 'it is not read for that');
  }
});
