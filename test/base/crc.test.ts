import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { crcOf, crcOfFew } from '../../src/base/crc.ts';
import { lastSlash, nameOf, parentOf } from '../../src/base/path.ts';

test('the sum is that of zlib, for every length around the bound and wherever it lies', () => {
  const bytes = randomBytes(700);
  for (let length = 0; length < 300; length++) {
    const start = randomInt(400);
    const expected = crc32(bytes.subarray(start, start + length));
    assert.equal(crcOf(bytes, start, start + length), expected, `${length} bytes`);
    assert.equal(crcOfFew(bytes, start, start + length), expected, `${length} bytes`);
  }
});

test('the last slash is where lastIndexOf finds it', () => {
  for (const path of ['', '/', 'a', '/a', '/a/', '//', '/a/b\u{1f600}/ü', 'a/b'])
    assert.equal(lastSlash(path), path.lastIndexOf('/'), path);
  assert.deepEqual([parentOf('/a/b'), parentOf('/a'), parentOf('/'), parentOf('a')], ['/a', '/', '', '']);
  assert.deepEqual([nameOf('/a/b'), nameOf('/')], ['b', '']);
});
