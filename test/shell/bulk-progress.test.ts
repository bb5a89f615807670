/** Bulk work tells how far it is from its beginning, also while it only looks. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { type Client, connect } from '../../src/index.ts';
import { rig } from './rig.ts';

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
