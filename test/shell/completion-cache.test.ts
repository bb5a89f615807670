import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CompletionCache } from '../../src/cli/completion-cache.ts';
import type { NodeReader } from '../../src/shell/path-source.ts';

test('what a Tab has seen is believed for 5 s by the next, a failure for 10 s; a clock set back ends both', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-cache-'));
  try {
    let [now, asked] = [1_000_000, 0];
    const server: NodeReader = {
      exists: async () => ({ numChildren: ++asked, ephemeralOwner: 5n, dataLength: 7 }),
      getChildren: async () => ({ children: [`child ${++asked}`] }),
    };
    /** Another process, with the cache of those before it. */
    const tab = async (target = 'zk1'): Promise<unknown[]> => {
      const cache = new CompletionCache(folder, target, () => now);
      const reader = cache.reader(async () => server);
      const seen = [(await reader.exists('/a'))?.numChildren, (await reader.getChildren('/__proto__')).children[0]];
      cache.save();
      return seen;
    };
    assert.deepEqual(await tab(), [1, 'child 2']);
    now += 4999;
    assert.deepEqual(await tab(), [1, 'child 2']);
    assert.deepEqual(await tab('zk2'), [3, 'child 4'], 'another target, another file');
    now += 1;
    assert.deepEqual(await tab(), [5, 'child 6']);
    now -= 10;
    assert.deepEqual(await tab(), [7, 'child 8'], 'what was seen in the future is not believed');

    const rests = (): boolean => new CompletionCache(folder, 'zk1', () => now).rests;
    assert.equal(rests(), false);
    new CompletionCache(folder, 'zk1', () => now).failed();
    now += 9999;
    assert.equal(rests(), true);
    now += 1;
    assert.equal(rests(), false);

    for (const file of readdirSync(folder)) {
      assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
      writeFileSync(join(folder, file), '{"children":[');
    }
    assert.deepEqual(await tab(), [9, 'child 10'], 'a damaged cache is none');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
