/** What the tools of files say of files that are not what they are for, and of how sure they are. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Ran, zoosh } from './cli.ts';
import { apacheData, Folder } from './folders.ts';

const folder = new Folder();
after(() => folder[Symbol.dispose]());

test('of a log that was cut nobody knows what it lacks', async () => {
  const apache = folder.in('cut');
  apacheData(apache);
  const files = join(apache, 'version-2');
  const log = join(
    files,
    readdirSync(files)
      .filter((name) => name.startsWith('log.'))
      .sort()
      .at(-1) as string,
  );
  const size = readFileSync(log).findLastIndex((byte) => byte !== 0);
  truncateSync(log, size - 5);
  const cut = await zoosh(['verify', apache]);
  assert.match(
    cut.stdout,
    /that was never whole is left out; a server that is cut off while it writes leaves one that was acknowledged to nobody; a copy that was cut off may lack more\n/,
  );
  truncateSync(log, 0);
  const empty = await zoosh(['verify', apache]);
  assert.match(
    empty.stdout,
    /log\.[0-9a-f]+ is empty, as one is that was made just before its server ended; a copy may lack what is in it\n/,
  );
});

test('a compressed backup, a folder, nothing, and an id that is none', async () => {
  const packed = folder.in('b.gz');
  writeFileSync(packed, gzipSync(Buffer.concat([Buffer.from('zBAK'), Buffer.alloc(9000)])));
  for (const words of [
    ['verify', packed],
    ['restore', packed, '--to', folder.in('x')],
  ]) {
    const { code, stderr } = await zoosh(words);
    assert.deepEqual([code, stderr], [2, `error: ${packed} is compressed: gunzip it first\n`]);
  }
  const dir = folder.in('d');
  mkdirSync(dir);
  const { code, stderr } = await zoosh(['txnlog', dir]);
  assert.deepEqual([code, stderr], [2, `error: cannot use ${dir}: it is a folder\n`]);
  assert.match((await zoosh(['txnlog', ''])).stderr, /^error: txnlog: FILE is missing\n/);
  const apache = folder.in('id');
  apacheData(apache);
  writeFileSync(join(apache, 'myid'), '300\n');
  const id = await zoosh(['import-apache', apache]);
  assert.deepEqual(
    [id.code, id.stderr],
    [43, `error: myid says 300, and a server's id is 1 to 254: correct it, or say --myid N\n`],
  );
});

test('what cannot be looked into is not called damaged', async () => {
  const apache = folder.in('unread');
  apacheData(apache);
  const log = join(apache, 'version-2', 'log.ffff');
  symlinkSync(log, log);
  const found = await zoosh(['verify', apache]);
  assert.equal(found.code, 40);
  assert.ok(found.stdout.includes(`UNREAD   ${log}: its links lead in a circle\n`), found.stdout);
  assert.doesNotMatch(found.stdout, /DAMAGED/);
  const told = JSON.parse((await zoosh(['-o', 'json', 'verify', apache])).stdout) as { whole: boolean };
  assert.equal(told.whole, false);
  // what is damaged besides is told as that
  const [snapshot = ''] = readdirSync(join(apache, 'version-2')).filter((name) => name.startsWith('snapshot.'));
  truncateSync(join(apache, 'version-2', snapshot), 40);
  const worse = await zoosh(['verify', apache]);
  assert.equal(worse.code, 44);
  assert.match(worse.stdout, /^DAMAGED {2}.*^UNREAD {3}/ms);
});

test('snapshot summary tells what is below each node that has children, down to a depth', async () => {
  using place = new Folder();
  const file = join(apacheData(place.in('apache')), 'version-2/snapshot.34.gz');
  const summary = (...words: string[]): Promise<Ran> => zoosh(['snapshot', 'summary', ...words]);
  const two = await summary(file, '/', '2');
  // as Apache's: lines of three, a blank one at the end
  assert.match(two.stdout, /^(?:((?:--)*) \/.*\n\1 {3}children: \d+\n\1 {3}data: \d+\n)+\n$/);
  const quota =
    '-- /zookeeper\n--   children: 9\n--   data: 106\n---- /zookeeper/quota\n----   children: 7\n----   data: 106\n';
  assert.ok(two.stdout.endsWith(`${quota}\n`), two.stdout);
  // what is not shown is counted all the same, and what is below a node is the same from wherever it is looked at
  const listed = (await zoosh(['snapshot', 'ls', file])).stdout;
  const lengths = [...listed.matchAll(/ dataLength = (\d+)$/gm)].map(([, length]) => Number(length));
  const bytes = lengths.reduce((sum, length) => sum + length, 0);
  const root = ` /\n   children: ${lengths.length - 1}\n   data: ${bytes}\n`;
  for (const depth of ['0', '1', '2']) assert.ok((await summary(file, '/', depth)).stdout.startsWith(root));
  const inner = (text: string): string[] => [...text.matchAll(/^-* (\/.*)$/gm)].map(([, path]) => path as string);
  assert.deepEqual(inner((await summary(file, '/', '1')).stdout), inner(two.stdout).slice(0, -1));
  const all = inner((await summary(file, '/', '0')).stdout);
  assert.deepEqual(all.slice(-4), [
    '/zookeeper/quota',
    ...['/deep', '/deep/down', '/limited'].map((p) => `/zookeeper/quota${p}`),
  ]);
  const below = await summary(file, '/zookeeper/', '1');
  assert.equal(below.stdout, `${quota.replace(/^--/gm, '')}\n`);
  assert.equal((await summary(file, '/container/child', '1')).stdout, '\n', 'a leaf has nothing below it');

  for (const [words, code, text] of [
    [[file, '/none', '1'], 10, /node does not exist in .*snapshot\.34\.gz: \/none/],
    [[file, 'app', '1'], 2, /app is not the path of a node/],
    [[file, '/', 'x'], 2, /x is not a number/],
    [[file, '/'], 2, /FILE NODE DEPTH/],
    [[place.in('none'), '/', '1'], 2, /there is no such file/],
  ] as const) {
    const refused = await summary(...words);
    assert.deepEqual([refused.code, refused.stdout], [code, '']);
    assert.match(refused.stderr, text);
  }
  // by Apache's name the codes are Apache's: 2 for words, 1 for the rest
  assert.equal((await zoosh(['shims', place.in('bin')])).code, 0);
  const script = (...words: string[]): number | null =>
    spawnSync(place.in('bin/zkSnapshotRecursiveSummaryToolkit.sh'), words).status;
  const codes = [[], ['-h'], [file, '/', 'x'], [file, '/none', '1'], [place.in('none'), '/', '1'], [file, '/', '1']];
  assert.deepEqual(
    codes.map((words) => script(...words)),
    [2, 2, 2, 1, 1, 0],
  );
});
