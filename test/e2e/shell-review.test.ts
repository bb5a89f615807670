import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '../patience.ts';
import { ServerProcess } from './process.ts';

const BIN = fileURLToPath(new URL('../../../bin/zoosh.js', import.meta.url));

/** Runs the shell with `input` on its standard input, which stays open when `signal` is to end it. */
async function shell(args: readonly string[], home: string, input: string, signal?: NodeJS.Signals) {
  const child = spawn(process.execPath, [BIN, ...args], { env: { ...process.env, ZOOSH_HOME: home } });
  let out = '';
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (signal !== undefined) child.kill(signal);
  });
  child.stdin.on('error', () => {}); // it may have ended already
  child.stdin.write(input);
  if (signal === undefined) child.stdin.end();
  const code = await new Promise<number | null>((resolve) => child.once('close', (status) => resolve(status)));
  return { code, out, err };
}

test('the shell as a stranger found it', async (t) => {
  await using server = await new ServerProcess().start();
  const run = (input: string, args: readonly string[] = [], signal?: NodeJS.Signals) =>
    shell([server.hosts, ...args], server.folder, input, signal);

  await t.test('what is begun and not ended does not run', async () => {
    await run('create /a x\n');
    assert.equal((await run('set /a <<END\nlost\n')).code, 2);
    assert.equal((await run("deleteall '/a")).code, 2);
    assert.equal((await run('get /a\n')).out, 'x\n');
  });
  await t.test('-k counts lines that cannot be read', async () => {
    const { code, out, err } = await run('get |\nget /a\n', ['-k']);
    assert.deepEqual([code, out], [2, 'x\n']);
    assert.match(err, /1 of 2 commands failed \(line 1\)/);
  });
  await t.test('in a transaction -n sends nothing, and keeps what waits', async () => {
    const refused = await run('txn\ncreate -n /dry x\n');
    assert.equal(refused.code, 2);
    assert.match(refused.err, /create: -n shows nothing inside a transaction/);
    const shown = await run('txn\ncreate /dry x\ncommit -n\ntxn show\nabort\nexists /dry\n');
    assert.equal(shown.code, 1, shown.err);
    assert.match(shown.out, /waiting/);
    assert.equal((await run('txn\ncreate /dry x\ncommit -n\ncommit\nexists /dry\n')).code, 0);
  });
  await t.test('in a script no transaction stays open that could not be sent', async () => {
    writeFileSync(join(server.folder, 'empty'), '');
    for (const line of ['txn { }', `txn -f ${join(server.folder, 'empty')}`, 'txn\ncommit']) {
      const { err } = await run(`${line}\ncreate /b x\nassert exists /b\ndelete /b\n`, ['-k']);
      assert.match(err, /the transaction is empty/, line);
      assert.match(err, /1 of \d commands failed/, line);
    }
  });
  await t.test('a dry run writes no file', async () => {
    const file = join(server.folder, 'kept');
    writeFileSync(file, 'mine');
    assert.equal((await run(`cp -n /a file:${file}\n`)).code, 30);
    assert.equal((await run(`cp /a file:${file}\n`, ['-n'])).code, 30);
    assert.equal(readFileSync(file, 'utf8'), 'mine');
  });
  await t.test('nothing is timed for longer than timers go, and nothing at once', async () => {
    for (const line of [
      'sleep 30d',
      'wait /nope --timeout 60d',
      'settings op-timeout 30d',
      'settings op-timeout 0',
      'status --watch 2',
      'tree --limit 0',
      'ensemble status --watch 2',
    ])
      assert.equal((await run(`${line}\n`)).code, 2, line);
    assert.equal((await run('events --since 60d\n')).code, 0);
    for (const option of ['--op-timeout', '--timeout', '--connect-timeout'])
      for (const value of ['0', '30d'])
        assert.equal((await run('ls /\n', [option, value])).code, 2, `${option} ${value}`);
  });
  await t.test('a signal ends a script that waits for its next line, and the session with it', async () => {
    for (const [signal, status] of [
      ['SIGTERM', 143],
      ['SIGHUP', 129],
      ['SIGINT', 130],
    ] as const)
      assert.equal((await run('create -e /held\n', [], signal)).code, status);
    assert.equal((await run('exists /held\n')).code, 1);
  });
  await t.test('a glued command is refused, glued data is not', async () => {
    assert.equal((await run('ls /a;get /a\n')).code, 2);
    assert.equal((await run('set /a x;get\nget /a\n')).out.endsWith('x;get\n'), true);
  });
  await t.test('a profile with a bad address and the words of ZooKeeper itself are refused', async () => {
    assert.equal((await run('profile add bad nohost:\n')).code, 2);
    assert.equal((await run('deleteall --keep-root /zookeeper\n')).code, 30);
    assert.equal((await run('ls --limit -3 /\n')).code, 2);
  });
  await t.test('rm -r deletes as deleteall does; the columns of ls -l are names of fields', async () => {
    const made = 'create -p /tree/a/b xyz\n';
    assert.deepEqual(await run(`${made}rm -r /tree\nexists /tree\n`), { code: 1, out: '/tree/a/b\n3\nno\n', err: '' });
    assert.equal((await run('rm -r /tree\n')).code, 10);
    assert.equal((await run('rm -rf /tree\n')).code, 0);
    assert.equal((await run('rm -r -v 0 /tree\n')).code, 2);
    assert.equal((await run('rm -r /zookeeper\n')).code, 30);
    const fields = ['--fields', 'owner,children,bytes,name', 'ls', '-l', '/tree/a'];
    assert.equal(((await run(made)) && (await run('', fields))).out, '0x0\t0\t3\tb\n');
  });
});

test('wait ends when its session does', async () => {
  await using server = await new ServerProcess([
    'tickTime=100',
    'minSessionTimeout=200',
    '4lw.commands.whitelist=*',
  ]).start();
  const child = spawn(process.execPath, [BIN, '--timeout', '1s', server.hosts, 'wait', '/nope', '--timeout', '60s'], {
    env: { ...process.env, ZOOSH_HOME: server.folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', (status) => resolve(status)));
  const watched = async (): Promise<string> => (await shell([server.hosts, '4lw', 'wchp'], server.folder, '')).out;
  const until = async (is: boolean): Promise<void> => {
    for (const end = performance.now() + PATIENCE_MS; (await watched()).includes('/nope') !== is; )
      assert.ok(child.exitCode === null && performance.now() < end, err);
  };
  await until(true);
  child.kill('SIGSTOP');
  await until(false);
  child.kill('SIGCONT');
  assert.equal(await ended, 5, err);
  assert.match(err, /the session expired/);
});
