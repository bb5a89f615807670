/** Standard output that nobody reads, or that cannot be written: what was asked for is done all the same. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/client/connect.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { BIN, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess([]);
before(() => server.start());
after(() => server[Symbol.asyncDispose]());

/** A line of bash with pipefail; `$Z` is zoosh on the server. */
function bash(line: string, input = ''): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync('/bin/bash', ['-c', `set -o pipefail; ${line}`], {
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      ZOOSH_HOME: '/nonexistent',
      LANG: 'C.UTF-8',
      Z: `${process.execPath} ${BIN} --connect-timeout 60s -s ${server.hosts}`,
    },
    input,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}
const count = async (path: string): Promise<number> =>
  Number((await zoosh([server.hosts, 'count', '-R', path])).stdout.trim());
const puts = (root: string, many: number): string =>
  Array.from({ length: many }, (_, at) => `put ${root}/n${at} x\n`).join('');

test('a script whose reader has seen enough goes on, and ends with its own status', async () => {
  assert.deepEqual(bash('$Z | head -1', puts('/in', 1000)), { status: 0, stdout: '/in/n0\n', stderr: '' });
  assert.equal(await count('/in'), 1000);
  assert.equal(bash(`$Z -c "$(cat)" | head -1`, puts('/c', 300)).status, 0);
  assert.equal(await count('/c'), 300);
  const failing = bash('$Z - | head -1', `${puts('/end', 200)}assert exists /nope\nput /end/never x\n`);
  assert.equal(failing.status, 1);
  assert.match(failing.stderr, /^stdin:201: error: /);
  assert.equal(await count('/end'), 200);
});

test('a command that only reads ends with its reader, and what follows it is done', async () => {
  assert.equal(bash('$Z | head -1', 'repeat 0 get /in/n1\nput /after/repeat x\n').status, 0);
  assert.equal(bash('$Z | head -1', 'ls -R /in\nrepeat 0 get /in/n1\nput /after/list x\n').status, 0);
  assert.equal(bash('$Z | true', 'repeat 200 get /in/n1 > /dev/null\nls -R /in\nput /after/file x\n').status, 0);
  assert.equal(await count('/after'), 3);
  assert.deepEqual(bash('$Z ls -R /in | head -1'), { status: 0, stdout: '/in\n', stderr: '' });
});

test('a single command that changes something is not cut short', async () => {
  const names = Array.from({ length: 3000 }, (_, at) => `/mk${at}`).join(' ');
  assert.equal(bash(`$Z mkdir ${names} | true`).status, 0);
  assert.equal((await zoosh([server.hosts, 'exists', '/mk2999'])).stdout, 'yes\n');
});

test('standard output on a full disk is told, and that what was changed is changed', {
  skip: !existsSync('/dev/full'),
}, async () => {
  const full = 'error: standard output cannot be written: the disk is full\n';
  const changed = ' hint: what was changed before stays changed: only the answer is lost\n';
  assert.deepEqual(bash('$Z ls / > /dev/full'), { status: 2, stdout: '', stderr: full });
  assert.deepEqual(bash('$Z create /full > /dev/full'), { status: 2, stdout: '', stderr: full + changed });
  assert.equal((await zoosh([server.hosts, 'exists', '/full'])).stdout, 'yes\n');
  const script = bash('$Z > /dev/full', 'put /full/a x\nput /full/b x\n');
  assert.deepEqual(script, { status: 2, stdout: '', stderr: full + changed });
  assert.deepEqual(bash('$Z -c "echo x" > /dev/full'), { status: 2, stdout: '', stderr: full });
  assert.equal(bash('$Z repeat 0 put /full/b y > /dev/full').status, 2);
  for (const words of ['--help', '--version', 'help get'])
    assert.deepEqual(bash(`$Z ${words} > /dev/full`), { status: 2, stdout: '', stderr: full }, words);
});

test('a server serves on when nobody reads that it is ready, or when that can be written nowhere', {
  skip: !existsSync('/dev/full'),
}, async () => {
  for (const into of ['> /dev/full', '| true']) {
    const port = await ownBlock('127.0.0.1', 1);
    const words = ['start', 'standalone', '--memory', '--port', String(port), '--log-level', 'error'];
    const shell = spawn('/bin/bash', ['-c', `"$@" ${into}`, 'sh', process.execPath, BIN, ...words], {
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
    });
    const ended = once(shell, 'exit');
    try {
      await using client = await connect(`127.0.0.1:${port}`, { connectTimeoutMs: PATIENCE_MS });
      await client.create('/here');
      // it has said that it is ready by now
      await client.get('/here');
      await sleep(200);
      await client.get('/here');
    } finally {
      process.kill(-(shell.pid as number), 'SIGTERM');
      await ended;
    }
  }
});

test('an exit code that the system would cut is refused', async () => {
  for (const [word, status] of [
    ['255', 255],
    ['0', 0],
    ['256', 2],
    ['300', 2],
    ['-1', 2],
  ] as const) {
    const ran = await zoosh(['-c', `quit ${word}`]);
    assert.equal(ran.code, status, word);
    if (status === 2) assert.match(ran.stderr, /quit -?\d+: an exit code is 0 to 255/);
  }
});
