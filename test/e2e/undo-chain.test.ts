/** Whatever was done at a prompt goes back step by step: after each undo the tree is as it was before that command. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { type Client, connect } from '../../src/index.ts';
import { type Rig, rig } from '../shell/rig.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-chain-'));
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

/** Everything below a node that undo promises to bring back. */
async function state(root: string): Promise<unknown[]> {
  const { data } = await client.get(root);
  const { acl } = await client.getAcl(root);
  const { children } = await client.getChildren(root);
  const below = await Promise.all(children.sort().map((name) => state(`${root}/${name}`)));
  return [root, data?.toString() ?? null, acl, ...below];
}

/** Runs the lines that succeed, then takes back each, the last first, and compares. */
async function thereAndBack(root: string, lines: readonly string[]): Promise<number> {
  const it = prompt();
  const states: { readonly line: string; readonly before: unknown[] }[] = [];
  for (const line of lines) {
    const was = await state(root);
    const kept = it.shell.ports.trash.list().length;
    await it.shell.run(line);
    // what was refused, or did nothing, leaves nothing to take back
    if (it.shell.ports.trash.list().length > kept) states.push({ line, before: was });
    else assert.deepEqual(await state(root), was, `${line} keeps nothing and changed something`);
  }
  const said = (): string => JSON.stringify([lines, it.told.at(-1)?.failure.message, it.shown.at(-1)], undefined, 1);
  for (const { line, before: was } of states.reverse()) {
    assert.equal(await it.shell.run('undo'), 0, `undo of ${line}: ${said()}`);
    assert.deepEqual(await state(root), was, `undo of ${line}: ${said()}`);
  }
  assert.equal(await it.shell.run('undo'), 10);
  return states.length;
}

test('what a transaction deleted and made anew comes again', async () => {
  await client.create('/anew');
  await client.create('/anew/p', 'old', { acl: [{ perms: 15, scheme: 'world', id: 'anyone' }] });
  const all = [
    ['txn { delete /anew/p; create /anew/p new }'],
    ['txn { check /anew/q absent; create /anew/q y }'],
    ['txn { create /anew/q 1; delete /anew/q; create /anew/q 2; set /anew/q 3 }'],
    ['txn { create /anew/q 1; delete /anew/q }'],
    ['txn { set /anew/p 1; delete /anew/p; create /anew/p 2; create /anew/p/below x }', 'set /anew/p/below y'],
  ];
  for (const lines of all) await thereAndBack('/anew', lines);
});

test('what was made, deleted and brought back by an undo goes with the next', async () => {
  await client.create('/back');
  await thereAndBack('/back', ['create /back/a x', 'delete /back/a']);
  await thereAndBack('/back', ['create /back/a x', 'mv /back/a /back/b', 'set /back/b y', 'mv /back/b /back/a']);
  await thereAndBack('/back', ['create /back/a x', 'create /back/a/b y', 'deleteall /back/a', 'create /back/a z']);
  // made anew by somebody else it is somebody else's
  const it = prompt();
  for (const line of ['create /back/c x', 'delete /back/c', 'undo']) assert.equal(await it.shell.run(line), 0);
  await client.delete('/back/c');
  await client.create('/back/c', 'x');
  assert.equal(await it.shell.run('undo'), 12);
  assert.equal((await client.get('/back/c')).data?.toString(), 'x');
});

test('one that came in place of another stays where that cannot come again, or where it was changed since', async () => {
  await client.create('/stays');
  const it = prompt();
  await client.create('/stays/e', 'mine', { mode: 'ephemeral' });
  assert.equal(await it.shell.run('txn { delete /stays/e; create /stays/e new }'), 0);
  assert.equal(await it.shell.run('undo'), 12);
  assert.equal((await client.get('/stays/e')).data?.toString(), 'new');
  await client.create('/stays/p', 'old');
  assert.equal(await it.shell.run('txn { delete /stays/p; create /stays/p new }'), 0);
  await client.set('/stays/p', 'changed');
  assert.equal(await it.shell.run('undo'), 12);
  assert.equal((await client.get('/stays/p')).data?.toString(), 'changed');
  // gone meanwhile, it does not keep the old one from coming
  await client.delete('/stays/p');
  assert.equal(await it.shell.run('undo'), 0);
  assert.equal((await client.get('/stays/p')).data?.toString(), 'old');
  // a parent stays while a child of it does
  assert.equal(await it.shell.run('txn { create /stays/x 1; create /stays/x/y 2; create /stays/x/z 3 }'), 0);
  await client.set('/stays/x/y', 'changed');
  assert.equal(await it.shell.run('undo'), 12);
  assert.deepEqual((await client.getChildren('/stays/x')).children, ['y']);
});

const ROUNDS = 120;
const COMMANDS = 8;

test(`${ROUNDS} random rounds of commands, each taken back one by one`, async () => {
  await client.create('/chain');
  let changes = 0;
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = seededRandom(seed);
    const pick = (of: readonly string[]): string => of[random.below(of.length)] as string;
    const root = `/chain/r${seed}`;
    await client.create(root);
    const names = ['a', 'b', 'a/c', 'a/d', 'b/c'];
    const path = (): string => `${root}/${pick(names)}`;
    const operation = (): string => {
      const at = path();
      return pick([`create ${at} v${random.below(9)}`, `set ${at} v${random.below(9)}`, `delete ${at}`]);
    };
    const line = (): string => {
      switch (random.below(9)) {
        case 0:
          return `txn { ${Array.from({ length: 1 + random.below(5) }, operation).join('; ')} }`;
        case 1:
          return `mv ${pick(['', '-f '])}${path()} ${path()}`;
        case 2:
          return `cp ${pick(['', '-r '])}${path()} ${path()}`;
        case 3:
          return `deleteall ${path()}`;
        case 4:
          return `put ${path()} p${random.below(9)}`;
        case 5:
          return `setAcl ${path()} world:anyone:${pick(['cdrwa', 'cdra', 'cdr'])}`;
        case 6:
          return `txn { check ${root}/a absent; create ${root}/a 1; create ${root}/a/c 2 }`;
        default:
          return operation();
      }
    };
    changes += await thereAndBack(root, Array.from({ length: COMMANDS }, line));
  }
  assert.ok(changes > ROUNDS * 2, `only ${changes} changes`);
});
