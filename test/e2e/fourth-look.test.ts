/** What the shell was found to leave out, to refuse or to ignore without a reason when each of its words was tried once more. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess(['4lw.commands.whitelist=*']);
const folder = mkdtempSync(join(tmpdir(), 'zoosh-fourth-'));
const HIDDEN = { acl: [{ scheme: 'digest', id: 'bob:fyVmFCwVbTJYrznoSu1koqYEYF0=', perms: 31 }] };
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
const one = (...words: string[]): Promise<Ran> => zoosh([server.hosts, ...words]);

test('ls that leaves a node out, since an ACL hides it, does not end as if it had shown all', async () => {
  for (const path of ['/part', '/part/a', '/part/b']) await client.create(path, 'x');
  await client.create('/part/hid', 'x', HIDDEN);
  for (const how of ['-l', '-t', '-S', '-c']) {
    const ran = await one('ls', how, '/part');
    assert.deepEqual([ran.code, /\bhid$/m.test(ran.stdout), /\bb$/m.test(ran.stdout)], [14, false, true], how);
    assert.equal(ran.stderr, 'not permitted by the ACL: /part/hid\n');
  }
  // with all that is shown to everybody, as before
  assert.deepEqual([(await one('ls', '/part')).code, (await one('ls', '-l', '/part/a')).code], [0, 0]);
});

test('who answers for the nodes that there are, and ends with what is wrong with the others', async () => {
  await client.create('/who', null);
  await client.create('/who/held', null, { mode: 'ephemeral' });
  await client.create('/who/hid', null, HIDDEN);
  const ran = await one('who', '/who/nope', '/who/held', '/who/hid');
  assert.equal(ran.code, 10);
  assert.match(ran.stdout, /^\/who\/held\t0x[0-9a-f]+\t127\.0\.0\.1:\d+\t/);
  assert.match(ran.stderr, /node does not exist: \/who\/nope; not permitted by the ACL: \/who\/hid\n/);
  const none = await one('who', '/who/hid', '/who');
  assert.deepEqual([none.code, none.stdout], [14, '']);
});

test('what changes no node is not refused to a shell that is read-only, nor asked about', async () => {
  const only = (...words: string[]): Promise<Ran> => zoosh(['--read-only', server.hosts, ...words]);
  for (const path of ['/ro', '/ro/a']) await client.create(path, path);
  const file = join(folder, 'ro.ndjson');
  const copied = await only('cp', '-r', '/ro', `file:${file}`);
  assert.deepEqual([copied.code, existsSync(file)], [0, true], copied.stderr);
  assert.deepEqual((await only('apply', '-f', file, '--check')).code, 0);
  assert.deepEqual((await only('undo', 'list')).code, 0);
  await client.set('/ro/a', 'other');
  assert.deepEqual((await only('apply', '-f', file, '--check')).code, 1);
  for (const words of [
    ['apply', '-f', file],
    ['undo', '1'],
    ['cp', '-r', '/ro', '/ro2'],
    ['cp', '-r', `file:${file}`, '/ro2'],
  ])
    assert.equal((await only(...words)).code, 30, words.join(' '));
  assert.equal(await client.exists('/ro2'), undefined);
});

test('what an ACL hides is left alone by apply and mirror of what does not hold it', async () => {
  for (const path of ['/lone', '/lone/a', '/there', '/there/a']) await client.create(path, 'old');
  await client.create('/lone/hid', 'x', HIDDEN);
  await client.create('/there/hid', 'x', HIDDEN);
  const file = join(folder, 'lone.ndjson');
  assert.equal((await one('export', '/lone', file)).code, 14);
  await client.set('/lone/a', 'new');
  for (const [words, code] of [
    [['--check'], 14], // of what the file lacks nothing can be said
    [['--check', '--prune'], 14],
    [[], 14],
  ] as const) {
    const ran = await one('apply', '-f', file, ...words);
    assert.equal(ran.code, code, words.join(' '));
    assert.match(
      ran.stderr,
      words[1] === '--prune' ? /without --prune what is there is left alone/ : /when .* was made, \/lone\/hid\n$/,
    );
  }
  assert.equal((await client.get('/lone/a')).data?.toString(), 'old');
  const whole = join(folder, 'whole.ndjson');
  await client.create('/whole', 'old');
  await client.create('/whole/a', 'new');
  assert.equal((await one('export', '/whole', whole)).code, 0);
  assert.equal((await one('apply', '-f', whole, '--root', '/lone')).code, 0);
  assert.equal((await client.get('/lone/a')).data?.toString(), 'new');
  assert.equal((await one('mirror', '/whole', '/there')).code, 0);
  assert.equal((await client.get('/there/a')).data?.toString(), 'new');
  // what would be deleted, or written where it cannot be compared, is refused
  assert.equal((await one('mirror', '--delete', '/whole', '/there')).code, 14);
  await client.create('/whole/hid', null);
  for (const words of [
    ['mirror', '/whole', '/there'],
    ['mirror', '/whole', '/lone'],
  ])
    assert.match((await one(...words)).stderr, /hid may not be read, so nobody can say how it differs/);
});

test('import --atomic makes the levels that a list does not hold, in the same transaction', async () => {
  const list = join(folder, 'list.txt');
  writeFileSync(list, '/li/st/b/c=2\n/li/st/a=1\n/li/st/b=\n/li/st/d/e=3\n');
  const refused = await one('import', '--atomic', '--acl', 'auth::r', '--root', '/at/once', list);
  assert.deepEqual([refused.code, await client.exists('/at')], [15, undefined]);
  const ran = await one('import', '--atomic', '--root', '/at/once', list);
  assert.deepEqual([ran.code, /^created\t4$/m.test(ran.stdout)], [0, true], ran.stderr);
  const all = (await one('ls', '-R', '/at')).stdout
    .trim()
    .split('\n')
    .map((path) => path.replace('/at/once', ''));
  assert.deepEqual(all, ['/at', '', '/a', '/b', '/b/c', '/d', '/d/e']);
  assert.equal((await client.exists('/at'))?.czxid, (await client.exists('/at/once/d/e'))?.czxid);
});

test('diff says on which side something may not be read', async () => {
  const home = { ZOOSH_HOME: folder };
  const ran = (...words: string[]): Promise<Ran> => zoosh(words, '', home);
  assert.equal((await ran('profile', 'add', 'there', server.hosts)).code, 0);
  await client.create('/sides', null);
  await client.create('/sides/hid', null, HIDDEN);
  const both = await ran(server.hosts, 'diff', '-r', '/sides', '@there:/sides');
  assert.deepEqual(
    [both.code, both.stderr.split('\n').sort()],
    [14, ['', 'not permitted to read /sides/hid', 'not permitted to read @there:/sides/hid']],
  );
});

test('elect --observe refuses the options of candidates', async () => {
  for (const words of [
    ['--wait', '1s'],
    ['--id', 'a'],
    ['--grace', '1s'],
    ['--signal', 'INT'],
    ['--on-lost', 'true'],
  ]) {
    const ran = await one('elect', '--observe', ...words, '/leader');
    assert.deepEqual([ran.code, ran.stdout], [2, ''], words.join(' '));
    assert.match(ran.stderr, new RegExp(`elect: ${words[0]} is for candidates`));
  }
});

test('a command in a hint can be typed as it stands', async () => {
  await client.create('/with space', null);
  assert.equal((await one('setquota', '-n', '5', '/with space')).code, 0);
  assert.equal((await client.create('/with space/a', null)).path, '/with space/a');
  const nested = await one('setquota', '-n', '5', '/with space/a');
  assert.match(nested.stderr, /delquota '\/with space' removes that one/);
  for (const words of [
    ['cp', '/part', '/no such/x'],
    ['mv', '/part', '/no such/x'],
  ])
    assert.match((await one(...words)).stderr, / hint: mkdir -p '\/no such' makes it\n/);
  const chroot = await zoosh(['-s', `${server.hosts}/no such`, 'ls', '/']);
  assert.match(chroot.stderr, /create -p '\/no such'/);
});

test('doctor judges the node it is sent to, names the biggest, and its advice can be typed', async () => {
  const room = '/the room';
  await client.create(room, null);
  for (const [name, data] of [
    ['a', 'small'],
    ['a/b', 'larger data'],
    ['a/c', ''],
    ['z', ''],
  ] as const)
    await client.create(`${room}/${name}`, data);
  const ran = await one('doctor', room);
  assert.equal(ran.code, 1, ran.stderr);
  assert.match(
    ran.stdout,
    /^FAIL\t'\/the room': anyone may delete what is below\taddauth, then setAcl -R '\/the room' auth::cdrwa$/m,
  );
  assert.match(
    ran.stdout,
    /^ok\tmost children '\/the room' \(2\), largest family '\/the room\/a' \(2 nodes below\), largest data '\/the room\/a\/b' \(11B\)$/m,
  );
  await zoosh(['--auth', 'digest:bob:secret', server.hosts, 'setAcl', '-R', room, 'auth::cdrwa,world:anyone:r']);
  assert.equal((await one('doctor', room)).code, 0);
  // below a chroot the node it stands for is the one
  await client.create('/rooted', null);
  const rooted = await zoosh(['-s', `${server.hosts}/rooted`, 'doctor']);
  assert.match(rooted.stdout, /^FAIL\t\/: anyone may delete what is below\t/m);
});
