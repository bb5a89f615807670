/** Every host name is resolved again at each attempt, and all its addresses are tried. */
import assert from 'node:assert/strict';
import { createServer, type LookupFunction } from 'node:net';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { seededRandom } from '../../src/base/random.ts';
import { type ClientPorts, connect } from '../../src/client/connect.ts';
import { realClock } from '../../src/platform/clock.ts';
import { tcpDialerBy } from '../../src/platform/tcp.ts';
import { until } from '../e2e/members.ts';
import { PATIENCE_MS } from '../patience.ts';
import { FakeServer } from './fake-server.ts';
import { listening, serve } from './real-sockets.ts';
import { TEST_CERT, TEST_KEY } from './tls-fixture.ts';

/** Nobody listens there, at any port of a test: it refuses. */
const REFUSES = '127.0.0.9';
const HERE = '127.0.0.1';
const THERE = '127.0.0.2';
/** All of 127.0.0.0/8 is this machine's without being set up. */
const skip = process.platform !== 'linux';

/** A resolver of the test's own: what it answers, in turn, the last one from then on; an empty answer is a name that is not known. */
class Names {
  readonly asked: string[] = [];
  answers: readonly (readonly string[])[];
  constructor(...answers: readonly (readonly string[])[]) {
    this.answers = answers;
  }
  get ports(): ClientPorts {
    const lookup: LookupFunction = (host, options, callback) => {
      const found = this.answers[Math.min(this.asked.length, this.answers.length - 1)] ?? [];
      this.asked.push(host);
      setImmediate(() => {
        if (found.length === 0) return callback(Object.assign(new Error(`no ${host}`), { code: 'ENOTFOUND' }), '');
        if (options.all === true)
          callback(
            null,
            found.map((address) => ({ address, family: 4 })),
          );
        else callback(null, found[0] as string, 4);
      });
    };
    return { clock: realClock, dialer: tcpDialerBy(lookup), random: seededRandom(1) };
  }
}
const patient = { connectTimeoutMs: PATIENCE_MS };

test('of two addresses the first refuses: the second is tried in the same attempt', { skip }, async () => {
  const fake = new FakeServer();
  await using server = await listening(createServer(serve(fake)));
  const names = new Names([REFUSES, HERE]);
  await using client = await connect(`zk:${server.port}`, patient, names.ports);
  await client.create('/a', 'x');
  assert.deepEqual(names.asked, ['zk']);
});

test('and by TLS, whose certificate is for the name', { skip }, async () => {
  const fake = new FakeServer();
  await using server = await listening(createTlsServer({ key: TEST_KEY, cert: TEST_CERT }, serve(fake)));
  const names = new Names([REFUSES, HERE]);
  const options = { ...patient, tls: { ca: TEST_CERT } };
  await using client = await connect(`localhost:${server.port}`, options, names.ports);
  await client.create('/a', 'x');
  assert.deepEqual(names.asked, ['localhost']);
});

test('a name that is not known, then one that refuses, then the right one: each attempt asks again', {
  skip,
}, async () => {
  const fake = new FakeServer();
  await using server = await listening(createServer(serve(fake)));
  const names = new Names([], [REFUSES], [HERE]);
  await using client = await connect(`zk:${server.port}`, patient, names.ports);
  await client.create('/a', 'x');
  assert.deepEqual(names.asked, ['zk', 'zk', 'zk']);
});

test('a server that moved to another address is found, and the session goes on', { skip }, async () => {
  const fake = new FakeServer();
  const before = await listening(createServer(serve(fake)));
  const names = new Names([HERE]);
  await using client = await connect(`zk:${before.port}`, patient, names.ports);
  await client.create('/mine', 'x', { mode: 'ephemeral' });
  const { sessionId } = client;
  // at its old address it refuses a while, and is somewhere else then
  await before[Symbol.asyncDispose]();
  const asked = names.asked.length;
  await until(
    () => names.asked.length > asked,
    PATIENCE_MS,
    () => 'nobody asked again',
  );
  await using _after = await listening(createServer(serve(fake)), { host: THERE, port: before.port });
  names.answers = [[THERE]];
  const { data } = await client.get('/mine');
  assert.deepEqual([data?.toString(), client.sessionId], ['x', sessionId]);
});
