/** A snapshot that finds no room: the history here goes first only where nobody can need it (foundations.md 13.4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskError } from '../../src/ports/disk.ts';
import { makeRoom } from '../../src/runtime/make-room.ts';

const MB = 1024 * 1024;
const at = { epoch: 3, counter: 100, chainHi: 1, chainLo: 2 };

/** `rooms`: what is found at each look; the last one stays. */
async function run(
  held: { epoch: number; counter: number },
  rooms: readonly { free: number; own: number }[],
  rests = 10,
  fails?: Error,
) {
  let look = 0;
  let gaveUp = 0;
  let rested = 0;
  const said: string[] = [];
  const phrases: (string | undefined)[] = [];
  await makeRoom({
    storage: {
      room: async () => rooms[Math.min(look++, rooms.length - 1)] as { free: number; own: number },
      giveUpHistory: async () => {
        gaveUp++;
        if (fails !== undefined) throw fails;
      },
    },
    held,
    at,
    bytes: 10 * MB,
    rest: async () => ++rested < rests,
    warn: (sentence) => said.push(sentence),
    waits: (phrase) => phrases.push(phrase),
  });
  return { gaveUp, rested, said, phrases };
}
const TIGHT = { free: 4 * MB, own: 9 * MB };
const SMALL = { free: 4 * MB, own: 5 * MB };
const WIDE = { free: 11 * MB, own: 9 * MB };

test('what lies before the snapshot goes when that makes room enough', async () => {
  for (const held of [
    { epoch: 3, counter: 99 },
    { epoch: 2, counter: 500 },
    { epoch: 0, counter: 0 },
  ]) {
    const { gaveUp, said, phrases } = await run(held, [TIGHT]);
    assert.equal(gaveUp, 1);
    assert.match(said.join(), /the old files \(9\.0 MB\) are given up/);
    assert.deepEqual(phrases, [undefined]);
  }
});

test('what may be needed never goes: this member waits, says so, and goes on when there is room', async () => {
  for (const held of [
    { epoch: 3, counter: 100 },
    { epoch: 3, counter: 101 },
    { epoch: 4, counter: 1 },
  ]) {
    const { gaveUp, rested, said, phrases } = await run(held, [TIGHT, TIGHT, TIGHT, WIDE]);
    assert.deepEqual([gaveUp, rested, said.length], [0, 3, 1]);
    assert.equal(
      phrases[0],
      'waits for room: a snapshot needs 10.5 MB, 4.0 MB are free; the history here stays, since others may need it',
    );
    assert.equal(phrases.at(-1), undefined);
  }
});

test('nothing is given up in vain, nor where there is room', async () => {
  const held = { epoch: 3, counter: 1 };
  const vain = await run(held, [SMALL, SMALL, WIDE]);
  assert.deepEqual([vain.gaveUp, vain.rested], [0, 2]);
  assert.equal(vain.phrases[0], 'waits for room: a snapshot needs 10.5 MB, 4.0 MB are free');
  const roomy = await run(held, [WIDE]);
  assert.deepEqual([roomy.gaveUp, roomy.rested, roomy.said], [0, 0, []]);
  // a server that stops does not wait
  assert.equal((await run(held, [SMALL], 1)).gaveUp, 0);
});

test('a disk too full even for that is tried again; any other failure is told', async () => {
  const held = { epoch: 3, counter: 1 };
  const full = await run(held, [TIGHT], 10, new DiskError('ENOSPC', '/x', 'write'));
  assert.match(full.said.at(-1) ?? '', /cannot be given up yet: .*ENOSPC/);
  await assert.rejects(run(held, [TIGHT], 10, new DiskError('EIO', '/x', 'write')), /EIO/);
});
