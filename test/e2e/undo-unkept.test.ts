/** What an ACL hides is not kept: an undo brings it back from where the change put it, and never takes the last of it away. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { type Rig, rig } from '../shell/rig.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-unkept-'));
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

const OURS = [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }];
let rigs = 0;
function prompt(): Rig & { readonly trash: string } {
  const trash = join(folder, String(++rigs));
  return Object.assign(rig(client, {}, undefined, { trash }), { trash });
}
const shown = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each));
async function run(it: Rig, line: string, status = 0): Promise<void> {
  it.told.length = 0;
  it.warned.length = 0;
  const got = await it.shell.run(line);
  assert.equal(got, status, `${line}: ${it.told[0]?.failure.message} ${shown(it.shown.at(-1))}`);
}
const dataOf = async (path: string): Promise<string | undefined> =>
  (await client.exists(path)) === undefined ? undefined : ((await client.get(path)).data?.toString() ?? '(null)');
/** What the last plan or answer says. */
const said = (it: Rig): string => shown(it.shown.slice(-2));

/** A parent and a node that only we may read. */
async function scene(root: string): Promise<void> {
  await client.create(root);
  await client.create(`${root}/w`, 'top');
  await client.create(`${root}/w/a`, 'precious', { acl: OURS });
  await client.create(`${root}/w/a/b`, 'below', { acl: OURS });
}

test('mv of what is not kept goes back by copying from the new place, ACLs and all, and again', async () => {
  await scene('/mv');
  const it = prompt();
  await run(it, 'mv /mv/w /mv/w2');
  assert.deepEqual(it.warned, []); // an undo brings all of it back
  await run(it, 'undo -n');
  assert.equal(await dataOf('/mv/w2/a'), 'precious');
  assert.equal(await dataOf('/mv/w/a'), undefined);
  await run(it, 'undo');
  assert.deepEqual(await Promise.all(['', '/a', '/a/b'].map((at) => dataOf(`/mv/w${at}`))), [
    'top',
    'precious',
    'below',
  ]);
  assert.deepEqual((await client.getAcl('/mv/w/a')).acl, OURS);
  assert.equal(await dataOf('/mv/w2'), undefined);
  // the undo is a change of the same kind
  await run(it, 'undo 1');
  assert.equal(await dataOf('/mv/w2/a/b'), 'below');
  assert.equal(await dataOf('/mv/w'), undefined);
  await run(it, 'undo 1');
  assert.equal(await dataOf('/mv/w/a/b'), 'below');
  for (const name of readdirSync(it.trash))
    assert.doesNotMatch(readFileSync(join(it.trash, name), 'utf8'), /precious|below/);
});

test('more than one request holds goes back, too: what is copied goes once the original stands', async () => {
  await client.create('/much');
  await client.create('/much/w');
  for (let at = 0; at < 12; at++) await client.create(`/much/w/n${at}`, Buffer.alloc(100_000, at + 65), { acl: OURS });
  const it = prompt();
  await run(it, 'mv /much/w /much/w2');
  await run(it, 'undo');
  for (let at = 0; at < 12; at++)
    assert.deepEqual((await client.get(`/much/w/n${at}`)).data, Buffer.alloc(100_000, at + 65));
  assert.equal(await client.exists('/much/w2'), undefined);
});

test('a transaction, and several commands in one entry, do the same', async () => {
  await scene('/txn');
  const it = prompt();
  await run(it, 'txn { delete /txn/w/a/b; create /txn/c below; create /txn/other x }');
  await run(it, 'undo');
  assert.equal(await dataOf('/txn/w/a/b'), 'below');
  assert.deepEqual(await Promise.all(['/txn/c', '/txn/other'].map(dataOf)), [undefined, undefined]);
  // several commands in one entry
  await run(it, 'each /txn/w/a do mv {}/b /txn/d');
  await run(it, 'undo');
  assert.deepEqual(await Promise.all(['/txn/w/a/b', '/txn/d'].map(dataOf)), ['below', undefined]);
});

test('where it cannot come again its copy stays, and it is said what to do', async () => {
  await scene('/stay');
  const it = prompt();
  await run(it, 'mv /stay/w /stay/w2');
  await client.create('/stay/w', 'theirs');
  await run(it, 'undo', 12);
  // what can come again does, below what is there; the rest stays where it is
  assert.deepEqual(await Promise.all(['w', 'w/a', 'w/a/b', 'w2', 'w2/a'].map((at) => dataOf(`/stay/${at}`))), [
    ...['theirs', 'precious', 'below', 'top', undefined],
  ]);
  await run(it, 'mv /stay/w/a /stay/c');
  await client.delete('/stay/w');
  it.shown.length = 0;
  const asked = rig(client, {}, undefined, { trash: it.trash, asks: true });
  await run(asked, 'undo', 12);
  assert.deepEqual(await Promise.all(['c', 'c/b', 'w'].map((at) => dataOf(`/stay/${at}`))), [
    'precious',
    'below',
    undefined,
  ]);
  assert.match(
    said(asked),
    /stays, as it may be all there is of \/stay\/w\/a: mv \/stay\/c \/stay\/w\/a moves it back/,
  );
  // of what was kept, too: where its parent is gone
  await client.create('/stay/p');
  await client.create('/stay/p/q', 'kept');
  await run(it, 'mv /stay/p/q /stay/q2');
  await client.delete('/stay/p');
  await run(it, 'undo', 12);
  assert.equal(await dataOf('/stay/q2'), 'kept');
});

test('what it went over stays as it is: nobody knows what that was', async () => {
  await client.create('/over');
  await client.create('/over/a', 'precious', { acl: OURS });
  await client.create('/over/b', 'old');
  const it = prompt();
  await run(it, 'mv -f /over/a /over/b');
  await run(it, 'undo');
  assert.deepEqual(await Promise.all(['/over/a', '/over/b'].map(dataOf)), ['precious', 'old']);
  await client.setAcl('/over/b', OURS);
  await run(it, 'mv -f /over/a /over/b');
  await run(it, 'undo', 12);
  assert.deepEqual(await Promise.all(['/over/a', '/over/b'].map(dataOf)), ['precious', 'precious']);
});

test('a copy of what a later change lost stays', async () => {
  await client.create('/later');
  await client.create('/later/a', 'precious', { acl: OURS });
  const it = prompt();
  await run(it, 'cp /later/a /later/b');
  await run(it, 'delete /later/a');
  assert.match(it.warned.join(), /one node not kept for undo/);
  await run(it, 'undo', 12);
  await run(it, 'undo 2', 12);
  assert.equal(await dataOf('/later/b'), 'precious');
  assert.match(it.told[0]?.failure.message ?? '', /nothing of it can be taken back/);
  await client.create('/later/a', 'precious');
  await run(it, 'undo 2');
  assert.equal(await dataOf('/later/b'), undefined);
});

test('somebody else wrote to the copy meanwhile: nothing of it is touched', async () => {
  await scene('/race');
  const it = prompt();
  await run(it, 'mv /race/w/a/b /race/c');
  await client.set('/race/c', 'changed');
  await run(it, 'undo', 12);
  assert.equal(await dataOf('/race/c'), 'changed');
  assert.equal(await dataOf('/race/w/a/b'), undefined);
  assert.match(said(it) + it.told[0]?.failure.message, /not kept|nothing of it/);
});

test('no data is kept with the command: neither its words nor those of one within it', async () => {
  const it = prompt();
  await client.create('/words');
  await client.create('/words/p', 'old', { acl: OURS });
  const file = join(folder, 'words');
  writeFileSync(file, 'NEWSECRET');
  for (const line of [
    'set /words/p NEWSECRET',
    'set /words/p {"a": "NEWSECRET"}',
    'set --at .a /words/p NEWSECRET',
    'set /words/p --text NEWSECRET',
    'set /words/p --text=NEWSECRET',
    `set /words/p @${file}`,
    'put /words/p NEWSECRET',
    'create /words/q NEWSECRET ip:127.0.0.1:cdrwa',
    'each /words/p do set {} NEWSECRET',
    'find /words -name p -exec set {} "NEW NEWSECRET"',
    'repeat 1 set /words/p NEWSECRET1',
    'txn { set /words/p NEWSECRET; create /words/r NEWSECRET ip:127.0.0.1:cdrwa }',
    'queue put /words/queue NEWSECRET',
  ])
    await run(it, line);
  const kept = it.shell.ports.trash.list();
  for (const { id, command } of kept) {
    assert.doesNotMatch(command, /NEWSECRET/);
    // what anyone may read is kept, too: the item of the queue is no data that was replaced
    assert.doesNotMatch(readFileSync(join(it.trash, `${id}.undo`), 'utf8'), /NEWSECRET/, command);
  }
  assert.deepEqual(kept.map(({ command }) => command).reverse(), [
    'set /words/p ...',
    'set /words/p ...',
    'set --at .a /words/p ...',
    'set /words/p --text ...',
    'set /words/p --text=...',
    `set /words/p @${file}`,
    'put /words/p ...',
    'create /words/q ... ip:127.0.0.1:cdrwa',
    'each /words/p do set {} ...',
    'find /words -name p -exec set {} ...',
    'set /words/p ...',
    'txn { set /words/p; create /words/r }',
    'queue put /words/queue ...',
  ]);
});
