/** Every example of README.md and docs/ is run, and shows what the text says that it shows. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { amount } from '../amount.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type Block, blocksOf, commandsOf, contains, exchangesOf, namedTests, settled } from './blocks.ts';
import { Place, ROOT } from './place.ts';
import { fits, PLAYS, RUNS } from './served.ts';

const PROMPT = /^[\w.:-]+:\/\S*> /;
const DOLLAR = /^\$ /;
/** What a program in a document is given by its reader. */
const GIVEN: Readonly<Record<string, string>> = {
  'docs/recipes.md': 'const store = { write: async (rows: unknown[], how: object) => {} }; const rows = [1];\n',
};

const documents = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort(),
];
const examples = new Map(documents.map((file) => [file, blocksOf(file, readFileSync(join(ROOT, file), 'utf8'))]));

/** Looked at behind something that takes its time on a busy machine, as an election does: it may be looked at again. */
const LOOK = / && (zoosh ensemble status)$/;
const REST_MS = 500;
async function comes(wanted: string, typed: string, first: string, place: Place): Promise<boolean> {
  const look = LOOK.exec(typed)?.[1];
  for (let again = 0; look !== undefined && again < PATIENCE_MS / REST_MS; again++) {
    await sleep(REST_MS);
    const seen = settled((await place.typed(look)).screen);
    const before = wanted.slice(0, wanted.length - seen.length);
    if (seen !== '' && wanted.endsWith(seen) && settled(first).startsWith(before)) return true;
  }
  return false;
}

async function playConsole(file: string, block: Block, place: Place): Promise<void> {
  const { greeting, all } = exchangesOf(block, DOLLAR);
  assert.deepEqual(greeting, [], `${file}:${block.line}: a console begins with what is typed`);
  const faults: string[] = [];
  for (const { line, typed, shown } of all) {
    const { code, screen } = await place.typed(typed);
    const isRight = shown.length === 0 ? code === 0 : settled(screen) === settled(shown.join('\n'));
    if (!isRight && !(await comes(settled(shown.join('\n')), typed, screen, place)))
      faults.push(`${file}:${line}: ${typed}\n${screen}`);
  }
  assert.deepEqual(faults, []);
}

async function playPrompt(file: string, block: Block, place: Place): Promise<void> {
  const { greeting, all } = exchangesOf(block, PROMPT);
  const isPlayground = block.lines.some((line) => line.startsWith('playground:'));
  using one = place.prompt(isPlayground);
  await one.shows('type help');
  const seen = (): string => one.screen.all().join('\n');
  let from = 0;
  const since = (): string =>
    settled(
      seen()
        .slice(from)
        .trim()
        .replace(/^[\w.:-]+:\/\S*>/, '')
        .replace(/[\w.:-]+:\/\S*>$/, ''),
    );
  if (greeting.length > 0) assert.equal(since(), settled(greeting.join('\n')), `${file}:${block.line}`);
  for (const { line, typed, shown } of all) {
    from = seen().length;
    one.type(`${typed}\r`);
    const wanted = settled(`${typed}\n${shown.join('\n')}`);
    await one.until(() => since() === wanted, `${file}:${line}: ${wanted}, but ${since()}`).catch(() => {});
    assert.equal(since(), wanted, `${file}:${line}`);
  }
}

async function play(file: string, block: Block, place: Place): Promise<void> {
  switch (block.language) {
    case 'console':
      return playConsole(file, block, place);
    case 'zoosh':
      return playPrompt(file, block, place);
    case 'sh': {
      const faults: string[] = [];
      for (const [at, line] of block.lines.entries()) {
        if (line.trim() === '' || line.startsWith('#')) continue;
        const { code, out } = await place.run(line);
        if (code !== 0) faults.push(`${file}:${block.line + at}: ${line}\n${code}: ${out}`);
      }
      assert.deepEqual(faults, []);
      return;
    }
    case 'ts': {
      const { code, out } = await place.program(`${GIVEN[file] ?? ''}${block.lines.join('\n')}`, String(block.line));
      assert.equal(code, 0, `${file}:${block.line}: ${out}`);
    }
  }
}

for (const [file, blocks] of examples) {
  const all = blocks.filter(({ notRun, isLong }) => notRun === undefined && (!isLong || amount(1, 0) === 1));
  if (all.length === 0) continue;
  test(`the ${all.length} examples of ${file} do what it says`, async () => {
    await using place = await Place.open();
    const faults: string[] = [];
    for (const block of all) await play(file, block, place).catch((error: Error) => faults.push(error.message));
    assert.equal(faults.join('\n'), '');
  });
}

/** What no test can run, by its first line: the whole list. */
const UNTRIED: readonly string[] = [
  'docs/deploy/README.md: npm pack --pack-destination docs/deploy && docker build -t zoosh docs/deploy',
];

test('a block that is not run here names the test that runs what it says', () => {
  const faults: string[] = [];
  const untried: string[] = [];
  for (const [file, blocks] of examples)
    for (const block of blocks) {
      if (block.notRun === undefined) continue;
      const names = namedTests(block.notRun);
      const own: readonly string[] = Object.values(RUNS).filter((name) => names.includes(name));
      if (names.length === 0) untried.push(`${file}: ${block.lines[0]}`);
      else if (own.length > 0) {
        if (!PLAYS.some((play) => fits(play, file, block)))
          faults.push(`${file}:${block.line}: is not in ${own.join()}`);
      } else faults.push(...notFoundOf(file, block, names));
    }
  assert.deepEqual(faults, []);
  assert.deepEqual(untried, UNTRIED);
});

function notFoundOf(file: string, block: Block, names: readonly string[]): string[] {
  const gone = names.filter((name) => !existsSync(join(ROOT, name)));
  if (gone.length > 0) return [`${file}:${block.line}: there is no ${gone.join(', ')}`];
  const texts = names.map((name) => readFileSync(join(ROOT, name), 'utf8'));
  const missing = commandsOf(block).filter((command) => !texts.some((text) => contains(text, command)));
  return missing.map((command) => `${file}:${block.line}: ${command.join(' ')} is not in ${names.join(', ')}`);
}

test('a command that the named test lacks is found', () => {
  const [block] = blocksOf(
    'x.md',
    '```sh (not run: see test/nosuch.ts for it)\nzoosh backup /b.zbak --control x && mv a b\n```',
  );
  assert.deepEqual(commandsOf(block as Block), [['backup', '--control']]);
  assert.deepEqual(notFoundOf('x.md', block as Block, ['test/nosuch.ts']), ['x.md:2: there is no test/nosuch.ts']);
  assert.ok(contains("zoosh(['backup', file,\n '--control', socket])", ['backup', '--control']));
  assert.ok(!contains("zoosh(['backup-of', file, '--control'])", ['backup', '--control']));
  assert.ok(!contains(`'backup'${'\n'.repeat(20)}'--control'`, ['backup', '--control']));
});

test('a block is an example that is run, has a reason, or is none', () => {
  const count = [...examples.values()].flat().length;
  assert.ok(count > 15, `${count} examples`);
  const all = (text: string): Block[] => blocksOf('x.md', text);
  assert.throws(() => all('```\nzoosh ls /\n```'), /x\.md:1: is this an example/);
  assert.throws(() => all('```bash\nzoosh ls /\n```'), /is this an example/);
  assert.throws(() => all('```sh (not run: no)\nzoosh ls /\n```'), /why is it not run/);
  assert.throws(() => all('```sh\nzoosh ls /'), /does not end/);
  assert.equal(all('```text\nx\n```').length, 0);
  assert.equal(all('```sh (not run: needs three machines)\nx\n```')[0]?.notRun, 'needs three machines');
});

test('an example that shows something else is found', async () => {
  await using place = await Place.open();
  const block = (text: string): Block => blocksOf('x.md', text)[0] as Block;
  await play('x.md', block('```console\n$ zoosh get /app/config | cat\n{"level":"info","ports":[1]}\n```'), place);
  await assert.rejects(play('x.md', block('```console\n$ zoosh exists /app\nno\n```'), place), /x\.md:2/);
  await assert.rejects(play('x.md', block('```sh\nzoosh get /nope\n```'), place), /x\.md:2/);
  await assert.rejects(play('x.md', block('```ts\nthrow new Error("no");\n```'), place), /x\.md:2/);
});
