import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Client } from '../../src/client/api.ts';
import { toTable } from '../../src/out/fields.ts';
import { toHuman } from '../../src/out/human.ts';
import { toJson } from '../../src/out/json.ts';
import { toPlain } from '../../src/out/plain.ts';
import { plainTheme } from '../../src/out/theme.ts';
import { expandBraces, matcher } from '../../src/shell/glob.ts';
import { amount } from '../amount.ts';
import { stopwatch } from '../patience.ts';
import { rig } from './rig.ts';

/** The same by an expression, which says what is meant and may take for ever. */
function byExpression(pattern: string): RegExp | undefined {
  const source = pattern.replace(/\[([\s\S]+?)\]|[*?]|[\s\S]/gu, (all, body: string | undefined) => {
    if (all === '*') return '.*';
    if (all === '?') return '.';
    if (body !== undefined) return `[${body.replace(/[\\\]^]/g, '\\$&').replace(/^!/, '^')}]`;
    return all.replace(/[.+^${}()|[\]\\/]/g, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    return undefined;
  }
}

test('a pattern means what it did as an expression', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '*',
    '*',
    '?',
    '[ab]',
    '[!a]',
    '[a-c]',
    '[c-a]',
    '[',
    ']',
    '^',
    '.',
    '\\',
    '👍',
    '\ud83d',
    '\n',
    '-',
    '!',
  );
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', '👍', '\ud83d', '\n', '[', ']', '*', '.', '\\', '-'), { maxLength: 12 })
    .map((all) => all.join(''));
  let fitting = 0;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), text, (pieces, name) => {
      const pattern = pieces.join('');
      const expression = byExpression(pattern);
      if (expression === undefined) return assert.throws(() => matcher(pattern), { exit: 2 });
      const is = matcher(pattern)(name);
      assert.equal(is, expression.test(name), JSON.stringify([pattern, name]));
      if (is) fitting++;
    }),
    { numRuns: amount(100_000, 20_000) },
  );
  assert.ok(fitting > 100, `${fitting} fitted`);
});

test('names and data of a hostile hand take no longer than others', () => {
  const long = 'a'.repeat(300_000);
  for (const pattern of ['*a*a*a*a*a*b', '*?*?*?*?b', '*[a-c]*[a-c]*[!a]*', `${'*'.repeat(1000)}b`, '*aaaaaaab*']) {
    const spent = stopwatch();
    assert.equal(matcher(pattern)(long), false);
    assert.ok(spent() < 1000, `${pattern}: ${spent()} ms`);
  }
  for (const text of [`{${','.repeat(200_000)}`, '{'.repeat(200_000), `{a${',}'.repeat(1)}${'{,'.repeat(100_000)}`]) {
    const spent = stopwatch();
    assert.ok(expandBraces(text).length >= 1);
    assert.ok(spent() < 1000, `${text.slice(0, 20)}: ${spent()} ms`);
  }
});

test('ls -d of several is one list, which scripts read line by line', async () => {
  const ids = { czxid: 1n, mzxid: 2n, pzxid: 1n, ctime: 0, mtime: 0, ephemeralOwner: 0n };
  const stat = { ...ids, version: 2, cversion: 0, aversion: 0, dataLength: 5, numChildren: 0 };
  const client = {
    state: 'connected',
    exists: async (path: string) => (path.includes('*') ? undefined : stat),
    getChildren: async () => ({ children: ['a', 'b c'], stat: { numChildren: 2 } }),
  } as unknown as Client;
  const screen = { theme: plainTheme(true), width: 80, now: 0 };
  for (const [line, plain, human] of [
    ['ls -d /x/*', '/x/a\n/x/b c\n', ["/x/a      '/x/b c'"]],
    ['ls -d -l /x/a /y', undefined, undefined],
  ] as const) {
    const it = rig(client);
    assert.equal(await it.shell.run(line), 0);
    const output = it.shown[0] ?? assert.fail();
    const lines = toPlain(output).toString();
    if (plain !== undefined) assert.equal(lines, plain);
    else assert.match(lines, /^persistent\t2\t5\t0\t\S+\t0x0\t\/x\/a\npersistent\t2\t5\t0\t\S+\t0x0\t\/y\n$/);
    const shown = toHuman(output, screen);
    if (human !== undefined) assert.deepEqual(shown, human);
    else assert.deepEqual([shown.length, shown[0]?.trim().split(/\s+/)[0]], [3, 'kind']);
    assert.equal(toTable(output, screen)?.length, 6);
    assert.ok(Array.isArray(toJson(output)), 'JSON is as it was: a listing for each');
  }
});
