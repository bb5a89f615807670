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
      /not come up after 1 s and does not get on: it was ended\n$/,
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
