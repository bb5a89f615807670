/** Snapshots of a state that another takes the place of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Snapshotter, type SnapshotterOptions } from '../../src/runtime/snapshotter.ts';
import { DataTree } from '../../src/tree/data-tree.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a snapshot that waits for a large transaction goes on when the state is replaced in the middle of it', async () => {
  const serverOf = (applying: boolean, seed: number) => ({
    applying,
    tree: new DataTree(seed),
    outbox: { counts: { received: 0 } },
  });
  let server = serverOf(true, 1);
  const written: string[] = [];
  const storage = {
    damage: undefined,
    log: { roll: async () => undefined, bytesSinceRoll: 0 },
    writeSnapshot: async (_zxid: unknown, _chain: unknown, next: (most: number) => unknown) => {
      while (next(65536) !== undefined);
      written.push('a snapshot');
      return { path: 'snapshot.1', bytes: 1 };
    },
  };
  const snapshotter = new Snapshotter({
    config: { snapCount: 100, tickTimeMs: 2000 },
    logger: { info() {}, warn() {}, error() {} },
    clock: { monotonic: () => 0, wall: () => 0, after: () => ({ [Symbol.dispose]() {} }) },
    random: { below: () => 0 },
    server: () => server,
    storage,
    notes: { found() {}, mended() {} },
    taken: () => void written.push('taken'),
    stands: () => void written.push('stands'),
    took() {},
    failed() {},
  } as unknown as SnapshotterOptions);
  const made = snapshotter.takeNow();
  for (let i = 0; i < 5; i++) await settle();
  assert.deepEqual(written, [], 'never in the middle of a transaction');
  // a snapshot of the leader: the state before it never ends what it began
  server = serverOf(false, 2);
  for (let i = 0; i < 5; i++) await settle();
  assert.deepEqual(written, ['a snapshot', 'taken', 'stands']);
  assert.ok(!((await made) instanceof Error));
  await snapshotter.stop();
});
