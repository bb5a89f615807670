import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Each room, and the rooms it may look down into. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  protocol: ['base'],
  records: ['base'],
  ports: ['base'],
  tree: ['base', 'records'],
  zab: ['base', 'records'],
  server: ['base', 'protocol', 'records', 'tree', 'zab', 'sasl'],
  storage: ['base', 'records', 'ports'],
  platform: ['base', 'ports'],
  runtime: ['base', 'protocol', 'records', 'ports', 'tree', 'zab', 'server', 'storage', 'platform'],
  // the library's front door ties the machine to real clock and sockets
  client: ['base', 'protocol', 'ports', 'platform', 'sasl'],
  recipes: ['base', 'client'],
  config: ['base'],
  editor: ['base'],
  sasl: ['base'],
  // archives are MessagePack, whose door is in records; watches of old servers are made in recipes, which need them, too
  shell: ['base', 'client', 'recipes', 'config', 'editor', 'records'],
  commands: ['base', 'client', 'recipes', 'config', 'shell'],
  out: ['base', 'client', 'shell'],
  // files of Apache's servers, and data directories of theirs and ours as they lie on the disk, no server running
  apache: ['base', 'protocol', 'records', 'ports', 'tree'],
  offline: ['base', 'protocol', 'records', 'ports', 'tree', 'storage', 'apache'],
  // zkCli as a program of its own, on our client
  zkcli: ['base', 'client', 'out'],
  // processes and files of ensembles on this machine; what it asks members over their control sockets is typed in runtime
  ensemble: ['base', 'client', 'runtime', 'shell'],
  // what operators' scripts and services expect around a server: flags, pid files, shims, container variables
  operate: ['base', 'server', 'runtime'],
  // of the protocol only the names of its parts, for the trace of -v
  cli: [
    'base',
    'protocol',
    'ports',
    'platform',
    'client',
    'config',
    'shell',
    'commands',
    'out',
    'zkcli',
    'editor',
    'ensemble',
    'operate',
    'runtime',
    'sasl',
    'server',
    'storage',
    // snapshots, as one side of a comparison
    'tree',
    'apache',
    'offline',
  ],
};
/** A longer file has a second job: it is split. */
const MOST_LINES = 500;
const PURE = new Set(['base', 'sasl', 'protocol', 'records', 'tree', 'zab', 'server']);
const PURE_FILES = new Set([
  'client/session.ts',
  'client/login.ts',
  'client/watches.ts',
  'shell/lexer.ts',
  'shell/blocks.ts',
  'zkcli/words.ts',
  'zkcli/texts.ts',
  ...['adler', 'damage', 'digest', 'names', 'node-fields', 'records', 'replayed-tree', 'settle', 'snappy', 'txn'].map(
    (name) => `apache/${name}.ts`,
  ),
  'apache/snapshot-parser.ts',
  'apache/snapshot-writer.ts',
  ...[
    'buffer',
    'commands',
    'keys',
    'menu',
    'modes',
    'plain',
    'recall',
    'redact',
    'render',
    'screen',
    'state',
    'view',
  ].map((name) => `editor/${name}.ts`),
]);
/** Deterministic functions of Node that a pure room may use. */
const PURE_IMPORTS = new Set(['node:crypto', 'node:zlib']);
const IMPURE =
  /\b(Date\.now|new Date\(|performance\.|setTimeout|setInterval|setImmediate|queueMicrotask|Math\.random|randomBytes|Promise|async |await )/;
const DOORS: Readonly<Record<string, string>> = {
  // used when the program is built, and not by it
  esbuild: 'cli/bundle.ts',
  pino: 'runtime/log.ts',
  'prom-client': 'runtime/metrics.ts',
  'node-forge': 'platform/key-stores.ts',
  'msgpackr/index-no-eval': 'records/pack.ts',
  commander: 'cli/globals.ts',
  inquirer: 'cli/ask.ts',
  'cli-table3': 'out/table.ts',
  chalk: 'out/theme.ts',
};

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.d.ts'),
);

/** What is wrong with a file under the plan, in words. */
function faults(file: string, text: string): string[] {
  const out: string[] = [];
  const [room = ''] = file.split('/');
  const pure = PURE.has(room) || PURE_FILES.has(file);
  const code = withoutComments(text);
  for (const [, target = ''] of code.matchAll(/(?:from |import |import\()'([^']+)'/g)) {
    if (target.startsWith('.')) {
      if (!file.includes('/')) continue;
      const [into = ''] = join(dirname(file), target).split('/');
      if (into !== room && ROOMS[room]?.includes(into) !== true) out.push(`${room} may not import ${into}`);
    } else if (target.startsWith('node:')) {
      if (pure && !PURE_IMPORTS.has(target)) out.push(`a pure room imports ${target}`);
    } else if (DOORS[target] !== file) out.push(`${target} has one door, ${DOORS[target] ?? 'none'}`);
  }
  if (pure) {
    const found = IMPURE.exec(code.replace(/'[^'\n]*'/g, "''"));
    if (found !== null) out.push(`a pure room uses ${found[0]}`);
  }
  return out;
}

test('every file keeps to the plan of the house', () => {
  assert.ok(files.length > 40);
  const all = files.flatMap((file) =>
    faults(file, readFileSync(join(ROOT, 'src', file), 'utf8')).map((fault) => `${file}: ${fault}`),
  );
  assert.deepEqual(all, []);
});

test('no file has swollen past what one can hold in mind', () => {
  const long = files.filter(
    (file) => readFileSync(join(ROOT, 'src', file), 'utf8').split('\n').length > MOST_LINES + 1,
  );
  assert.deepEqual(long, []);
});

test('the plan is seen to be broken where it is', () => {
  assert.deepEqual(faults('tree/x.ts', "import { a } from '../server/acl.ts';\n"), ['tree may not import server']);
  assert.deepEqual(faults('zab/x.ts', 'const t = Date.now();'), ['a pure room uses Date.now']);
  assert.deepEqual(faults('server/x.ts', "import fs from 'node:fs';"), ['a pure room imports node:fs']);
  assert.deepEqual(faults('runtime/x.ts', "import { pino } from 'pino';"), ['pino has one door, runtime/log.ts']);
});

test('every dependency has its reason written down', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const text = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8');
  for (const name of Object.keys({ ...dependencies, ...devDependencies }))
    assert.ok(text.includes(`\`${name}\``), name);
});

test('docs/zab.md names files that exist, and guards that are the names of tests', () => {
  const text = readFileSync(join(ROOT, 'docs/zab.md'), 'utf8');
  const missing: string[] = [];
  let guards = 0;
  const rules = text.slice(text.indexOf('## The rules'), text.indexOf('## Where it differs from ZooKeeper'));
  for (const [, name = '', titles = ''] of rules.matchAll(/`([\w/-]+\.test\.ts)`(?:: ([^`|]*))?/g)) {
    const source = readFileSync(join(ROOT, name.includes('/') ? name : `test/zab/${name}`), 'utf8');
    for (const title of titles.split(';').map((each) => each.trim())) {
      guards++;
      if (!source.includes(title)) missing.push(`${name}: ${title}`);
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(guards > 50);
  const parts = text.slice(text.indexOf('| file | job |'), text.indexOf('Messages are described'));
  const named = [...parts.matchAll(/`([\w-]+\.ts)`/g)].map(([, name = '']) => `zab/${name}`);
  const present = files.filter((file) => file.startsWith('zab/') && file !== 'zab/types.ts');
  assert.deepEqual(named.sort(), present.sort());
});

test('every file of tests for programs we did not write is run, by the script or by another of them', () => {
  const folder = join(ROOT, 'test/interop');
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  const texts = new Map(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  const script = readFileSync(join(folder, 'run.sh'), 'utf8');
  const run = new Set(
    [...script.matchAll(/^ *(?:\w+=\w+ )?tests (\S+)\.js(?: &.*)?$/gm)].map((found) => `${found[1]}.ts`),
  );
  const imported = (name: string): boolean => [...texts.values()].some((text) => text.includes(`'./${name}'`));
  const withTests = files.filter((name) => /^ *test\(/m.test(texts.get(name) ?? ''));
  assert.ok(withTests.length > 20);
  assert.deepEqual(
    withTests.filter((name) => !run.has(name) && !imported(name)),
    [],
  );
});
