/** What a command loads: the heavy parts only once they are used, since each costs every start. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BIN } from './cli.ts';
import { ServerProcess } from './process.ts';

const LOADER = `import { writeSync } from 'node:fs';
export async function load(url, context, next) { writeSync(2, 'loaded ' + url + '\\n'); return next(url, context); }`;
const data = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
// what is required, and not imported, is in the cache at the end
const HOOK = data(`import module, { register } from 'node:module'; import { writeSync } from 'node:fs';
register(${JSON.stringify(data(LOADER))});
process.on('exit', () => { for (const file of Object.keys(module._cache)) writeSync(2, 'loaded file://' + file + '\\n'); });`);

/** Names of packages that a command loads, and of our rooms; of the room `server` its files. */
function loadedBy(args: readonly string[]): { packages: Set<string>; rooms: Set<string> } {
  const env = { PATH: process.env.PATH, LANG: 'C.UTF-8', ZOOSH_HOME: '/nonexistent' };
  const ran = spawnSync(process.execPath, ['--import', HOOK, BIN, ...args], { encoding: 'utf8', env, timeout: 30_000 });
  assert.equal(ran.status, 0, ran.stderr);
  const packages = new Set<string>();
  const rooms = new Set<string>();
  for (const [, url = ''] of ran.stderr.matchAll(/^loaded (file:.*)$/gm)) {
    const name = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
    if (name !== undefined) packages.add(name);
    // the bundler notes above each piece which file it was
    else
      for (const [, room = ''] of readFileSync(fileURLToPath(url), 'utf8').matchAll(
        /^\/\/ dist\/src\/((?:server\/)?\w+)\b/gm,
      ))
        rooms.add(room);
  }
  return { packages, rooms };
}

test('a command loads neither inquirer nor cli-table3 nor the server; a table loads what draws it', async () => {
  await using server = await new ServerProcess().start();
  for (const words of [
    ['get', '/zookeeper'],
    ['ls', '/'],
    ['create', '/x'],
  ]) {
    const { packages, rooms } = loadedBy(['-s', server.hosts, ...words]);
    assert.ok(rooms.has('client') && rooms.has('shell'), 'it sees what is loaded');
    for (const name of ['inquirer', '@inquirer/prompts', 'cli-table3', 'pino', 'prom-client', 'msgpackr'])
      assert.ok(!packages.has(name), `${words[0]} loads ${name}`);
    // what reads a configuration is shared with reconfig; what serves is not
    for (const room of ['server/server', 'server/replica', 'runtime', 'storage', 'zab', 'tree'])
      assert.ok(!rooms.has(room), `${words[0]} loads ${room}`);
  }
  assert.ok(loadedBy(['-s', server.hosts, '-o', 'table', 'stat', '/']).packages.has('cli-table3'));
});
