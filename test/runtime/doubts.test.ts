/** A snapshot that could not be read whole for a learner: when it is read again, and what is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Doubts } from '../../src/runtime/doubts.ts';
import { markOf } from '../../src/runtime/marks.ts';
import { SnapshotSender, TRANSFER } from '../../src/runtime/snapshot-sender.ts';
import type { Damage } from '../../src/storage/errors.ts';
import type { Mark } from '../../src/zab/types.ts';

const at = (counter: number): Mark => ({ epoch: 1, counter, chainHi: 1, chainLo: counter });
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function rig(verify: () => Promise<Damage | undefined>) {
  const out: string[] = [];
  const timers: { ms: number; run: () => void }[] = [];
  const storage = {
    newestSnapshot: { zxid: { hi: 1, lo: 5 }, chain: { hi: 1, lo: 5 } } as ReturnType<typeof halves> | undefined,
    verifySnapshot: async (_mark: unknown, rest: () => Promise<void> | undefined) => {
      await rest();
      return verify();
    },
  };
  const say = (text: unknown): void => void out.push(String(text));
  let found = '';
  const doubts = new Doubts({
    storage,
    clock: {
      monotonic: () => 0,
      wall: () => 0,
      after: (ms, run) => {
        const timer = { ms, run };
        timers.push(timer);
        return { [Symbol.dispose]: () => void timers.splice(timers.indexOf(timer) >>> 0, 1) };
      },
    },
    logger: { info: say, warn: say, error: say } as never,
    notes: {
      found: (what) => {
        found = what;
        say(`found ${what.slice(0, 20)}`);
      },
      mended: (how, which) => say(`${how}: ${which?.(found)}`),
    },
    longestMs: 1000,
    stands: (mark) => say(`stands ${mark.counter}`),
    wanted: () => say('wanted'),
  });
  const pass = async (): Promise<number> => {
    const { ms, run } = timers.shift() as (typeof timers)[0];
    run();
    await settle();
    return ms;
  };
  return { doubts, out, timers, pass, storage };
}
const halves = (mark: Mark) => ({
  zxid: { hi: mark.epoch, lo: mark.counter },
  chain: { hi: mark.chainHi, lo: mark.chainLo },
});

test('one that is whole stands; the looks at it come at longer and longer intervals, and another one begins anew', async () => {
  const { doubts, out, pass, storage } = rig(async () => undefined);
  const pauses: number[] = [];
  for (let i = 0; i < 5; i++) {
    doubts.settle(at(5));
    pauses.push(await pass());
  }
  assert.deepEqual(pauses, [0, 250, 500, 1000, 1000]);
  assert.deepEqual(out, Array(5).fill('stands 5'));
  storage.newestSnapshot = halves(at(7));
  doubts.settle(at(7));
  assert.equal(await pass(), 0);
  doubts.settle(at(5));
  await pass();
  assert.deepEqual(out.slice(5), ['stands 7', 'stands 7'], 'what is newest is told');
  storage.newestSnapshot = undefined;
  doubts.settle(at(5));
  await pass();
  assert.equal(out.at(-1), 'wanted', 'somebody waits');
  assert.deepEqual(markOf(halves(at(5))), at(5));
});

test('one that is damaged is told, and a new one is wanted; when that is there it is mended', async () => {
  const { doubts, out, pass } = rig(async () => ({ file: 'f', reason: 'rot' }));
  doubts.settle(at(5));
  await pass();
  assert.deepEqual(out.slice(1), ['found data damaged: f: rot', 'wanted']);
  doubts.replaced();
  doubts.replaced();
  assert.deepEqual(out.slice(3), ['set aside; a new snapshot stands in for it: true']);
});

test('one that cannot be looked at now is looked at later, and not at all once the server stops', async () => {
  let fails = true;
  const { doubts, out, pass, timers } = rig(async () => {
    if (fails) throw new Error('too many open files');
    return undefined;
  });
  doubts.settle(at(5));
  await pass();
  assert.match(out.join(), /could not be verified: too many open files/);
  fails = false;
  assert.equal(await pass(), 1000);
  assert.equal(out.at(-1), 'stands 5');
  doubts.settle(at(5));
  await doubts.stop();
  assert.equal(timers.length, 0);
  doubts.settle(at(5));
  assert.equal(timers.length, 0);
});

test('a snapshot is doubted when it cannot be read whole, once; that a link breaks, at any time, is no reason to', async () => {
  const doubted: number[] = [];
  const ended: [number, string][] = [];
  const bad = { opens: false, reads: false };
  let open = 0;
  const sender: SnapshotSender = new SnapshotSender({
    transfer: TRANSFER,
    storage: {
      openSnapshot: async () => {
        if (bad.opens) throw new Error('EMFILE');
        open++;
        return {
          size: TRANSFER.windowBytes + 3,
          read: async (offset, length) => {
            if (bad.reads && offset >= TRANSFER.windowBytes) throw new Error('a checksum is wrong');
            return Buffer.alloc(length);
          },
          close: async () => void open--,
        };
      },
    },
    send: () => true,
    flush: () => {},
    warn: () => {},
    hangUp: (link, reason) => {
      ended.push([link, reason]);
      sender.closed(link);
    },
    unsound: ({ counter }) => void doubted.push(counter),
  });
  const offer = (link: number, counter: number): void =>
    sender.offer(link, { type: 'SNAP', epoch: 1, at: at(counter), configs: [], seen: [] });
  const ask = async (link: number, counter: number, offset: number): Promise<void> => {
    sender.asked(link, { type: 'ASKCHUNKS', epoch: 1, at: at(counter), offset });
    for (let i = 0; i < 4; i++) await settle();
  };
  offer(1, 5);
  sender.closed(1);
  offer(2, 5);
  await ask(2, 5, 0);
  sender.closed(2);
  offer(3, 5);
  await ask(3, 5, 0);
  await ask(3, 5, TRANSFER.windowBytes);
  sender.closed(3);
  assert.deepEqual([doubted, ended], [[], []], 'before anything, in the middle, and behind the last of it');

  bad.reads = true;
  offer(4, 6);
  await ask(4, 6, 0);
  assert.deepEqual(doubted, [], 'so far it is right');
  await ask(4, 6, TRANSFER.windowBytes);
  assert.deepEqual([doubted, ended], [[6], [[4, 'the snapshot cannot be read']]]);
  bad.reads = false;

  bad.opens = true;
  offer(5, 7);
  await ask(5, 7, 0);
  assert.deepEqual([doubted, ended.length], [[6, 7], 2], 'told once');
  bad.opens = false;

  offer(6, 8);
  await ask(6, 8, TRANSFER.windowBytes);
  assert.deepEqual([doubted.length, ended.at(-1)], [2, [6, 'it asks for another part of the snapshot']], 'unverified');
  offer(7, 8);
  sender.close();
  await settle();
  assert.equal(open, 0);
});
