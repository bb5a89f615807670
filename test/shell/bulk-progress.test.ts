/** Bulk work tells how far it is from its beginning, also while it only looks. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { type Client, connect } from '../../src/index.ts';
import { oldServer } from './old-server.ts';
import { type RigOptions, rig } from './rig.ts';

let server: EmbeddedServer;
let client: Client;
const folder = mkdtempSync(join(tmpdir(), 'zoosh-progress-'));
before(async () => {
  server = await startEmbedded();
  client = await connect(server.connectString);
});
after(async () => {
  await client.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});
const COUNT = 1200;
async function tree(root: string): Promise<void> {
  await client.create(root);
  await client.multi(
    Array.from({ length: COUNT }, (_, at) => ({
      op: 'create' as const,
      path: `${root}/n${at}`,
      data: null,
      options: {},
    })),
  );
}
/** Of each kind of work the first and the last that was told. */
async function told(line: string): Promise<string[]> {
  const first = new Map<string, string>();
  const last = new Map<string, string>();
  const progress = (what: string, done: number, total: number | undefined): void => {
    const text = `${done}/${total ?? '?'}`;
    if (!first.has(what)) first.set(what, text);
    last.set(what, text);
  };
  const it = rig(client, {}, undefined, { progress });
  assert.equal(await it.shell.run(line), 0, it.told[0]?.failure.message);
  return [...first].map(([what, text]) => `${what}: ${text} to ${last.get(what)}`);
}

test('deleteall, cp and apply', async () => {
  await tree('/p');
  assert.deepEqual(await told('cp -r /p /q'), ['copying /p: 1/1201 to 1201/1201']);
  assert.deepEqual(await told('cp -r --atomic /p /r'), ['reading /p: 1/1201 to 1201/1201']);
  assert.deepEqual(await told(`cp -r /p 'file:${join(folder, 'p')}'`), ['copying /p: 1/1201 to 1201/1201']);
  assert.deepEqual(await told(`apply -f '${join(folder, 'p')}' --check`), [
    `comparing /p with ${join(folder, 'p')}: 1/? to 1201/?`,
  ]);
  assert.deepEqual(await told('mirror /p /q'), ['comparing /q with /p: 1/? to 1201/?']);
  assert.deepEqual(await told('deleteall --atomic /q'), [
    'looking at /q: 1/1201 to 1201/1201',
    'deleting /q: 1201/1201 to 1201/1201',
  ]);
  const [looking, deleting] = await told('deleteall /r');
  assert.match(looking ?? '', /^looking at \/r: 1\/1201 to \d+\/1201$/);
  assert.match(deleting ?? '', /^deleting \/r: \d+\/1201 to 1201\/1201$/);
});

test('how many there are to copy is asked only where somebody sees it, and not of a leaf', async () => {
  await tree('/seen');
  await client.create('/leaf');
  let asked = 0;
  const counting = new Proxy(client, {
    get(target, name) {
      if (name === 'getAllChildrenNumber') asked++;
      const found = Reflect.get(target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
  const run = async (line: string, options: RigOptions = {}): Promise<number> => {
    asked = 0;
    const it = rig(counting, {}, undefined, options);
    assert.equal(await it.shell.run(line), 0, it.told[0]?.failure.message);
    return asked;
  };
  assert.equal(await run('cp -r /seen /unseen'), 0);
  assert.equal(await run(`export /seen '${join(folder, 'unseen')}'`), 0);
  const progress = (): void => {};
  assert.equal(await run('cp -r /leaf /leaf-2', { progress }), 0);
  assert.equal(await run('cp -r /seen /seen-2', { progress }), 1);
});

test('a server that knows no such number, and hangs up, costs no command', async () => {
  await tree('/old');
  const progress = (): void => {};
  const srvr = 'Zookeeper version: 3.5.9-old, built on 2021-01-06\nMode: standalone\n';
  const file = join(folder, 'old');
  for (const [line, options, refused] of [
    // whose version is known is not asked for what is only shown
    ['cp -r /old /old-1', { progress, srvr }, 0],
    [`export /old '${file}'`, { progress, srvr }, 0],
    ['cp -r /old /old-2', { progress }, 1],
    [`export /old '${file}'`, { progress }, 1],
    ['deleteall /old-1', {}, 1],
    ['count -R /old', {}, 1],
  ] as const) {
    await using old = await oldServer(server.connectString);
    const there = await connect(old.connectString);
    try {
      const it = rig(there, {}, undefined, options);
      assert.equal(await it.shell.run(line), 0, `${line}: ${it.told[0]?.failure.message}`);
      assert.equal(old.refused.length, refused, line);
      // nor is the other one asked again
      assert.equal(await it.shell.run('count -R /'), 0, `after ${line}`);
      assert.equal(old.refused.length, 1, `after ${line}`);
    } finally {
      await there.close();
    }
  }
});
