import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rig } from './rig.ts';

test('where the servers cannot be read from the address either, that is told, and no failure is left to nobody', async () => {
  const left: unknown[] = [];
  const note = (error: unknown): void => void left.push(error);
  process.on('unhandledRejection', note);
  try {
    for (const line of ['top -n 1', 'status', 'latency', 'doctor']) {
      const { shell, told } = rig(undefined, {}, new Map(), { server: 'host:no-port' });
      assert.notEqual(await shell.run(line), 0, line);
      assert.equal(told.length, 1, line);
    }
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(left, []);
  } finally {
    process.off('unhandledRejection', note);
  }
});
