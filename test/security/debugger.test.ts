/** A signal opens no debugger to the users of the machine, in a server, in the process that watches over it, or in a shell. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BIN } from '../e2e/cli.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownPort } from '../ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
/** Node says so on standard error, whether it can listen or not. */
const OPENED = /debugger|inspector/i;

/** Runs until `shown` stands in what it says, tells it and those below it, and returns what it said by its end. */
async function told(
  words: readonly string[],
  shown: RegExp,
  end: (child: ReturnType<typeof spawn>) => void,
): Promise<string> {
  const child = spawn(process.execPath, words, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: folder },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  const ended = once(child, 'close');
  const until = performance.now() + PATIENCE_MS;
  while (!shown.test(text)) {
    assert.ok(child.exitCode === null && performance.now() < until, text);
    await sleep(20);
  }
  const below = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout.split(/\s+/);
  for (const pid of [child.pid ?? 0, ...below.map(Number)].filter((each) => each > 0)) process.kill(pid, 'SIGUSR1');
  await sleep(300);
  end(child);
  await ended;
  return text;
}

test('SIGUSR1 opens no debugger', { skip: process.platform === 'win32' }, async () => {
  const port = await ownPort('127.0.0.1');
  const config = join(folder, 'zoo.cfg');
  writeFileSync(
    config,
    `dataDir=${join(folder, 'data')}\nclientPort=${port}\nclientPortAddress=127.0.0.1\nmemory.limit=200m\n`,
  );
  const stop = (child: ReturnType<typeof spawn>): void => void child.kill('SIGTERM');
  assert.doesNotMatch(await told([BIN, 'start', 'server', '--config', config], /^ready /m, stop), OPENED);
  const leave = (child: ReturnType<typeof spawn>): void => void child.stdin?.end();
  const shell = ['--connect-timeout', '1s', '127.0.0.1:1', '-c', 'echo there; sleep 1s'];
  assert.doesNotMatch(await told([BIN, ...shell], /there/, leave), OPENED);
  // and it would be seen
  const plain = ['-e', 'console.log("there"); process.stdin.resume()'];
  assert.match(await told(plain, /there/, leave), OPENED);
});
