/** What a client reads behind a write of its own is answered when that is applied: not very much of it in one go. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { ServerNode } from '../../src/runtime/node.ts';
import { REAL_PORTS } from '../../src/runtime/node-options.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';
import { PlainClient } from '../e2e/plain-client.ts';

const COUNT = 60;
/** Each read takes so long, ms: two of them are more than a turn. */
const EACH_MS = 7;

test('of reads that look at very many nodes one is done at a time, also behind a write, and others come in between', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
  const lines = ['clientPort=0', 'clientPortAddress=127.0.0.1'];
  const config = checkConfig(parseProperties(`dataDir=${folder}\n${lines.join('\n')}`, 'zoo.cfg'));
  const logger = { info() {}, warn() {}, error() {} } as unknown as Logger;
  const node = new ServerNode({ config, logger, onFailed: assert.fail }, () => {}, REAL_PORTS);
  let over = false;
  try {
    await using server = await node.start();
    let inTurn = 0;
    let most = 0;
    node.server.tree.descendants = () => {
      most = Math.max(most, ++inTurn);
      const until = performance.now() + EACH_MS;
      while (performance.now() < until);
      return 200_000;
    };
    const eachTurn = (): void => {
      inTurn = 0;
      if (!over) setImmediate(eachTurn);
    };
    eachTurn();
    const { getAllChildrenNumber } = OPERATIONS;
    const client = await PlainClient.open(server.port);
    const other = await PlainClient.open(server.port);
    assert.ok(client !== undefined && other !== undefined);
    assert.equal(await client.create('/a'), 0);
    for (const first of [() => client.ping(), () => client.create('/a/b')]) {
      let done = 0;
      client.socket.cork();
      const all = [first()];
      for (let i = 0; i < COUNT; i++)
        all.push(client.ask(getAllChildrenNumber.code, (to) => getAllChildrenNumber.request.write(to, { path: '/a' })));
      all.push(client.exists('/a'));
      for (const each of all) each.then(() => done++);
      client.socket.uncork();
      await other.ping();
      assert.ok(done < COUNT, 'another waited for all of them');
      assert.deepEqual(new Set(await Promise.all(all)), new Set([0]));
      assert.ok(most > 0 && most <= 3, `${most} in one turn`);
      most = 0;
    }
    for (const { socket } of [client, other]) socket.destroy();
  } finally {
    over = true;
    rmSync(folder, { recursive: true, force: true });
  }
});
