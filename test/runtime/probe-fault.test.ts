import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { realClock } from '../../src/platform/clock.ts';
import { Health, weaknessesOf } from '../../src/runtime/health.ts';
import { Tally } from '../../src/runtime/tally.ts';
import { answerProbe } from '../../src/runtime/web/probes.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';

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

test('a leader that takes no sessions is well, and not ready for clients; the others are', async () => {
  const of = (role: string, leaderServes: boolean): Health => {
    const server = { serving: true, peer: { role, isMember: false }, options: { leaderServes }, last: 0n };
    const confirmed = { ...server, await: (_zxid: bigint, done: () => void) => done() };
    return new Health({ clock: realClock, tally: new Tally(), server: () => confirmed as never, turn() {} });
  };
  const idle = of('leading', false);
  assert.equal(idle.ready().ok, false);
  assert.match(idle.ready().why ?? '', /leaderServes=no/);
  assert.equal((await idle.healthy()).ok, true);
  for (const health of [of('leading', true), of('following', false)]) assert.equal(health.ready().ok, true);
});

test('what an operator gave away is told with every answer: only where it is so', () => {
  const weak = (more: string, host = '10.0.0.1'): string =>
    weaknessesOf(
      checkConfig(
        parseProperties(
          `dataDir=/d\nclientPort=1\ninitLimit=5\nsyncLimit=2\nserver.1=${host}:1:2\nserver.2=${host}:3:4\n${more}`,
          'zoo.cfg',
        ),
        { myid: { text: '1', from: { option: 'myid' } } },
      ),
    ).join('; ');
  assert.match(weak('peer.insecure=true'), /^peer\.insecure=true, whoever reaches [^;]*$/);
  assert.match(weak('peer.insecure=true\nforceSync=no'), /^forceSync=no, [^;]*; peer\.insecure=true, /);
  // nobody else reaches them, or the secret is asked for all the same
  assert.equal(weak('peer.insecure=true', '127.0.0.1'), '');
  assert.equal(weak('peer.insecure=true\npeer.secretFile=/s'), '');
  assert.equal(weak('peer.secretFile=/s'), '');
});
