import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Launched, launch } from '../../src/operate/launch.ts';
import { PidFile } from '../../src/operate/pid-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let nr = 0;
/** Starts a program in the place of a server; it is given a second. */
async function launched(program: string): Promise<Launched & { pidFile: string; child: number | undefined }> {
  const dir = join(folder, String(nr++));
  const pidFile = join(dir, 'server.pid');
  const told = join(dir, 'pid');
  const found = await launch({
    program: process.execPath,
    args: ['-e', `require('fs').writeFileSync(${JSON.stringify(told)}, String(process.pid)); ${program}`, '--'],
    env: process.env,
    pidFile: new PidFile(pidFile),
    outFile: join(dir, 'out'),
    waitMs: 1000,
  });
  return { ...found, pidFile, child: existsSync(told) ? Number(readFileSync(told, 'utf8')) : undefined };
}
const isAlive = (pid: number | undefined): boolean => pid !== undefined && existsSync(`/proc/${pid}`);

test('a server that does not get on is ended when its time is over, and leaves nothing', {
  skip: process.platform !== 'linux',
}, async () => {
  for (const program of ['for (;;);', "process.on('SIGTERM', () => {}); for (;;);", 'setInterval(() => {}, 1000)']) {
    const found = await launched(program);
    assert.equal(found.state, 'failed', program);
    assert.match(
      found.state === 'failed' ? found.said : '',
      /not come up after 1s and does not get on: it was ended\n$/,
    );
    assert.deepEqual([found.state === 'failed' && found.code, isAlive(found.child)], [40, false]);
    assert.ok(!existsSync(found.pidFile));
  }
});

test('one that reads its files still goes on by itself, as one that is up does', {
  skip: process.platform !== 'linux',
}, async () => {
  for (const [said, isReady] of [
    ['.', false],
    ['..up\\n', true],
  ] as const) {
    const found = await launched(`require('fs').writeSync(3, '${said}'); setInterval(() => {}, 1000)`);
    assert.equal(found.state === 'started' && found.isReady, isReady);
    assert.ok(found.state === 'started' && isAlive(found.pid));
    if (found.state === 'started') process.kill(found.pid, 'SIGKILL');
  }
});

test('of two that are started at once the one that comes up has the pid file', {
  skip: process.platform !== 'linux',
}, async () => {
  const up = (ms: number): string =>
    `setTimeout(() => require('fs').writeSync(3, '..up\\n'), ${ms}); setInterval(() => {}, 1000)`;
  const fails = (ms: number): string => `setTimeout(() => process.exit(42), ${ms})`;
  // which of them writes the file first, and which is done first
  for (const [first, second] of [
    [up(500), fails(50)],
    [up(50), fails(500)],
    [fails(50), up(500)],
    [fails(500), up(50)],
  ] as const) {
    const dir = join(folder, String(nr++));
    const file = join(dir, 'server.pid');
    const both = await Promise.all(
      [first, second].map((program, at) =>
        launch({
          program: process.execPath,
          args: ['-e', program, '--'],
          env: process.env,
          pidFile: new PidFile(file),
          outFile: join(dir, `out${at}`),
          waitMs: 5000,
        }),
      ),
    );
    const pid = both.flatMap((each) => (each.state === 'started' ? [each.pid] : []))[0];
    assert.ok(pid !== undefined);
    try {
      assert.deepEqual(new PidFile(file).find(), { state: 'running', pid }, `${first} and ${second}`);
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  }
  // of two that both fail none is left
  const dir = join(folder, String(nr++));
  const pidFile = new PidFile(join(dir, 'server.pid'));
  const one = { program: process.execPath, env: process.env, pidFile, waitMs: 5000 };
  await Promise.all(
    [fails(50), fails(300)].map((program, at) =>
      launch({ ...one, args: ['-e', program, '--'], outFile: join(dir, `out${at}`) }),
    ),
  );
  assert.deepEqual(pidFile.find(), { state: 'none' });
});
