/** Many nodes at once: export and import, copies and moves, comparisons, what is found and counted. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { rig } from '../shell/rig.ts';
import { BIN, type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess(['4lw.commands.whitelist=*', 'enforceQuota=true']);
const other = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-bulk-'));
let client: Client;
before(async () => {
  await Promise.all([server.start(), other.start()]);
  client = await connect(server.hosts);
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string): string => join(folder, name);
const one = (...args: string[]): Promise<Ran> => zoosh([server.hosts, ...args]);
const as = (auth: string, ...args: string[]): Promise<Ran> => zoosh(['--auth', auth, server.hosts, ...args]);
const is = ({ code, stdout, stderr }: Ran, expected: string | RegExp, status = 0): void => {
  assert.equal(code, status, stderr + stdout);
  if (typeof expected === 'string') assert.equal(stdout, expected);
  else assert.match(stdout, expected);
};
const no = ({ code, stderr }: Ran, status: number, expected: RegExp): void => {
  assert.equal(code, status, stderr);
  assert.match(stderr, expected);
};

/** Nodes of many kinds below `root`. */
async function plant(root: string): Promise<void> {
  await client.create(root, 'root of it');
  await client.create(`${root}/null`, null);
  await client.create(`${root}/empty`, '');
  await client.create(`${root}/json`, '{"level":"info","n":[1,2]}');
  await client.create(`${root}/lines`, 'one\ntwo\nthree\n');
  await client.create(`${root}/binary`, Buffer.from([0, 1, 255, 254]));
  await client.create(`${root}/sp ace "q"`, 'x', {
    acl: [
      { perms: 1, scheme: 'world', id: 'anyone' },
      { perms: 30, scheme: 'ip', id: '127.0.0.1' },
    ],
  });
  await client.create(`${root}/deep`);
  await client.create(`${root}/deep/er`);
  await client.create(`${root}/deep/er/est`, 'down here');
  await client.create(`${root}/deep-z`, 'after deep by its name');
}

test('check 10: export | import into an empty root reproduces data, ACL and kind; diff then says equal', async () => {
  await plant('/ten');
  const exported = await one('export', '/ten');
  is(exported, /^\{"zoosh":"export"/);
  await client.create('/copy');
  const imported = await zoosh(
    [server.hosts, 'import', '--root', '/copy', '-'],
    Buffer.from(exported.stdout, 'latin1').toString(),
  );
  is(imported, 'created\t10\nupdated\t1\nsame\t0\nskipped\t0\n');
  is(await one('diff', '-r', '/ten', '/copy'), '');
  is(
    await zoosh(['-o', 'json', server.hosts, 'diff', '-r', '/ten', '/copy']),
    '{"differences":[],"equal":true,"ephemeralsLeftOut":0,"same":11}\n',
  );
  for (const path of ['', '/null', '/empty', '/binary', '/sp ace "q"', '/deep/er/est']) {
    const [a, b] = await Promise.all([client.get(`/ten${path}`), client.get(`/copy${path}`)]);
    assert.deepEqual(b.data, a.data, path);
    const [x, y] = await Promise.all([client.getAcl(`/ten${path}`), client.getAcl(`/copy${path}`)]);
    assert.deepEqual(y.acl, x.acl, path);
  }
  // again: all the same
  is(
    await zoosh([server.hosts, 'import', '--root', '/copy', '-'], Buffer.from(exported.stdout, 'latin1').toString()),
    'created\t0\nupdated\t0\nsame\t11\nskipped\t0\n',
  );
  // every form, the other server, and back
  for (const [name, ...options] of [
    ['a.ndjson'],
    ['a.zka', '--format', 'archive'],
    ['a.gz', '--gzip'],
    ['a.dir', '--format', 'dir'],
  ]) {
    is(await one('export', ...options, '/ten', file(name as string)), '');
    is(await one('diff', '-r', '/ten', `file:${file(name as string)}`), '');
    is(await zoosh([other.hosts, 'import', '--root', `/${name}`, file(name as string)]), /^created\t11\n/);
  }
  assert.equal(statSync(file('a.ndjson')).mode & 0o777, 0o600);
  // sorted, and the same each time
  const again = await one('export', '/ten');
  assert.equal(again.stdout, exported.stdout);
  const paths = exported.stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line).path);
  assert.deepEqual(paths.slice(0, 3), ['/ten', '/ten/binary', '/ten/deep']);
  assert.ok(paths.indexOf('/ten/deep/er/est') < paths.indexOf('/ten/deep-z'));
});

test('import: conflicts, as they are to be settled', async () => {
  await client.create('/con', 'a');
  await client.create('/con/x', 'old');
  await one('export', '/con', file('con'));
  await client.set('/con/x', 'new');
  no(await one('import', file('con')), 11, /there is another node already: \/con\/x\n hint: skip, overwrite or newer/);
  is(await one('import', '--on-conflict', 'skip', file('con')), 'created\t0\nupdated\t0\nsame\t1\nskipped\t1\n');
  is(await one('import', '--on-conflict', 'newer', file('con')), 'created\t0\nupdated\t0\nsame\t1\nskipped\t1\n');
  is(await one('import', '--on-conflict', 'overwrite', file('con')), 'created\t0\nupdated\t1\nsame\t1\nskipped\t0\n');
  assert.equal((await client.get('/con/x')).data?.toString(), 'old');
  no(await one('import', '--atomic', file('con')), 11, /nothing was changed/);
  is(await one('import', '--atomic', '--root', '/con2', file('con')), /^created\t2\n/);
  no(await one('import', file('nowhere')), 2, /cannot read/);
  no(await one('import', '--acl', 'world:anyone:q', file('con')), 15, /unknown permission/);
  no(await one('import', '--no-acl', '--acl', 'auth::r', file('con')), 2, /exclude/);
  writeFileSync(file('list'), '/made/by/hand=1\n/made/by/hand/too=2\n');
  is(await one('import', file('list')), /^created\t2\n/);
  is(await one('get', '/made/by/hand/too'), '2\n');
});

test('masked password hashes are not written back', async () => {
  const bob = 'digest:bob:secret';
  is(await as(bob, 'create', '/masked', 'x', 'auth::cdrwa,world:anyone:r'), '/masked\n');
  const read = await one('export', '/masked', file('masked'));
  no(read, 0, /1 ACL came without password hashes/);
  assert.match(readFileSync(file('masked'), 'utf8'), /"id":"bob:x","perms":"cdrwa","masked":true/);
  is(await zoosh(['-o', 'json', server.hosts, 'getAcl', '/masked']), /"id":"bob:x","perms":"cdrwa","masked":true/);
  no(
    await one('import', '--root', '/m2', file('masked')),
    15,
    /read without its password hash: bob:x\n hint: .*--no-acl or --acl ACL/,
  );
  assert.equal(await client.exists('/m2'), undefined);
  const text = readFileSync(file('masked'), 'utf8');
  no(await zoosh([server.hosts, 'import', '--root', '/m2', '-'], text), 15, /password hash/);
  no(await one('cp', '/masked', '/m2'), 15, /password hash/);
  no(await one('mv', '/masked', '/m2'), 15, /password hash/);
  no(await one('mirror', '/masked', '/m2'), 15, /password hash/);
  no(await one('apply', '-f', file('masked'), '--root', '/m2'), 15, /password hash/);
  await client.create('/m3');
  no(await one('acl', 'copy', '/masked', '/m3'), 15, /password hash/);
  const typed = 'digest:bob:x:cdrwa,world:anyone:cdrwa';
  no(await one('setAcl', '/m3', typed), 15, /password hash[\s\S]*acl digest bob makes it; --force writes it as it is/);
  no(await one('acl', 'add', '/m3', 'digest:bob:x:r'), 15, /password hash/);
  for (const line of [
    ['cp', '--acl', typed, '/m3', '/m2'],
    ['import', '--acl', typed, '--root', '/m2', file('masked')],
    ['apply', '--acl', typed, '--root', '/m2', '-f', file('masked')],
    ['mirror', '--acl', typed, '/m3', '/m2'],
    ['mv', '--acl', typed, '/m3', '/m2'],
  ])
    no(await one(...line), 15, /password hash[\s\S]*acl digest bob makes it$/m);
  is(await one('acl', 'copy', '--no-acl', '/masked', '/m3', '--force'), /changed\t1/);
  assert.equal(await client.exists('/m2'), undefined);
  is(await one('import', '--no-acl', '--root', '/m2', file('masked')), /^created\t1\n/);
  is(await one('cp', '--acl', 'world:anyone:r', '/masked', '/m4'), /^created\t1\n/);
  is(await one('getAcl', '/m4'), 'world:anyone:r\n');
  // with the password they can be read, and written
  is(await as(bob, 'export', '/masked', file('whole')), '');
  is(await one('import', '--root', '/m5', file('whole')), /^created\t1\n/);
  is(await as(bob, 'diff', '/masked', '/m5'), '');
});

test('a password where its hash belongs is warned of, and not shown', async () => {
  const [plain, own] = ['digest:eve:secret', 'world:anyone:cdrwa'];
  const hashed = (await one('acl', 'digest', 'eve', 'secret')).stdout.trim();
  const warned = /what follows digest:eve: is not a password hash.*; acl digest eve makes one/;
  for (const [id, expected] of [
    [plain, warned],
    [hashed, /^$/],
  ] as const)
    for (const line of [
      ['create', '/typed', 'x', `${id}:r,${own}`],
      ['setAcl', '/typed', `${id}:r,${own}`],
      ['acl', 'add', '/typed', `${id}:w`],
      ['delete', '/typed'],
    ]) {
      const { code, stderr } = await one(...line);
      assert.equal(code, 0, stderr);
      assert.match(stderr, line[0] === 'delete' ? /^$/ : expected);
      assert.doesNotMatch(stderr, /secret/);
    }
});

test('into another ensemble: its profile protects it, or lets it only be read', async () => {
  const home = mkdtempSync(join(tmpdir(), 'zoosh-other-'));
  const to = (...args: string[]): Promise<Ran> => zoosh(args, '', { ZOOSH_HOME: home });
  try {
    const profiles = {
      prod: { server: server.hosts, protect: true },
      fixed: { server: server.hosts, readOnly: true },
      rootless: { server: `${server.hosts}/no-such-chroot` },
    };
    mkdirSync(join(home, 'config'));
    writeFileSync(join(home, 'config', 'config.json'), JSON.stringify({ profiles }), { mode: 0o600 });
    await client.create('/out', 'x');
    for (const line of [
      ['mirror', '/out', '@prod:/into'],
      ['cp', '/out', '@prod:/into'],
    ]) {
      no(await to(server.hosts, ...line), 30, /the profile is protected\n hint: say --yes/);
      assert.equal(await client.exists('/into'), undefined);
      is(await to('--yes', server.hosts, ...line), /^created\t1\n/);
      await client.delete('/into');
    }
    no(await to(server.hosts, 'cp', '/out', '@fixed:/into'), 30, /@fixed is read-only\n hint: its profile/);
    no(await to(server.hosts, 'mirror', '/out', '@fixed:/into'), 30, /@fixed is read-only/);
    is(await to(server.hosts, 'cp', '@fixed:/out', '/into'), /^created\t1\n/);
    // what is not there is not to be taken for what is here under that name
    no(await to(server.hosts, 'diff', '@rootless:/out', '/out'), 10, /the chroot \/no-such-chroot does not exist/);
    no(await to(server.hosts, 'diff', '/out', '@fixed:/outt'), 10, /^error: node does not exist: @fixed:\/outt\n$/);
    await client.delete('/into');
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test('cp: one node, subtrees, over others, into others, to files and back', async () => {
  await plant('/cp');
  is(await one('cp', '/cp', '/cp1'), 'created\t1\nupdated\t0\nsame\t0\nskipped\t0\n');
  is(await one('get', '/cp1'), 'root of it\n');
  no(await one('cp', '/cp', '/cp1'), 11, /node already exists: \/cp1/);
  is(await one('cp', '-r', '-f', '/cp', '/cp1'), 'created\t10\nupdated\t0\nsame\t1\nskipped\t0\n');
  is(await one('diff', '-r', '/cp', '/cp1'), '');
  is(await one('cp', '-r', '/cp/deep', '/cp/json', '/cp1/empty/'), 'created\t4\nupdated\t0\nsame\t0\nskipped\t0\n');
  is(
    await one('ls', '-R', '/cp1/empty'),
    '/cp1/empty\n/cp1/empty/deep\n/cp1/empty/deep/er\n/cp1/empty/deep/er/est\n/cp1/empty/json\n',
  );
  is(await one('cp', '-r', '--no-data', '--atomic', '/cp/deep', '/cp2'), /^created\t3\n/);
  assert.equal((await client.get('/cp2/er/est')).data, null);
  no(await one('cp', '-r', '/cp', '/cp/deep/inside'), 2, /lies within/);
  no(await one('cp', '/cp', '/no/where'), 10, /the parent does not exist/);
  no(await one('cp', '/nowhere', '/cp3'), 10, /node does not exist: \/nowhere/);
  is(await one('cp', '-r', '/cp', `file:${file('cp.ndjson')}`), /^created\t11\n/);
  is(await one('cp', '-r', `file:${file('cp.ndjson')}`, '/cp4'), /^created\t11\n/);
  is(await one('diff', '-r', '/cp', '/cp4'), '');
  await client.create('/cp/session', 'e', { mode: 'ephemeral' });
  is(await one('cp', '-r', '/cp', '/cp5'), 'created\t11\nupdated\t0\nsame\t0\nskipped\t1\n');
  is(await one('cp', '-r', '--as-persistent', '/cp', '/cp6'), /^created\t12\n/);
  // into a file the same is said, and every option means the same
  const to = `file:${file('cp7.ndjson')}`;
  is(await one('cp', '-r', '/cp', to), 'created\t11\nupdated\t0\nsame\t0\nskipped\t1\n');
  is(await one('cp', '-r', '--as-persistent', '--no-data', '--acl', 'world:anyone:cdra', '/cp', to), /^created\t12\n/);
  is(await one('cp', '-r', to, '/cp7'), /^created\t12\n/);
  assert.deepEqual((await client.get('/cp7/json')).data, null);
  for (const path of ['', '/session', '/sp ace "q"'])
    assert.deepEqual((await client.getAcl(`/cp7${path}`)).acl, [{ perms: 29, scheme: 'world', id: 'anyone' }], path);
  is(await one('cp', '/cp', to), /^created\t1\n/);
  is(await one('cp', '-r', to, '/cp8'), /^created\t1\n/);
  // of a file only the root without -r
  const [whole, root] = [`file:${file('cp.ndjson')}`, `file:${file('cp9.ndjson')}`];
  is(await one('cp', whole, root), /^created\t1\n/);
  is(await one('cp', '-r', '--no-acl', whole, root), /^created\t11\n/);
  assert.doesNotMatch(readFileSync(file('cp9.ndjson'), 'utf8'), /"acl":[^f]/);
  await client.delete('/cp/session');
});

test('mv: in one transaction, and in parts when it is too much', async () => {
  await plant('/mv');
  const plain = await one('mv', '/mv', '/mv2');
  is(plain, 'moved\t11\n');
  assert.equal(plain.stderr, '');
  assert.equal(await client.exists('/mv'), undefined);
  is(await one('get', '/mv2/deep/er/est'), 'down here\n');
  no(await one('mv', '/mv2', '/mv2/deep/x'), 2, /lies within/);
  no(await one('mv', '/zookeeper', '/z'), 30, /the ensemble needs it/);
  await client.create('/into');
  is(await one('mv', '/mv2', '/into/'), 'moved\t11\n');
  no(await one('mv', '/into/mv2', '/into'), 11, /already exists/);
  await client.create('/into/mv2/mine', null, { mode: 'ephemeral' });
  no(await one('mv', '/into/mv2', '/away'), 30, /is ephemeral/);
  await client.delete('/into/mv2/mine');
  // a megabyte does not fit into one request
  for (const name of ['a', 'b', 'c']) await client.create(`/into/mv2/${name}`, Buffer.alloc(400_000, name));
  is(await one('export', '/into/mv2', file('big')), '');
  is(await one('setquota', '-n', '100', '/into/mv2/deep'), '');
  const parts = await one('mv', '/into/mv2', '/big');
  is(parts, 'moved\t14\n');
  const behind = (path: string) =>
    `quota limits at ${path} or below stay behind: quota ls shows them, delquota removes them\n`;
  assert.equal(parts.stderr, behind('/into/mv2'));
  is(await one('delquota', '/into/mv2/deep'), '');
  is(await one('setquota', '-b', '9', '/into'), '');
  assert.equal((await one('mv', '/into', '/mvd')).stderr, behind('/into'));
  is(await one('delquota', '/into'), '');
  assert.equal((await one('mv', '/mvd', '/into')).stderr, '');
  assert.equal(await client.exists('/into/mv2'), undefined);
  is(await one('diff', '-r', '/big', `file:${file('big')}`), '');
});

test('diff tells what differs and how, in every form', async () => {
  await client.create('/da', '1');
  await client.create('/da/only', 'here');
  await client.create('/da/both', 'a\nb\n');
  await client.create('/db', '1');
  await client.create('/db/both', 'a\nc\n', { acl: [{ perms: 1, scheme: 'world', id: 'anyone' }] });
  await client.create('/db/new', null);
  const plain = await one('diff', '-r', '/da', '/db');
  is(
    plain,
    '~\t/da/both\tdata "a\\nb\\n" -> "a\\nc\\n"\tacl world:anyone:cdrwa -> world:anyone:r\n+\t/da/new\n-\t/da/only\n',
    1,
  );
  is(await one('diff', '-r', '--data', '/da', '/db'), /^~\t\/da\/both\tdata .*"\n\+/, 1);
  is(await one('diff', '/da', '/db'), '');
  is(
    await one('diff', '-r', '--acl', '/da/both', '/db/both'),
    '~\t/da/both\tacl world:anyone:cdrwa -> world:anyone:r\n',
    1,
  );
  const human = await zoosh(['-o', 'human', server.hosts, 'diff', '-r', '/da', '/db']);
  is(human, / ~ \/da\/both {2}v0\n {5}a\n {3}- b\n {3}\+ c\n/, 1);
  assert.match(human.stdout, /1 only in \/db, 1 only in \/da, 1 different, 1 node the same\n$/);
  const json = JSON.parse((await zoosh(['-o', 'json', server.hosts, 'diff', '-r', '/da', '/db'])).stdout);
  assert.equal(json.equal, false);
  assert.deepEqual(
    json.differences.map(({ change, path }: { change: string; path: string }) => [change, path]),
    [
      ['change', '/da/both'],
      ['create', '/da/new'],
      ['delete', '/da/only'],
    ],
  );
  no(await one('diff', '/da', '/nowhere'), 10, /node does not exist: \/nowhere/);
  // the same twice is no difference, as with diff of any system; a node that is not there is none
  is(await one('diff', '-r', '/da', '/da'), '', 0);
  no(await one('diff', '/dz', '/dz'), 10, /node does not exist: \/dz/);
});

test('import meets an ACL that denies it: it stops and says so; with -k the others are made', async () => {
  const readable = [{ perms: 1, scheme: 'world', id: 'anyone' }];
  for (const path of ['/im', '/im/a', '/im/shut', '/im/shut/kid', '/im/shut/kid/below', '/im/z'])
    await client.create(path, path);
  await client.setAcl('/im/shut', readable);
  is(await one('export', '/im', file('im')), '');
  const stopped = await one('import', '--root', '/im2', file('im'));
  no(stopped, 14, /\/im2\/shut\/kid[\s\S]*hint: -k before the command goes on without what may not be written/);
  assert.equal(stopped.stdout, '');
  assert.equal(await client.exists('/im2/z'), undefined);
  const gone = await zoosh(['-k', server.hosts, 'import', '--root', '/im3', file('im')]);
  is(gone, 'created\t4\nupdated\t0\nsame\t0\nskipped\t0\ndenied\t2\n', 14);
  assert.match(gone.stderr, /^not permitted to write \/im3\/shut\/kid\n.*\/im3\/shut\/kid\/below$/m);
  assert.equal((await client.get('/im3/z')).data?.toString(), '/im/z');
  // what is there may be hidden, too
  await client.setAcl('/im3/a', [{ perms: 2, scheme: 'world', id: 'anyone' }]);
  const again = await zoosh(['-k', server.hosts, 'import', '--root', '/im3', file('im')]);
  is(again, 'created\t0\nupdated\t0\nsame\t3\nskipped\t0\ndenied\t3\n', 14);
});

test('apply makes a subtree as the file says, exactly', async () => {
  await plant('/ap');
  is(await one('export', '/ap', file('ap')), '');
  is(await one('apply', '--check', '-f', file('ap')), '');
  await client.set('/ap/json', 'changed');
  await client.delete('/ap/empty');
  await client.create('/ap/deep/extra', 'not in the file');
  await client.setAcl('/ap/null', [
    { perms: 1, scheme: 'world', id: 'anyone' },
    { perms: 31, scheme: 'ip', id: '127.0.0.1' },
  ]);
  const check = await one('apply', '--check', '-f', file('ap'));
  is(check, /^\+\t\/ap\/empty\n~\t\/ap\/json\tdata "changed" -> .*\n~\t\/ap\/null\tacl /, 1);
  assert.equal((await client.get('/ap/json')).data?.toString(), 'changed');
  is(await one('apply', '-f', file('ap')), /created\t1\nupdated\t2\ndeleted\t0\nsame\t8\nextra\t1\nephemerals\t0\n$/);
  is(await one('diff', '-r', '/ap', `file:${file('ap')}`), '-\t/ap/deep/extra\n', 1);
  const said = await zoosh(['-o', 'json', server.hosts, 'apply', '--prune', '-f', file('ap')]);
  const { changes, ...counts } = JSON.parse(said.stdout);
  assert.deepEqual(changes, [
    { change: 'delete', path: '/ap/deep/extra', version: 0, before: { data: 'not in the file', encoding: 'utf8' } },
  ]);
  assert.deepEqual(counts, { created: 0, updated: 0, deleted: 1, same: 11, extra: 0, ephemerals: 0 });
  is(await one('diff', '-r', '/ap', `file:${file('ap')}`), '');
  is(await one('apply', '--root', '/elsewhere/ap', '-f', file('ap')), /created\t12\n/); // with /elsewhere
  is(await one('diff', '-r', '/elsewhere/ap', `file:${file('ap')}`), '');
  no(await one('apply'), 2, /-f FILE is missing/);
  // a file in another order cannot be compared along the way
  const lines = readFileSync(file('ap'), 'utf8').split('\n');
  writeFileSync(file('mixed'), [lines[0], lines[1], lines[3], lines[2], ''].join('\n'));
  no(await one('apply', '--check', '-f', file('mixed')), 2, /stands after/);
});

test('what may not be read is neither made, deleted nor told to differ', async () => {
  const mine = { acl: [{ perms: 31, scheme: 'digest', id: 'bob:0dPsx5mQh1wFvO4bRhC8UvEHjfc=' }] };
  await client.create('/hid');
  await client.create('/hid/open', '1');
  await client.create('/hid/shut', 's', mine);
  await client.create('/hid2');
  await client.create('/hid2/shut', 'kept');
  await client.create('/hid2/shut/below', 'kept');
  const told = await one('mirror', '/hid', '/hid2');
  no(told, 14, /not permitted to read \/hid\/shut/);
  assert.equal(told.stdout, 'created\t1\nupdated\t0\ndeleted\t0\nsame\t1\n');
  no(await one('mirror', '--delete', '/hid', '/hid2'), 14, /\/hid\/shut may not be read[\s\S]*without --delete/);
  assert.equal((await client.get('/hid2/shut/below')).data?.toString(), 'kept');
  no(await one('mirror', '/hid2', '/hid'), 14, /\/hid\/shut may not be read, so nobody can say/);
  is(await one('diff', '-r', '/hid', '/hid2'), '', 14);
  is(await one('diff', '-r', '/hid2', '/hid'), '', 14);
  no(await one('diff', '/hid/shut', '/hid/open'), 14, /^error: not permitted by the ACL: \/hid\/shut/);
  no(await one('diff', '/hid/open', '/hid/shut/'), 14, /^error: not permitted by the ACL: \/hid\/shut/);
  is(await one('export', '/hid2', file('hid2')), '');
  no(await one('apply', '--root', '/hid', '-f', file('hid2')), 14, /\/hid\/shut may not be read/);
  no(await one('mirror', '/hidd', '/hid3'), 10, /did you mean \/hid/);
  no(await one('apply', '-f', file('none at all')), 2, /there is no such file/);
});

test('what apply and mirror ask says what is changed', async () => {
  await client.create('/said');
  await client.create('/said/a', 'x');
  is(await one('export', '/said', file('said')), '');
  await client.create('/said/b', 'x');
  const asked = async (line: string, isDone?: () => Promise<boolean>): Promise<string | undefined> => {
    const it = rig(client);
    const going = it.shell.run(line);
    if (isDone !== undefined) {
      await until(async () => it.plans.length > 0 && (await isDone()));
      it.shell.interrupt();
    }
    await going;
    return it.plans[0]?.what;
  };
  const apply = `apply -f ${file('said')} --prune`;
  assert.equal(await asked(apply), 'delete 1 node under /said');
  await client.create('/said/b', 'x');
  await client.set('/said/a', 'y');
  assert.equal(await asked(apply), 'make 2 changes under /said, 1 of them a deletion');
  const isThere = async (): Promise<boolean> => (await client.exists('/said2/a')) !== undefined;
  const both = 'make 2 changes under /said2, and follow /said from now on';
  assert.equal(await asked('mirror -f /said /said2', isThere), both);
  const it = rig(client);
  assert.equal(await it.shell.run('mirror /said /said2'), 0);
  assert.deepEqual(it.plans, [], 'nothing differs, and nothing is asked');
  assert.equal(await asked('mirror -f /said /said2', isThere), 'follow /said from now on');
  // how much it comes to, and of a long list that it goes on
  await client.create('/said3');
  for (let at = 0; at < 11; at++) await client.create(`/said3/n${10 + at}`, 'x'.repeat(at));
  const long = rig(client);
  assert.equal(await long.shell.run('mirror /said3 /said4'), 0);
  const [first, ...shown] = long.plans[0]?.details ?? [];
  assert.equal(first, '12 changes, 55B to write');
  assert.equal(shown.length, 11);
  assert.deepEqual(shown.slice(-2), ['+ /said4/n18', '...']);
  const move = rig(client);
  assert.equal(await move.shell.run('mv /said4 /said5'), 0);
  assert.equal(move.plans[0]?.details?.[0], '12 nodes, 55B from /said4 to /said5');
});

test('mirror: once, and following', async () => {
  await plant('/mi');
  is(await one('mirror', '/mi', '/mirrored'), 'created\t11\nupdated\t0\ndeleted\t0\nsame\t0\n');
  await client.create('/mirrored/extra');
  await client.set('/mi/json', 'next');
  is(await one('mirror', '--delete', '/mi', '/mirrored'), 'created\t0\nupdated\t1\ndeleted\t1\nsame\t10\n');
  is(await one('diff', '-r', '/mi', '/mirrored'), '');
  no(await one('mirror', '/mi', '/mi/deep'), 2, /lies within/);
  const child = spawn(process.execPath, [BIN, server.hosts, 'mirror', '-f', '--delete', '/mi', '/mirrored'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      ZOOSH_CODE_CACHE: process.env.ZOOSH_CODE_CACHE ?? 'off',
      ZOOSH_HOME: '/nonexistent',
      LANG: 'C.UTF-8',
    },
  });
  const ended = once(child, 'exit');
  await client.set('/mi/json', 'followed');
  await until(async () => (await client.get('/mirrored/json')).data?.toString() === 'followed');
  await client.create('/mi/later', 'x');
  await client.delete('/mi/empty');
  await until(async () => (await client.exists('/mirrored/later')) !== undefined);
  await until(async () => (await client.exists('/mirrored/empty')) === undefined);
  child.kill('SIGINT');
  assert.deepEqual(await ended, [130, null]);
});

test('mirror between two named ensembles: as it would be, once, and following; no other server is asked', async () => {
  await using other = await new ServerProcess().start();
  await using theirs = await connect(other.hosts);
  const home = join(folder, 'two');
  mkdirSync(join(home, 'config'), { recursive: true });
  const profiles = { a: { server: server.hosts }, b: { server: other.hosts } };
  writeFileSync(join(home, 'config', 'config.json'), JSON.stringify({ profiles }), { mode: 0o600 });
  const run = (...args: string[]) => zoosh(args, '', { ZOOSH_HOME: home });
  await client.create('/two');
  await client.create('/two/x', '1');
  const dry = await run('@a', '-n', 'mirror', '@a:/two', '@b:/there');
  is(dry, 'create\t@b:/there\t\ncreate\t@b:/there/x\t\n');
  assert.equal(await theirs.exists('/there'), undefined);
  is(await run('mirror', '@a:/two', '@b:/there'), 'created\t2\nupdated\t0\ndeleted\t0\nsame\t0\n');
  is(await run('@a', '--dry-run', 'mirror', '@a:/two', '@b:/there'), '');
  const child = spawn(process.execPath, [BIN, '-y', 'mirror', '-f', '--delete', '@a:/two', '@b:/there'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      ZOOSH_CODE_CACHE: process.env.ZOOSH_CODE_CACHE ?? 'off',
      ZOOSH_HOME: home,
      LANG: 'C.UTF-8',
    },
  });
  const ended = once(child, 'exit');
  for (const value of ['2', '3']) {
    await client.set('/two/x', value);
    await until(async () => (await theirs.get('/there/x')).data?.toString() === value);
  }
  child.kill('SIGINT');
  assert.deepEqual(await ended, [130, null]);
  is(await run('@a', 'export', '/two', join(folder, 'two.ndjson')), '');
  is(
    await run('mirror', '--delete', `file:${join(folder, 'two.ndjson')}`, '@b:/there'),
    'created\t0\nupdated\t0\ndeleted\t0\nsame\t2\n',
  );
});

/** Waits for what another process does. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS; waited += 25) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail('it never came');
}
