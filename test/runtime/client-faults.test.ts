/** A bug that shows while one client is answered ends the connection of that client, and is told with where it is. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { ClientFaults } from '../../src/runtime/client-faults.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { ServerNode } from '../../src/runtime/node.ts';
import { REAL_PORTS } from '../../src/runtime/node-options.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';
import { PlainClient } from '../e2e/plain-client.ts';
import { word } from './words.ts';

test('a bug in an answer or in a word ends one connection, and the server serves the others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
  const lines = ['clientPort=0', 'clientPortAddress=127.0.0.1', '4lw.commands.whitelist=*'];
  const config = checkConfig(parseProperties(`dataDir=${folder}\n${lines.join('\n')}`, 'zoo.cfg'));
  const told: string[] = [];
  const logger = { info() {}, warn() {}, error: (text: string) => told.push(text) } as unknown as Logger;
  const node = new ServerNode({ config, logger, onFailed: assert.fail }, () => {}, REAL_PORTS);
  try {
    await using server = await node.start();
    const other = await PlainClient.open(server.port);
    const { tree } = node.server;
    const { descendants } = tree;
    const { getAllChildrenNumber } = OPERATIONS;
    const count = (client: PlainClient): Promise<number> =>
      client.ask(getAllChildrenNumber.code, (to) => getAllChildrenNumber.request.write(to, { path: '/' }));
    tree.descendants = () => {
      throw new TypeError('planted');
    };
    for (let i = 0; i < 3; i++) {
      const client = await PlainClient.open(server.port);
      assert.ok(client !== undefined);
      assert.deepEqual(await Promise.all([client.exists('/'), count(client), client.exists('/')]), [
        0,
        Number.NaN,
        Number.NaN,
      ]);
    }
    tree.descendants = descendants;
    Object.defineProperty(tree, 'nodeCount', { configurable: true, get: () => JSON.parse('planted') });
    assert.equal(await word(server.port, 'srvr'), '');
    Reflect.deleteProperty(tree, 'nodeCount');
    assert.match(await word(server.port, 'srvr'), /^Node count: 5$/m);
    assert.ok(other !== undefined);
    assert.equal(await count(other), 0);
    assert.equal(await other.create('/on'), 0);
    other.socket.destroy();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const [sentence = '', ...more] = told;
  assert.deepEqual(more, [], 'once, however often it happens');
  assert.match(
    sentence,
    /^a bug of this server ended the connection of 127\.0\.0\.1, operation 104: TypeError: planted at .*client-faults\.test\.js/,
  );
});

test('the next line, a minute later, says how often it was meanwhile', () => {
  let now = 0;
  const told: string[] = [];
  const clock = { monotonic: () => now } as never;
  const faults = new ClientFaults(clock, (sentence) => told.push(sentence));
  for (; now < 90_000; now += 30_000) faults.met('::1', 'operation 4', 'x');
  assert.deepEqual(told, [
    'a bug of this server ended the connection of ::1, operation 4: x',
    'a bug of this server ended the connection of ::1, operation 4: x; 1 more since the last such line',
  ]);
  assert.equal(faults.count, 3);
});
