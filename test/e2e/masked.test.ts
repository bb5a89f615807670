/** ACLs that are read without their password hashes: nobody can say whether two of those are the same. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Acl, type Client, connect } from '../../src/index.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-masked-'));
let client: Client;
const bob = (password: string, perms = 31): Acl => ({
  scheme: 'digest',
  id: `bob:${createHash('sha1').update(`bob:${password}`).digest('base64')}`,
  perms,
});
const WORLD: Acl = { scheme: 'world', id: 'anyone', perms: 1 };
before(async () => {
  await server.start();
  client = await connect(server.hosts);
  for (const [path, acl] of [
    ['/one', [bob('one'), WORLD]],
    ['/two', [WORLD, bob('two')]],
    ['/same', [bob('one'), WORLD]],
    ['/less', [bob('one', 3), WORLD]],
  ] as const)
    await client.create(path, 'x', { acl });
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const one = (...words: string[]): Promise<Ran> => zoosh([server.hosts, ...words]);
const asBob = (...words: string[]): Promise<Ran> => zoosh(['--auth', 'digest:bob:one', server.hosts, ...words]);
const UNKNOWN = /password hashes may not be read, so nobody can say whether the ACLs are the same: \/one\n/;

test('diff says neither yes nor no where it cannot know', async () => {
  for (const words of [
    ['diff', '/one', '/two'],
    ['diff', '--acl', '/one', '/two'],
    ['acl', 'diff', '/one', '/two'],
    ['acl', 'diff', '/one', '/same'],
  ]) {
    const ran = await one(...words);
    assert.deepEqual([ran.code, ran.stdout], [14, ''], words.join(' '));
    assert.match(ran.stderr, UNKNOWN);
  }
  // one side may be read, and the other may be the same
  for (const words of [
    ['diff', '/one', '/two'],
    ['acl', 'diff', '/one', '/two'],
  ]) {
    const ran = await asBob(...words);
    assert.deepEqual([ran.code, ran.stdout], [14, ''], words.join(' '));
    assert.match(ran.stderr, UNKNOWN);
  }
  const json = await zoosh(['-o', 'json', server.hosts, 'diff', '/one', '/two']);
  assert.deepEqual(JSON.parse(json.stdout), { differences: [], equal: null, ephemeralsLeftOut: 0, same: 0 });
});

test('what may be read is compared all the same', async () => {
  assert.deepEqual([(await one('diff', '--data', '/one', '/two')).code], [0]);
  const perms = await one('diff', '/one', '/less');
  assert.deepEqual([perms.code, perms.stderr], [1, '']);
  assert.match(perms.stdout, /^~\t\/one\tacl digest:bob:x:cdrwa,world:anyone:r -> digest:bob:x:rw,world:anyone:r\n$/);
  assert.equal((await one('acl', 'diff', '/one', '/less')).code, 1);
  const whole = await asBob('diff', '/one', '/same');
  assert.deepEqual([whole.code, whole.stderr], [0, '']);
  assert.equal((await asBob('acl', 'diff', '/one', '/same')).code, 0);
});

test('an import of what its owner alone may read whole can be repeated', async () => {
  const file = join(folder, 'all.ndjson');
  for (const path of ['/im', '/im/a', '/im/b'])
    await client.create(path, path, { acl: [bob('one'), { ...WORLD, perms: 5 }] });
  assert.equal((await asBob('export', '/im', file)).code, 0);
  const first = await one('import', '--root', '/again', file);
  assert.deepEqual([first.code, first.stderr], [0, '']);
  assert.equal((await asBob('delete', '/again/b')).code, 0);
  const second = await one('import', '--root', '/again', file);
  assert.equal(second.code, 14, second.stderr);
  assert.match(second.stdout, /^created\t1\nupdated\t0\nsame\t2\n/);
  assert.match(second.stderr, /nobody can say whether the ACLs are the same: \/again \/again\/a\n/);
  const whole = await asBob('import', '--root', '/again', file);
  assert.deepEqual([whole.code, whole.stderr], [0, '']);
  // other data, and what is to be replaced, are what they were
  await asBob('set', '/again/a', 'other');
  assert.equal((await one('import', '--root', '/again', file)).code, 11);
  assert.equal((await one('import', '--root', '/again', '--on-conflict', 'overwrite', file)).code, 14);
});

test('apply does not call a change what may be none, and begins nothing', async () => {
  const file = join(folder, 'one.ndjson');
  assert.equal((await asBob('export', '/one', file)).code, 0);
  assert.equal((await asBob('apply', '-f', file, '--check')).code, 0);
  for (const words of [['--check'], []]) {
    const ran = await one('apply', '-f', file, ...words);
    assert.deepEqual([ran.code, ran.stdout], [14, ''], words.join(' '));
    assert.match(
      ran.stderr,
      /^error: a password hash in the ACL of \/one may not be read, so nobody can say how it differs\n/,
    );
    assert.match(ran.stderr, /--no-acl leaves ACLs out/);
  }
  assert.equal((await one('apply', '-f', file, '--check', '--no-acl')).code, 0);
});
