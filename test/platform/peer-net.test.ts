/** Links between servers over real sockets: who waits for room is told of it, and who does not is not kept waiting. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { linkOf, plainPeerNetwork } from '../../src/platform/peer-net.ts';
import { until } from '../e2e/members.ts';
import { PATIENCE_MS } from '../patience.ts';

/** Two ends of a connection; the second reads nothing until it is told to. */
async function pair(): Promise<{ near: Socket; far: Socket } & AsyncDisposable> {
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const near = connect({ port, host: '127.0.0.1', noDelay: true });
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [[Socket], unknown];
  for (const socket of [near, far]) socket.on('error', () => {});
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.destroy();
      far.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a packet that the system takes at once tells nobody, and one that waits tells when all of it is gone', async () => {
  await using ends = await pair();
  const { link, attach } = linkOf(ends.near);
  let told = 0;
  attach({ data() {}, closed() {}, drained: () => void told++ });
  link.send(Buffer.from('a'), false);
  assert.equal(link.waiting, 0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(told, 0);
  // more than sockets hold: it waits here until the other end reads
  const much = Buffer.alloc(32 * 1024 * 1024, 7);
  for (let at = 0; at < 4; at++) link.send(much, false);
  assert.ok(link.waiting > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(told, 0, 'nothing is gone yet');
  let read = 0;
  ends.far.on('data', (bytes) => {
    read += bytes.length;
  });
  ends.far.resume();
  await until(
    () => told > 0 && link.waiting === 0,
    PATIENCE_MS,
    () => `told ${told} times, ${link.waiting} bytes wait`,
  );
  await until(
    () => read === 1 + 4 * much.length,
    PATIENCE_MS,
    () => `${read} bytes came`,
  );
});

test('who waits for room is told although the system takes the packet at once', async () => {
  await using ends = await pair();
  const { link, attach } = linkOf(ends.near);
  let told = 0;
  attach({ data() {}, closed() {}, drained: () => void told++ });
  link.send(Buffer.from('a'), true);
  link.send(Buffer.from('b'));
  await until(
    () => told === 2,
    PATIENCE_MS,
    () => `told ${told} times`,
  );
});

test('what waits when a link ends is sent, also what was given behind what waited', async () => {
  await using ends = await pair();
  const { link, attach } = linkOf(ends.near);
  let closed = 0;
  let failure: Error | undefined;
  attach({
    data() {},
    closed(reason) {
      closed++;
      failure = reason;
    },
  });
  const much = Buffer.alloc(32 * 1024 * 1024, 7);
  for (let at = 0; at < 3; at++) link.send(much, false);
  link.end();
  let read = 0;
  ends.far.on('data', (bytes) => {
    read += bytes.length;
  });
  ends.far.resume();
  await until(
    // closed when the system has it all, which the other end may not have read yet
    () => closed > 0 && read === 3 * much.length,
    PATIENCE_MS,
    () => `${read} bytes came`,
  );
  assert.equal(failure, undefined);
});

test('a link that ends while something waits is given nothing more', () => {
  const writes: { bytes: Buffer; done: (() => void) | undefined }[] = [];
  const socket = {
    ...{ writable: true, destroyed: false, writableLength: 0, on() {}, once() {} },
    write(bytes: Buffer, done?: () => void): boolean {
      writes.push({ bytes, done });
      return false;
    },
    destroySoon() {
      this.writable = false;
    },
  };
  const { link, attach } = linkOf(socket as unknown as Socket);
  let told = 0;
  attach({ data() {}, closed() {}, drained: () => void told++ });
  socket.writableLength = 5;
  link.send(Buffer.from('first'), false);
  link.send(Buffer.from('second'), false);
  link.end();
  // the mark behind the first is through, and the second still waits
  writes[1]?.done?.();
  assert.deepEqual(
    writes.map(({ bytes }) => bytes.toString()),
    ['first', '', 'second'],
  );
  assert.equal(told, 1);
});

const HAS_IPV6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === '::1');

test('0.0.0.0 is every address of both kinds; a caller by IPv4 is called as if there were no other', {
  skip: !HAS_IPV6,
}, async () => {
  for (const [host, callers] of [
    ['0.0.0.0', ['127.0.0.1', '::1']],
    ['::', ['127.0.0.1', '::1']],
    ['127.0.0.1', ['127.0.0.1']],
  ] as const) {
    const met: string[] = [];
    const listening = await plainPeerNetwork.listen(
      { host, port: 0 },
      (link) => {
        met.push(link.remoteAddress);
        link.end();
        return { data() {}, closed() {} };
      },
      () => {},
    );
    for (const address of ['127.0.0.1', '::1']) {
      const socket = connect({ host: address, port: listening.port });
      socket.on('error', () => {}).resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    listening.close();
    assert.deepEqual(met, callers, host);
  }
});
