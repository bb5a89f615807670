/** What a process of ours reads of packages and of the server: nothing that it does not use, since start is short of time. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Session } from '../editor/session.ts';
import { BIN, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const home = mkdtempSync(join(tmpdir(), 'zoosh-loaded-'));
before(async () => void (await server.start()));
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

/** Node writes to `$LOADED` whatever it loads. */
const HOOKS = `import { appendFileSync } from 'node:fs';
export async function load(url, context, next) {
  appendFileSync(process.env.LOADED, url + '\\n');
  return next(url, context);
}`;
const asUrl = (script: string): string => `data:text/javascript;base64,${Buffer.from(script).toString('base64')}`;
/** What is required, and not imported, passes by those. */
const REGISTER = asUrl(`import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
register('${asUrl(HOOKS)}');
const { cache } = createRequire(process.argv[1]);
process.on('exit', () => appendFileSync(process.env.LOADED, Object.keys(cache).join('\\n')));`);

interface Loaded {
  readonly packages: ReadonlySet<string>;
  /** Ours, below src. */
  readonly modules: ReadonlySet<string>;
}

/** What was loaded while `run` ran with this environment, from the parts of the program. */
async function loadedBy(run: Run): Promise<Loaded> {
  const list = join(home, 'list');
  writeFileSync(list, '');
  await run({ NODE_OPTIONS: `--import ${REGISTER}`, LOADED: list, ZOOSH_CODE_CACHE: 'off' });
  const urls = readFileSync(list, 'utf8').trim().split('\n');
  const modules = new Set<string>();
  // esbuild names each module above its text
  for (const url of new Set(urls.filter((each) => /^file:.*\/dist\/bin\//.test(each))))
    for (const name of namesIn(readFileSync(fileURLToPath(url), 'utf8'), NAMED)) modules.add(name);
  return { packages: packagesOf(urls), modules };
}
type Run = (env: Record<string, string>) => Promise<unknown>;
const NAMED = /^\/\/ dist\/src\/(\S+)\.js$/gm;
const namesIn = (text: string, which: RegExp): string[] => [...text.matchAll(which)].map(([, name = '']) => name);
const packagesOf = (urls: readonly string[]): Set<string> =>
  new Set(urls.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []));

/** The same, from the program as one script, whose code is kept: what of it ran. */
async function ranBy(run: Run): Promise<Loaded> {
  const [list, folder, code] = [join(home, 'list'), mkdtempSync(join(home, 'ran-')), join(home, 'code')];
  writeFileSync(list, '');
  const env = { NODE_OPTIONS: `--import ${REGISTER}`, LOADED: list, ZOOSH_CODE_CACHE: code };
  for (let starts = 0; starts < 2; starts++) await zoosh(['--version'], '', env);
  writeFileSync(list, '');
  await run({ ...env, NODE_V8_COVERAGE: folder });
  const urls = readFileSync(list, 'utf8').trim().split('\n');
  const text = readFileSync(fileURLToPath(new URL('../../../dist/bin/program.cjs', import.meta.url)), 'utf8');
  // what is loaded later is a function by the name of its file; the rest runs at the start
  const later = new Set(namesIn(text, /^ {2}(?:async )?"dist\/src\/(\S+)\.js"\(\) \{/gm));
  assert.ok(later.size > 100);
  const modules = new Set(namesIn(text, NAMED).filter((name) => !later.has(name)));
  let scripts = 0;
  for (const file of readdirSync(folder)) {
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Coverage;
    for (const { url, functions } of result) {
      if (!url.endsWith('/dist/bin/program.cjs')) continue;
      scripts++;
      for (const { functionName, ranges } of functions) {
        const [, name] = /^dist\/src\/(\S+)\.js$/.exec(functionName) ?? [];
        if (name !== undefined && (ranges[0]?.count ?? 0) > 0) modules.add(name);
      }
    }
  }
  assert.ok(scripts > 0, 'it ran as one script');
  return { packages: packagesOf(urls), modules };
}
interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly functionName: string; readonly ranges: readonly { count: number }[] }[];
  }[];
}

const HEAVY = ['inquirer', '@inquirer/prompts', 'cli-table3', 'pino', 'prom-client'];
/** Not what reads its file of settings, which the shell looks into, too. */
const OF_SERVER = /^(?:storage|zab|tree|server\/(?!config|ip$))/;
const serverIn = (loaded: Loaded): string[] => [...loaded.modules].filter((name) => OF_SERVER.test(name));

function isLight(loaded: Loaded): void {
  assert.deepEqual(
    HEAVY.filter((name) => loaded.packages.has(name)),
    [],
  );
  assert.deepEqual(serverIn(loaded), []);
}

/** A prompt in a pseudo terminal, at which one line is entered. */
async function prompt(env: Record<string, string>, line: string): Promise<void> {
  using session = new Session({
    sh: `exec ${process.execPath} ${BIN} ${server.hosts}`,
    env: { ...env, ZOOSH_HOME: home, LANG: 'C.UTF-8' },
  });
  await session.until((screen) => screen.includes('connected to') && screen.includes('> |'), 'the prompt');
  session.type(`${line}\r\x04`);
  await session.ended();
}

for (const [how, by] of [
  ['', loadedBy],
  [', from code that was kept', ranBy],
] as const) {
  test(`a one-shot command in a pipe loads no questions, no tables, no server and no editor${how}`, async () => {
    const loaded = await by((env) => zoosh(['-s', server.hosts, 'get', '/zookeeper'], '', env));
    isLight(loaded);
    assert.ok(loaded.modules.has('commands/get') && !loaded.modules.has('editor/editor'));
    // nor the commands that nobody asked for
    assert.ok(!loaded.modules.has('commands/mirror') && !loaded.modules.has('commands/index'));
  });

  test(`the prompt loads no questions, no tables and no server${how}`, async () => {
    const loaded = await by((env) => prompt(env, 'get /zookeeper'));
    isLight(loaded);
    assert.ok(loaded.modules.has('editor/editor'));
  });

  test(`what is used is in the list: a table, a server${how}`, async () => {
    const table = await by((env) => prompt(env, 'settings'));
    assert.ok(table.packages.has('cli-table3'));
    const count = await by((env) => zoosh(['-s', server.hosts, 'count', '/zookeeper'], '', env));
    assert.ok(count.modules.has('commands/mirror'));
    const start = await by((env) => zoosh(['verify', home], '', env));
    assert.notDeepEqual(serverIn(start), []);
  });
}
