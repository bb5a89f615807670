import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globalHelp } from '../../src/cli/globals.ts';
import { readOptions } from '../../src/cli/options.ts';
import { OUTER } from '../../src/cli/outer.ts';
import { TOPICS } from '../../src/commands/help-topics.ts';
import { foldPage } from '../../src/out/fold.ts';
import { PROGRAMS } from '../../src/shell/programs.ts';
import { BIN, zoosh } from '../e2e/cli.ts';
import { Session } from '../editor/session.ts';

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

test('a mistake in the words of a program is told, and where its help is, not all of that', async () => {
  for (const [words, wrong, name] of [
    [['start', 'standalone', '--prot', '2181'], 'unknown option --prot; did you mean --port ?', 'start'],
    [['start', 'standalone', '--port', 'x'], '--port x is not a port', 'start'],
    [
      ['start', 'stanalone'],
      'start: stanalone is not standalone, server, ensemble or observer; did you mean standalone ?',
      'start',
    ],
    [['start', 'zoo.cfg'], "zoo.cfg is not an option's: start server --config zoo.cfg reads it", 'start'],
    [['start'], 'start: say standalone, server, ensemble or observer', 'start'],
    [['server', 'statsu'], 'server: unknown verb statsu; did you mean status ?', 'server'],
    [['server', '--nope'], 'unknown option --nope', 'server'],
    [['server'], 'server: VERB is missing', 'server'],
    [['backup'], 'backup: FILE is missing', 'backup'],
    [['backup', 'x', '--rat', '3'], 'unknown option --rat; did you mean --rate ?', 'backup'],
    [['restore', '--too', 'x'], 'unknown option --too; did you mean --to ?', 'restore'],
    [['restore'], 'restore: FILE is missing', 'restore'],
    [['digest'], 'digest: USER:PASSWORD is missing', 'digest'],
    [['digest', '--sha25', 'a:b'], 'unknown option --sha25; did you mean --sha256 ?', 'digest'],
    [['digest', 'bob'], 'digest: bob is not USER:PASSWORD', 'digest'],
    [['txnlog', '-q', 'x'], 'unknown option -q', 'txnlog'],
  ] as const)
    assert.deepEqual(await zoosh(words), {
      code: 2,
      stdout: '',
      stderr: `error: ${wrong}\n hint: zoosh ${name} --help\n`,
    });
});

/** Lines of a page that do not fit, but for words that are longer than a line. */
const tooLong = (text: string, width: number): string[] =>
  foldPage(text, width).filter((line) => line.length > width && line.trim().includes(' '));

test('each program has a help of its own, which fits any width; help shows the same', async () => {
  assert.deepEqual([...PROGRAMS].sort(), OUTER.map(({ name }) => name).sort());
  for (const name of PROGRAMS) {
    const own = await zoosh([name, '--help']);
    assert.deepEqual([own.code, own.stderr], [0, ''], name);
    assert.match(own.stdout, new RegExp(`^usage: zoosh ${name}`), name);
    for (const width of [80, 48]) assert.deepEqual(tooLong(own.stdout, width), [], `${name} at ${width}`);
    assert.deepEqual(await zoosh(['help', name]), own, name);
  }
});

test('help of start is for people: what programs say to each other is not in it, and where an observer is, is', async () => {
  const { stdout } = await zoosh(['start', 'observer', '--help']);
  assert.doesNotMatch(stdout, /--leash|--temporary|--control/);
  assert.match(stdout, /--data DIR .*\.\/zoosh-observer/);
  assert.match(stdout, /--port P .*first free port from 2181/);
});

test('help of programs breaks between words on a terminal', async () => {
  using session = new Session({ columns: 48, rows: 90, sh: `exec ${process.execPath} ${BIN} start --help` });
  assert.equal(await session.ended(), 0);
  const lines = session.screen.all();
  assert.ok(lines.includes('       [--host 127.0.0.1] [--data DIR |'), lines.join('\n'));
});

test('topics fit 80 and 48 columns, and no item of them is broken in two', () => {
  for (const [topic, text] of Object.entries(TOPICS))
    for (const width of [80, 48]) assert.deepEqual(tooLong(text, width), [], `${topic} at ${width}`);
  const safety = TOPICS.safety ?? '';
  const items = safety.split('\n').filter((line) => /^ {2}\S/.test(line));
  for (const line of items) assert.match(line, /^ {2}\S+(?: \S+)* {2,}\S/, line);
});

test('the options before the command are told with their values', async () => {
  const help = await globalHelp();
  assert.match(help, /^ {2}-s, --server LIST {2,}/m);
  assert.match(help, /^ {2}-o, --output MODE {2,}/m);
  assert.match(help, /^ {2}--connect-timeout DUR {2,}.*default 5s$/m);
  assert.match(help, /^ {2}--tls {2,}/m);
});
