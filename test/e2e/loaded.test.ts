/** What a process of ours reads of packages and of the server: nothing that it does not use, since start is short of time. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** What was loaded while `run` ran with this environment. */
async function loadedBy(run: (env: Record<string, string>) => Promise<unknown>): Promise<Loaded> {
  const list = join(home, 'list');
  writeFileSync(list, '');
  await run({ NODE_OPTIONS: `--import ${REGISTER}`, LOADED: list });
  const urls = readFileSync(list, 'utf8').trim().split('\n');
  const packages = new Set(urls.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []));
  const modules = new Set<string>();
  // esbuild names each module above its text
  for (const url of new Set(urls.filter((each) => each.includes('/dist/bin/'))))
    for (const [, name = ''] of readFileSync(fileURLToPath(url), 'utf8').matchAll(/^\/\/ dist\/src\/(\S+)\.js$/gm))
      modules.add(name);
  return { packages, modules };
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

test('a one-shot command in a pipe loads no questions, no tables, no server and no editor', async () => {
  const loaded = await loadedBy((env) => zoosh(['-s', server.hosts, 'get', '/zookeeper'], '', env));
  isLight(loaded);
  assert.ok(loaded.modules.has('commands/get') && !loaded.modules.has('editor/editor'));
  // nor the commands that nobody asked for
  assert.ok(!loaded.modules.has('commands/mirror') && !loaded.modules.has('commands/index'));
});

test('the prompt loads no questions, no tables and no server', async () => {
  const loaded = await loadedBy((env) => prompt(env, 'get /zookeeper'));
  isLight(loaded);
  assert.ok(loaded.modules.has('editor/editor'));
});

test('what is used is in the list: a table, a server', async () => {
  const table = await loadedBy((env) => prompt(env, 'settings'));
  assert.ok(table.packages.has('cli-table3'));
  const count = await loadedBy((env) => zoosh(['-s', server.hosts, 'count', '/zookeeper'], '', env));
  assert.ok(count.modules.has('commands/mirror'));
  const start = await loadedBy((env) => zoosh(['with', '-n', '1', '--', 'true'], '', { ...env, ZOOSH_HOME: home }));
  assert.notDeepEqual(serverIn(start), []);
});
