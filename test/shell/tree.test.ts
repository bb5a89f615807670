/** A drawing whose lines are shown as they are found is the one that is drawn as a whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import type { Client } from '../../src/client/api.ts';
import { drawRows } from '../../src/commands/tree-rows.ts';
import { render } from '../../src/out/render.ts';
import { makeTheme } from '../../src/out/theme.ts';
import { WholeAnswer } from '../../src/out/whole-answer.ts';
import type { CommandContext } from '../../src/shell/command.ts';
import type { Output } from '../../src/shell/output.ts';
import { showName } from '../../src/shell/paths.ts';
import { NO_STAT } from '../../src/shell/walk.ts';
import { type Rig, rig } from './rig.ts';

/** Names of children by path. */
type Nodes = ReadonlyMap<string, readonly string[]>;

/** So many nodes, each below one of those before it that is drawn by lot. */
function randomTree(count: number, seed: number): Nodes {
  const nodes = new Map<string, string[]>([
    ['/', ['zookeeper']],
    ['/zookeeper', []],
  ]);
  const paths = ['/'];
  let state = seed;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % bound;
  };
  for (let at = 0; at < count; at++) {
    const parent = paths[Math.max(0, paths.length - 1 - below(Math.min(paths.length, 40)))] as string;
    const name = below(9) === 0 ? `a "b' ${at}\t` : `n${at}`;
    const path = parent === '/' ? `/${name}` : `${parent}/${name}`;
    nodes.get(parent)?.push(name);
    nodes.set(path, []);
    paths.push(path);
  }
  return nodes;
}

function clientOf(nodes: Nodes): Client {
  const find = (path: string): readonly string[] => {
    const found = nodes.get(path);
    if (found === undefined) throw new KeeperError('NoNode', path);
    return found;
  };
  const statOf = (path: string): typeof NO_STAT => ({
    ...NO_STAT,
    dataLength: path.length,
    ephemeralOwner: (path.endsWith('7') ? 5n : 0n) as never,
    numChildren: find(path).length,
  });
  return {
    chroot: '',
    exists: async (path: string) => statOf(path),
    getChildren: async (path: string) => ({ children: [...find(path)].sort(), stat: statOf(path) }),
    getAllChildrenNumber: async () => nodes.size - 1,
  } as unknown as Client;
}

/** The text of what was shown, in each form. */
async function textsOf(outputs: readonly Output[]): Promise<string[]> {
  const theme = await makeTheme(true, false);
  const forms = [
    ['human', true],
    ['plain', false],
    ['json', false],
    ['json', true],
    ['ndjson', false],
  ] as const;
  return forms.map(([mode, isTerminal]) =>
    outputs
      .map((output) => Buffer.from(render(output, { mode, isTerminal }, { theme, width: 80, now: 0 })).toString())
      .join(''),
  );
}

async function drawn(nodes: Nodes, line: string): Promise<Rig> {
  const it = rig(clientOf(nodes));
  assert.equal(await it.shell.run(line), 0, line);
  return it;
}

test('in parts and as a whole it is the same text, for people, for pipes and for programs', async () => {
  for (const [count, seed] of [
    [0, 1],
    [1, 2],
    [30, 3],
    [999, 4],
    [1000, 5],
    [1249, 6],
    [3000, 7],
  ] as const) {
    const nodes = randomTree(count, seed);
    for (const words of ['/', '-s /', '-L 2 /', '-L 0 -s /', '/zookeeper']) {
      const whole = await drawn(nodes, `tree --limit 10000 ${words}`);
      const parts = await drawn(nodes, `tree --limit 10001 ${words}`);
      assert.deepEqual([whole.shown[0]?.type, parts.shown[0]?.type], ['tree', 'branches']);
      assert.deepEqual(await textsOf(parts.shown), await textsOf(whole.shown), `${count} nodes, ${words}`);
    }
  }
  const many = await drawn(randomTree(3000, 7), 'tree --limit 10001 /');
  assert.ok(many.shown.length > 5, 'it comes in parts');
});

test('fields that are chosen of a long answer have the form of those of a short one', async () => {
  const screen = { theme: await makeTheme(true, false), width: 80, now: 0 };
  const paths = Array.from({ length: 2600 }, (_, at) => `/n${at}`);
  const matches = paths.map((path, line) => ({ path, line, text: 'x' }));
  const differences = paths.map((path) => ({ sign: '+' as const, path }));
  const counts = { equal: false, same: 7 };
  const wholes: readonly [Output, readonly string[]][] = [
    [{ type: 'matches', matches }, ['matches']],
    [{ type: 'deleted', isFound: true, paths, count: 2600 }, ['deleted']],
    [{ type: 'deleted', isFound: true, paths, count: 2600 }, ['paths', 'deleted']],
    [{ type: 'differences', differences, counts }, ['equal']],
    [{ type: 'differences', differences, counts }, ['same', 'differences']],
  ];
  const cut = (whole: Output): Output[] =>
    (
      [
        [0, 1000, 'first'],
        [1000, 1250, 'next'],
        [1250, 2500, 'next'],
        [2500, 2600, 'last'],
      ] as const
    ).map(([from, to, part]) => {
      const lots = paths.slice(from, to);
      // what sums it up is known at the end
      if (whole.type === 'matches') return { ...whole, matches: matches.slice(from, to), part };
      if (whole.type === 'deleted')
        return { ...whole, paths: lots, count: part === 'last' ? whole.count : lots.length, part };
      return {
        type: 'differences',
        differences: differences.slice(from, to),
        ...(part === 'last' && { counts }),
        part,
      };
    });
  for (const [whole, fields] of wholes) {
    const one = new WholeAnswer(fields);
    for (const mode of ['json', 'ndjson', 'plain'] as const) {
      const textOf = (outputs: readonly Output[]): string =>
        outputs
          .flatMap((output) => one.take(output) ?? [])
          .map((output) => Buffer.from(render(output, { mode, fields, isTerminal: false }, screen)).toString())
          .join('');
      assert.equal(textOf(cut(whole)), textOf([whole]), `${mode} ${fields}`);
    }
  }
});

test('fields that are chosen are those of one document, in parts and as a whole', async () => {
  const theme = await makeTheme(true, false);
  const screen = { theme, width: 80, now: 0 };
  const textOf = (outputs: readonly Output[], fields: readonly string[], mode: 'json' | 'ndjson' | 'plain'): string => {
    const drawing = new WholeAnswer(fields);
    return outputs
      .flatMap((output) => drawing.take(output) ?? [])
      .map((output) => Buffer.from(render(output, { mode, fields, isTerminal: false }, screen)).toString())
      .join('');
  };
  const nodes = randomTree(3000, 7);
  const whole = await drawn(nodes, 'tree -s --limit 10000 /');
  const parts = await drawn(nodes, 'tree -s --limit 10001 /');
  assert.ok(parts.shown.length > 5);
  for (const fields of [
    ['name', 'path'],
    ['path', 'stat.version', 'truncated'],
    ['children', 'name'],
  ])
    for (const mode of ['json', 'ndjson', 'plain'] as const)
      assert.equal(textOf(parts.shown, fields, mode), textOf(whole.shown, fields, mode), `${mode} ${fields}`);
  assert.deepEqual(JSON.parse(textOf(parts.shown, ['name', 'path'], 'json')), { name: '/', path: '/' });
  // any other answer in parts is one list
  const listed = await drawn(nodes, 'ls -R /');
  assert.ok(listed.shown.length > 5);
  const names = JSON.parse(textOf(listed.shown, ['name'], 'json')) as { name: string }[];
  assert.deepEqual(
    names.map(({ name }) => showName(name)),
    textOf(listed.shown, ['name'], 'plain').trimEnd().split('\n'),
  );
});

test('cut off in the middle, what is not shown is counted the same', async () => {
  for (const [count, seed] of [
    [20, 1],
    [400, 2],
    [3000, 3],
  ] as const) {
    const nodes = randomTree(count, seed);
    for (const limit of [1, 2, 7, 19, 1000, 1001, 1250, 2400].filter((each) => each < count)) {
      const whole = await drawn(nodes, `tree -s --limit ${limit} /`);
      const client = clientOf(nodes);
      const shown: Output[] = [];
      const context = {
        client: async () => client,
        signal: new AbortController().signal,
        settings: { get: () => '32' },
        progress: () => ({ isSeen: false, update: () => {}, [Symbol.dispose]: () => {} }),
        show: (output: Output) => shown.push(output),
        drained: async () => {},
        warn: assert.fail,
      } as unknown as CommandContext;
      const skip = (path: string): boolean => path === '/zookeeper';
      const drawing = { path: '/', levels: undefined, sizes: true, limit, skip };
      shown.push(await drawRows(client, drawing, context));
      assert.deepEqual(await textsOf(shown), await textsOf(whole.shown), `${limit} of ${count}`);
    }
  }
});

test('of ephemeral nodes only what leads to them is kept', async () => {
  const nodes = randomTree(2000, 9);
  const [all] = (await drawn(nodes, 'tree -e --limit 1000000 /')).shown;
  const [text = ''] = await textsOf([all ?? assert.fail()]);
  const paths = [...nodes.keys()].filter((path) => path !== '/');
  const kept = paths.filter((path) => paths.some((each) => each.endsWith('7') && `${each}/`.startsWith(`${path}/`)));
  assert.equal(text.split('\n').length - 1, kept.length + 1);
});
