/** Commands are run from code that was compiled and kept, and are the same with it and without. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Session } from '../editor/session.ts';
import { start as startTls } from '../runtime/tls-scene.ts';
import { asNobody, BIN, openToAll, zoosh } from './cli.ts';

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

/** In each of these ways somebody else could have put it there. */
const FOREIGN: Readonly<Record<string, (file: string, folder: string) => void>> = {
  'a file that others may write': (file) => chmodSync(file, 0o602),
  'a link': (file) => {
    renameSync(file, `${file}x`);
    symlinkSync(`${file}x`, file);
  },
  'a second name of a file': (file) => linkSync(file, `${file}x`),
  'a pipe': (file) => {
    rmSync(file);
    execFileSync('mkfifo', [file]);
  },
};
for (const [what, make] of Object.entries(FOREIGN))
  test(`code that others could have written is not run: ${what}`, async () => {
    const folder = ownFolder();
    for (let starts = 0; starts < 2; starts++) await start(folder);
    const file = only(folder);
    make(file, folder);
    await start(folder);
    const { size, mode, nlink } = lstatSync(file);
    assert.ok(lstatSync(file).isFile());
    assert.deepEqual([size, mode & 0o777, nlink], [0, 0o600, 1], 'a mark again');
  });

test('nothing is run from a folder, or from below one, into which others could put it', async () => {
  const [outer, folder] = [ownFolder(), 'code'];
  mkdirSync(outer);
  const own = join(outer, folder);
  for (let starts = 0; starts < 2; starts++) await start(own);
  const file = only(own);
  const { ino } = statSync(file);
  writeFileSync(file, readFileSync(file).fill(0, 0, 4)); // would be made anew
  for (const [path, mode, back] of [
    [own, 0o777, 0o700],
    [outer, 0o777, 0o755],
  ] as const) {
    chmodSync(path, mode);
    await start(own);
    chmodSync(path, back);
    assert.equal(statSync(file).ino, ino, path);
  }
  symlinkSync(own, join(outer, 'link'));
  await start(join(outer, 'link'));
  assert.equal(statSync(file).ino, ino);
  // a folder for everybody from which nobody takes away what is not his
  chmodSync(outer, 0o1777);
  await start(own);
  assert.notEqual(statSync(file).ino, ino);
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

test('of what is old only code goes', async () => {
  const folder = ownFolder();
  mkdirSync(folder, { mode: 0o700 });
  const old = ['thesis.txt', '.bashrc', 'abcdef', 'abc-def.old', 'abc-def', 'abc-def.77'].map((name) =>
    join(folder, name),
  );
  const long = (Date.now() - 31 * 24 * 3_600_000) / 1000;
  for (const file of old) {
    writeFileSync(file, 'x');
    utimesSync(file, long, long);
  }
  await start(folder);
  assert.deepEqual(
    old.filter((file) => !existsSync(file)).map((file) => basename(file)),
    ['abc-def', 'abc-def.77'],
  );
});

test('a server keeps no code, and spoils none', async () => {
  const folder = ownFolder();
  const serve = async (): Promise<void> => {
    const child = spawn(process.execPath, [BIN, 'start', 'standalone', '--port', '0', '--memory'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, ZOOSH_CODE_CACHE: folder },
    });
    const ended = once(child, 'exit');
    await new Promise((resolve) => child.stdout.on('data', (text) => String(text).includes('ready') && resolve(0)));
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  };
  await start(folder);
  await serve();
  assert.equal(statSync(only(folder)).size, 0);
  await start(folder);
  const { ino } = statSync(only(folder));
  await serve();
  await start(folder);
  assert.equal(statSync(only(folder)).ino, ino);
});

test('what else is loaded comes in each start: TLS, zkCli in a pipe, a question', async () => {
  await using running = await startTls({ 'ssl.clientAuth': 'none', maxClientCnxns: '0' });
  const [plain, secure] = [running.plain, running.secure];
  const ways: Readonly<Record<string, (env: Record<string, string>) => Promise<unknown>>> = {
    tls: async (env) => {
      const ran = await zoosh(['-s', secure, '--tls', '--tls-insecure', 'ls', '/'], '', env);
      assert.deepEqual(ran, { code: 0, stdout: 'zookeeper\n', stderr: '' });
    },
    zkCli: async (env) => {
      const ran = await zoosh(['--compat', 'zkcli=3.8', '-server', plain], 'ls /\nquit\n', env);
      assert.deepEqual(ran, { code: 0, stdout: '[zookeeper]\n', stderr: '' });
    },
    question: async (env) => {
      using session = new Session({
        sh: `exec ${process.execPath} ${BIN} --auth digest:bob:- -s ${plain} ls /`,
        env: { ...env, ZOOSH_HOME: home, LANG: 'C.UTF-8' },
      });
      await session.until((screen) => screen.includes('credential for digest:bob'), 'the question');
      session.type('sesame\r');
      assert.equal(await session.ended(), 0);
      assert.doesNotMatch(session.screen.received, /sesame|rror|arning/);
    },
  };
  for (const [name, way] of Object.entries(ways)) {
    const folder = ownFolder();
    for (let starts = 1; starts <= 3; starts++) {
      await way({ ZOOSH_CODE_CACHE: folder });
      const { size } = statSync(only(folder));
      assert.ok(starts === 1 ? size === 0 : size > LARGE, `${name}: start ${starts}`);
    }
  }
});

test('where the code cannot be kept in the end nothing is said', async () => {
  const folder = ownFolder();
  await start(folder);
  const input = `!rm -rf ${folder}; : > ${folder}\n`;
  assert.deepEqual(await zoosh(['-'], input, { ZOOSH_CODE_CACHE: folder }), { code: 0, stdout: '', stderr: '' });
  assert.ok(statSync(folder).isFile());
});

test('without a place of its own it starts all the same, and leaves nothing', async () => {
  const file = join(home, 'file');
  writeFileSync(file, '');
  for (let starts = 0; starts < 3; starts++) {
    await start('off');
    await start(join(file, 'code'));
    await start('', { ZOOSH_HOME: join(home, 'none') });
    for (const wish of ['on', 'OFF', './code', '0']) {
      await start(wish);
      assert.ok(!existsSync(wish), wish);
    }
    await start('', { ZOOSH_HOME: '', HOME: '' });
    assert.ok(!existsSync('.cache'));
  }
  assert.ok(!existsSync(join(home, 'none')));
  if (process.getuid?.() !== 0) return;
  // somebody else's folder, which this one may write to
  const folder = join(mkdtempSync(join(home, 'open-')), 'x');
  openToAll(home);
  chmodSync(dirname(folder), 0o1777);
  assert.equal((await asNobody(['digest', 'a:b'], { ZOOSH_CODE_CACHE: folder })).code, 0);
  assert.ok(existsSync(folder), 'his own below a folder for everybody');
  const mark = only(folder);
  await start(folder);
  // a home of his: root leaves nothing in it, and takes nothing from it
  assert.deepEqual([statSync(mark).uid, statSync(mark).size, statSync(folder).uid], [65_534, 0, 65_534]);
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
