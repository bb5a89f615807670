/** Limits go back whole, though servers write beside them; what only holds something for a while leaves nothing to take back. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { type Rig, rig } from '../shell/rig.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-undo-quota-'));
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

let rigs = 0;
const prompt = (): Rig => rig(client, {}, undefined, { trash: join(folder, String(++rigs)) });
async function run(it: Rig, line: string, status = 0): Promise<void> {
  it.told.length = 0;
  const got = await it.shell.run(line);
  assert.equal(got, status, `${line}: ${it.told[0]?.failure.message} ${(it.shown.at(-1) as { text?: string })?.text}`);
}
async function below(root: string): Promise<string[]> {
  const { children } = await client.getChildren(root);
  const more = await Promise.all(children.sort().map((name) => below(`${root}/${name}`)));
  return [root, ...more.flat()];
}
const limits = async (path: string): Promise<string | undefined> =>
  (await client.get(`/zookeeper/quota${path}/zookeeper_limits`)).data?.toString();
const usage = async (path: string): Promise<string | undefined> =>
  (await client.get(`/zookeeper/quota${path}/zookeeper_stats`)).data?.toString();

test('setquota and delquota go back whole, with what leads to them', async () => {
  const it = prompt();
  for (const path of ['/q', '/q/a', '/q/b', '/q/a/x']) await client.create(path, 'data');
  const bare = await below('/zookeeper/quota');
  await run(it, 'setquota -n 100 /q/a');
  await run(it, 'undo');
  assert.deepEqual(await below('/zookeeper/quota'), bare);
  // the limits before
  await run(it, 'setquota -n 100 /q/a');
  await client.create('/q/a/y', 'more');
  await run(it, 'setquota -n 7 -B 1000 /q/a');
  await run(it, 'undo');
  assert.match((await limits('/q/a')) ?? '', /^count=100,bytes=-1/);
  // what another one needs, too, stays
  await run(it, 'setquota -n 5 /q/b');
  await run(it, 'undo 3'); // the second is the undo itself
  assert.deepEqual(await below('/zookeeper/quota/q'), [
    '/zookeeper/quota/q',
    ...['', '/zookeeper_limits', '/zookeeper_stats'].map((name) => `/zookeeper/quota/q/b${name}`),
  ]);
  await run(it, 'undo');
  assert.equal(await client.exists('/zookeeper/quota/q/b'), undefined);
  // taken away, they come again, and count
  await run(it, 'setquota -n 9 /q/a');
  await run(it, 'delquota /q/a');
  await run(it, 'undo');
  assert.match((await limits('/q/a')) ?? '', /^count=9,/);
  await client.create('/q/a/z', 'more');
  assert.match((await usage('/q/a')) ?? '', /^count=4,bytes=16/);
  await run(it, 'delquota -n /q/a');
  await run(it, 'undo');
  assert.match((await limits('/q/a')) ?? '', /^count=9,/);
});

test('what only holds something for a while leaves nothing to take back: undo means the change before it', async () => {
  await client.create('/jobs', 'old');
  const it = prompt();
  await run(it, 'set /jobs new');
  for (const line of [
    'lock /jobs/lock -- true',
    'elect --id me /jobs/elect -- true',
    'semaphore -n 2 /jobs/few -- true',
    'barrier -n 1 /jobs/start',
  ]) {
    // no program runs in this test; what comes before it was done
    await it.shell.run(line);
    assert.equal(it.shell.ports.trash.list().length, 1, line);
  }
  await run(it, 'undo');
  assert.equal((await client.get('/jobs')).data?.toString(), 'old');
});

test('an item that was put or taken, and a counter, go back', async () => {
  await client.create('/items');
  const it = prompt();
  /** Children, once what makes sure that it is done once has gone by itself. */
  const settled = async (path: string): Promise<string[]> => {
    for (;;) {
      const { children } = await client.getChildren(path);
      if (!children.some((name) => name.startsWith('op-'))) return children.sort();
    }
  };
  const items = async (): Promise<(string | undefined)[]> => {
    const names = await settled('/items/q');
    return Promise.all(names.map(async (name) => (await client.get(`/items/q/${name}`)).data?.toString()));
  };
  for (const item of ['one', 'two']) await run(it, `queue put /items/q ${item}`);
  await run(it, 'queue take /items/q');
  const left = await items();
  await run(it, 'undo');
  const both = await items();
  assert.deepEqual([left, both], [['two'], ['one', 'two']]);
  await run(it, 'undo');
  assert.deepEqual(await items(), ['one']);
  await run(it, 'counter set /items/n 5');
  await settled('/items/n');
  await run(it, 'counter incr /items/n 2');
  await settled('/items/n');
  await run(it, 'undo');
  assert.equal((await client.get('/items/n')).data?.toString(), '5');
  await run(it, 'undo');
  assert.equal(await client.exists('/items/n'), undefined);
  await run(it, 'undo');
  assert.equal(await client.exists('/items/q'), undefined);
});
