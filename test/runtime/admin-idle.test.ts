/** Connections to the admin server that nobody asks anything by. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { realClock } from '../../src/platform/clock.ts';
import { startAdmin } from '../../src/runtime/admin/http.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';

const PATIENCE_MS = 8000;

test('one that never asks is closed after admin.idleTimeout, as one that has asked', async () => {
  const lines = 'admin.serverAddress=127.0.0.1\nadmin.serverPort=0\nadmin.idleTimeout=1200\n';
  const { admin: config } = checkConfig(parseProperties(`dataDir=/d\nclientPort=1\n${lines}`, 'zoo.cfg'));
  const admin = await startAdmin({
    ...{ config, tls: undefined, clock: realClock, health: { remark: undefined } as never, logger: { info() {} } },
    ...{ context: (() => ({})) as never, cameInClear() {} },
  });
  const openFor = (says: string): Promise<number> =>
    new Promise((resolve) => {
      const socket = connect(admin.port, '127.0.0.1', () => socket.write(says));
      const since = performance.now();
      socket.setTimeout(PATIENCE_MS, () => socket.destroy());
      socket.on('error', () => {}).resume();
      socket.on('close', () => resolve(performance.now() - since));
    });
  try {
    const all = await Promise.all(['', 'GET /x', 'GET /commands HTTP/1.1\r\nhost: x\r\n\r\n'].map(openFor));
    for (const ms of all) assert.ok(ms > 1000 && ms < PATIENCE_MS / 2, `open for ${all.map(Math.round)} ms`);
  } finally {
    await admin.stop();
  }
});
