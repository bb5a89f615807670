import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { ConnectError, type ConnectOptions } from '../../src/client/api.ts';
import { connect, fourLetterWord } from '../../src/client/connect.ts';
import { realClock } from '../../src/platform/clock.ts';
import { tcpDialer } from '../../src/platform/tcp.ts';
import { PATIENCE_MS } from '../patience.ts';
import { FakeServer } from './fake-server.ts';
import { listening, serve } from './real-sockets.ts';
import { TEST_CERT, TEST_KEY } from './tls-fixture.ts';

/** What becomes of a try; where the machine was too slow for what is wanted, there is more time for the next. */
async function reasonOf(connectString: string, wanted: RegExp, options: ConnectOptions = {}): Promise<string> {
  for (let connectTimeoutMs = 400; ; connectTimeoutMs *= 4) {
    let found = 'connected';
    try {
      const client = await connect(connectString, { connectTimeoutMs, ...options });
      await client.close();
    } catch (error) {
      assert.ok(error instanceof ConnectError, String(error));
      found = error.hosts.map(({ reason }) => reason).join(', ');
    }
    if (wanted.test(found) || 4 * connectTimeoutMs > PATIENCE_MS) return found;
  }
}
async function ends(connectString: string, wanted: RegExp, options: ConnectOptions = {}): Promise<void> {
  assert.match(await reasonOf(connectString, wanted, options), wanted);
}

test('over a real socket, by name: all addresses of it are tried', async () => {
  const fake = new FakeServer();
  await using server = await listening(createServer(serve(fake)));
  await using client = await connect(`localhost:${server.port}`); // ::1 first on many machines, nobody listens there
  await client.create('/a', Buffer.alloc(900_000, 7));
  const { data } = await client.get('/a');
  assert.ok(data?.equals(Buffer.alloc(900_000, 7)));
});

test('TLS: with the CA, without it, and told to trust anything', async () => {
  const fake = new FakeServer();
  const options = { key: TEST_KEY, cert: TEST_CERT };
  await using server = await listening(createTlsServer(options, serve(fake)).on('tlsClientError', () => {}));
  const at = `127.0.0.1:${server.port}`;
  await ends(at, /^connected$/, { tls: { ca: TEST_CERT, servername: 'localhost' } });
  await ends(`localhost:${server.port}`, /^connected$/, { tls: { ca: TEST_CERT } });
  await ends(at, /^connected$/, { tls: { insecure: true } });
  await ends(at, /^connected$/, { tls: { ca: TEST_CERT, anyName: true } });
  await ends(at, /^TLS: the certificate is self-signed/, { tls: { anyName: true } });
  await ends(at, /^TLS: the certificate is self-signed/, { tls: {} });
  await ends(at, /^TLS: the certificate is for another host/, { tls: { ca: TEST_CERT } });
  await ends(at, /^TLS required$/);
});

test('why a host could not be used', async () => {
  await using closer = await listening(createServer((socket) => socket.destroy()));
  await using silent = await listening(createServer(() => {}));
  await using web = await listening(createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
  const free = await listening(createServer());
  await free[Symbol.asyncDispose]();
  await ends(`127.0.0.1:${free.port}`, /^refused$/);
  await ends(`127.0.0.1:${closer.port}`, /^answers but is not serving$/);
  await ends(`127.0.0.1:${silent.port}`, /^answers but is not serving$/);
  await ends(`127.0.0.1:${web.port}`, /does not speak ZooKeeper's protocol/);
  await ends('nosuch.invalid:1', /^DNS: /);
  await ends(`127.0.0.1:${closer.port}`, /TLS handshake; is it a TLS port/, { tls: {} });
  await ends(`127.0.0.1:${silent.port}`, /^timed out$/, { tls: {} });
});

test('a dial can be given up, and gives up by itself', async () => {
  await using silent = await listening(createServer(() => {}));
  const handler = { data() {}, closed() {} };
  const target = { host: '127.0.0.1', port: silent.port, tls: {} };
  const reason = new Error('enough');
  await assert.rejects(tcpDialer.dial({ ...target, timeoutMs: 5000 }, handler, AbortSignal.abort(reason)), reason);
  const stop = new AbortController();
  const pending = tcpDialer.dial({ ...target, timeoutMs: 5000 }, handler, stop.signal);
  setTimeout(() => stop.abort(reason), 20);
  await assert.rejects(pending, reason);
  await assert.rejects(tcpDialer.dial({ ...target, timeoutMs: 50 }, handler), { code: 'ETIMEDOUT' });
});

test('a socket that is not read says so, and again when it has room', async () => {
  const sockets: Socket[] = [];
  await using server = await listening(createServer((socket) => void sockets.push(socket.pause())));
  let drained = 0;
  const handler = { data() {}, closed() {}, drained: () => void drained++ };
  const connection = await tcpDialer.dial({ host: '127.0.0.1', port: server.port, timeoutMs: PATIENCE_MS }, handler);
  const chunk = Buffer.alloc(256 * 1024);
  let sent = 0;
  while (connection.send(chunk)) assert.ok(++sent < 200, 'no bound');
  assert.equal(drained, 0);
  sockets[0]?.resume();
  for (let waited = 0; waited < PATIENCE_MS && drained === 0; waited += 10) await sleep(10);
  assert.equal(drained, 1);
  assert.ok(connection.send(chunk));
  connection.destroy();
});

test('four-letter words: the answer until the close, a reset after it, silence, a refusal', async () => {
  await using server = await listening(
    createServer((socket) =>
      socket.once('data', (word) => {
        if (word.toString() === 'ruok') socket.end('imok');
        if (word.toString() === 'isro') socket.write('rw', () => socket.resetAndDestroy());
      }),
    ),
  );
  const at = { host: '127.0.0.1', port: server.port };
  const patient = { ...at, timeoutMs: PATIENCE_MS };
  assert.equal(await fourLetterWord('ruok', patient), 'imok');
  assert.equal(await fourLetterWord('isro', patient), 'rw');
  await assert.rejects(fourLetterWord('mntr', { ...at, timeoutMs: 50 }), { code: 'ETIMEDOUT' });
  await assert.rejects(fourLetterWord('mntr', { ...at, signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  await assert.rejects(fourLetterWord('hello', at), RangeError);
});

test('timers of the real clock: one that is disposed never fires, not even when it is already due', async () => {
  let fired = 0;
  realClock.after(1, () => fired++);
  const cancelled = realClock.after(1, () => fired++);
  const late = realClock.after(1, () => assert.fail('disposed'));
  cancelled[Symbol.dispose]();
  setTimeout(() => late[Symbol.dispose](), 1); // runs right after the one it disposes became due
  const until = performance.now() + 5;
  while (performance.now() < until); // all are due at once
  for (const end = performance.now() + PATIENCE_MS; fired === 0 && performance.now() < end; ) await sleep(5);
  await sleep(20); // the others would have fired
  assert.equal(fired, 1);
});

test('after close nothing keeps the process alive, and plain connections load no TLS', async () => {
  const fake = new FakeServer();
  await using server = await listening(createServer(serve(fake)));
  const door = new URL('../../src/index.js', import.meta.url).href;
  const program = `
    const { connect } = await import(${JSON.stringify(door)});
    const client = await connect('127.0.0.1:${server.port}');
    await client.getChildren('/');
    await client.close();
    const tls = process.moduleLoadList.some((name) => /NativeModule (tls|_tls_wrap)$/.test(name));
    console.log(tls ? 'TLS loaded' : 'light');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (bytes) => (text += bytes));
  const timer = setTimeout(() => child.kill(), PATIENCE_MS);
  const [status] = await once(child, 'close');
  clearTimeout(timer);
  assert.deepEqual([status, text], [0, 'light\n']);
});
