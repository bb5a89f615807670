import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeeperError } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import {
  type Client,
  ConnectError,
  type ConnectOptions,
  MultiError,
  RequestError,
  type WatchEvent,
  type WatchGap,
} from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { realClock } from '../../src/platform/clock.ts';
import { PATIENCE_MS } from '../patience.ts';
import { FakeServer } from './fake-server.ts';

/** A session that outlives a machine that stands still. */
const open = (server: FakeServer, options: ConnectOptions = {}, hosts = 'a:1'): Promise<Client> =>
  connect(
    hosts,
    { timeoutMs: 3 * PATIENCE_MS, ...options },
    { clock: realClock, dialer: server, random: seededRandom(1) },
  );

/** Waits until a fact holds. */
async function until(fact: () => boolean, what: string): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS; waited += 5) {
    if (fact()) return;
    await sleep(5);
  }
  assert.fail(`never: ${what}`);
}
const code = (wanted: string) => (error: unknown) => error instanceof KeeperError && error.code === wanted;
const show = ({ type, path }: WatchEvent): string => `${type} ${path}`;

test('create, get, set, children, exists, delete, ephemerals', async () => {
  const server = new FakeServer();
  await using client = await open(server);
  assert.equal(client.state, 'connected');
  assert.equal(client.server, 'a:1');
  await using brief = await open(server, { timeoutMs: 6000 });
  assert.equal(brief.negotiatedTimeoutMs, 6000);
  assert.equal((await client.create('/a', 'text')).path, '/a');
  const { data, stat } = await client.get('/a');
  assert.deepEqual([data?.toString(), stat.version, stat.dataLength], ['text', 0, 4]);
  assert.equal((await client.set('/a', null, 0)).version, 1);
  assert.equal((await client.get('/a')).data, null);
  assert.match((await client.create('/a/s-', null, { mode: 'persistentSequential' })).path, /^\/a\/s-\d{10}$/);
  await client.create('/a/B');
  assert.deepEqual((await client.getChildren('/a')).children[0], 'B');
  assert.equal(await client.exists('/none'), undefined);
  assert.equal((await client.exists('/a'))?.numChildren, 2);
  await assert.rejects(client.delete('/a'), code('NotEmpty'));
  await assert.rejects(
    client.get('/none'),
    (error) => code('NoNode')(error) && (error as KeeperError).path === '/none',
  );
  const { stat: own } = await client.create('/e', null, { mode: 'ephemeral' });
  assert.equal(own?.ephemeralOwner, client.sessionId);
  assert.deepEqual(await client.getEphemerals(), ['/e']);
});

test('close ends the session: ephemerals go, later requests are refused, closing twice is fine', async () => {
  const server = new FakeServer();
  const client = await open(server);
  await client.create('/e', null, { mode: 'ephemeral' });
  const last = client.create('/unawaited');
  await client.close();
  await last;
  assert.deepEqual([...server.nodes.keys()], ['/', '/unawaited']);
  assert.equal(client.state, 'closed');
  assert.equal(server.connections, 0);
  await assert.rejects(client.get('/'), code('Closing'));
  await client.close();
});

test('requests of one turn leave in one write, and so do those that their replies bring about', async () => {
  const server = new FakeServer();
  await using client = await open(server);
  server.writes.length = 0;
  const chain = async (): Promise<void> => {
    await client.get('/');
    await client.get('/');
  };
  await Promise.all(Array.from({ length: 50 }, chain));
  assert.deepEqual(server.writes, [50, 50]);
});

test('a path that no server would take is refused before it is sent', async () => {
  const server = new FakeServer();
  await using client = await open(server);
  for (const path of ['', 'a', '/a/', '/a//b', '/a/../b', '/\u0000'])
    await assert.rejects(client.get(path), (error) => error instanceof RequestError && error.fault === 'invalid', path);
  await assert.rejects(client.create('/ttl', null, { mode: 'ttl' }), /ttlMs/);
  await assert.rejects(client.set('/', Buffer.alloc(1 << 20)), (error) => (error as RequestError).fault === 'tooLarge');
  assert.deepEqual(server.log, []);
  server.create('/big');
  const { dataLength } = await client.set('/big', Buffer.alloc(1 << 20), -1, { maxRequestBytes: 2 << 20 });
  assert.equal(dataLength, 1 << 20);
});

test('chroot: put before paths, taken off results, errors and events', async () => {
  const server = new FakeServer();
  server.create('/app');
  await using client = await open(server, {}, 'a:1/app');
  assert.equal(client.chroot, '/app');
  const events: string[] = [];
  await client.getChildren('/', { watch: (event) => events.push(show(event)) });
  assert.equal((await client.create('/x', null, { mode: 'ephemeral' })).path, '/x');
  assert.ok(server.nodes.has('/app/x'));
  await client.sync('/');
  assert.deepEqual(events, ['NodeChildrenChanged /']);
  assert.deepEqual(await client.getEphemerals(), ['/x']);
  await assert.rejects(client.get('/none'), (error) => (error as KeeperError).path === '/none');
  const [made] = await client.transaction().create('/y').commit();
  assert.equal(made?.op === 'create' && made.path, '/y');
  await client.get('/y', { watch: () => {} });
  assert.deepEqual(client.watches(), [{ path: '/y', kind: 'data' }]);
});

test('transactions: all together, or none and told which part failed', async () => {
  const server = new FakeServer();
  await using client = await open(server);
  const done = await client
    .transaction()
    .create('/a', 'x')
    .set('/a', 'y', 0)
    .check('/a', 1)
    .create('/b')
    .delete('/b')
    .commit();
  assert.deepEqual(
    done.map(({ op }) => op),
    ['create', 'set', 'check', 'create', 'delete'],
  );
  const failing = client.transaction().set('/a', 'z').check('/a', 99).delete('/a').commit();
  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof MultiError);
    assert.deepEqual([error.code, error.index, error.path], ['BadVersion', 1, '/a']);
    assert.deepEqual(error.codes, [undefined, 'BadVersion', 'RuntimeInconsistency']);
    return true;
  });
  assert.equal((await client.get('/a')).data?.toString(), 'y');
});

test('a reply, then an event: the code that awaited the reply runs before the listener', async () => {
  const server = new FakeServer();
  server.create('/a');
  await using client = await open(server);
  const order: string[] = [];
  server.holding = true;
  const read = (async () => {
    await client.get('/a', { watch: () => order.push('event') });
    order.push('reply');
  })();
  await until(() => server.log.includes('getData /a'), 'the read arrived');
  server.set('/a', null);
  server.release();
  await read;
  await until(() => order.length === 2, 'both came');
  assert.deepEqual(order, ['reply', 'event']);
});

test('a lost connection: suspended at once, what was sent is lost, what was not is answered later', async () => {
  const server = new FakeServer();
  server.create('/a');
  await using client = await open(server);
  const states: string[] = [];
  client.on('state', ({ state, resumed }) => states.push(resumed === undefined ? state : `${state} ${resumed}`));
  server.holding = true;
  const lost = client.get('/a');
  lost.catch(() => {});
  await until(() => server.log.length > 0, 'the read arrived');
  server.drop();
  await assert.rejects(lost, code('ConnectionLoss'));
  assert.deepEqual(states, ['suspended']);
  assert.equal(client.server, undefined);
  server.holding = false;
  const id = client.sessionId;
  assert.ok((await client.get('/a')).stat);
  assert.deepEqual(states, ['suspended', 'connected true']);
  assert.equal(client.sessionId, id);
});

test('watches survive a reconnect: what changed meanwhile is told, each once; persistent ones learn of the gap', async () => {
  const server = new FakeServer();
  for (const path of ['/a', '/b', '/c', '/d', '/p']) server.create(path);
  await using client = await open(server);
  const events: string[] = [];
  const gaps: WatchGap[] = [];
  const note = (name: string) => (event: WatchEvent) => void events.push(`${name}: ${show(event)}`);
  client.on('gap', (gap) => gaps.push(gap));
  await client.get('/a', { watch: note('a') });
  await client.getChildren('/b', { watch: note('b') });
  await client.exists('/new', { watch: note('new') });
  await client.get('/c', { watch: note('quiet') });
  const both = note('d');
  await client.get('/d', { watch: both });
  await client.getChildren('/d', { watch: both });
  await client.addWatch('/p', note('p'), { recursive: true });
  const seen = client.lastZxid;
  server.down = true;
  server.drop();
  server.set('/a', null);
  server.create('/b/x');
  server.create('/new');
  server.delete('/d');
  server.create('/p/missed');
  server.down = false;
  await until(() => gaps.length > 0, 'a gap');
  assert.deepEqual(events.sort(), [
    'a: NodeDataChanged /a',
    'b: NodeChildrenChanged /b',
    'd: NodeDeleted /d',
    'new: NodeCreated /new',
  ]);
  assert.deepEqual(gaps, [{ paths: ['/p'], after: seen }]);
  server.set('/c', null);
  server.create('/p/seen');
  await until(() => events.length === 6, 'watches that were set again');
  assert.deepEqual(events.slice(4), ['quiet: NodeDataChanged /c', 'p: NodeCreated /p/seen']);
});

test('an expired session: told, requests refused, watches gone, no further dial', async () => {
  const server = new FakeServer();
  const client = await open(server);
  const states: string[] = [];
  client.on('state', ({ state }) => states.push(state));
  await client.get('/', { watch: () => {} });
  const queued = new Promise((resolve) => {
    client.on('state', ({ state }) => state === 'suspended' && client.get('/').catch(resolve));
  });
  server.expire();
  assert.ok(code('SessionExpired')(await queued));
  assert.deepEqual(states, ['suspended', 'expired']);
  await assert.rejects(client.get('/'), code('SessionExpired'));
  assert.deepEqual(client.watches(), []);
  const dials = server.hosts.length;
  await sleep(150);
  assert.equal(server.hosts.length, dials);
  await client.close();
});

test('an abort: the promise rejects with the reason at once, the connection goes on', async () => {
  const server = new FakeServer();
  await using client = await open(server);
  server.holding = true;
  const aborted = client.get('/', { signal: AbortSignal.timeout(20), watch: () => {} });
  await assert.rejects(aborted, { name: 'TimeoutError' });
  const reason = new Error('mine');
  await assert.rejects(client.get('/', { signal: AbortSignal.abort(reason) }), (error) => error === reason);
  server.release();
  assert.ok(await client.get('/'));
  assert.deepEqual(client.watches(), []);
  assert.equal(server.log.length, 2);
});

test('removing watches: one listener of several, then the last; by path, with an event for each listener', async () => {
  const server = new FakeServer();
  server.create('/a');
  await using client = await open(server);
  const events: string[] = [];
  const first = await client.addWatch('/a', (event) => events.push(`1 ${show(event)}`));
  const second = await client.addWatch('/a', (event) => events.push(`2 ${show(event)}`));
  await client.get('/a', { watch: (event) => events.push(`once ${show(event)}`) });
  await first.remove();
  assert.ok(!server.log.some((line) => line.startsWith('removeWatches')));
  server.create('/a/x');
  await client.sync('/');
  assert.deepEqual(events, ['2 NodeChildrenChanged /a']);
  await second.remove();
  assert.ok(server.log.includes('removeWatches /a'));
  server.set('/a', null);
  await client.sync('/');
  assert.deepEqual(events.splice(0), ['2 NodeChildrenChanged /a', 'once NodeDataChanged /a']);
  await client.getChildren('/a', { watch: (event) => events.push(show(event)) });
  await client.removeWatches('/a', 'children');
  assert.deepEqual(events, ['ChildWatchRemoved /a']);
  await assert.rejects(client.removeWatches('/a', 'any'), code('NoWatcher'));
});

test('a watch is given up while the client closes, if only here: nobody can be asked any more', async () => {
  const server = new FakeServer();
  server.create('/a');
  const client = await open(server);
  const heard: string[] = [];
  await client.getChildren('/a', { watch: ({ type }) => heard.push(type) });
  const ending = client.close();
  await client.removeWatches('/a', 'children', { local: true });
  assert.deepEqual(heard, ['ChildWatchRemoved']);
  await ending;
});

test('a listener that throws harms nobody else; the program sees it as uncaught', async () => {
  const server = new FakeServer();
  server.create('/a');
  await using client = await open(server);
  const seen: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => seen.push(error));
  const fault = new Error('of the listener');
  let heard = 0;
  await client.get('/a', {
    watch: () => {
      throw fault;
    },
  });
  await client.get('/a', { watch: () => heard++ });
  server.set('/a', null);
  await until(() => heard === 1 && seen.length === 1, 'both');
  for (const listener of listeners) process.on('uncaughtException', listener);
  assert.deepEqual(seen, [fault]);
  assert.equal(client.state, 'connected');
});

test('connect: no server in time names each host and why; an abort ends it; a refused credential is told', async () => {
  const server = new FakeServer();
  server.down = true;
  await assert.rejects(open(server, { connectTimeoutMs: 80 }, 'a:1,b:2'), (error) => {
    assert.ok(error instanceof ConnectError);
    assert.deepEqual(error.hosts.map(({ host, reason }) => `${host} ${reason}`).sort(), ['a:1 refused', 'b:2 refused']);
    return true;
  });
  const dials = server.hosts.length;
  await assert.rejects(open(server, { signal: AbortSignal.timeout(30) }), { name: 'TimeoutError' });
  await sleep(100);
  assert.ok(server.hosts.length <= dials + 3);
  server.down = false;
  server.refuseAuth = true;
  await assert.rejects(open(server, { auth: [{ scheme: 'digest', auth: 'u:p' }] }), code('AuthFailed'));
  await assert.rejects(open(server, { timeoutMs: 0 }), RangeError);
});

test('lazy: returns at once, requests wait for the server; onState hears everything', async () => {
  const server = new FakeServer();
  server.down = true;
  const states: string[] = [];
  const client = await open(server, { lazy: true, onState: ({ state }) => states.push(state) });
  const read = client.get('/');
  await sleep(20);
  server.down = false;
  assert.ok(await read);
  await client.close();
  assert.deepEqual(states, ['connecting', 'connected', 'closed']);
});

test('addAuth settles with the server; a failure ends the session', async () => {
  const server = new FakeServer();
  const client = await open(server);
  await client.addAuth('digest', 'u:p');
  server.refuseAuth = true;
  await assert.rejects(client.addAuth('digest', 'u:q'), code('AuthFailed'));
  assert.equal(client.state, 'authFailed');
  await assert.rejects(client.get('/'), code('AuthFailed'));
});

test('many requests, logins and connects by one signal are no leak', async (t) => {
  const told: string[] = [];
  const warned = (warning: Error): void => void told.push(warning.name);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  const none = async (what: string): Promise<void> => {
    await sleep(10); // a warning is told in a later turn
    assert.deepEqual(told.splice(0), [], what);
  };
  const many = <T>(one: (signal: AbortSignal) => Promise<T>): Promise<T[]> => {
    const { signal } = new AbortController();
    return Promise.all(Array.from({ length: 11 }, () => one(signal)));
  };
  const server = new FakeServer();
  await using client = await open(server);
  await many((signal) => client.exists('/', { signal }));
  await none('requests');
  await many((signal) => client.addAuth('digest', 'ann:secret', { signal }));
  await none('logins');
  const clients = await many((signal) => open(server, { signal }));
  await Promise.all(clients.map((each) => each.close()));
  await none('connects');
});

test('no server, and a connect string that is none, have a code as other errors have', async () => {
  const server = new FakeServer();
  server.down = true;
  await assert.rejects(open(server, { connectTimeoutMs: 50 }), { name: 'ConnectError', code: 'ConnectError' });
  await assert.rejects(open(server, {}, '::bad::'), { name: 'ConnectStringError', code: 'ConnectStringError' });
});
