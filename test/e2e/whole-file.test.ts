/** A file that was cut is not taken for one of a smaller tree: nothing is deleted by it, and whoever uses it is told. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Client, connect } from '../../src/index.ts';
import { rig } from '../shell/rig.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-whole-'));
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
  for (const path of ['/w', '/w/a', '/w/a/x', '/w/b']) await client.create(path, path);
  assert.equal((await one('export', '/w', file('whole'))).code, 0);
  const lines = readFileSync(file('whole'), 'utf8').split('\n');
  for (const [name, count] of [
    ['one', 1],
    ['three', 3],
  ] as const) {
    const text = `${lines.slice(0, count).join('\n')}\n`;
    writeFileSync(file(name), text);
    writeFileSync(file(`${name}.gz`), gzipSync(text));
  }
  // as they were written before: nothing tells where they end
  writeFileSync(file('old'), unmarked(lines.join('\n')));
  writeFileSync(file('old-three'), unmarked(readFileSync(file('three'), 'utf8')));
  writeFileSync(file('old-one'), unmarked(readFileSync(file('one'), 'utf8')));
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string): string => join(folder, name);
const one = (...args: string[]): Promise<Ran> => zoosh([server.hosts, ...args]);
const unmarked = (text: string): string => text.replace(',"ends":"last"', '').replace(',"last":true', '');
const lacks = (name: string): string =>
  `${file(name)} is not whole: ${name.includes('one') ? 'it does not hold the root it names' : 'it ends before its last node'}\n`;
const CUT = ['one', 'three', 'one.gz', 'three.gz'];
const HINT = ' hint: export again; without "ends" in its first line it is taken for one that was written by hand\n';
let trees = 0;
/** A tree with more in it than the file holds. */
async function grown(): Promise<string> {
  const root = `/t${++trees}`;
  for (const path of ['', '/a', '/a/x', '/b', '/c']) await client.create(root + path, `/w${path}`);
  return root;
}
const below = async (root: string): Promise<number> => client.getAllChildrenNumber(root);

test('an export has a mark at its end, which other programs read over', () => {
  const lines = readFileSync(file('whole'), 'utf8').trimEnd().split('\n');
  assert.equal(lines[0], '{"zoosh":"export","version":1,"root":"/w","acl":true,"ends":"last"}');
  const nodes = lines.slice(1).map((line) => JSON.parse(line));
  assert.deepEqual(
    nodes.map(({ path, last }) => [path, last]),
    [
      ['/w', undefined],
      ['/w/a', undefined],
      ['/w/a/x', undefined],
      ['/w/b', true],
    ],
  );
});

test('what was cut deletes nothing, and does not answer whether anything differs', async () => {
  for (const name of [...CUT, 'old-one']) {
    const root = await grown();
    const hint = name.includes('one') ? ' hint: export again\n' : HINT;
    const told = `error: ${file(name)} is damaged: ${lacks(name).split(': ')[1]}${hint}`;
    for (const words of [
      ['apply', '-f', file(name), '--root', root, '--prune'],
      ['apply', '-f', file(name), '--root', root, '--check'],
      ['mirror', '--delete', `file:${file(name)}`, root],
      ['import', '--atomic', '--root', `${root}-new`, file(name)],
      ['cp', '-r', `file:${file(name)}`, `file:${file('copied')}`],
    ]) {
      const ran = await zoosh(['--yes', server.hosts, ...words]);
      assert.deepEqual([ran.code, ran.stderr, ran.stdout], [44, told, ''], words.join(' '));
    }
    assert.equal(await below(root), 4, name);
    assert.equal(await client.exists(`${root}-new`), undefined);
  }
  // all of it does
  const root = await grown();
  assert.equal((await one('apply', '-f', file('whole'), '--root', root, '--prune')).code, 0);
  assert.equal(await below(root), 3);
});

test('where nothing is deleted it is used, and told', async () => {
  for (const name of CUT) {
    const root = await grown();
    for (const words of [
      ['apply', '-f', file(name), '--root', root],
      ['mirror', `file:${file(name)}`, root],
      ['import', '--root', `${root}-i`, file(name)],
      ['diff', '-r', `file:${file(name)}`, '/w'],
    ]) {
      const ran = await one(...words);
      assert.deepEqual([ran.code, ran.stderr], [14, lacks(name)], words.join(' '));
    }
    const copied = await one('cp', '-r', `file:${file(name)}`, `${root}-c`);
    assert.deepEqual([copied.code, copied.stderr], [14, lacks(name)]);
  }
  const text = readFileSync(file('three'), 'utf8');
  const piped = await zoosh([server.hosts, 'import', '--root', '/piped', '-'], text);
  assert.deepEqual([piped.code, piped.stderr], [14, 'standard input is not whole: it ends before its last node\n']);
  // whoever is asked knows before
  const it = rig(client, {}, undefined, { asks: true });
  assert.equal(await it.shell.run(`import --root /asked ${file('three')}`), 14);
  assert.equal(it.plans[0]?.details?.[0], lacks('three').trimEnd());
  // what --prune then refuses is not advised
  const shown = await zoosh(['-o', 'human', server.hosts, 'apply', '-f', file('three')]);
  assert.equal(shown.stdout, ' = 2 unchanged, 2 only there, nothing to do\n');
  // of a comparison of the root alone nothing is missing
  const alone = await one('diff', `file:${file('three')}`, '/w');
  assert.deepEqual([alone.code, alone.stderr], [0, '']);
});

test('an older file is used as before, but does not delete without a word', async () => {
  const root = await grown();
  const words = ['apply', '-f', file('old'), '--root', root];
  assert.deepEqual(
    [(await one(...words)).code, (await one('import', '--root', `${root}-i`, file('old'))).stderr],
    [0, ''],
  );
  assert.equal((await one(...words, '--prune', '--check')).code, 1);
  const refused = (which: string): string =>
    `error: refused: ${which} does not say whether it is whole, and 1 node that it lacks would be deleted\n hint: say --yes before the command when it is; what export writes now says it\n`;
  const pruned = await one(...words, '--prune');
  assert.deepEqual([pruned.code, pruned.stderr], [30, refused(file('old'))]);
  const mirrored = await one('mirror', '--delete', `file:${file('old')}`, root);
  assert.deepEqual([mirrored.code, mirrored.stderr], [30, refused(`file:${file('old')}`)]);
  assert.equal(await below(root), 4);
  // whoever is there is asked, also where undo would bring it back
  const it = rig(client, {}, undefined, { asks: true, trash: file('trash') });
  assert.equal(await it.shell.run(`apply -f ${file('old')} --root ${root} --prune`), 0);
  assert.deepEqual(it.plans[0]?.details, [
    'the file does not say whether it is whole: what was cut off it would be deleted',
  ]);
  assert.equal(it.plans[0]?.keepsUndo, false);
  const again = await grown();
  assert.equal((await zoosh(['--yes', server.hosts, 'apply', '-f', file('old'), '--root', again, '--prune'])).code, 0);
  assert.equal(await below(again), 3);
  // a copy of it does not say more than it
  assert.equal((await one('cp', '-r', `file:${file('old')}`, `file:${file('copy')}`)).code, 0);
  assert.equal(readFileSync(file('copy'), 'utf8').includes('last'), false);
});

test('lines that were added or taken away by hand before the last one are no damage', async () => {
  const root = await grown();
  const [header, top, , , last] = readFileSync(file('whole'), 'utf8').split('\n');
  writeFileSync(file('edited'), [header, top, last, ''].join('\n'));
  assert.equal((await one('apply', '-f', file('edited'), '--root', root, '--prune')).code, 0);
  assert.deepEqual((await client.getChildren(root)).children, ['b']);
  // but without the root nobody can say what became of the rest
  await client.create(`${root}/c`);
  writeFileSync(file('rootless'), [header, last, ''].join('\n'));
  const words = ['apply', '-f', file('rootless'), '--root', root];
  assert.equal((await one(...words)).code, 0);
  assert.equal((await one(...words, '--prune')).code, 30);
  assert.deepEqual((await client.getChildren(root)).children, ['b', 'c']);
});

test('a folder that lost nodes does not delete without a word', async () => {
  const root = await grown();
  assert.equal((await one('export', '--format', 'dir', '/w', file('dir'))).code, 0);
  const words = ['apply', '-f', file('dir'), '--root', root, '--prune'];
  // as git left out folders with nothing in them, which older exports have, or by hand
  rmSync(join(file('dir'), 'b'), { recursive: true });
  const lost = `${file('dir')} lacks 1 of the 4 nodes that were written into it (/w/b)`;
  const refused = await one(...words);
  assert.deepEqual(
    [refused.code, refused.stderr.split('\n')],
    [
      30,
      [
        `error: refused: ${lost}, and 2 nodes that it lacks would be deleted`,
        ' hint: whoever took them out on purpose takes their lines out of __nodes__, too; --yes before the command takes them as deleted',
        '',
      ],
    ],
  );
  assert.equal(await below(root), 4);
  const it = rig(client, {}, undefined, { asks: true, trash: file('trash-dir') });
  assert.equal(await it.shell.run(words.join(' ')), 0);
  assert.deepEqual(it.plans[0]?.details, [`${lost}: what it lacks would be deleted`]);
  for (const name of ['b', 'c']) await client.create(`${root}/${name}`, `/w/${name}`);
  // where nothing is deleted it is used, and told
  for (const used of [
    ['import', '--root', `${root}-i`, file('dir')],
    ['apply', '-f', file('dir'), '--root', `${root}-a`],
    ['apply', '-f', file('dir'), '--root', `${root}-i`, '--check'],
    ['mirror', `file:${file('dir')}`, `${root}-m`],
    ['cp', '-r', `file:${file('dir')}`, `${root}-c`],
  ]) {
    const ran = await one(...used);
    assert.deepEqual([ran.code, ran.stderr], [0, `${lost}\n`], used.join(' '));
  }
  const mirrored = await one('mirror', '--delete', `file:${file('dir')}`, root);
  assert.match(mirrored.stderr, /^error: refused: file:.* \(\/w\/b\), and 2 nodes/);
  assert.equal((await zoosh(['--yes', server.hosts, ...words])).code, 0);
  assert.deepEqual((await client.getChildren(root)).children, ['a']);
  // what is in it besides is no loss, and makes up for none
  mkdirSync(join(file('dir'), 'more'));
  const more = await one(...words);
  assert.deepEqual([more.code, more.stderr], [0, `${lost}\n`]);
  assert.deepEqual((await client.getChildren(root)).children, ['a', 'more']);
  const compared = await one('diff', '-r', '--data', root, `file:${file('dir')}`);
  assert.deepEqual([compared.code, compared.stderr], [0, `${lost}\n`]);
  await client.create(`${root}/b`);
  assert.equal((await one(...words)).code, 30);
  // taken out on purpose
  writeFileSync(file('dir/__nodes__'), readFileSync(file('dir/__nodes__'), 'utf8').replace('b\n', ''));
  const known = await one(...words);
  assert.deepEqual([known.code, known.stderr], [0, '']);
  assert.deepEqual((await client.getChildren(root)).children, ['a', 'more']);
});

test('a copy of a folder is marked when that is whole, and only then', async () => {
  assert.equal((await one('export', '--format', 'dir', '/w', file('folder'))).code, 0);
  const copy = ['cp', '-r', `file:${file('folder')}`, `file:${file('of-folder')}`];
  assert.deepEqual([(await one(...copy)).code, (await one(...copy)).stderr], [0, '']);
  const lines = readFileSync(file('of-folder'), 'utf8').trimEnd().split('\n');
  assert.equal(lines[0], '{"zoosh":"export","version":1,"root":"/w","acl":true,"ends":"last"}');
  assert.match(lines.at(-1) ?? '', /"path":"\/w\/b".*"last":true/);
  rmSync(join(file('folder'), 'b'), { recursive: true });
  const part = await one(...copy);
  assert.deepEqual(
    [part.code, part.stderr],
    [0, `${file('folder')} lacks 1 of the 4 nodes that were written into it (/w/b)\n`],
  );
  assert.doesNotMatch(readFileSync(file('of-folder'), 'utf8'), /last/);
});

test('cp makes the levels that a file lacks where it copies to, not where the shell is', async () => {
  await client.create('/other');
  mkdirSync(file('home/config'), { recursive: true });
  const other = { profiles: { other: { server: `${server.hosts}/other` } } };
  writeFileSync(file('home/config/config.json'), JSON.stringify(other), { mode: 0o600 });
  writeFileSync(file('levels'), '/l=0\n/l/a/b=1\n');
  const words = [server.hosts, 'cp', '-r', `file:${file('levels')}`, '@other:/levels'];
  const ran = await zoosh(words, '', { ZOOSH_HOME: file('home') });
  assert.deepEqual([ran.code, ran.stderr], [0, '']);
  assert.equal((await client.get('/other/levels/a/b')).data?.toString(), '1');
  assert.equal(await client.exists('/levels'), undefined);
});

test('bulk work at what servers keep for themselves says why it does nothing', async () => {
  const why =
    'error: refused: nothing is written at or below /zookeeper: servers keep it for themselves\n hint: setquota sets quotas, reconfig changes the members; --root PATH puts a file elsewhere\n';
  for (const words of [
    ['import', '--root', '/zookeeper', file('whole')],
    ['apply', '--root', '/zookeeper', '-f', file('whole')],
    ['mirror', '/w', '/zookeeper'],
  ]) {
    const ran = await one(...words);
    assert.deepEqual([ran.code, ran.stderr], [30, why], words.join(' '));
  }
  writeFileSync(file('all'), '/more=1\n/zookeeper/x=2\n');
  const part = await zoosh(['--yes', server.hosts, 'import', file('all')]);
  assert.deepEqual(
    [part.code, part.stderr],
    [0, '1 node at and below /zookeeper left out: servers keep it for themselves\n'],
  );
  const applied = await one('apply', '-f', file('all'), '--check');
  assert.deepEqual(
    [applied.code, applied.stdout, applied.stderr],
    [0, '', '1 node at and below /zookeeper left out: servers keep it for themselves\n'],
  );
  // what is only compared is not written anyway
  const checked = await one('apply', '-f', file('whole'), '--root', '/zookeeper', '--check');
  assert.deepEqual(
    [checked.code, checked.stderr],
    [
      30,
      `error: refused: apply leaves what is at and below /zookeeper alone, since servers keep it for themselves: there is nothing to check\n hint: diff -r /zookeeper file:${file('whole')} tells how they differ\n`,
    ],
  );
  const differ = await one('diff', '-r', '/zookeeper', `file:${file('whole')}`);
  assert.equal(differ.code, 1);
});

test('a plan shows a text by the lines that differ, and other data in quotes, escaped once', async () => {
  const planned = async (data: string): Promise<string> => {
    await client.set('/w/b', data);
    return (await zoosh(['-n', '-o', 'human', server.hosts, 'apply', '-f', file('whole')])).stdout;
  };
  assert.match(await planned('line1\nline"2"'), /~ \/w\/b +v1\n +- line1\n +- line"2"\n +\+ \/w\/b\n/);
  assert.match(await planned('tab\tand "2"'), /\/w\/b +v2 +"tab\\tand \\"2\\"" -> "\/w\/b"/);
});
