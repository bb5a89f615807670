/** Files as the shell writes and reads them: devices, pipes, links, folders, and what is left behind when it fails. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { BIN, type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-files-'));
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
  await client.create('/e', 'of e');
  await client.create('/e/f', 'of f');
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string): string => join(folder, name);
const one = (...args: string[]): Promise<Ran> => zoosh([server.hosts, ...args]);
const is = ({ code, stdout, stderr }: Ran, expected: string | RegExp, status = 0): void => {
  assert.equal(code, status, stderr + stdout);
  if (typeof expected === 'string') assert.equal(stdout, expected);
  else assert.match(stdout, expected);
};
const no = ({ code, stderr }: Ran, status: number, expected: RegExp): void => {
  assert.equal(code, status, stderr);
  assert.match(stderr, expected);
};
/** In a folder, with a home of its own. */
const from = (cwd: string, home: string, ...args: string[]): Ran => {
  const env = {
    PATH: process.env.PATH,
    ZOOSH_CODE_CACHE: process.env.ZOOSH_CODE_CACHE ?? 'off',
    ZOOSH_HOME: home,
    LANG: 'C.UTF-8',
  };
  const options = { cwd, env, encoding: 'utf8', timeout: PATIENCE_MS } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], options);
  return { code: status ?? 128, stdout, stderr };
};
/** A line of bash, in which $0 is Node, $1 our program, $2 the server, $3 a folder of its own. */
const bash = (line: string): Ran => {
  const words = ['--norc', '-c', line, process.execPath, BIN, server.hosts, folder];
  const env = {
    PATH: process.env.PATH,
    ZOOSH_CODE_CACHE: process.env.ZOOSH_CODE_CACHE ?? 'off',
    ZOOSH_HOME: '/nonexistent',
    LANG: 'C.UTF-8',
  };
  const { status, stdout, stderr } = spawnSync('bash', words, { encoding: 'utf8', env, timeout: PATIENCE_MS });
  return { code: status ?? 128, stdout, stderr };
};
const EXPORTED = /^\{"zoosh":"export".*\n\{"path":"\/e".*\n\{"path":"\/e\/f".*\n$/;

test('export and cp write into what is no regular file, and leave it what it is', async () => {
  spawnSync('mkfifo', [file('fifo')]);
  for (const words of [
    ['export', '/e', file('fifo')],
    ['cp', '-r', '/e', `file:${file('fifo')}`],
  ]) {
    // a reader that comes late is waited for
    const reader = spawn('sh', ['-c', 'sleep 1; cat "$0"', file('fifo')]);
    let read = '';
    reader.stdout.on('data', (chunk: Buffer) => {
      read += chunk;
    });
    const gone = new Promise((resolve) => reader.on('close', resolve));
    is(await one(...words), /^$|^created\t2\n/);
    await gone;
    assert.match(read, EXPORTED);
    assert.ok(lstatSync(file('fifo')).isFIFO());
  }
  is(bash('timeout 60 "$0" "$1" "$2" export /e >(cat > "$3/of-cat"); wait; sleep 1; cat "$3/of-cat"'), EXPORTED);
  is(bash('timeout 60 "$0" "$1" "$2" export /e /dev/stdout | cat'), EXPORTED);
  // what was there before stays
  is(
    bash('echo old > "$3/log"; timeout 60 "$0" "$1" "$2" export /e /dev/stdout >> "$3/log"; head -1 "$3/log"'),
    'old\n',
  );
  // a device of our own, like /dev/full
  const made = spawnSync('mknod', ['-m', '666', file('full'), 'c', '1', '7']);
  if (made.status === 0) {
    no(await one('export', '/e', file('full')), 2, /cannot write .*full: the disk is full\n/);
    assert.ok(lstatSync(file('full')).isCharacterDevice());
  }
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.part')),
    [],
  );
});

test('export through a link writes where it leads to; all that is exported is its owner’s alone', async () => {
  mkdirSync(file('there'));
  writeFileSync(file('there/real'), 'old text', { mode: 0o600 });
  chmodSync(file('there/real'), 0o640);
  symlinkSync('there/real', file('link'));
  symlinkSync('there/new', file('dangling'));
  symlinkSync('nowhere/new', file('lost'));
  const narrowed = (name: string, was: string): string =>
    `${file(name)} is now readable by its owner alone: mode 0600, was ${was}\n`;
  const linked = await one('export', '/e', file('link'));
  assert.deepEqual([linked.code, linked.stderr], [0, narrowed('link', '0640')]);
  is(await one('export', '/e', file('link')), '');
  assert.ok(lstatSync(file('link')).isSymbolicLink());
  assert.match(readFileSync(file('there/real'), 'utf8'), EXPORTED);
  assert.equal(statSync(file('there/real')).mode & 0o777, 0o600);
  is(await one('export', '/e', file('dangling')), '');
  assert.ok(lstatSync(file('dangling')).isSymbolicLink());
  assert.match(readFileSync(file('there/new'), 'utf8'), EXPORTED);
  assert.equal(statSync(file('there/new')).mode & 0o777, 0o600);
  mkdirSync(file('open'), { mode: 0o755 });
  is(await one('export', '--format', 'dir', '/e', file('open')), '');
  assert.equal(statSync(file('open')).mode & 0o777, 0o755);
  for (const name of readdirSync(file('open'))) assert.equal(statSync(file(`open/${name}`)).mode & 0o077, 0, name);
  writeFileSync(file('copied'), 'old', { mode: 0o644 });
  const copied = await one('cp', '/e', `file:${file('copied')}`);
  assert.deepEqual([copied.code, copied.stderr], [0, narrowed('copied', '0644')]);
  is(await one('cp', '/e', `file:${file('copied')}`), /^created\t1$/m);
  assert.equal(statSync(file('copied')).mode & 0o777, 0o600);
  no(await one('export', '/e', file('lost')), 2, /there is no folder .*nowhere\n/);
  assert.deepEqual(readdirSync(file('there')).sort(), ['new', 'real']);
});

test('export and cp onto a folder, an empty name or into no folder: refused before anything is read, nothing is left', async () => {
  mkdirSync(file('dir'));
  const before = readdirSync(folder, { recursive: true });
  for (const way of [
    (name: string) => ['export', '/not/there', name],
    (name: string) => ['export', '--gzip', '/not/there', name],
    (name: string) => ['cp', '-r', '/not/there', `file:${name}`],
  ]) {
    no(await one(...way(file('dir'))), 2, /^error: cannot write .*dir: it is a folder\n hint: name a file in it\n$/);
    no(await one(...way(`${file('new')}/`)), 2, /^error: cannot write .*new\/: it is a folder\n/);
    no(await one(...way('')), 2, /^error: (?:cannot write: the name of the file is empty|file: names no file)\n$/);
    const lost =
      /^error: cannot write .*nowhere\/x: there is no folder .*nowhere\n hint: mkdir -p .*nowhere makes it\n$/;
    no(await one(...way(file('nowhere/x'))), 2, lost);
  }
  no(
    await one('export', '--format', 'dir', '/not/there', ''),
    2,
    /^error: cannot write: the name of the file is empty\n$/,
  );
  // the same of what is written with >
  no(await one('-c', `pwd > ${file('nowhere/x')}`), 2, /cannot write .*nowhere\/x: there is no folder .*nowhere\n/);
  assert.deepEqual(readdirSync(folder, { recursive: true }), before);
});

test('files that a profile names: whole names when it is added, beside the configuration when written by hand', async () => {
  const [home, here] = [file('home'), file('here')];
  mkdirSync(here);
  writeFileSync(join(here, 'ca.pem'), 'no certificate');
  writeFileSync(join(here, 'cred'), 'bob:secret\n');
  const kept = { scheme: 'digest', from: `file:${join(here, 'cred')}` };
  const words = ['--tls-ca', 'ca.pem', '--auth', 'digest:file:cred'];
  is(from(here, home, 'profile', 'add', 't', server.hosts, ...words), '');
  const shown = from(folder, home, '-o', 'json', 'profile', 'show', 't');
  assert.deepEqual(JSON.parse(shown.stdout), { server: server.hosts, auth: [kept], tls: { ca: join(here, 'ca.pem') } });
  // again from there: the same, which needs no --replace
  is(from(here, home, 'profile', 'add', 't', server.hosts, ...words), '');
  is(from(here, home, 'profile', 'add', 'login', server.hosts, '--auth', 'digest:file:cred'), '');
  is(from(folder, home, '@login', 'whoami'), /^digest\tbob$/m);
  for (const [option, word] of [
    ['--tls-ca', 'no.pem'],
    ['--auth', 'digest:file:no.pem'],
    ['--tls-ca', here],
  ] as const) {
    const ran = from(here, home, 'profile', 'add', 'x', server.hosts, option, word);
    no(
      ran,
      2,
      new RegExp(`^error: profile add: ${option}: cannot read .*: (?:there is no such file|it is a folder)\\n`),
    );
    no(from(here, home, 'init', '--server', server.hosts, option, word, '--yes'), 2, /cannot read/);
  }
  // init tries the server, then keeps the same
  is(from(here, home, 'init', '--server', server.hosts, '--auth', 'digest:file:cred', '--yes', '--profile', 'i'), '');
  assert.deepEqual(JSON.parse(from(folder, home, '-o', 'json', 'profile', 'show', 'i').stdout).auth, [kept]);
  // by hand
  const config = join(home, 'config');
  const byHand = { server: server.hosts, auth: [{ scheme: 'digest', from: 'file:cred-there' }] };
  writeFileSync(join(config, 'config.json'), JSON.stringify({ profiles: { hand: byHand } }));
  writeFileSync(join(config, 'cred-there'), 'alice:secret');
  is(from(folder, home, '@hand', 'whoami'), /^digest\talice$/m);
});

test('import reads what can be read once only: a pipe, a FIFO, /dev/stdin', async () => {
  is(await one('export', '/e', file('e.nd')), '');
  spawnSync('mkfifo', [file('in')]);
  const made = 'created\t2\nupdated\t0\nsame\t0\nskipped\t0\n';
  is(bash('timeout 60 "$0" "$1" "$2" import --root /i1 <(cat "$3/e.nd")'), made);
  is(bash('cat "$3/e.nd" | timeout 60 "$0" "$1" "$2" import --root /i2 /dev/stdin'), made);
  is(bash('gzip -c "$3/e.nd" > "$3/in" & timeout 60 "$0" "$1" "$2" import --root /i3 "$3/in"'), made);
  is(bash('timeout 60 "$0" "$1" "$2" import --root /i4 /dev/stdin < "$3/e.nd"'), made);
  is(await zoosh([server.hosts, 'import', '--root', '/i5', '/dev/stdin'], readFileSync(file('e.nd'), 'utf8')), made);
  no(await one('-c', `import --root /i6 ${file('none')}`), 2, /cannot read .*none: there is no such file/);
  // nobody writes to it: Ctrl-C ends it all the same
  for (const words of ['import --root /i8 "$3/in"', 'export /e "$3/in"'])
    is(bash(`timeout -k 20 -s INT 5 "$0" "$1" "$2" ${words}`), '', 124);
  // in a script, which is standard input itself
  no(await zoosh([server.hosts], 'import --root /i7 /dev/stdin\n'), 2, /standard input/);
});

test('export --format dir: a name that no file can have leaves nothing behind; what broke off is no export', async () => {
  const long = 'n'.repeat(260);
  await client.create('/long');
  await client.create('/long/a', 'before it');
  await client.create(`/long/${long}`, 'x');
  const before = readdirSync(folder).sort();
  const tooLong =
    /^error: export: \/long\/n{260} cannot be a folder: its name takes 260 bytes, and 255 are the most\n hint: ndjson and archive hold every name\n$/;
  no(await one('export', '--format', 'dir', '/long', file('broken/in')), 2, tooLong);
  mkdirSync(file('empty'));
  no(await one('export', '--format', 'dir', '/long', file('empty')), 2, tooLong);
  assert.deepEqual(readdirSync(file('empty')), []);
  rmSync(file('empty'), { recursive: true });
  assert.deepEqual(readdirSync(folder).sort(), before);
  // escaped, a name is longer
  await client.delete(`/long/${long}`);
  await client.create(`/long/${'*'.repeat(90)}`, 'x');
  no(await one('export', '--format', 'dir', '/long', file('broken')), 2, /its name takes 270 bytes/);
  await client.delete(`/long/${'*'.repeat(90)}`);
  // so many levels that no path leads there
  let deep = '/long/a';
  for (let level = 0; level < 20; level++) await client.create((deep += `/${'d'.repeat(250)}`), 'x');
  no(await one('export', '--format', 'dir', '/long', file('broken')), 2, /^error: export: .* cannot be a folder: /);
  no(await one('export', '--format', 'dir', '/e', file('e.nd')), 2, /e\.nd is not a folder\n/);
  assert.deepEqual(readdirSync(folder).sort(), before);
  // one that was killed has its mark still
  is(await one('export', '--format', 'dir', '/e', file('whole')), '');
  assert.deepEqual(readdirSync(file('whole')).sort(), ['__data__', '__node__.json', '__nodes__', 'f']);
  writeFileSync(join(file('whole'), '__incomplete__'), '');
  for (const words of [
    ['import', '--root', '/part', file('whole')],
    ['diff', '-r', '/e', `file:${file('whole')}`],
    ['apply', '-f', file('whole')],
  ])
    no(await one(...words), 44, /whole is damaged: an export that broke off\n hint: .*__incomplete__/);
});

test('a home that lies below a file is told so, where something is to be kept in it', async () => {
  const home = mkdtempSync(join(tmpdir(), 'zoosh-home-'));
  try {
    writeFileSync(join(home, 'file'), '');
    const env = { ZOOSH_HOME: join(home, 'file', 'below') };
    const kept = await zoosh(['profile', 'add', 'x', '127.0.0.1:1'], '', env);
    assert.equal(kept.code, 2);
    assert.match(kept.stderr, /config\.json cannot be written: .*file is not a folder/);
    assert.equal((await zoosh(['profile', 'list'], '', env)).code, 0);
  } finally {
    rmSync(home, { recursive: true });
  }
});
