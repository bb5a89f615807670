/** A file that holds nodes and not those above them: what is missing in between is part of the plan, and what lies above them stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import { type Client, MultiError } from '../../src/client/api.ts';
import { carryOut } from '../../src/shell/carry-out.ts';
import type { NodeRecord } from '../../src/shell/node-record.ts';
import type { NodeSource } from '../../src/shell/node-source.ts';
import { type Plan, planOf } from '../../src/shell/tree-plan.ts';

const source = (root: string, paths: readonly string[], ephemerals: readonly string[] = []): NodeSource => ({
  label: root,
  root,
  acl: false,
  client: undefined,
  async *nodes() {
    for (const path of paths) {
      const kind = ephemerals.includes(path) ? 'ephemeral' : 'persistent';
      yield { path, data: null, acl: undefined, kind, stat: undefined } satisfies NodeRecord;
    }
  },
  [Symbol.asyncDispose]: async () => {},
});
const shown = ({ changes }: Plan): string[] => changes.map(({ difference: { sign, path } }) => `${sign} ${path}`);
const plan = (live: readonly string[], wanted: readonly string[], more: object = {}, ephemerals?: readonly string[]) =>
  planOf(source('/k', live, ephemerals), source('/k', wanted), { prune: false, acl: { way: 'none' }, ...more });

test('levels that a file does not hold are made, each once, in the order of the tree', async () => {
  assert.deepEqual(shown(await plan([], ['/k/a', '/k/b'])), ['+ /k', '+ /k/a', '+ /k/b']);
  const deep = await plan(['/k', '/k/x'], ['/k/x/y/z', '/k/x/y/zz', '/k/xx/q']);
  assert.deepEqual(shown(deep), ['+ /k/x/y', '+ /k/x/y/z', '+ /k/x/y/zz', '+ /k/xx', '+ /k/xx/q']);
  assert.deepEqual(shown(await plan([], ['/k/a'], { above: ['/t'] })), ['+ /t', '+ /k', '+ /k/a']);
  assert.deepEqual(shown(await plan([], ['/k', '/k/a'], { above: ['/t'] })), ['+ /t', '+ /k', '+ /k/a']);
  assert.deepEqual(shown(await plan([], [], { above: ['/t'] })), []);
});

test('what stays keeps what is above it', async () => {
  const live = ['/k', '/k/a', '/k/a/b', '/k/a/c', '/k/d', '/k/d/e'];
  const pruned = await plan(live, ['/k/a/b'], { prune: true });
  assert.deepEqual(shown(pruned), ['- /k/a/c', '- /k/d', '- /k/d/e']);
  assert.equal(pruned.extra, 2);
  const around = await plan(live, ['/k'], { prune: true }, ['/k/d/e']);
  assert.deepEqual(shown(around), ['- /k/a', '- /k/a/b', '- /k/a/c']);
});

test('a parent that is gone is told as what it is', async () => {
  const { changes } = await plan(['/k'], ['/k', '/k/a']);
  const failing = (index: number, code: 'NoNode' | 'NodeExists'): Client =>
    ({
      multi: () => Promise.reject(new MultiError(code, index, '/k/a', [], new KeeperError(code).message)),
    }) as unknown as Client;
  const how = { signal: new AbortController().signal, done: () => {} };
  await assert.rejects(carryOut(failing(0, 'NoNode'), changes, how), {
    exit: 10,
    message: 'the parent does not exist: /k; nothing was changed',
  });
  await assert.rejects(carryOut(failing(0, 'NodeExists'), changes, how), {
    exit: 11,
    message: '/k/a is not what it was when this was planned; nothing was changed',
  });
});
