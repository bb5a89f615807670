import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { parseAcl, showAcl } from '../../src/shell/acl-text.ts';
import { openArchive, readArchive } from '../../src/shell/archive-read.ts';
import { type ArchiveWriter, folderWriter, linesWriter, packedWriter } from '../../src/shell/archive-write.ts';
import { nodeLine, nodeOf } from '../../src/shell/node-json.ts';
import { comparePaths, isMasked, type NodeRecord, rebased, sameAcl, sameData } from '../../src/shell/node-record.ts';
import { quoteWord, resolvePath } from '../../src/shell/paths.ts';
import { fileSink, gathered, gzipSink, type Sink } from '../../src/shell/sink.ts';
import { fill } from '../../src/shell/variables.ts';
import { rig } from './rig.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-archive-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const OPEN = parseAcl('world:anyone:cdrwa');
const node = (path: string, data: string | Uint8Array | null, acl = OPEN): NodeRecord => ({
  path,
  data: typeof data === 'string' ? Buffer.from(data) : data,
  acl,
  kind: 'persistent',
});
const NODES: readonly NodeRecord[] = [
  node('/app', null),
  node('/app/a', ''),
  node('/app/a/ sp ace', 'x'),
  node('/app/a/ü"\\%2F', 'zwei\nZeilen\n'),
  node('/app/a-b', new Uint8Array([0, 255, 128, 10])),
  node('/app/bom', '\ufefftext'),
  node('/app/locked', 'secret', parseAcl('digest:bob:hash=:cdrwa,world:anyone:r')),
  node('/app/masked', 'x', parseAcl('digest:bob:x:cdrwa')),
  { ...node('/app/t', '1'), kind: 'ttl', ttlMs: 5000 },
  { ...node('/app/u', '1'), kind: 'container' },
];

const bare = ({ path, data, acl, kind, ttlMs }: NodeRecord) => ({
  path,
  data: data === null ? null : Buffer.from(data).toString('hex'),
  acl: acl === undefined ? undefined : showAcl(acl),
  kind,
  ttlMs,
});
async function put(writer: ArchiveWriter, nodes = NODES): Promise<void> {
  for (const each of nodes) await writer.node(each);
  await writer.end();
}
async function read(file: string): Promise<{ root: string; acl: boolean; nodes: NodeRecord[] }> {
  const { root, acl, nodes, close } = await openArchive(file);
  const all: NodeRecord[] = [];
  try {
    for await (const each of nodes) all.push(each);
  } finally {
    await close();
  }
  return { root, acl, nodes: all };
}
const OPTIONS = { root: '/app', acl: true, stat: true };

test('every form of export gives back what went in', async () => {
  const lines = join(folder, 'a.ndjson');
  await put(await linesWriter(fileSink(lines), OPTIONS));
  const zipped = join(folder, 'a.gz');
  await put(await linesWriter(gzipSink(fileSink(zipped)), OPTIONS));
  const packed = join(folder, 'a.zka');
  await put(await packedWriter(fileSink(packed), OPTIONS));
  const both = join(folder, 'a.zka.gz');
  await put(await packedWriter(gzipSink(fileSink(both)), OPTIONS));
  const tree = join(folder, 'tree');
  await put(folderWriter(tree, OPTIONS));
  for (const file of [lines, zipped, packed, both, tree]) {
    const found = await read(file);
    assert.deepEqual([found.root, found.acl], ['/app', true], file);
    assert.deepEqual([...found.nodes].sort((a, b) => comparePaths(a.path, b.path)).map(bare), NODES.map(bare), file);
    if (file !== tree) assert.deepEqual(found.nodes.map(bare), NODES.map(bare), `order of ${file}`);
    if (file !== tree) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  }
  assert.equal(readFileSync(join(tree, 'a-b', '__data__')).length, 4);
  // git keeps no folder with nothing in it; one that has others in it needs no file of its own
  const empty = join(folder, 'bare');
  const nodes = ['/app', '/app/a', '/app/a/b', '/app/a-b', '/app/z'].map((path) => node(path, null));
  await put(folderWriter(empty, OPTIONS), nodes);
  const files = readdirSync(empty, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  assert.deepEqual(files.map(({ parentPath, name }) => join(parentPath, name).slice(empty.length + 1)).sort(), [
    '__node__.json',
    '__nodes__',
    'a-b/__node__.json',
    'a/b/__node__.json',
    'z/__node__.json',
  ]);
  const again = await read(empty);
  assert.deepEqual(
    again.nodes.map((each) => [each.path, each.data, each.kind]).sort(),
    nodes.map(({ path }) => [path, null, 'persistent']).sort(),
  );
  assert.match(readFileSync(lines, 'utf8'), /"id":"bob:x","perms":"cdrwa","masked":true/);
});

test('what git keeps beside the nodes of a folder is no node, and makes up for none', async () => {
  const kept = join(folder, 'kept');
  const nodes = ['/app', '/app/.hidden', '/app/a', '/app/b', '/app/c'].map((path) => node(path, 'x'));
  await put(folderWriter(kept, OPTIONS), nodes);
  for (const name of ['.git/objects/pack', '.git/refs/heads', 'a/.cache'])
    mkdirSync(join(kept, name), { recursive: true });
  const pathsOf = async (): Promise<string[]> => (await read(kept)).nodes.map(({ path }) => path).sort();
  assert.deepEqual(await pathsOf(), nodes.map(({ path }) => path).sort());
  const whole = await openArchive(kept);
  assert.deepEqual([whole.isUnmarked, whole.lost], [false, undefined]);
  for (const name of ['b', 'c']) rmSync(join(kept, name), { recursive: true });
  const { isUnmarked, lost } = await openArchive(kept);
  assert.deepEqual([isUnmarked, lost], [true, { written: 5, missing: 2, first: '/app/b' }]);
  assert.deepEqual(await pathsOf(), ['/app', '/app/.hidden', '/app/a']);
});

test('what was added to a folder makes up for nothing that it lost', async () => {
  const nodes = ['/app', '/app/a', '/app/a/x:y', '/app/a/z', '/app/b'].map((path) => node(path, 'x'));
  const edited = join(folder, 'edited');
  await put(folderWriter(edited, OPTIONS), nodes);
  rmSync(join(edited, 'a', 'x%3Ay'), { recursive: true });
  for (const name of ['c', 'd']) mkdirSync(join(edited, name));
  const lost = { written: 5, missing: 1, first: '/app/a/x:y' };
  const early = await openArchive(edited);
  assert.deepEqual([early.isUnmarked, early.lost], [true, lost], 'before it is read');
  const late = await openArchive(edited);
  const paths: string[] = [];
  for await (const { path } of late.nodes) paths.push(path);
  assert.deepEqual(paths, ['/app', '/app/a', '/app/a/z', '/app/b', '/app/c', '/app/d']);
  assert.deepEqual([late.isUnmarked, late.lost], [true, lost], 'behind it');

  // taken out on purpose, with an editor of another system
  const list = join(edited, '__nodes__');
  assert.equal(readFileSync(list, 'utf8'), 'a\na/x%3Ay\na/z\nb\n');
  writeFileSync(list, 'a\r\na/z\r\nb');
  const again = await openArchive(edited);
  assert.deepEqual([again.isUnmarked, again.lost], [false, undefined]);

  // the list is lost itself: the number is left, as in older exports
  rmSync(list);
  const older = await openArchive(edited);
  assert.deepEqual([older.isUnmarked, older.lost], [false, undefined]);
  for (const name of ['c', 'd']) rmSync(join(edited, name), { recursive: true });
  assert.deepEqual((await openArchive(edited)).lost, { written: 5, missing: 1 });
});

test('the list of a folder is longer than what is read or written of it at once', async () => {
  const many = join(folder, 'many');
  const nodes = Array.from({ length: 3000 }, (_, i) => node(`/app/${'n'.repeat(60)}-${i}-ü`, null));
  await put(folderWriter(many, OPTIONS), [node('/app', null), ...nodes]);
  assert.ok(statSync(join(many, '__nodes__')).size > 3 * 64 * 1024 - 2000);
  assert.equal((await openArchive(many)).lost, undefined);
  rmSync(join(many, `${'n'.repeat(60)}-2100-ü`), { recursive: true });
  mkdirSync(join(many, 'other'));
  const read = await openArchive(many);
  let count = 0;
  for await (const _node of read.nodes) count++;
  assert.deepEqual([count, read.lost?.missing, read.lost?.first], [3001, 1, `/app/${'n'.repeat(60)}-2100-ü`]);
});

test('a damaged archive is told with its place, and nothing else is believed', async () => {
  const file = join(folder, 'whole.zka');
  await put(await packedWriter(fileSink(file), OPTIONS));
  const whole = readFileSync(file);
  const fails = async (bytes: Uint8Array, exit: number, message: RegExp): Promise<void> => {
    const at = join(folder, 'broken.zka');
    writeFileSync(at, bytes);
    await assert.rejects(read(at), (error: { exit?: number; message: string }) => {
      assert.equal(error.exit, exit, error.message);
      assert.match(error.message, message);
      return true;
    });
  };
  await fails(whole.subarray(0, whole.length - 1), 44, /ends after 10 nodes/);
  await fails(whole.subarray(0, whole.length - 120), 44, /ends after|checksum/);
  const flipped = Buffer.from(whole);
  const at = flipped.indexOf('secret');
  flipped[at] = (flipped[at] as number) ^ 1;
  await fails(flipped, 44, /checksum/);
  await fails(Buffer.from('ZKARCH1\n\xff\xff\xff\xff', 'latin1'), 44, /a record of 4294967295 bytes/);
  await fails(Buffer.from('hello'), 2, /not an export/);
  await fails(Buffer.from(''), 2, /nothing in it/);
  await fails(Buffer.from('{"zoosh":"export","version":2,"root":"/","acl":true}\n'), 2, /version 2/);
  await fails(Buffer.from('{"zoosh":"export","version":1,"root":"/","acl":true}\n{"path":"a"}\n'), 2, /:2: not a path/);
  await fails(Buffer.from('{"zoosh":"export","version":1,"root":"/","acl":true}\n{"pa\n'), 2, /:2: not JSON/);
  await assert.rejects(read(folder), { exit: 2 }); // any folder is not an export
  await fails(Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]), 44, /damaged/);
});

test('backups of other tools are read', async () => {
  const pairs = join(folder, 'pairs');
  writeFileSync(pairs, '# a list\n/b=2\n/a/x=one=two\n/a=\n/a/none\n');
  const found = await read(pairs);
  assert.deepEqual([found.root, found.acl], ['/', false]);
  assert.deepEqual(
    found.nodes.map(({ path, data }) => [path, data === null ? null : Buffer.from(data).toString()]),
    [
      ['/a', ''],
      ['/a/none', null],
      ['/a/x', 'one=two'],
      ['/b', '2'],
    ],
  );
  const early = join(folder, 'early.json');
  writeFileSync(early, JSON.stringify({ '/some/path': { content: 'a blob!', acls: [] } }, null, 4));
  assert.equal(Buffer.from((await read(early)).nodes[0]?.data ?? []).toString(), 'a blob!');
  const later = join(folder, 'later.json');
  const acls = [{ perms: 31, scheme: 'world', id: 'anyone' }];
  writeFileSync(later, JSON.stringify({ '/x/b': { content: 'aGk=', acls }, '/x/a': { content: null, acls } }));
  const { root, nodes, acl } = await read(later);
  assert.deepEqual([root, acl], ['/x', true]);
  assert.deepEqual(nodes.map(bare), [bare(node('/x/a', null)), bare(node('/x/b', 'hi'))]);
  writeFileSync(later, '{"/x": {"other": 1}}');
  await assert.rejects(read(later), { exit: 2 });
});

test('a reader takes lines and pieces however they come', async () => {
  const bytes: Buffer[] = [];
  await put(
    await linesWriter(
      gathered(async (chunk) => void bytes.push(Buffer.from(chunk))),
      OPTIONS,
    ),
  );
  const whole = Buffer.concat(bytes);
  for (const size of [1, 2, 7, 64, 100_000]) {
    const chunks = (async function* () {
      for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
    })();
    const found: NodeRecord[] = [];
    for await (const each of (await readArchive(chunks, 'test')).nodes) found.push(each);
    assert.deepEqual(found.map(bare), NODES.map(bare), String(size));
  }
});

test('a sink that cannot write says so and leaves no file', async () => {
  assert.throws(() => fileSink('/nonexistent/folder/x'), { exit: 2 });
  const file = join(folder, 'given-up');
  const sink = fileSink(file);
  await sink.write('x'.repeat(100_000));
  sink.abandon();
  assert.throws(() => statSync(file));
  // a folder has come into its place meanwhile
  const taken = fileSink(file);
  await taken.write('x');
  mkdirSync(file);
  await assert.rejects(async () => taken.end(), { exit: 2, message: `cannot write ${file}: it is a folder` });
  assert.deepEqual(
    readdirSync(folder).filter((each) => each.endsWith('.part')),
    [],
  );
  const full: Sink = gathered(async () => {
    throw new Error('full');
  });
  const zip = gzipSink(full);
  await assert.rejects(async () => {
    for (let at = 0; at < 200; at++)
      await zip.write(Buffer.from(Array.from({ length: 70_000 }, () => Math.floor(at * 7919) % 251)));
    await zip.end();
  }, /full/);
});

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter(
    (text) => text !== '.' && text !== '..' && !/[\u0000-\u001f/\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/.test(text),
  );
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`);
const entry = fc.record({
  scheme: fc.constantFrom('digest', 'ip', 'sasl', 'world', 'x509'),
  user: fc.stringMatching(/^[a-z][a-z0-9.]{0,8}$/),
  hash: fc.base64String({ minLength: 4, maxLength: 28 }),
  masked: fc.boolean(),
  perms: fc.integer({ min: 1, max: 31 }),
});
const acl = fc.array(entry, { minLength: 1, maxLength: 4 }).map((entries) =>
  entries.map(({ scheme, user, hash, masked, perms }) => ({
    scheme,
    id:
      scheme === 'digest'
        ? `${user}:${masked ? 'x' : hash}`
        : scheme === 'world'
          ? 'anyone'
          : scheme === 'x509'
            ? `CN=${user},O=x`
            : user,
    perms,
  })),
);

test('what export, getAcl and ls print can be pasted back and means the same', () => {
  fc.assert(
    fc.property(path, fc.option(fc.uint8Array({ maxLength: 60 })), acl, (at, data, entries) => {
      const record: NodeRecord = { path: at, data, acl: entries, kind: 'persistent' };
      const back = nodeOf(JSON.parse(nodeLine(record, false)), 'test');
      assert.equal(back.path, at);
      assert.ok(sameData(back.data, data));
      assert.ok(sameAcl(back.acl ?? [], entries));
      const typed = parseAcl(showAcl(entries));
      assert.deepEqual(typed, entries);
      // what is marked is what must not be written back
      assert.equal(JSON.parse(nodeLine(record, false)).masked === true, typed.some(isMasked));
      const { shell } = rig();
      const { pipelines, fault, open } = shell.parse(`get ${quoteWord(at)}`);
      assert.equal(fault ?? open, undefined);
      const words = pipelines[0]?.words.map((word) => fill(word, () => undefined).text);
      assert.deepEqual(words, ['get', at]);
      assert.equal(resolvePath('/', words?.[1] ?? ''), at);
    }),
    { numRuns: 3000 },
  );
});

test('an order of paths that has each node before what is below it', () => {
  fc.assert(
    fc.property(path, path, name, (a, b, more) => {
      assert.ok(comparePaths(a, `${a}/${more}`) < 0);
      const order = comparePaths(a, b);
      assert.equal(Math.sign(order), -Math.sign(comparePaths(b, a)) + 0 || 0);
      // siblings do not come between a node and its children
      if (order < 0 && !b.startsWith(`${a}/`)) assert.ok(comparePaths(`${a}/${more}`, b) < 0);
      assert.equal(rebased(rebased(a, '/', '/to'), '/to', '/'), a);
    }),
    { numRuns: 2000 },
  );
  assert.equal(rebased('/a/b', '/a', '/'), '/b');
  assert.equal(rebased('/a', '/a', '/'), '/');
  assert.equal(rebased('/', '/', '/x'), '/x');
});
