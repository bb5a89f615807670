import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type { Clock } from '../../src/ports/clock.ts';
import { letGo } from '../../src/runtime/client-leaving.ts';
import type { Client } from '../../src/runtime/port-client.ts';
import { PATIENCE_MS } from '../patience.ts';

const OWED = 40_000_000;

test('who is let go and takes what it is owed is left to it, in one write of many bytes, too; who takes nothing is cut off', async () => {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const reader = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(listener, 'connection')) as [Socket];
  try {
    socket.on('error', () => {});
    let look = (): void => assert.fail('nobody looks');
    const clock = {
      after(_ms: number, run: () => void): Disposable {
        look = run;
        return { [Symbol.dispose]() {} };
      },
    } as unknown as Clock;
    reader.pause();
    socket.write(Buffer.alloc(OWED));
    letGo({ socket, timer: undefined } as unknown as Client, clock);
    let came = 0;
    /** Takes a few MB more, or what there is. */
    const take = async (): Promise<void> => {
      const before = came;
      const end = performance.now() + PATIENCE_MS;
      while (came - before < 8_000_000) {
        assert.ok(performance.now() < end, `${came} bytes came`);
        const chunk = reader.read() as Buffer | null;
        if (chunk === null) await new Promise((resolve) => setTimeout(resolve, 5));
        else came += chunk.length;
      }
    };
    for (let i = 0; i < 3; i++) {
      await take();
      await new Promise((resolve) => setTimeout(resolve, 50)); // what the system took stays in its buffers
      look();
      assert.ok(!socket.destroyed, `cut off after ${came} bytes`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    look();
    if (!socket.destroyed) look(); // once more: it may have gone on to fill the system's buffers
    assert.ok(socket.destroyed);
  } finally {
    reader.destroy();
    socket.destroy();
    listener.close();
  }
});
