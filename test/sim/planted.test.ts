/** The simulator can fail: mistakes of which it is known where they show are still found. All of them: `node dist/test/sim/planted.js`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNPROTECTED } from './planted/histories.ts';
import { PLANTED } from './planted/patches.ts';
import { Copy, patched } from './planted/plant.ts';

/** What finds it, and by which rule. */
const KNOWN = [
  { id: 'no-dsync', seed: 1, rule: 'I5' },
  { id: 'apply-what-is-not-committed', seed: 1, rule: 'I3' },
  { id: 'apply-what-is-not-durable', seed: 1, rule: 'I11' },
] as const;

test('every place of a planted mistake stands exactly once', () => {
  for (const bug of [...PLANTED, ...UNPROTECTED]) assert.ok(patched(bug).includes(bug.put));
  const ids = PLANTED.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.length >= 25);
});

test('planted mistakes are found at their seeds, by their rules', async () => {
  await Promise.all(
    [KNOWN.slice(0, 1), KNOWN.slice(1)].map(async (part) => {
      using copy = new Copy();
      for (const { id, seed, rule } of part) {
        const bug = PLANTED.find((each) => each.id === id);
        assert.ok(bug);
        const args = ['--seeds', '1', '--from', String(seed), '--jobs', '1'];
        const { found, text } = await copy.look(bug, 'test/sim/main.js', args);
        assert.ok(found, `${id} is not found by seed ${seed} any more\n${text}`);
        assert.equal(/^ {2}(\S+) at /m.exec(text)?.[1], rule, `${id}\n${text}`);
      }
    }),
  );
});
