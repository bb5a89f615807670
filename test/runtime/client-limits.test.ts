/** The bounds of the client port that are off unless they are set: ZooKeeper's throttles. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { ClientLimits } from '../../src/runtime/client-limits.ts';
import { ConnectionThrottle } from '../../src/runtime/connection-throttle.ts';
import { noTraffic } from '../../src/runtime/traffic.ts';
import { checkConfig, parseAssignment } from '../../src/server/config.ts';
import type { Server } from '../../src/server/server.ts';
import { PlainClient } from '../e2e/plain-client.ts';
import { ServerProcess } from '../e2e/process.ts';
import { hello } from '../e2e/raw.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';

/** As clients send it: length, xid -2, operation 11. */
const PING = Buffer.from([0, 0, 0, 8, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]);
const configOf = (...lines: string[]) =>
  checkConfig(['dataDir=/data', 'clientPort=1', ...lines].map((line) => parseAssignment(line, 'line')));
const figure = (text: string, name: string): number =>
  Number(new RegExp(`^zk_${name}\\t(.*)$`, 'm').exec(text)?.[1] ?? Number.NaN);

async function mntr(port: number): Promise<string> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.end('mntr'));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', () => {});
  });
}

/** What is said within comes to the server at once: whoever says it one by one may be slower than it is done. */
function together<T>(client: PlainClient, say: () => T): T {
  client.socket.cork();
  const said = say();
  client.socket.uncork();
  return said;
}

test('settings are read under both names, and none of them is on by itself', () => {
  const off = configOf();
  for (const key of ['largeRequests', 'requestThrottle', 'throttledOpWaitMs', 'connectionThrottle'] as const)
    assert.equal(off[key], undefined, key);
  const on = configOf(
    'requestThrottleLimit=5',
    'zookeeper.throttled_op_wait_time=7',
    'connectionMaxTokens=3',
    'connection_throttle_freeze_time=0',
    'connectionDropIncrease=0.5',
    'largeRequestThreshold=100',
  );
  assert.deepEqual(on.requestThrottle, { maxRequests: 5, dropStale: true });
  assert.equal(on.throttledOpWaitMs, 7);
  assert.deepEqual(on.largeRequests, { threshold: 100, maxBytes: 104_857_600 });
  assert.deepEqual(on.connectionThrottle, {
    tokens: 3,
    fillTimeMs: 1,
    fillCount: 1,
    freezeTimeMs: 0,
    dropIncrease: 0.5,
    dropDecrease: 0.002,
    decreaseRatio: 0,
    weights: { fresh: 1, renewed: 1 },
  });
  assert.throws(() => configOf('connection_throttle_tokens=1', 'connection_throttle_drop_increase=2'), /from 0 to 1/);
  assert.deepEqual(
    on.notes.filter((note) => /without effect|unknown/.test(note)),
    [],
  );
});

test('in an ensemble of more than two voters each member has its part of globalOutstandingLimit', () => {
  const limit = (voters: number, isMember = true): number => {
    const limits = new ClientLimits(configOf('globalOutstandingLimit=1000'), noTraffic(), () => 0);
    const members = Array.from({ length: voters }, () => ({ role: 'participant' }));
    members.push({ role: 'observer' });
    return limits.outstanding({ tree: { config: { members } }, peer: { isMember } } as unknown as Server);
  };
  assert.deepEqual(
    [1, 2, 3, 5].map((voters) => limit(voters)),
    [1000, 1000, 500, 250],
  );
  assert.equal(limit(1, false), 1000);
});

test('what a read-only server holds that no leader confirmed does not stall it', () => {
  const limits = new ClientLimits(configOf('request_throttle_max_requests=2'), noTraffic(), () => 0);
  const stalls = (readOnly: boolean): boolean => limits.stalls({ outstanding: 2, readOnly } as Server);
  assert.deepEqual([stalls(false), stalls(true)], [true, false]);
});

test('a bucket of tokens: as many handshakes as it has, then as many as come in', () => {
  const config = configOf(
    'connection_throttle_tokens=4',
    'connection_throttle_fill_time=100',
    'connection_throttle_fill_count=2',
  );
  const weighted = configOf(
    'connection_throttle_tokens=5',
    'connection_throttle_weight_enabled=true',
    'connection_throttle_fill_time=100000',
  );
  const admitted = (from: ReturnType<typeof configOf>, times: number[], session = 0n): boolean[] => {
    const throttle = new ConnectionThrottle(from.connectionThrottle as never, 0);
    const bytes = hello(session);
    return times.map((now) => throttle.admits(bytes, 4, bytes.length, now));
  };
  const [yes, no] = [true, false];
  assert.deepEqual(admitted(config, [1, 1, 1, 1, 1, 100, 101, 101, 101]), [yes, yes, yes, yes, no, no, yes, yes, no]);
  assert.deepEqual(admitted(weighted, [1, 1], 0n), [yes, no], 'a new session costs three');
  assert.deepEqual(admitted(weighted, [1, 1, 1], 9n), [yes, yes, no], 'one taken up again two');
});

test('a probability of refusing that grows while the bucket is empty and falls while it is full enough', () => {
  const config = configOf(
    'connection_throttle_tokens=2',
    'connection_throttle_fill_time=1000',
    'connection_throttle_fill_count=2',
    'connection_throttle_freeze_time=10',
    'connection_throttle_drop_increase=0.5',
    'connection_throttle_drop_decrease=0.25',
    'connection_throttle_decrease_ratio=0.5',
  );
  const throttle = new ConnectionThrottle(config.connectionThrottle as never, 0, () => 0.6);
  const bytes = hello();
  const at = (now: number): [boolean, number] => [throttle.admits(bytes, 4, bytes.length, now), throttle.drop];
  assert.deepEqual(
    [at(1), at(2)],
    [
      [true, 0],
      [true, 0],
    ],
  );
  assert.deepEqual(
    [at(11), at(12), at(22)],
    [
      [false, 0.5],
      [false, 0.5],
      [false, 1],
    ],
  );
  assert.deepEqual(
    [at(1100), at(1111)],
    [
      [false, 0.75],
      [true, 0.5],
    ],
  );
});

test('a server with few tokens turns handshakes away, and counts them', async () => {
  await using server = await new ServerProcess([
    'connection_throttle_tokens=3',
    'connection_throttle_fill_time=3600000',
    '4lw.commands.whitelist=*',
  ]).start();
  const clients = [];
  for (let i = 0; i < 5; i++) clients.push(await PlainClient.open(server.port));
  assert.deepEqual(
    clients.map((client) => client !== undefined),
    [true, true, true, false, false],
  );
  assert.equal(figure(await mntr(server.port), 'connection_rejected'), 2);
});

test('with the request throttle all is done in order, one after the other; who waits too long is refused in its turn', async () => {
  await using server = await new ServerProcess([
    'request_throttle_max_requests=1',
    'throttled_op_wait_time=20',
    '4lw.commands.whitelist=*',
  ]).start();
  const client = await PlainClient.open(server.port);
  assert.ok(client !== undefined);
  const before = figure(await mntr(server.port), 'znode_count');
  const order: number[] = [];
  const all = await Promise.all(
    together(client, () =>
      Array.from({ length: 2000 }, (_, key) => {
        const asked = client.create(`/n${key}`);
        asked.then(() => order.push(key));
        return asked;
      }),
    ),
  );
  assert.deepEqual(
    order,
    Array.from({ length: 2000 }, (_, key) => key),
  );
  const done = all.filter((err) => err === 0).length;
  assert.equal(all[0], 0);
  assert.equal(done + all.filter((err) => err === -127).length, 2000);
  assert.ok(done < 2000, 'none waited too long');
  // pings never are
  const pings = await Promise.all([
    ...Array.from({ length: 100 }, (_, key) => client.create(`/m${key}`)),
    client.ping(),
  ]);
  assert.equal(pings.at(-1), 0);
  const text = await mntr(server.port);
  assert.ok(figure(text, 'request_throttle_wait_count') > 0);
  assert.ok(figure(text, 'throttled_ops') >= 2000 - done);
  const made = done + pings.slice(0, -1).filter((err) => err === 0).length;
  assert.equal(figure(text, 'znode_count'), before + made);
});

test('a login is never refused for having waited, or its client would go on as nobody', async () => {
  await using server = await new ServerProcess([
    'request_throttle_max_requests=1',
    'throttled_op_wait_time=20',
  ]).start();
  const { auth } = OPERATIONS;
  // how long each waits is up to the machine, and to how much is read at once
  let behind = 0;
  for (let again = 0; again < 20 && behind !== -127; again++) {
    const client = await PlainClient.open(server.port);
    assert.ok(client !== undefined);
    const [waited, last] = together(client, () => {
      const creates = Array.from({ length: 2000 }, (_, key) => client.create(`/n${again}-${key}`));
      void client.ask(auth.code, (to) =>
        auth.request.write(to, { type: 0, scheme: 'digest', auth: Buffer.from('me:secret') }),
      );
      return [creates, client.exists('/')] as const;
    });
    behind = await last;
    assert.ok((await Promise.all(waited)).includes(-127) || behind !== -127, 'none waited too long');
    const mine = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
    await timely(async () => {
      const made = await client.create(`/mine${again}`, 0, mine);
      // alone it waits for nothing but the machine
      if (made !== -127) assert.equal(made, 0);
      return lateIf(made === -127, 'a request that came alone waited for more than 20 ms');
    });
    client.socket.destroy();
  }
  assert.equal(behind, -127, 'what came behind the login waited, too');
});

test('pings that were answered beside a stall leave nothing behind that later requests are judged by', async () => {
  await using server = await new ServerProcess([
    'request_throttle_max_requests=1',
    'throttled_op_wait_time=400',
    '4lw.commands.whitelist=*',
  ]).start();
  const [busy, quiet] = [await PlainClient.open(server.port), await PlainClient.open(server.port)];
  assert.ok(busy !== undefined && quiet !== undefined);
  const all = together(busy, () => Array.from({ length: 1500 }, (_, key) => busy.create(`/n${key}`)));
  for (let count = 0; count < 20; count++) {
    const answered = once(quiet.socket, 'data');
    quiet.socket.write(PING);
    await answered;
  }
  await Promise.all(all);
  assert.ok(figure(await mntr(server.port), 'request_throttle_wait_count') > 0);
  await new Promise((resolve) => setTimeout(resolve, 500));
  // nobody else asks anything now
  assert.deepEqual(await Promise.all(Array.from({ length: 3 }, (_, key) => quiet.exists(`/n${key}`))), [0, 0, 0]);
});

test('what a client asked that has gone is dropped where the request throttle made it wait, each request once', async () => {
  await using server = await new ServerProcess(['requestThrottleLimit=1', '4lw.commands.whitelist=*']).start();
  const [ROUNDS, EACH] = [40, 2000];
  let text = await mntr(server.port);
  let dropped = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const client = await PlainClient.open(server.port);
    assert.ok(client !== undefined);
    const before = figure(text, 'znode_count');
    const [first] = together(client, () =>
      Array.from({ length: EACH }, (_, key) => client.create(`/n${round}-${key}`)),
    );
    assert.equal(await first, 0);
    client.socket.destroy();
    const end = performance.now() + PATIENCE_MS;
    do {
      assert.ok(performance.now() < end, text);
      await new Promise((resolve) => setTimeout(resolve, 20));
      text = await mntr(server.port);
    } while (figure(text, 'num_alive_connections') > 1); // whoever asks is a connection, too
    // one that hangs up too late, since it stood still itself, finds all of it done
    const now = figure(text, 'stale_requests_dropped');
    const done = figure(text, 'znode_count') - before;
    assert.ok(done + now - dropped <= EACH, `${done} done and ${now - dropped} dropped of ${EACH}`);
    dropped = now;
  }
  // a connection counted in place of its requests, even twice, comes to no more
  assert.ok(dropped > 2 * ROUNDS, `${dropped} requests were dropped`);
});

test('with requestThrottleDropStale=false all is done that a client asked that has gone', async () => {
  const settings = ['requestThrottleLimit=1', 'requestThrottleDropStale=false', '4lw.commands.whitelist=*'];
  await using server = await new ServerProcess(settings).start();
  const EACH = 500; // of 60 bytes: all of them are read before the first is done
  for (let round = 0; round < 5; round++) {
    const client = await PlainClient.open(server.port);
    assert.ok(client !== undefined);
    const before = figure(await mntr(server.port), 'znode_count');
    const [first] = together(client, () =>
      Array.from({ length: EACH }, (_, key) => client.create(`/n${round}-${key}`)),
    );
    assert.equal(await first, 0);
    client.socket.destroy();
    const end = performance.now() + PATIENCE_MS;
    let text = await mntr(server.port);
    while (figure(text, 'znode_count') - before < EACH) {
      assert.ok(performance.now() < end, text);
      await new Promise((resolve) => setTimeout(resolve, 20));
      text = await mntr(server.port);
    }
    assert.equal(figure(text, 'stale_requests_dropped'), 0);
  }
});

test('the end of a session is no stale request: it counts, though its client has gone', async () => {
  await using server = await new ServerProcess(['requestThrottleLimit=1', '4lw.commands.whitelist=*']).start();
  const { create, closeSession } = OPERATIONS;
  const open = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
  const watcher = await PlainClient.open(server.port);
  assert.ok(watcher !== undefined);
  for (let round = 0; round < 5; round++) {
    const client = await PlainClient.open(server.port);
    assert.ok(client !== undefined);
    const path = `/mine${round}`;
    const made = client.ask(create.code, (to) =>
      create.request.write(to, { path, data: Buffer.alloc(0), acl: open, flags: 1 }),
    );
    assert.equal(await made, 0);
    const first = together(client, () => {
      const creates = Array.from({ length: 2000 }, (_, key) => client.create(`/n${round}-${key}`));
      void client.ask(closeSession.code, () => {});
      return creates[0];
    });
    assert.equal(await first, 0);
    client.socket.end();
    const end = performance.now() + PATIENCE_MS;
    while ((await watcher.exists(path)) === 0) {
      assert.ok(performance.now() < end, 'it is still there');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(figure(await mntr(server.port), 'stale_sessions_expired'), 0, 'it went with its time');
  }
  watcher.socket.destroy();
});

test('large requests under way have a sum; beyond it their connection ends', async () => {
  await using server = await new ServerProcess([
    'largeRequestThreshold=1000',
    'largeRequestMaxBytes=5000',
    '4lw.commands.whitelist=*',
  ]).start();
  const client = await PlainClient.open(server.port);
  assert.ok(client !== undefined);
  for (let key = 0; key < 20; key++) assert.equal(await client.create(`/one-by-one-${key}`, 2000), 0);
  const small = await Promise.all(Array.from({ length: 100 }, (_, key) => client.create(`/small-${key}`, 500)));
  assert.deepEqual(new Set(small), new Set([0]));
  assert.equal(figure(await mntr(server.port), 'large_requests_rejected'), 0);
  const large = await Promise.all(
    together(client, () => Array.from({ length: 10 }, (_, key) => client.create(`/large-${key}`, 2000))),
  );
  assert.ok(large.includes(Number.NaN), large.join());
  assert.equal(figure(await mntr(server.port), 'large_requests_rejected'), 1);
});
