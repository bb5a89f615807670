import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SHELLS } from '../../src/cli/completion-scripts.ts';
import { FEW } from '../../src/cli/front.ts';
import { generatedFiles } from '../../src/cli/generated.ts';
import { usageText } from '../../src/cli/usage.ts';
import { few } from '../../src/commands/few.ts';
import { TOPICS } from '../../src/commands/help-topics.ts';
import { registry } from '../../src/commands/index.ts';
import { foldPage } from '../../src/out/fold.ts';
import { bind, optionsOf, positionals, synopsis } from '../../src/shell/bind.ts';
import { RUNNERS } from '../../src/shell/blocks.ts';
import { EXIT_CODES } from '../../src/shell/exit-codes.ts';
import { overview, pageOf } from '../../src/shell/help.ts';
import { resolvePath } from '../../src/shell/paths.ts';
import { fill } from '../../src/shell/variables.ts';
import { rig } from './rig.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Every zkCli command, and our own of this floor. */
const WANTED =
  'addauth addWatch close config connect create delete deleteall delquota get getAcl getAllChildrenNumber getEphemerals history listquota ls ls2 printwatches quit exit reconfig redo removewatches rmr set setAcl setquota stat sync version whoami cd pwd tree put exists mkdir settings profile use help';

test('the few that are read by themselves are what they are among all', () => {
  assert.deepEqual([...FEW].sort(), few.all.map(({ name }) => name).sort());
  for (const spec of few.all) assert.equal(registry.find(spec.name), spec);
});

test('every command is there, in a file of its own', () => {
  for (const name of WANTED.split(' ')) assert.ok(registry.find(name), name);
  const files = readdirSync(join(ROOT, 'src/commands')).filter(
    (name) =>
      ![
        'index.ts',
        'few.ts',
        'support.ts',
        'quota-text.ts',
        'data-options.ts',
        'help-topics.ts',
        'ensemble-text.ts',
        'conflicts.ts',
        'tree-rows.ts',
        'recipe-support.ts',
        'held-program.ts',
        'while-held.ts',
        'watch-queue.ts',
        'watch-behind.ts',
        'four-letter-mntr.ts',
        'watch-values.ts',
        'find-tests.ts',
        'find-delete.ts',
        'agree-runs.ts',
        'acl-survey.ts',
        'acl-guard.ts',
        'refuse-own.ts',
        'whole-tree.ts',
        'settle-race.ts',
        'json-value.ts',
        'ls-order.ts',
        'doctor-nodes.ts',
        'doctor-members.ts',
        'doctor-disk.ts',
        'doctor-look.ts',
        'test-ground.ts',
        'bench-phases.ts',
      ].includes(name),
  );
  assert.equal(files.length, registry.all.length);
});

test('every command explains itself', async () => {
  const help = await usageText();
  for (const spec of registry.all) {
    assert.ok(spec.about.length > 5, spec.name);
    assert.ok(spec.examples.length >= 3, `${spec.name} has ${spec.examples.length} examples`);
    assert.equal(new Set(spec.examples.map(([line]) => line)).size, spec.examples.length, `${spec.name}: one twice`);
    for (const [key, param] of [...positionals(spec), ...optionsOf(spec)])
      assert.ok(param.about.length > 5, `${spec.name} does not explain ${key}`);
    const letters = optionsOf(spec).flatMap(([, { short, long }]) =>
      [short, long].filter((each) => each !== undefined),
    );
    assert.equal(new Set(letters).size, letters.length, `${spec.name} has an option twice`);
    for (const code of spec.exits ?? []) assert.ok(code in EXIT_CODES, `${spec.name} names the exit code ${code}`);
    const page = pageOf(spec);
    assert.ok(page.includes(synopsis(spec)) && page.includes(spec.about));
    assert.ok(help.includes(spec.about), `--help leaves out ${spec.name}`);
  }
});

test('the reader of blocks knows each command that runs another', () => {
  const runners = registry.all.filter(({ params }) => Object.values(params).some(({ kind }) => kind === 'command'));
  assert.deepEqual(new Set(runners.map(({ name }) => name)), RUNNERS);
});

test('every example reads as its command', async () => {
  let count = 0;
  for (const spec of registry.all)
    for (const [line, about] of spec.examples) {
      count++;
      assert.ok(about.length > 2, line);
      const { shell } = rig();
      const { pipelines, fault, open } = shell.parse(line);
      assert.equal(fault?.message ?? open?.kind, undefined, line);
      for (const { words, substitution } of pipelines) {
        const [name, ...args] = words.map((word) => fill(word, () => 'x'));
        if (substitution !== undefined) args.push({ text: 'x', quote: 'double' });
        const found = registry.find(name?.text ?? '');
        assert.ok(found !== undefined, `${line}: no command ${name?.text}`);
        const files = args.map((arg) =>
          /^@(?!@)/.test(arg.text) && !['use', 'connect'].includes(found.name) ? { ...arg, text: 'x' } : arg,
        );
        bind(found, files, name?.text ?? '', {
          resolve: (typed, keep) => resolvePath('/', typed, keep),
          stdin: () => new Uint8Array(0),
        });
      }
      assert.equal(registry.find(line.split(' ')[0] as string), spec, `${line} belongs to another command`);
    }
  assert.ok(count > 50);
});

test('help answers for every command and topic', async () => {
  for (const subject of [...registry.all.map(({ name }) => name), ...Object.keys(TOPICS), 'exit-codes']) {
    const it = rig();
    assert.equal(await it.shell.run(`help ${subject}`), 0, subject);
    assert.equal(it.shown[0]?.type, 'page');
  }
  const it = rig();
  assert.equal(await it.shell.run('help creat'), 127);
  assert.equal(it.told[0]?.failure.hint, 'did you mean help create ?');
  for (const line of ['help start', 'start standalone']) {
    const other = rig();
    assert.equal(await other.shell.run(line), 127, line);
    assert.equal(other.told[0]?.failure.hint, 'zoosh start --help tells of it, outside the shell', line);
  }
});

test('completions/, docs/ and man/ hold what is printed', async () => {
  assert.deepEqual(readdirSync(join(ROOT, 'completions')).sort(), SHELLS.map((shell) => `zoosh.${shell}`).sort());
  const files = await generatedFiles();
  assert.equal(files.size, SHELLS.length + 3);
  for (const [file, text] of files)
    assert.equal(readFileSync(join(ROOT, file), 'utf8'), text, `npm run generate writes ${file} again`);
});

test('help shows all commands and topics on one screen of 80x24', () => {
  const text = overview(registry.all, Object.keys(TOPICS));
  const rows = foldPage(text, 80);
  assert.ok(rows.length < 24, `${rows.length} rows`);
  for (const { name } of registry.all) assert.match(text, new RegExp(`(^| )${name}( |$)`, 'm'));
});
