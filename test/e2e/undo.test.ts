/** What is done at a prompt can be taken back, as far as nobody was there meanwhile. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import type { Output } from '../../src/shell/output.ts';
import { Trash } from '../../src/shell/trash.ts';
import { type Rig, rig } from '../shell/rig.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-undo-'));
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
/** A prompt with a trash of its own, nobody's session but `client`. */
function prompt(): Rig & { readonly trash: string } {
  const trash = join(folder, String(++rigs));
  return Object.assign(rig(client, {}, undefined, { trash }), { trash });
}
async function run(it: Rig, line: string, status = 0): Promise<Output | undefined> {
  it.told.length = 0;
  const got = await it.shell.run(line);
  assert.equal(got, status, `${line}: ${it.told[0]?.failure.message}`);
  return it.shown.at(-1);
}
/** Everything below a node that undo promises to bring back. */
async function state(root: string): Promise<unknown[]> {
  if ((await client.exists(root)) === undefined) return [];
  const { data } = await client.get(root);
  const { acl } = await client.getAcl(root);
  const { children } = await client.getChildren(root);
  const below = await Promise.all(children.map((name) => state(`${root}/${name}`)));
  return [root, data?.toString('hex') ?? null, acl, ...below];
}

test('each kind of change, and back', async () => {
  await client.create('/u');
  await client.create('/u/a', 'old');
  await client.create('/u/tree', 'top');
  await client.create('/u/tree/x', Buffer.from([0, 255]));
  await client.create('/u/tree/x/y', null);
  await client.create('/u/tree/empty', '');
  for (const line of [
    'set /u/a new',
    'put /u/b made',
    'create -p /u/c/d/e deep',
    'mkdir /u/m1 /u/m2',
    'touch /u/a',
    'delete /u/a',
    'deleteall /u/tree',
    'deleteall --keep-root /u/tree',
    'setAcl /u/a world:anyone:r,ip:127.0.0.1:cdrwa',
    'setAcl -R /u/tree world:anyone:ra',
    'acl add /u/a ip:10.0.0.1:r',
    'cp -r /u/tree /u/copy',
    'mv /u/tree /u/moved',
    'set --append /u/a more',
    'txn { set /u/a first; set /u/a second; create /u/t x; set /u/t y; delete /u/tree/empty }',
    'time txn { set /u/a first; create /u/t x }',
  ]) {
    const it = prompt();
    const before = await state('/u');
    await run(it, line);
    assert.notDeepEqual(await state('/u'), line === 'touch /u/a' ? undefined : before, line);
    await run(it, 'undo');
    assert.deepEqual(await state('/u'), before, line);
    // and the other way round
    const list = (await run(it, 'undo list')) as Extract<Output, { type: 'table' }>;
    assert.equal(list.rows.length, 1, line);
    await run(it, 'undo', 10);
    await run(it, 'undo 1');
    await run(it, 'undo 1');
    assert.deepEqual(await state('/u'), before, `${line}, there and back again`);
  }
  await client.delete('/u/copy').catch(() => {});
});

test('a dry run of undo takes nothing back, and forgets nothing', async () => {
  await client.create('/dry', '1');
  const it = prompt();
  await run(it, 'set /dry 2');
  await run(it, 'undo -n');
  await run(it, 'undo clear -n');
  assert.equal((await client.get('/dry')).data?.toString(), '2');
  await run(it, 'undo');
  assert.equal((await client.get('/dry')).data?.toString(), '1');
});

test('one change after another is taken back, also those of a transaction that was written line by line', async () => {
  const it = prompt();
  await run(it, 'create /chain 1');
  await run(it, 'set /chain 2');
  for (const line of ['txn', 'set /chain 3', 'create /chain/x y', 'commit', 'set /chain 4']) await run(it, line);
  const list = (await run(it, 'undo list')) as Extract<Output, { type: 'table' }>;
  const commands = list.rows.map((row) => row.at(-1));
  assert.deepEqual(commands, [
    'set /chain ...',
    'txn { set /chain; create /chain/x }',
    'set /chain ...',
    'create /chain ...',
  ]);
  for (const data of ['3', '2', '1']) {
    await run(it, 'undo');
    assert.equal((await client.get('/chain')).data?.toString(), data);
    assert.equal((await client.exists('/chain/x')) !== undefined, data === '3');
  }
  for (const line of ['acl add /chain ip:10.0.0.1:r', 'acl add /chain ip:10.0.0.2:r', 'undo', 'undo', 'undo'])
    await run(it, line);
  assert.equal(await client.exists('/chain'), undefined);

  await client.create('/cast', null);
  for (const line of ['acl add /cast ip:10.0.0.1:r', 'acl add /cast ip:10.0.0.2:r']) await run(it, line);
  await client.setAcl('/cast', [{ perms: 31, scheme: 'world', id: 'anyone' }]);
  await run(it, 'undo', 12);
  assert.match(JSON.stringify(it.shown.at(-1)), /got another ACL since/);
});

test('what somebody changed since is not touched, and is said', async () => {
  await client.create('/s');
  await client.create('/s/a', '1');
  await client.create('/s/b', '1');
  const it = prompt();
  await run(it, 'set /s/a 2');
  await client.set('/s/a', 'theirs');
  await run(it, 'undo', 12);
  assert.match(it.told[0]?.failure.message ?? '', /nothing of it can be taken back/);
  const shown = it.shown.at(-1) as Extract<Output, { type: 'differences' }>;
  assert.deepEqual(shown.differences[0]?.notes, ['was changed since: it is version 2, not 1']);
  assert.equal((await client.get('/s/a')).data?.toString(), 'theirs');

  await run(it, 'mkdir /s/m1 /s/m2');
  await client.create('/s/m1/theirs');
  await run(it, 'undo', 12);
  assert.equal(await client.exists('/s/m2'), undefined);
  assert.ok(await client.exists('/s/m1/theirs'));

  await run(it, 'create /s/c ours');
  await client.set('/s/c', 'theirs');
  await run(it, 'undo', 12);
  assert.equal((await client.get('/s/c')).data?.toString(), 'theirs');

  await run(it, 'delete /s/b');
  await client.create('/s/b', 'made anew');
  await run(it, 'undo', 12);
  assert.equal((await client.get('/s/b')).data?.toString(), 'made anew');
});

test('failures leave nothing to take back, and reads keep nothing', async () => {
  const it = prompt();
  await client.create('/f', 'x');
  await run(it, 'set -v 7 /f y', 12);
  await run(it, 'create /f', 11);
  await run(it, 'get /f');
  await run(it, 'ls /');
  await run(it, 'undo', 10);
  assert.match(it.told[0]?.failure.message ?? '', /nothing to take back/);
  await run(it, 'settings undo off');
  await run(it, 'set /f z');
  assert.ok(!existsSync(it.trash) || readdirSync(it.trash).every((name) => !name.includes('z')));
  await run(it, 'undo', 10);
});

test('files are the owner’s alone; what not everybody may read stays out unless it is asked for', async () => {
  const it = prompt();
  await client.create('/p', 'secret', { acl: [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }] });
  await run(it, 'set /p other');
  const [file] = readdirSync(it.trash);
  assert.equal(statSync(it.trash).mode & 0o777, 0o700);
  assert.equal(statSync(join(it.trash, file as string)).mode & 0o777, 0o600);
  assert.match(it.warned.join('\n'), /one node not kept for undo: not everybody may read it/);
  await run(it, 'undo', 12);
  await run(it, 'settings undo-protected on');
  await run(it, 'set /p again');
  await run(it, 'undo');
  assert.equal((await client.get('/p')).data?.toString(), 'other');
});

test('an undo of many changes is asked about by the node that all are below', async () => {
  const it = prompt();
  await client.create('/top');
  await client.create('/top/a');
  await client.create('/top/a/b');
  await client.create('/top/a/c');
  await run(it, 'delete /top/a/b /top/a/c');
  await run(it, 'undo');
  const plan = it.plans.at(-1);
  assert.deepEqual(
    [plan?.path, plan?.what],
    ['/top/a', 'take back 2 changes under /top/a of: delete /top/a/b /top/a/c'],
  );
  await client.create('/topmost');
  await run(it, 'delete /topmost /top/a/b');
  await run(it, 'undo');
  assert.notEqual(it.plans.at(-1)?.path, '/'); // which would be asked about as the root is
});

test('a node whose ACL was read without its hash is kept; undo refuses to write that ACL back', async () => {
  const it = prompt();
  const owner = await connect(server.hosts);
  await owner.addAuth('digest', 'bob:secret');
  await owner.create('/hashed', 'old', {
    acl: [
      { perms: 31, scheme: 'auth', id: '' },
      { perms: 3, scheme: 'world', id: 'anyone' },
    ],
  });
  const { acl } = await owner.getAcl('/hashed');
  await run(it, 'set /hashed new'); // its ACL stays what it is, whoever reads it
  await run(it, 'undo');
  assert.equal((await client.get('/hashed')).data?.toString(), 'old');
  assert.deepEqual((await owner.getAcl('/hashed')).acl, acl);

  await run(it, 'delete /hashed');
  await run(it, 'undo', 15);
  assert.match(it.told[0]?.failure.message ?? '', /read without its password hash: bob:x/);
  assert.match(it.told[0]?.failure.hint ?? '', /--no-acl or --acl ACL/);
  await run(it, 'undo --acl digest:bob:x:cdrwa', 15);
  assert.equal(await client.exists('/hashed'), undefined);
  await run(it, 'undo --acl world:anyone:r');
  assert.deepEqual((await owner.getAcl('/hashed')).acl, [{ perms: 1, scheme: 'world', id: 'anyone' }]);
  assert.equal((await client.get('/hashed')).data?.toString(), 'old');
  await owner.close();
});

test('bulk work says how it is taken back; what undo would not keep is asked about', async () => {
  const it = prompt();
  Object.assign(it.shell.ports, { asks: true });
  await client.create('/says');
  await client.create('/says/a', 'x');
  const note = async (line: string): Promise<string> => {
    const answer = await run(it, line);
    assert.ok(answer?.type === 'deleted' || answer?.type === 'counts', line);
    return (answer.type === 'counts' ? answer.text : answer.note) ?? '';
  };
  assert.match(await note('cp -r /says /says2'), /^copied 2 nodes to \/says2 {3}\(undo: undo 1\)$/);
  assert.match(await note('deleteall /says2'), /^in (\d+ms|\d+\.\ds) {3}\(undo: undo 1\)$/);
  assert.match(await note('undo 1'), /\(undo: undo 1\)$/); // which can be taken back in turn
  assert.match(await note('find /says2 -delete'), /^ {2}\(undo: undo 1\)$/);
  await run(it, 'undo 1');
  assert.ok(await client.exists('/says2/a'));
  assert.equal(await note('cp -r -f /says /says2'), 'copied 0 nodes to /says2 (2 unchanged)');
  assert.equal(it.plans.at(-1)?.keepsUndo, true);
  await client.create('/says/mine', 's', { acl: [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }] });
  assert.match(await note('deleteall --keep-root /says'), /undo 1/); // of the other one
  assert.equal(it.plans.at(-1)?.keepsUndo, false);
  assert.match(it.plans.at(-1)?.details?.join('\n') ?? '', /undo cannot keep all of it/);
  await client.create('/says/mine', 's', { acl: [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }] });
  await run(it, 'delete /says/m* /says2/a');
  assert.equal(it.plans.at(-1)?.keepsUndo, false);
  assert.match(await note('deleteall --no-trash /says2'), /^in [\d.]+m?s$/);
});

test('a trash keeps 14 days and 200 MB, and reads what a shell that died left', () => {
  const place = join(folder, 'pruned');
  let now = Date.parse('2026-11-01T00:00:00Z');
  const limits = { entryBytes: 64_000, bytes: 200_000 };
  const trash = new Trash({ folder: place, now: () => now, limits });
  const note = (command: string): void => {
    const draft = trash.begin({ target: 't', command, isUndo: false });
    draft.add({ did: 'created', path: `/${command}`, czxid: '0x1' });
    draft.end();
  };
  note('first');
  now += 13 * 86_400_000;
  note('second');
  assert.deepEqual(
    trash.list().map(({ command, number }) => [command, number]),
    [
      ['second', 1],
      ['first', 2],
    ],
  );
  now += 2 * 86_400_000;
  note('third');
  assert.deepEqual(
    trash.list().map(({ command }) => command),
    ['third', 'second'],
  );
  writeFileSync(
    join(place, `${String(now + 1).padStart(15, '0')}-1-00001.undo`),
    `${JSON.stringify({ zoosh: 'undo', version: 1, at: now, target: 't', command: 'cut' })}\n{"did":"created","path":"/x","czxid":"0x2"}\n{"did":"dele`,
  );
  const [cut] = trash.list();
  assert.deepEqual([cut?.command, cut?.counts], ['cut', undefined]);
  assert.equal(trash.steps(cut?.id ?? '').length, 1);
  const big = trash.begin({ target: 't', command: 'big', isUndo: false });
  const node = { path: '/big', data: Buffer.alloc(1000, 'x'), acl: undefined, kind: 'persistent' as const };
  for (let at = 0; at < 70; at++) big.add({ did: 'deleted', node });
  assert.deepEqual(big.end(), ['more than 62.5k: undo keeps nothing of this']);
  assert.equal(trash.list()[0]?.command, 'cut');
  for (let round = 0; round < 5; round++) {
    now += 1000;
    const part = trash.begin({ target: 't', command: `part ${round}`, isUndo: false });
    for (let at = 0; at < 45; at++) part.add({ did: 'deleted', node });
    part.end();
  }
  assert.deepEqual(
    trash.list().map(({ command }) => command),
    ['part 4', 'part 3', 'part 2', 'part 1'],
  );
  trash.clear();
  assert.deepEqual(trash.list(), []);
});

test('an undo of many nodes, and the plan of a deletion', async () => {
  const it = prompt();
  Object.assign(it.shell.ports, { asks: true });
  await client.create('/many');
  await client.multi(
    Array.from({ length: 1500 }, (_, at) => ({
      op: 'create' as const,
      path: `/many/n${at}`,
      data: Buffer.from(String(at)),
      options: {},
    })),
  );
  await client.create('/many/mine', null, { mode: 'ephemeral' });
  const before = await client.getAllChildrenNumber('/many');
  await run(it, 'deleteall /many');
  const plan = it.plans.at(-1);
  assert.match(plan?.what ?? '', /delete 1,502 nodes at and below \/many/);
  assert.match(plan?.details?.join('\n') ?? '', /1 ephemeral node of this session/);
  assert.equal(plan?.keepsUndo, true);
  await run(it, 'undo', 12);
  assert.equal(await client.getAllChildrenNumber('/many'), before - 1);
  assert.equal((await client.get('/many/n1499')).data?.toString(), '1499');
});

test('a dry run shows what would be taken back once', async () => {
  const it = prompt();
  await run(it, 'create /dry-undo x');
  await run(it, 'create /dry-undo/b x');
  await run(it, 'set /dry-undo y');
  await client.set('/dry-undo', 'by somebody else');
  it.shown.length = 0;
  await run(it, 'undo 2 -n');
  const seen = it.shown.flatMap((each): readonly { readonly path: string }[] =>
    each.type === 'differences' ? each.differences : each.type === 'plan' ? each.changes : [],
  );
  assert.deepEqual(
    seen.map(({ path }) => path),
    ['/dry-undo/b'],
  );
  it.shown.length = 0;
  await run(it, 'undo 1 -n', 12); // what cannot be taken back is still told
  assert.deepEqual(
    it.shown.flatMap((each) => (each.type === 'differences' ? each.differences.map(({ sign }) => sign) : [])),
    ['!'],
  );
  assert.equal((await client.get('/dry-undo')).data?.toString(), 'by somebody else');
});

test('transactions that are repeated are taken back one by one', async () => {
  await client.create('/repeated');
  const it = prompt();
  await run(it, 'repeat 2 txn { create -s /repeated/n- x; set /repeated y }');
  const list = (await run(it, 'undo list')) as Extract<Output, { type: 'table' }>;
  assert.equal(list.rows.length, 2);
  await run(it, 'undo');
  assert.deepEqual((await client.getChildren('/repeated')).children, ['n-0000000000']);
  await run(it, 'undo 2');
  assert.deepEqual(await state('/repeated'), ['/repeated', null, [{ perms: 31, scheme: 'world', id: 'anyone' }]]);
});
