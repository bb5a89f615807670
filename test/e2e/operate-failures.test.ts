/** What an operator is told when something around a server does not go: what, where, and what to do. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zoosh } from './cli.ts';
import { Home } from './home.ts';

const NONE = 'no folder can be made in /proc';

test('where no folder can be made nothing waits for one', { skip: process.platform !== 'linux' }, async () => {
  const home = await Home.make('dataDir=/proc/zoosh/data');
  const started = await home.server('start');
  assert.deepEqual(
    [started.code, started.stderr],
    [40, `error: the data directory /proc/zoosh/data cannot be made: ${NONE}\n`],
  );
  const config = join(home.dir, 'conf/zoo.cfg');
  const foreground = await zoosh(['start', 'server', '--config', config, '--log-level', 'error']);
  assert.deepEqual([foreground.code, foreground.stderr], [started.code, started.stderr]);
  const shims = await zoosh(['shims', '/proc/zoosh']);
  assert.deepEqual([shims.code, shims.stderr], [2, `error: shims: /proc/zoosh cannot be written: ${NONE}\n`]);
  const initialized = await home.server('initialize');
  assert.equal(initialized.code, 40, initialized.stderr);
  assert.match(initialized.stderr, new RegExp(`^error: the data directory /proc/zoosh/data cannot be made: ${NONE}\n`));
  home.configure([]);
  const nameless = await zoosh(['server', '--config', join(home.dir, 'conf'), 'start'], '', {
    ...home.env,
    ZOOPIDFILE: '/proc/zoosh/pid',
  });
  assert.deepEqual(
    [nameless.code, nameless.stderr],
    [40, `error: the pid file /proc/zoosh/pid cannot be written: ${NONE}\n`],
  );
  // a folder that is there and takes no other
  const within = await zoosh(['start', 'standalone', '--data', '/proc', '--port', '0', '--log-level', 'error']);
  assert.equal(within.code, 40, within.stderr);
  assert.ok(!existsSync(home.pidFile));
});
