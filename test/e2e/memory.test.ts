/** A server whose memory is nearly used up refuses what would take more of it, in time, and goes on with all else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goOnUntil, PATIENCE_MS } from '../patience.ts';
import { until } from './members.ts';
import { PlainClient } from './plain-client.ts';
import { ServerProcess } from './process.ts';

const THROTTLED = -127;
/** Of names that V8 has to keep: an ACL of each node's own. */
const ACL_BYTES = 2000;
/** More than four times what fits. */
const MOST = 200_000;
const AT_ONCE = 64;

/** A node that V8 has to keep something of. */
const create = (client: PlainClient, key: number): Promise<number> =>
  client.create(`/n${key}`, 0, [{ perms: 31, id: { scheme: 'digest', id: `u${key}:${'x'.repeat(ACL_BYTES)}` } }]);

/** Creates until one is refused; how many were made. */
async function fill(client: PlainClient, most: number): Promise<number> {
  let refused = false;
  let made = 0;
  for (let at = 0; at < most && !refused; at += AT_ONCE) {
    const batch = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => create(client, at + i)));
    for (const err of batch) assert.ok(err === 0 || err === THROTTLED, `create: ${err} after ${made}`);
    refused = batch.includes(THROTTLED);
    made += batch.filter((err) => err === 0).length;
  }
  return refused ? made : Number.NaN;
}

test('a server with a small heap refuses writes and sessions in time, and takes them again after deletes', {
  timeout: 600_000,
}, async () => {
  await using server = await new ServerProcess(['memory.limit=64m', '4lw.commands.whitelist=*']).start();
  const client = await PlainClient.open(server.port);
  assert.ok(client !== undefined);
  const made = await fill(client, MOST);
  console.log(`${made} nodes with an ACL of their own, then the first refusal`);
  assert.ok(made > 1000, `${made} of ${MOST} creates, and none refused`);
  // written before the refusal, but on another stream
  const says = (text: RegExp): Promise<void> =>
    until(
      () => text.test(server.stderr),
      PATIENCE_MS,
      () => `${text} was not said: ${server.stderr}`,
    );
  await says(/error memory: \d+ of 64 MiB of V8's heap[^\n]*refused/);
  // whoever insists changes nothing: it neither grows nor ends
  for (let round = 0; round < 200; round++) {
    const again: number[] = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => create(client, MOST + i)));
    assert.deepEqual(new Set(again), new Set([THROTTLED]));
  }
  assert.equal(await client.exists('/n1'), -102);
  assert.equal(await client.ping(), 0);
  assert.equal(await PlainClient.open(server.port), undefined, 'a new session');
  // an order is kept: what was refused is answered in its turn
  const order: string[] = [];
  await Promise.all([
    client.delete('/n0').then((err) => order.push(`delete ${err}`)),
    create(client, 0).then((err) => order.push(`create ${err}`)),
    client.ping().then((err) => order.push(`ping ${err}`)),
  ]);
  assert.deepEqual(order, ['delete 0', `create ${THROTTLED}`, 'ping 0']);
  for (let at = 1; at < made; at += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, made - at) }, (_, i) => client.delete(`/n${at + i}`)));
  let taken = THROTTLED;
  await goOnUntil(
    () => taken === 0,
    600,
    async () => {
      taken = await create(client, 0);
      await new Promise((resolve) => setTimeout(resolve, 100));
    },
  );
  assert.equal(taken, 0);
  assert.ok((await PlainClient.open(server.port)) !== undefined, 'a new session');
  await says(/warn {2}memory: [^\n]* are taken again/);
});
