import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions } from '../../src/cli/options.ts';

const OPTIONS = {
  data: { type: 'string' },
  config: { type: 'string', short: 'c' },
  memory: { type: 'boolean' },
  set: { type: 'string', multiple: true },
} as const;
const read = (args: readonly string[], allowPositionals = true) =>
  readOptions({ args: [...args], options: OPTIONS, allowPositionals });

test('words that fit are read', () => {
  const { values, positionals } = read(['a', '--data', '/x', '--set', 'a=1', '--set=-b', '--memory', '--', '--data']);
  assert.deepEqual({ ...values }, { data: '/x', set: ['a=1', '-b'], memory: true });
  assert.deepEqual(positionals, ['a', '--data']);
});

/** Words, and what is said of them. */
const MISFITS: readonly (readonly [readonly string[], string])[] = [
  [['--data-dir', '/x'], 'unknown option --data-dir; did you mean --data ?'],
  [['--dta', '/x'], 'unknown option --dta; did you mean --data ?'],
  [['--conf', 'x'], 'unknown option --conf; did you mean --config ?'],
  [['--nothing=3'], 'unknown option --nothing'],
  [['-q'], 'unknown option -q'],
  [['--data'], '--data needs a value'],
  [['-c'], '-c needs a value'],
  [
    ['--data', '--memory'],
    '--data needs a value, and --memory looks like an option: write --data=--memory if it is one',
  ],
  [['--memory=yes'], '--memory takes no value'],
];
for (const [args, sentence] of MISFITS)
  test(`${args.join(' ')}: ${sentence}`, () => {
    assert.throws(() => read(args), { message: sentence });
  });

test('a word too many is named where none is taken', () => {
  assert.throws(() => read(['--memory', 'x'], false), { message: 'one word too many: x' });
});
