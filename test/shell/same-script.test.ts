import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runAtomic, runStream, runText } from '../../src/cli/script.ts';
import type { MultiOp } from '../../src/client/api.ts';
import { amount } from '../amount.ts';
import { type Rig, rig } from './rig.ts';

const seed = Number(process.env.ZOOSH_SEED ?? 20_261_201);

/** What one way of running a text did, in order, and how it ended. */
interface Done {
  readonly did: readonly string[];
  readonly status: number;
  readonly told: readonly string[];
}

const dataText = (data: Uint8Array | string | null): string => JSON.stringify(data === null ? null : String(data));

/** Runs a text against a server that says yes to everything. */
async function done(files: Record<string, string>, way: (at: Rig) => Promise<number>): Promise<Done> {
  const did: string[] = [];
  const set = (path: string, data: Uint8Array | null): void => void did.push(`set ${path} ${dataText(data)}`);
  const client = {
    state: 'connected',
    set: async (path: string, data: Uint8Array | null) => {
      set(path, data);
      return { version: 1, dataLength: data?.length ?? 0 };
    },
    get: async () => ({ data: null, stat: { version: 0 } }),
    exists: async () => ({ version: 0 }),
    multi: async (ops: readonly MultiOp[]) => {
      for (const op of ops) if (op.op === 'set') set(op.path, op.data);
      return ops.map(({ op }) => ({ op, stat: { version: 1 } }));
    },
    watches: () => [],
    close: async () => {},
  };
  const at = rig(client as never, {}, new Map(Object.entries(files)));
  const status = await way(at);
  for (const output of at.shown) if (output.type === 'value') did.push(`echo ${JSON.stringify(output.text)}`);
  did.push(...at.os.map((line) => `os ${JSON.stringify(line)}`));
  return { did, status, told: at.told.map(({ failure }) => `${failure.exit} ${failure.message}`) };
}

const host = ({ shell }: Rig) => ({ shell }) as never;
async function* pieces(text: string, cuts: readonly number[]): AsyncGenerator<string> {
  let from = 0;
  for (const cut of [...cuts].map((each) => each % (text.length + 1)).sort((a, b) => a - b)) {
    yield text.slice(from, cut);
    from = cut;
  }
  yield text.slice(from);
}

/** Every way a text can be run in; one transaction only where it holds nothing else. */
async function everyWay(text: string, cuts: readonly number[], isAtomic: boolean): Promise<Record<string, Done>> {
  const ways: Record<string, Done> = {
    '-c': await done({}, ({ shell }) => shell.run(text)),
    file: await done({}, (at) => runText(host(at), text, 'f.zk')),
    stdin: await done({}, (at) => runStream(host(at), pieces(text, cuts), 'stdin')),
    run: await done({ f: text }, ({ shell }) => shell.run('run f')),
  };
  if (isAtomic) ways['--atomic'] = await done({}, (at) => runAtomic(host(at), [text], undefined));
  return ways;
}

/**
 * They are one: what was done, the status, what was told. A transaction that fails does nothing at all; it is read as a whole
 * first, so that of two failures it may name the other one.
 */
function same(text: string, { '-c': first, ...others }: Record<string, Done>): void {
  for (const [name, other] of Object.entries(others)) {
    const isFailedAtomic = name === '--atomic' && first?.status !== 0;
    const wanted = isFailedAtomic ? { did: [], status: other.status, told: other.told } : first;
    assert.deepEqual({ name, ...other }, { name, ...wanted }, JSON.stringify(text));
    if (isFailedAtomic) assert.ok(other.status !== 0 && other.told.length === 1, JSON.stringify(text));
  }
}

const NO_LINE = '2 the last line ends in \\, and no line follows';

test('a line that ends in \\ goes on with the next, however the script comes; with none behind it, it does not run', async () => {
  const table: [text: string, did: string[], told: string[]][] = [
    ['set /a \\\n  x\n', ['set /a "x"'], []],
    ['set /a \\\r\n  x\r\n', ['set /a "x"'], []],
    ['set /a C:\\di\\\nr', ['set /a "C:\\\\dir"'], []],
    ['set /a \\\n\\\n x\nset /b y', ['set /a "x"', 'set /b "y"'], []],
    ['set /b y\nset /a C:\\dir\\', ['set /b "y"'], [NO_LINE]],
    ['set /b y\nset /a C:\\dir\\\n', ['set /b "y"'], [NO_LINE]],
    ['set /b y\r\nset /a C:\\dir\\\r\n', ['set /b "y"'], [NO_LINE]],
    ['set /b y\n\\', ['set /b "y"'], [NO_LINE]],
    ['set /b y; \\\n', ['set /b "y"'], [NO_LINE]],
    ['set /a x \\\n\nset /b y\n', ['set /a "x"', 'set /b "y"'], []],
    ['txn { set /a x \\\n}\n', ['set /a "x"'], []],
    ['set /b y\ntxn { set /a x \\\n', ['set /b "y"'], [NO_LINE]],
  ];
  for (const [text, did, told] of table) {
    const all = await everyWay(text, [5, 8, 9, 10], !text.includes('txn'));
    same(text, all);
    if (all['--atomic'] !== undefined) assert.deepEqual(all['--atomic'].told, told);
    assert.deepEqual(all['-c'], { did, told, status: told.length === 0 ? 0 : 2 }, JSON.stringify(text));
  }
});

test('several texts of one transaction: none goes on in the next', async () => {
  const both = await done({}, (at) => runAtomic(host(at), ['set /a C:\\dir\\', 'set /b y'], undefined));
  assert.deepEqual(both, { did: [], status: 2, told: [NO_LINE] });
  const whole = await done({}, (at) => runAtomic(host(at), ['set /a x', 'set /b y\n', 'set /a z'], undefined));
  assert.deepEqual(whole.did, ['set /a "x"', 'set /b "y"', 'set /a "z"']);
});

test('a script that ends in && or || is told so', async () => {
  for (const [text, operator] of [
    ['exists /nope &&', '&&'],
    ['echo a ||\n', '||'],
    ['echo a && # why\n', '&&'],
    ['echo a && \\', '\\'],
  ] as const) {
    const all = await everyWay(text, [], false);
    same(text, all);
    const missing = operator === '\\' ? 'line' : 'command';
    assert.deepEqual(all['-c']?.told, [`2 the last line ends in ${operator}, and no ${missing} follows`]);
    assert.deepEqual(all['-c']?.did, []);
  }
});

const blank = fc.constantFrom(' ', '\t', ' \\\n', ' \\\n  ');
const bare = fc
  .array(fc.constantFrom('a', 'é', ';x', '|', '\\', '\\\n', '#', '"', "'", '=', '{', '}', '\\ ', '&&', '>'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((all) => `w${all.join('')}`);
const inside = fc
  .array(fc.constantFrom('a', '\n', ' ', '\\', '\\\n', ';', ' && ', '#', '|', '{'), { maxLength: 5 })
  .map((all) => all.join(''));
const word = fc.oneof(
  bare,
  inside.map((text) => `'${text}'`),
  inside.map((text) => `"${text}\\""`),
  inside.map((text) => `$'${text.replaceAll('\\\n', '')}n'`),
  fc.constantFrom('#5', '\\#', '\\;', '\\|', 'a\\;', '-x'),
);
const words = fc
  .array(fc.tuple(blank, word), { maxLength: 3 })
  .map((all) => all.map(([between, each]) => between + each).join(''));
const json = inside.map((text) => `{"k":\n "${text.replaceAll('\\', '')}",\n [1]}`);
const datum = fc.oneof(word, json, fc.constantFrom('{"x": 1}', '[1,\n2]'));
const set = fc
  .tuple(fc.constantFrom('/a', '/b'), blank, datum)
  .map(([path, between, data]) => `set ${path}${between}${data}`);
const heredoc = fc
  .tuple(inside, fc.constantFrom('<<END', "<<'END'", '<<+END'), fc.constantFrom('', '; set /h x', ' && set /h y'))
  .map(([body, mark, more]) => `set /a ${mark}${more}\n${body}\nEND\n`);
const block = fc.array(set, { minLength: 1, maxLength: 2 }).map((all) => `txn {\n${all.join('\n')}\n}`);
const command = fc.oneof(
  words.map((text) => `echo${text}`),
  set,
  heredoc,
  block,
  words.map((text) => `!true ${text.replaceAll('\n', '')}`),
);
const between = fc.constantFrom('\n', '\n\n', '; ', ' && ', ' &&\n', ' ||\n', '\n# a comment \\\n', ' # why\n', '\n  ');
const end = fc.constantFrom(
  '',
  '\n',
  '\\',
  ' \\',
  ' \\\n',
  '\\\n',
  ' &&',
  ' &&\n',
  " '",
  ' {',
  '\n\\\n',
  '; \\\n',
  '\r\n\r\n',
);
const scriptOf = (each: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(fc.tuple(each, between), { minLength: 1, maxLength: 4 }), end, fc.boolean())
    .map(([all, last, isCrlf]) => {
      const text = all.map(([one, next], at) => one + (at === all.length - 1 ? last : next)).join('');
      return isCrlf ? text.replace(/\r?\n/g, '\r\n') : text;
    });
const cuts = fc.array(fc.nat(), { maxLength: 4 });

test('the same text does the same as -c, as a file, on standard input, by run', async () => {
  await fc.assert(
    fc.asyncProperty(scriptOf(command), cuts, async (text, at) => same(text, await everyWay(text, at, false))),
    { seed, numRuns: amount(10_000, 400), includeErrorInReport: true },
  );
});

test('a text of operations alone does the same as one transaction', async () => {
  await fc.assert(
    fc.asyncProperty(scriptOf(set), cuts, async (text, at) => {
      if (/&&|\|\|/.test(text)) return; // conditions in a transaction are another matter
      same(text, await everyWay(text, at, true));
    }),
    { seed, numRuns: amount(5000, 300), includeErrorInReport: true },
  );
});
