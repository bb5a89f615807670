import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FolderError, fileWords } from '../../src/base/file-words.ts';
import { makeFolders } from '../../src/base/make-folders.ts';

const root = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** What it says, and about which folder. */
function told(path: string, disk: Parameters<typeof makeFolders>[1] = fs): [string, string, string] {
  try {
    makeFolders(path, disk);
  } catch (error) {
    assert.ok(error instanceof FolderError, String(error));
    return [error.code, error.path, fileWords(error)];
  }
  return assert.fail(`${path} was made`);
}

test('folders that are missing are made, and the highest of them is told', () => {
  const path = join(root, 'a/b/c');
  assert.equal(makeFolders(`${path}/`, fs, 0o700), join(root, 'a'));
  for (const each of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(join(root, each)).mode & 0o777, 0o700);
  assert.equal(makeFolders(path, fs), undefined);
  assert.equal(makeFolders('.', fs), undefined);
  assert.equal(makeFolders('/', fs), undefined);
});

test('what cannot be made is told at once, and truly', () => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  for (const below of ['', '/x', '/x/y'])
    assert.deepEqual(told(file + below), ['ENOTDIR', file, `${file} is not a folder`]);
  const link = join(root, 'link');
  symlinkSync(join(root, 'nowhere'), link);
  assert.deepEqual(told(join(link, 'x')), ['EEXIST', link, `${link} is a link that leads nowhere`]);
  const failing = (code: string) => ({
    statSync: fs.statSync,
    mkdirSync: (): never => {
      throw Object.assign(new Error(`${code}: mkdir`), { code });
    },
  });
  const path = join(root, 'no/where');
  for (const [code, words] of [
    ['ENOENT', `no folder can be made in ${root}`],
    ['EACCES', `this user may not make ${root}/no`],
    ['EROFS', 'the disk may only be read'],
    ['ENOSPC', 'the disk is full'],
  ] as const)
    assert.deepEqual(told(path, failing(code)), [code, join(root, 'no'), words]);
});

test('where the system answers ENOENT to a folder whose parent is there, it ends', {
  skip: process.platform !== 'linux',
}, () => {
  assert.deepEqual(told('/proc/zoosh/data'), ['ENOENT', '/proc/zoosh', 'no folder can be made in /proc']);
});
