/** A server says in its log that something comes near to its limit, before anybody is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import type { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { PATIENCE_MS } from '../patience.ts';
import { until } from './members.ts';
import { PlainClient } from './plain-client.ts';
import { ServerProcess } from './process.ts';

test('connections, data, children and replies of a server with low limits', async () => {
  await using server = await new ServerProcess(['maxCnxns=8', 'jute.maxbuffer=4096']).start();
  const lines = (): string[] => server.stderr.split('\n').filter((line) => line.includes(' limit: '));
  const says = (text: RegExp): Promise<void> =>
    until(
      () => lines().some((line) => text.test(line)),
      PATIENCE_MS,
      () => `${text} was not said: ${server.stderr}`,
    );
  const client = await PlainClient.open(server.port);
  assert.ok(client !== undefined);
  assert.equal(await client.create('/small', 500), 0);
  await rest(2500); // two looks
  assert.deepEqual(lines(), []);

  const others = await Promise.all([1, 2, 3].map(() => PlainClient.open(server.port)));
  await says(/ warn {2}limit: 4 of 8 connections of clients, 50 % or more: /);
  assert.equal(await client.create('/big', 3500), 0);
  await says(/limit: znode \/big: its data 3,588 of 4,096 bytes of a packet, 80 % or more: /);
  assert.equal(await client.create('/wide'), 0);
  const name = 'x'.repeat(95);
  for (let i = 0; i < 25; i++) assert.equal(await client.create(`/wide/${name}${String(i).padStart(5, '0')}`), 0);
  await says(
    /limit: znode \/wide: the names of its 25 children, about 2,688 of 4,096 bytes of a packet, 50 % or more: /,
  );
  const { getChildren } = OPERATIONS;
  assert.equal(
    await client.ask(getChildren.code, (to: Writer) => getChildren.request.write(to, { path: '/wide', watch: false })),
    0,
  );
  await says(/limit: 2,620 of 4,096 bytes of a reply, 50 % or more: /);
  const before = lines().length;
  await rest(2500);
  assert.equal(lines().length, before, 'said again');
  assert.equal(before, 4, lines().join('\n'));
  for (const each of [client, ...others]) each?.socket.destroy();
});
