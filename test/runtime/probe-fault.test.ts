import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { realClock } from '../../src/platform/clock.ts';
import { Health } from '../../src/runtime/health.ts';
import { Tally } from '../../src/runtime/tally.ts';
import { answerProbe } from '../../src/runtime/web/probes.ts';

test('a fault on the way to an answer is told to who asked, and ends nothing', async () => {
  const server = (): never => {
    throw new Error('the state is being exchanged');
  };
  const health = new Health({ clock: realClock, tally: new Tally(), server, turn() {} });
  const faults: unknown[] = [];
  const web = createServer((request, response) => {
    answerProbe(request.url ?? '', 'GET', health, response).catch((fault: unknown) => {
      faults.push(fault);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = web.address() as AddressInfo;
    for (const path of ['/ready', '/healthy']) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      assert.equal(answer?.status, 503, path);
      assert.match(await (answer as Response).text(), /the state is being exchanged/);
    }
    assert.deepEqual(faults, []);
  } finally {
    web.close();
  }
});
