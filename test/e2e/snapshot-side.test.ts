/** A snapshot of a server as one side of a comparison, and as what a subtree is made equal to. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../../src/index.ts';
import { goldenFiles } from '../apache/memory-disk.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess(['snapCount=60', 'extendedTypesEnabled=true']);
const folder = mkdtempSync(join(tmpdir(), 'zoosh-snap-'));
let client: Client;
let snapshot = '';
const one = (...args: string[]): Promise<Ran> => zoosh([server.hosts, ...args]);

before(async () => {
  await server.start();
  client = await connect(server.hosts);
  await client.create('/app', 'root of it');
  await client.create('/app/config', 'one', { acl: [{ perms: 31, scheme: 'world', id: 'anyone' }] });
  await client.create('/app/config-z', null);
  await client.create('/app/gone', '');
  await client.create('/app/gone/deep', 'x', { acl: [{ perms: 1, scheme: 'world', id: 'anyone' }] });
  await client.create('/app/box', null, { mode: 'container' });
  await client.create('/app/short', 'lives', { mode: 'ttl', ttlMs: 3_600_000 });
  await client.create('/app/mine', 'e', { mode: 'ephemeral' });
  await client.create('/other');
  for (let i = 0; i < 70; i++) await client.set('/other', String(i));
  const kept = join(server.folder, 'data', 'zoosh-1');
  for (let waited = 0; waited < PATIENCE_MS && snapshot === ''; waited += 25) {
    const name = readdirSync(kept).find((each) => /^snapshot\.[0-9a-f]+$/.test(each));
    if (name === undefined) await sleep(25);
    else snapshot = join(kept, name);
  }
  // the server may purge it
  writeFileSync(join(folder, 'snapshot.1'), readFileSync(snapshot));
  snapshot = join(folder, 'snapshot.1');
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('diff compares a subtree with what a snapshot holds of it', async () => {
  const same = await one('diff', '-r', `snap:${snapshot}:/app`, '/app');
  assert.equal(same.stdout, '', same.stderr);
  assert.equal(same.code, 0, same.stderr);
  await client.set('/app/config', 'two');
  await client.delete('/app/gone/deep');
  await client.create('/app/new', 'n');
  const ran = await one('diff', '-r', `snap:${snapshot}:/app`, '/app');
  assert.deepEqual(
    ran.stdout.split('\n').map((line) => line.split('\t').slice(0, 2).join(' ')),
    ['~ /app/config', '- /app/gone/deep', '+ /app/new', ''],
  );
  assert.equal(ran.code, 1);
  assert.match((await one('diff', `snap:${snapshot}:/app/config`, '/app/config')).stdout, /one.*two/s);
  // all of it, without what servers keep for themselves
  assert.doesNotMatch((await one('diff', '-r', `snap:${snapshot}`, '/')).stdout, /zookeeper/);
  // neither side needs a server
  assert.equal(
    (await zoosh(['-s', '127.0.0.1:1', 'diff', '-r', `snap:${snapshot}:/app`, `snap:${snapshot}:/app/box`])).code,
    1,
  );
});

test('apply puts back what a snapshot holds, kinds and ACLs, too', async () => {
  const check = await one('apply', '-f', `snap:${snapshot}:/app`, '--check');
  assert.equal(check.code, 1, check.stderr);
  const ran = await one('--yes', 'apply', '-f', `snap:${snapshot}:/app`, '--prune');
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal((await one('diff', '-r', `snap:${snapshot}:/app`, '/app')).stdout, '');
  assert.equal((await client.get('/app/config')).data?.toString(), 'one');
  assert.deepEqual((await client.getAcl('/app/gone/deep')).acl, [{ perms: 1, scheme: 'world', id: 'anyone' }]);
  assert.equal(await client.exists('/app/new'), undefined);
  // elsewhere, from nothing; a copy of one node, too
  assert.equal((await one('--yes', 'apply', '-f', `snap:${snapshot}:/app/gone`, '--root', '/back/gone')).code, 0);
  assert.equal((await client.get('/back/gone/deep')).data?.toString(), 'x');
  assert.equal((await one('cp', '-r', `snap:${snapshot}:/app/gone`, '/copy')).code, 0);
  assert.equal((await client.get('/copy/deep')).data?.toString(), 'x');
});

test('a snapshot of Apache is a side as well', async () => {
  const file = join(folder, 'snapshot.3c.snappy');
  writeFileSync(file, goldenFiles().get('snapshot.3c.snappy') as Buffer);
  const apart = await zoosh(['-s', '127.0.0.1:1', 'diff', '-r', `snap:${file}:/app`, `snap:${file}:/multi`]);
  assert.equal(apart.code, 1, apart.stderr);
  const ran = await one('--yes', 'cp', '-r', `snap:${file}:/live`, '/from-apache');
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal((await client.get('/from-apache/stays')).data?.toString(), 'p');
  assert.equal(await client.exists('/from-apache/mine'), undefined); // an ephemeral of somebody else's
});

test('what is no snapshot, no node in it or damaged is told so', async () => {
  const no = async (status: number, text: RegExp, ...args: string[]): Promise<void> => {
    const ran = await one(...args);
    assert.equal(ran.code, status, ran.stderr);
    assert.match(ran.stderr, text);
  };
  await no(10, /^error: node does not exist in .*: \/app\/none/, 'diff', `snap:${snapshot}:/app/none`, '/app');
  await no(2, /cannot read .*: there is no such file/, 'diff', `snap:${join(folder, 'none')}:/app`, '/app');
  await no(2, /snap: names no file/, 'diff', 'snap::/app', '/app');
  writeFileSync(join(folder, 'text'), 'something else');
  await no(2, /is not a snapshot of a server/, 'diff', `snap:${join(folder, 'text')}:/app`, '/app');
  writeFileSync(join(folder, 'apache'), 'ZKSN\0\0\0\x02\0\0\0\0\0\0\0\0');
  await no(44, /is damaged: it ends within its session count/, 'diff', `snap:${join(folder, 'apache')}:/app`, '/app');
  const bytes = readFileSync(snapshot);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  writeFileSync(join(folder, 'rotten'), bytes);
  await no(44, /is damaged: /, 'apply', '-f', `snap:${join(folder, 'rotten')}:/app`);
  writeFileSync(join(folder, 'cut'), bytes.subarray(0, 40));
  await no(44, /is damaged: /, 'diff', `snap:${join(folder, 'cut')}:/app`, '/app');
  await no(2, /a snapshot is only read/, 'cp', '/app', `snap:${snapshot}:/x`);
  await no(2, /a snapshot is only read/, 'mirror', '/app', `snap:${snapshot}:/x`);
});
