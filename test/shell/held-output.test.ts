/** Output that goes to a program or a file: short ones wait for the command to end, long ones go on their way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client, Stat } from '../../src/client/api.ts';
import { HeldOutput } from '../../src/shell/held-output.ts';
import type { Outlet } from '../../src/shell/shell-ports.ts';
import { rig } from './rig.ts';

/** Takes what is written; after `most` pieces nobody reads. */
function outlet(most = Number.POSITIVE_INFINITY): Outlet & { readonly sizes: number[]; ends: number } {
  return {
    sizes: [],
    ends: 0,
    async write({ length }) {
      this.sizes.push(length);
      return this.sizes.length <= most;
    },
    async end() {
      this.ends++;
      return 7;
    },
  };
}

test('a short output waits for the end of its command, a long one does not', async () => {
  const short = outlet();
  const held = new HeldOutput(() => short);
  held.add(Buffer.from('a'));
  assert.equal(await held.drained(), true);
  assert.deepEqual(short.sizes, []);
  assert.equal(await held.end(), 7);
  assert.deepEqual([short.sizes, short.ends], [[1], 1]);

  const long = outlet();
  const going = new HeldOutput(() => long);
  for (let part = 0; part < 40; part++) {
    going.add(Buffer.alloc(100_000));
    await going.drained();
  }
  assert.deepEqual([long.sizes[0], Math.max(...long.sizes.slice(1))], [1_100_000, 100_000]);
  await going.end();
  assert.equal(
    long.sizes.reduce((sum, each) => sum + each),
    4_000_000,
  );

  const failed = outlet();
  const none = new HeldOutput(() => failed);
  none.add(Buffer.from('a'));
  await none.abandon();
  assert.deepEqual([failed.sizes, failed.ends], [[], 0]);
});

/** A folder of so many nodes with long names. */
function wide(nodes: number): { readonly client: Client; asked: number } {
  const stat = { numChildren: 0, ephemeralOwner: 0n } as Stat;
  const names = Array.from({ length: nodes }, (_, at) => `${'n'.repeat(100)}${String(at).padStart(7, '0')}`);
  const out = { client: undefined as unknown as Client, asked: 0 };
  out.client = {
    getChildren: async (path: string) => {
      out.asked++;
      return path === '/' ? { children: [...names], stat: { ...stat, numChildren: nodes } } : { children: [], stat };
    },
    on: () => () => {},
  } as unknown as Client;
  return out;
}

test('a program that reads no further ends the command that only reads, and its status counts', async () => {
  const tree = wide(60_000);
  const program = outlet(1);
  const { shell, told } = rig(tree.client);
  shell.ports.pipe = () => program;
  assert.equal(await shell.run('ls -R / | head'), 7, JSON.stringify(told));
  assert.deepEqual([told, program.ends], [[], 1]);
  assert.ok(tree.asked < 30_000, `${tree.asked} nodes were read`);
  const whole = outlet();
  shell.ports.pipe = () => whole;
  await shell.run('ls -R / | cat');
  const bytes = whole.sizes.reduce((sum, each) => sum + each);
  assert.deepEqual([bytes, Math.max(...whole.sizes) < 1_200_000], [2 + 60_000 * 109, true]);
});
