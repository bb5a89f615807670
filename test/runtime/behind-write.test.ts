/** What a client reads behind a write of its own is answered when that is applied: not very much of it in one go. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { ServerNode } from '../../src/runtime/node.ts';
import { REAL_PORTS } from '../../src/runtime/node-options.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';
import { PlainClient } from '../e2e/plain-client.ts';
import { frame, hello } from '../e2e/raw.ts';
import { PATIENCE_MS } from '../patience.ts';

const COUNT = 60;
/** Each read takes so long, ms: two of them are more than a turn. */
const EACH_MS = 7;

/** A server of this process, until the block ends. */
async function started(...more: string[]): Promise<{ node: ServerNode; port: number } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
  const lines = [`dataDir=${folder}`, 'clientPort=0', 'clientPortAddress=127.0.0.1', ...more];
  const logger = { info() {}, warn() {}, error() {} } as unknown as Logger;
  const config = checkConfig(parseProperties(lines.join('\n'), 'zoo.cfg'));
  const node = new ServerNode({ config, logger, onFailed: assert.fail }, () => {}, REAL_PORTS);
  const server = await node.start();
  return {
    ...{ node, port: server.port },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
async function opened(port: number): Promise<PlainClient> {
  const client = await PlainClient.open(port);
  assert.ok(client !== undefined);
  return client;
}
const { getChildren, getData, setData } = OPERATIONS;
const get = (client: PlainClient, path: string): Promise<number> =>
  client.ask(getData.code, (to) => getData.request.write(to, { path, watch: false }));
const put = (client: PlainClient, path: string, bytes: number): Promise<number> =>
  client.ask(setData.code, (to) => setData.request.write(to, { path, data: Buffer.alloc(bytes), version: -1 }));

test('a hundred large reads behind a write are all answered, whether they were large before it or came to be by it', async () => {
  await using server = await started();
  const client = await opened(server.port);
  assert.deepEqual(await Promise.all([client.create('/big', 900_000), client.create('/small')]), [0, 0]);
  client.socket.cork();
  const all = [put(client, '/big', 900_000)];
  for (let i = 0; i < 100; i++) all.push(get(client, '/big'));
  all.push(put(client, '/small', 900_000));
  for (let i = 0; i < 100; i++) all.push(get(client, '/small'));
  client.socket.uncork();
  assert.deepEqual(new Set(await Promise.all(all)), new Set([0]));
  client.socket.destroy();
});

test('of long lists of children one at a time is behind a write', async () => {
  await using server = await started();
  const client = await opened(server.port);
  assert.equal(await client.create('/many'), 0);
  const made = Array.from({ length: 2500 }, (_, i) => client.create(`/many/a-name-of-some-length-${i}`));
  assert.deepEqual(new Set(await Promise.all(made)), new Set([0]));
  let most = 0;
  const { outbox } = server.node.server;
  const to = outbox.to.bind(outbox);
  outbox.to = (connection) => {
    const writer = to(connection);
    most = Math.max(most, writer.at);
    return writer;
  };
  client.socket.cork();
  const all = [client.create('/a')];
  for (let i = 0; i < 300; i++)
    all.push(client.ask(getChildren.code, (to) => getChildren.request.write(to, { path: '/many', watch: false })));
  client.socket.uncork();
  assert.deepEqual(new Set(await Promise.all(all)), new Set([0]));
  assert.ok(most < 8_000_000, `${most} bytes were gathered in one turn`);
  client.socket.destroy();
});

test('who reads a large answer by and by lives on, though pings stand behind what waits for it', async () => {
  await using server = await started('tickTime=500', 'jute.maxbuffer=33000000');
  const writer = await opened(server.port);
  assert.equal(await writer.create('/big', 30_000_000), 0);
  const slow = connect(server.port, '127.0.0.1');
  slow.write(hello(0n, Buffer.alloc(16), 1000));
  await once(slow, 'data');
  const ask = (op: number, body: (to: Writer) => void): void => {
    const to = new Writer();
    to.int32(1);
    to.int32(op);
    body(to);
    slow.write(frame(to.take()));
  };
  const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
  const { create } = OPERATIONS;
  ask(create.code, (to) => create.request.write(to, { path: '/mine', data: Buffer.alloc(0), acl, flags: 1 }));
  await once(slow, 'data');
  let came = 0;
  slow.on('data', (chunk: Buffer) => {
    came += chunk.length;
    slow.pause();
    setTimeout(() => slow.resume(), chunk.length / 8000);
  });
  for (let i = 0; i < 2; i++) ask(getData.code, (to) => getData.request.write(to, { path: '/big', watch: false }));
  try {
    const end = performance.now() + PATIENCE_MS;
    while (came < 60_000_000) {
      assert.ok(performance.now() < end && !slow.destroyed, `${came} bytes came`);
      ask(OPERATIONS.ping.code, () => {});
      await new Promise((resolve) => setTimeout(resolve, 250));
      assert.equal(await writer.exists('/mine'), 0, `its session ended, when it had read ${came} bytes`);
    }
  } finally {
    slow.destroy();
    writer.socket.destroy();
  }
});

test('one whose writes are all answered is read on, however much of the others waits', async () => {
  await using server = await started();
  const client = await opened(server.port);
  Object.defineProperty(server.node.server, 'outstanding', { get: () => 1_000_000 });
  assert.equal(await client.create('/a'), 0);
  assert.equal(await client.exists('/a'), 0);
  client.socket.destroy();
});

test('of reads that look at very many nodes one is done at a time, also behind a write, and others come in between', async () => {
  await using server = await started();
  const { node } = server;
  let over = false;
  try {
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
  }
});
