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

test('an argument of a wrong kind is refused by its own promise, whichever it is', async () => {
  const integer = /^version: an integer of 32 bits is wanted, not /;
  await refused([
    ['set', ['/', 'x', 3n], /^version: an integer of 32 bits is wanted, not 3n: \/$/],
    ['set', ['/', 'x', null], integer],
    ['set', ['/', 'x', '3'], /^version: an integer of 32 bits is wanted, not text: \/$/],
    ['set', ['/', 'x', {}], integer],
    ['set', ['/', 'x', NaN], /not NaN/],
    ['set', ['/', 'x', 1.5], /not 1\.5/],
    ['set', ['/', 'x', 2 ** 32 - 1], /not 4294967295/],
    ['delete', ['/', 2 ** 40], integer],
    ['delete', ['/', { signal: undefined }], integer],
    ['setAcl', ['/', [], 2n], integer],
    ['setAcl', ['/', 'world:anyone:r'], /^acl: a list of \{ perms, scheme, id \} is wanted, not text: \/$/],
    [
      'create',
      ['/n', 'x', { acl: [{ perms: 31, scheme: 'world' }] }],
      /^acl: entry 1: id: text is wanted, not nothing/,
    ],
    ['create', ['/n', 'x', { acl: [{ perms: 31, id: 'anyone' }] }], /entry 1: scheme: text is wanted, not nothing/],
    [
      'create',
      ['/n', 'x', { acl: [{ perms: 'cdrwa', scheme: 'world', id: 'anyone' }] }],
      /entry 1: perms: an integer of/,
    ],
    ['create', ['/n', 'x', { acl: [null] }], /acl: entry 1: \{ perms, scheme, id \} is wanted, not null/],
    [
      'create',
      ['/n', 'x', { mode: 'foo' }],
      /^mode: one of persistent, ephemeral, .*ttlSequential is wanted, not "foo"/,
    ],
    ['create', ['/n', 'x', { mode: 'toString' }], /^mode: one of/],
    ['create', ['/n', 'x', { mode: 5 }], /^mode: .* not a number/],
    ['create', ['/n', 'x', 'ephemeral'], /^options: an object is wanted, not text/],
    ['create', ['/n', 'x', { ttlMs: 1000 }], /^ttlMs: only the modes ttl and ttlSequential have one/],
    ['create', ['/n', 'x', { mode: 'ttl', ttlMs: '1000' }], /^ttlMs/],
    ['create', ['/n', 'x', { mode: 'ttl', ttlMs: 10n }], /^ttlMs/],
    ['create', ['/n', 'x', { maxRequestBytes: NaN }], /^maxRequestBytes: .* not NaN/],
    ['get', ['/', { maxRequestBytes: '1' }], /^maxRequestBytes/],
    ['get', ['/', { signal: {} }], /^signal: an AbortSignal is wanted, not an object/],
    ['get', ['/', true], /^options: an object is wanted, not a boolean/],
    ['get', ['/', { watch: true }], /^watch: a function is wanted, not a boolean/],
    ['get', [5], /^path: text is wanted, not a number$/],
    ['getAcl', [], /^path: text is wanted, not nothing$/],
    ['create', [], /^path: text is wanted, not nothing$/],
    ['set', [null, 'x'], /^path: text is wanted, not null$/],
    ['sync', [{}], /^path: text is wanted, not an object$/],
    ['getEphemerals', [7], /^path: text is wanted, not a number$/],
    ['addWatch', ['/'], /^listener: a function is wanted, not nothing/],
    ['addWatch', ['/', 'f'], /^listener: a function/],
    ['removeWatches', ['/', 'toString'], /^kind: one of .*children.* is wanted, not "toString"/],
    ['reconfig', [{ joining: 'x', version: 3 }], /^version: a bigint of 64 bits is wanted, not 3$/],
    ['reconfig', [{ joining: 'x', version: 2n ** 64n }], /^version: a bigint of 64 bits/],
    ['reconfig', [{ joining: 5 }], /^joining: text is wanted, not a number/],
    ['reconfig', [], /^change: an object is wanted, not nothing/],
    ['multi', ['x'], /^ops: a list is wanted, not text/],
    ['multi', [[null]], /^operation 1: an object is wanted, not null/],
    [
      'multi',
      [
        [
          { op: 'check', path: '/', version: 0 },
          { op: 'bad', path: '/' },
        ],
      ],
      /^operation 2: op: one of .* "bad"/,
    ],
    ['multi', [[{ op: 'check', path: '/' }]], /^operation 1: version: an integer of 32 bits is wanted, not nothing/],
    ['multi', [[{ op: 'create', path: '/n', data: null }]], /^operation 1: options: an object is wanted, not nothing/],
    ['multi', [[{ op: 'delete', version: 1 }]], /^operation 1: path: text is wanted, not nothing/],
    ['multiRead', [[{ op: 'bad', path: '/' }]], /^operation 1: op: one of get, getChildren is wanted, not "bad"/],
    ['multiRead', [[{ op: 'get' }]], /^operation 1: path: text/],
    ['multiRead', [5], /^ops: a list is wanted, not a number/],
  ]);
});

test('a listener of an event that does not exist, or that is none, is refused where it is given', async () => {
  const server = new FakeServer();
  await using client = await open(server);
  const invalid = (message: RegExp) => (error: unknown) =>
    error instanceof RequestError && error.fault === 'invalid' && message.test(error.message);
  assert.throws(() => client.on?.('foo', () => {}), invalid(/^event: one of state, gap is wanted, not "foo"$/));
  assert.throws(() => client.on?.('state', 5), invalid(/^listener: a function is wanted, not a number$/));
});
