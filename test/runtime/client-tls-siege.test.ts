/** Clients by TLS who waste our time waste theirs, and much goes through it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Client } from '../../src/client/api.ts';
import { connect, fourLetterWord } from '../../src/client/connect.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { alice, bob, by, gone, HOST, shows, start, until, who } from './tls-scene.ts';

/** Connections that never get on: silent, one byte, half a hello, a hello and nothing after it. */
function dawdlers(port: number | undefined, many: number, hello: Buffer): Socket[] {
  return Array.from({ length: many }, (_, at) => {
    const socket = connectTcp(port ?? 0, HOST);
    socket.on('error', () => {});
    socket.resume();
    const bytes = [NOTHING, hello.subarray(0, 1), hello.subarray(0, 60), hello][at % 4] as Buffer;
    if (bytes.length > 0) socket.write(bytes);
    return socket;
  });
}
const NOTHING = Buffer.alloc(0);
/** What a client says first. */
async function aHello(): Promise<Buffer> {
  const { createServer } = await import('node:net');
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connectTls({ host: HOST, port, rejectUnauthorized: false });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}
async function slowest(client: Client, forMs: number): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    const began = performance.now();
    await client.get('/');
    times.push(performance.now() - began);
    await sleep(2);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.99)] as number;
}

test('a thousand who dawdle in the handshake are ended in time and hurt nobody', async () => {
  const hello = await aHello();
  await using running = await start({ 'ssl.handshakeDetectionTimeoutMillis': '3000', maxClientCnxns: '0' });
  const { server, secure } = running;
  await using client = await connect(secure, { tls: by(alice), connectTimeoutMs: PATIENCE_MS });
  await timely(async () => {
    const calm = await slowest(client, 500);
    const sockets = dawdlers(server.securePort, 1000, hello);
    const ended = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    const began = performance.now();
    const busy = await slowest(client, 1500);
    const welcome = performance.now();
    assert.deepEqual(await who(secure, by(bob)), ['ip:127.0.0.1', 'x509:CN=bob']);
    const comingIn = performance.now() - welcome;
    await ended;
    const took = performance.now() - began;
    // all of both ends, and this client, in one process
    return (
      lateIf(busy > Math.max(60, 10 * calm), `p99 ${busy.toFixed(1)} ms beside ${calm.toFixed(1)}`) ??
      lateIf(comingIn > 2000, `a newcomer took ${comingIn.toFixed(0)} ms`) ??
      lateIf(took > 8000, `they stayed for ${took.toFixed(0)} ms`)
    );
  });
  const figures = await fourLetterWord('mntr', { host: HOST, port: server.port, timeoutMs: PATIENCE_MS });
  assert.match(figures, /^zk_outstanding_tls_handshake\t0$/m);
  assert.ok(Number(/^zk_tls_handshake_exceeded\t(\d+)$/m.exec(figures)?.[1]) >= 1000, figures);
});

test('the limit for one address counts those who are in the handshake; the other port is not touched', async () => {
  const hello = await aHello();
  await using running = await start({ maxClientCnxns: '8' });
  const { server, plain, secure } = running;
  const sockets = dawdlers(server.securePort, 20, hello);
  const closed = (): number => sockets.filter(({ destroyed }) => destroyed).length;
  await until(() => closed() >= 12, 'twelve are turned away');
  assert.equal(closed(), 12);
  assert.deepEqual(await who(plain), ['ip:127.0.0.1']);
  for (const socket of sockets) socket.destroy();
  await timely(async () => {
    const began = performance.now();
    assert.equal((await who(secure, by(alice))).length, 2);
    return lateIf(performance.now() - began > 5000, 'their places are not free');
  });
});

test('bytes that are no TLS, garbage behind a hello, and half a connection: ended, and nobody else notices', async () => {
  const hello = await aHello();
  await using running = await start({
    maxClientCnxns: '0',
    'client.portUnification': 'true',
    'ssl.handshakeDetectionTimeoutMillis': '1500',
  });
  const { server, secure } = running;
  await using client = await connect(secure, { tls: by(alice), connectTimeoutMs: PATIENCE_MS });
  const bad = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0x80, 0x2e, 1, 0, 2]),
    Buffer.from([0x16, 3, 1, 0xff, 0xff]),
    Buffer.concat([Buffer.from([0x16, 3, 1, 0, 4]), Buffer.from([0xff, 0, 0, 0])]),
    Buffer.concat([hello, hello]),
    Buffer.concat([hello, Buffer.alloc(4000, 0x41)]),
    Buffer.concat([hello.subarray(0, 100), Buffer.alloc(900, 0)]),
  ];
  await Promise.all(
    bad.flatMap((bytes) =>
      [server.securePort, server.port].map(async (port) => {
        const socket = connectTcp(port ?? 0, HOST);
        socket.on('error', () => {});
        socket.resume();
        socket.end(bytes);
        await gone(socket);
      }),
    ),
  );
  // TLS whose client says farewell at once, and one that ends the connection under it, where no stall ends a handshake
  await using patient = await start({
    maxClientCnxns: '0',
    'client.portUnification': 'true',
    'ssl.handshakeDetectionTimeoutMillis': String(10 * PATIENCE_MS),
  });
  await using other = await connect(patient.secure, { tls: by(alice), connectTimeoutMs: PATIENCE_MS });
  const polite = connectTls({
    host: HOST,
    port: patient.server.securePort as number,
    rejectUnauthorized: false,
    ...shows(alice),
  });
  polite.on('secureConnect', () => polite.end());
  polite.resume();
  await gone(polite);
  const rude: TLSSocket = connectTls({
    host: HOST,
    port: patient.server.securePort as number,
    rejectUnauthorized: false,
    ...shows(alice),
  });
  rude.on('error', () => {});
  await once(rude, 'secureConnect');
  rude.destroy();
  await client.get('/');
  await other.get('/');
  const end = performance.now() + PATIENCE_MS;
  for (const { port } of [server, patient.server])
    for (;;) {
      const figures = await fourLetterWord('mntr', { host: HOST, port, timeoutMs: PATIENCE_MS });
      if (/^zk_outstanding_tls_handshake\t0$/m.test(figures)) break;
      assert.ok(performance.now() < end, figures);
      await sleep(20);
    }
});

test('much data both ways, and a reply of megabytes, by TLS as without it', async () => {
  await using running = await start({});
  await using client = await connect(running.secure, { tls: by(alice) });
  const data = Buffer.alloc(900_000, 7);
  await client.create('/big', data);
  const all = await Promise.all(Array.from({ length: 20 }, () => client.get('/big')));
  for (const { data: got } of all) assert.ok(got !== null && data.equals(got));
  await Promise.all(Array.from({ length: 500 }, (_, at) => client.create(`/n${at}`, String(at))));
  assert.equal((await client.getChildren('/')).children.length, 502);
});
