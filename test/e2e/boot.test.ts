/** Commands are run from code that was compiled and kept, and are the same with it and without. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { asNobody, openToAll, zoosh } from './cli.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-boot-'));
after(() => rmSync(home, { recursive: true, force: true }));
let homes = 0;
/** A folder for the code of one test. */
const ownFolder = (): string => join(home, String(homes++));

async function start(folder: string, env: Record<string, string> = {}): Promise<void> {
  const { code, stdout, stderr } = await zoosh(['digest', 'bob:secret'], '', { ZOOSH_CODE_CACHE: folder, ...env });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  assert.match(stdout, /^bob:secret->bob:\S{27}=\n$/);
}
/** The only file in it. */
function only(folder: string): string {
  const names = readdirSync(folder);
  assert.equal(names.length, 1, names.join(' '));
  return join(folder, names[0] as string);
}
const LARGE = 100_000;

test('the first start leaves a mark, the second the code, the third is run from it', async () => {
  const folder = ownFolder();
  await start(folder);
  assert.equal(statSync(only(folder)).size, 0);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  await start(folder);
  const { size, mode, ino } = statSync(only(folder));
  assert.ok(size > LARGE);
  assert.equal(mode & 0o777, 0o600);
  await start(folder);
  // not made anew: it was used
  assert.equal(statSync(only(folder)).ino, ino);
});

test('code that is not whole is not run, and made anew', async () => {
  const folder = ownFolder();
  for (let starts = 0; starts < 2; starts++) await start(folder);
  const file = only(folder);
  const good = readFileSync(file);
  for (const harm of [
    (bytes: Buffer) => bytes.fill(0x5a, 5000, 60_000),
    (bytes: Buffer) => bytes.subarray(0, LARGE),
    (bytes: Buffer) => bytes.subarray(0, 5),
  ]) {
    writeFileSync(file, harm(Buffer.from(good)));
    await start(folder);
    const made = readFileSync(file);
    assert.ok(made.length > LARGE && made.readUInt32BE(0) !== 0x5a5a5a5a);
    await start(folder);
    assert.ok(readFileSync(file).equals(made), 'it is used');
  }
});

test('code that others could have written is not run', async () => {
  const folder = ownFolder();
  for (let starts = 0; starts < 2; starts++) await start(folder);
  const file = only(folder);
  chmodSync(file, 0o602);
  await start(folder);
  assert.deepEqual([statSync(file).size, statSync(file).mode & 0o777], [0, 0o600], 'a mark again');
});

test('each Node, and each way to run it, has code of its own; what is a month old goes', async () => {
  const folder = ownFolder();
  await start(folder);
  const first = only(folder);
  const long = (Date.now() - 31 * 24 * 3_600_000) / 1000;
  utimesSync(first, long, long);
  for (let starts = 0; starts < 2; starts++) await start(folder, { NODE_OPTIONS: '--max-old-space-size=300' });
  assert.ok(!existsSync(first) && statSync(only(folder)).size > LARGE);
  await start(folder);
  assert.equal(readdirSync(folder).length, 2);
});

test('without a place of its own it starts all the same, and leaves nothing', async () => {
  const file = join(home, 'file');
  writeFileSync(file, '');
  for (let starts = 0; starts < 3; starts++) {
    await start('off');
    await start(join(file, 'code'));
    await start('', { ZOOSH_HOME: join(home, 'none') });
  }
  assert.ok(!existsSync(join(home, 'none')));
  if (process.getuid?.() !== 0) return;
  // somebody else's folder, which this one may write to
  const folder = join(mkdtempSync(join(home, 'open-')), 'x');
  openToAll(home);
  chmodSync(join(folder, '..'), 0o777);
  assert.equal((await asNobody(['digest', 'a:b'], { ZOOSH_CODE_CACHE: folder })).code, 0);
  assert.ok(!existsSync(folder));
});

test('a home that is there has it among what may be lost', async () => {
  const own = mkdtempSync(join(home, 'home-'));
  for (let starts = 0; starts < 2; starts++) await start('', { ZOOSH_HOME: own });
  assert.ok(statSync(only(join(own, 'cache/code'))).size > LARGE);
});

test('a program that ends before it is done says so', async () => {
  const folder = mkdtempSync(join(home, 'stub-'));
  copyFileSync(fileURLToPath(new URL('../../bin/boot.cjs', import.meta.url)), join(folder, 'boot.cjs'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const run = (main: string): { status: number | null; stderr: string } => {
    writeFileSync(join(folder, 'main.js'), `export const main = ${main};`);
    const env = { PATH: process.env.PATH, ZOOSH_CODE_CACHE: 'off' };
    return spawnSync(process.execPath, [join(folder, 'boot.cjs'), '5'], { encoding: 'utf8', env });
  };
  const { status, stderr } = run('() => new Promise(() => {})');
  assert.equal(status, 70);
  assert.match(stderr, /^error: zoosh ended in the midst of its work/);
  for (const [main, code] of [
    ['async ([word]) => Number(word)', 5],
    ['async () => 70', 70],
    ['() => process.exit(7)', 7],
  ] as const) {
    const ended = run(main);
    assert.deepEqual([ended.status, ended.stderr], [code, '']);
  }
});
