import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { type Client, RequestError } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { realClock } from '../../src/platform/clock.ts';
import { PATIENCE_MS } from '../patience.ts';
import { FakeServer } from './fake-server.ts';

/** The client as a program without types sees it. */
type Untyped = Record<string, (...args: unknown[]) => Promise<unknown>> & AsyncDisposable;

const open = async (server: FakeServer): Promise<Untyped> =>
  (await connect(
    'a:1',
    { timeoutMs: 3 * PATIENCE_MS },
    { clock: realClock, dialer: server, random: seededRandom(1) },
  )) as Client as unknown as Untyped;

/**
 * Each call is refused by its own promise as `invalid` with such a message, and nothing of it reaches the server; the session
 * goes on, requests around the refused one included.
 */
async function refused(calls: readonly [name: string, args: unknown[], message: RegExp][]): Promise<void> {
  const server = new FakeServer();
  await using client = await open(server);
  for (const [name, args, message] of calls) {
    const before = client.get?.('/');
    const promise = client[name]?.(...args);
    const after = client.exists?.('/');
    await assert.rejects(promise as Promise<unknown>, (error) => {
      assert.ok(error instanceof RequestError, `${name} ${message}: ${String(error)}`);
      assert.equal(error.fault, 'invalid');
      assert.match(error.message, message);
      return true;
    });
    await before;
    await after;
  }
  assert.deepEqual(new Set(server.log), new Set(['getData /', 'exists /']));
}

test('data that is neither text nor bytes nor null is refused by its own promise, and nothing else stops', async () => {
  const wanted = 'data: text, bytes \\(a Uint8Array\\) or null is wanted, not';
  await refused([
    ['set', ['/', 5], new RegExp(`^${wanted} a number: /$`)],
    ['set', ['/', true], new RegExp(`${wanted} a boolean`)],
    ['set', ['/', { a: 1 }], new RegExp(`${wanted} an object`)],
    ['set', ['/', new ArrayBuffer(4)], new RegExp(`${wanted} an ArrayBuffer`)],
    ['set', ['/', new DataView(new ArrayBuffer(4))], new RegExp(`${wanted} a DataView`)],
    ['set', ['/', new Uint16Array(4)], new RegExp(`${wanted} a Uint16Array`)],
    ['set', ['/', [1, 2]], new RegExp(`${wanted} an Array`)],
    ['set', ['/'], new RegExp(`${wanted} nothing`)],
    ['create', ['/n', 5], new RegExp(`${wanted} a number: /n$`)],
    ['multi', [[{ op: 'set', path: '/', data: 5, version: -1 }]], /operation 1: data: .* not a number: \/$/],
    ['multi', [[{ op: 'create', path: '/n', data: {}, options: {} }]], /operation 1: data: .* not an object: \/n$/],
    ['addAuth', ['digest', 5], /^auth: text or bytes \(a Uint8Array\) is wanted, not a number$/],
    ['addAuth', ['digest'], /^auth: .* not nothing$/],
    ['addAuth', [5, 'a:b'], /^scheme: text is wanted, not a number$/],
  ]);
});

test('what a transaction was given wrongly is told by its commit', async () => {
  const server = new FakeServer();
  await using client = await open(server);
  const transaction = (client as unknown as Client)
    .transaction()
    .set('/', 5 as never)
    .delete('/');
  await assert.rejects(transaction.commit(), /operation 1: data: .* not a number/);
  assert.deepEqual(server.log, []);
});

test('a credential that is no credential is refused by connect()', async () => {
  const server = new FakeServer();
  const ports = { clock: realClock, dialer: server, random: seededRandom(1) };
  await assert.rejects(
    connect('a:1', { auth: [{ scheme: 'digest', auth: 5 as never }] }, ports),
    /auth: text or bytes/,
  );
});
