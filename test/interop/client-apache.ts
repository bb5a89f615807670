/**
 * Our client against a real ZooKeeper server. Run it by hand or from the interop suite:
 *
 *   ZOOKEEPER=127.0.0.1:2181 [ZOOKEEPER_RESTART='command that stops it and starts it on the same data'] \
 *     node dist/test/interop/client-apache.js
 *
 * The server: standalone, fresh or not, defaults, all four-letter words allowed, TTL nodes off.
 */
import assert from 'node:assert/strict';
import { exec } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type Client,
  type CreateMode,
  connect,
  fourLetterWord,
  KeeperError,
  MultiError,
  type WatchEvent,
  type WatchGap,
} from '../../src/index.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';

const SERVER = process.env.ZOOKEEPER ?? '';
assert.match(SERVER, /^[^:]+:\d+$/, 'set ZOOKEEPER=host:port');
const [HOST = '', PORT = ''] = SERVER.split(':');
const RESTART = process.env.ZOOKEEPER_RESTART;
const ROOT = `/client-${randomBytes(4).toString('hex')}`;

const code = (wanted: string) => (error: unknown) => error instanceof KeeperError && error.code === wanted;
const show = ({ type, path }: WatchEvent): string => `${type} ${path}`;
async function until(fact: () => boolean, what: string, ms = PATIENCE_MS): Promise<void> {
  for (const end = Date.now() + ms; !fact(); await sleep(10)) assert.ok(Date.now() < end, `never: ${what}`);
}

/** A way to the server that can be cut and closed. */
async function proxy(): Promise<{ at: string; cut(): void; shut(yes: boolean): void } & AsyncDisposable> {
  const pairs = new Set<[Socket, Socket]>();
  let refusing = false;
  const server = createServer((near) => {
    if (refusing) return void near.destroy();
    const far = connectTcp(Number(PORT), HOST);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [one, other] of [pair, [far, near]] as [Socket, Socket][])
      one
        .pipe(other)
        .on('error', () => {})
        .on('close', () => {
          pairs.delete(pair);
          one.destroy();
        });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  return {
    at: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    shut(yes) {
      refusing = yes;
      if (yes) cut();
    },
    async [Symbol.asyncDispose]() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}

let client: Client;
before(async () => {
  client = await connect(SERVER, { connectTimeoutMs: PATIENCE_MS });
  await client.create(ROOT);
});
after(async () => {
  await wipe(ROOT);
  await client.close();
});
async function wipe(path: string): Promise<void> {
  const { children } = await client.getChildren(path);
  for (const child of children) await wipe(`${path}/${child}`);
  await client.delete(path);
}

test('every mode of create', async () => {
  const modes: [CreateMode, RegExp, boolean][] = [
    ['persistent', /\/persistent$/, false],
    ['ephemeral', /\/ephemeral$/, true],
    ['persistentSequential', /\/persistentSequential\d{10}$/, false],
    ['ephemeralSequential', /\/ephemeralSequential\d{10}$/, true],
    ['container', /\/container$/, false],
  ];
  for (const [mode, name, owned] of modes) {
    const { path, stat } = await client.create(`${ROOT}/${mode}`, mode, { mode });
    assert.match(path, name);
    assert.equal(stat?.ephemeralOwner, owned ? client.sessionId : 0n, mode);
    assert.equal((await client.get(path)).data?.toString(), mode);
  }
  // Apache's hangs up behind such a refusal, a moment later: no other request may be under way then
  await using refused = await connect(SERVER);
  await assert.rejects(refused.create(`${ROOT}/ttl`, null, { mode: 'ttl', ttlMs: 1000 }), code('Unimplemented'));
  for (const end = Date.now() + PATIENCE_MS; ; ) {
    const lost = await refused.exists(ROOT).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (lost === undefined) break;
    assert.ok(code('ConnectionLoss')(lost) && Date.now() < end, `not back after a refused kind of node: ${lost}`);
  }
  await until(() => refused.state === 'connected', 'back after a refused kind of node');
});

test('data: null, empty, a megabyte, beyond it', async () => {
  const path = `${ROOT}/data`;
  await client.create(path);
  assert.equal((await client.get(path)).data, null);
  await client.set(path, '');
  assert.deepEqual((await client.get(path)).data, Buffer.alloc(0));
  const big = randomBytes(1024 * 1024 - 1024);
  const { version, dataLength } = await client.set(path, big, 1);
  assert.deepEqual([version, dataLength], [2, big.length]);
  assert.ok((await client.get(path)).data?.equals(big));
  await assert.rejects(client.set(path, Buffer.alloc(1024 * 1024)), /1048575/);
  await assert.rejects(client.set(path, null, 7), code('BadVersion'));
  assert.equal(client.state, 'connected');
});

test('children, stat, sync, getAllChildrenNumber, getEphemerals, delete', async () => {
  const base = `${ROOT}/family`;
  await client.create(base);
  await Promise.all(['b', 'a', 'C', 'é'].map((name) => client.create(`${base}/${name}`)));
  await client.create(`${base}/a/x`, null, { mode: 'ephemeral' });
  const { children, stat } = await client.getChildren(base);
  assert.deepEqual(children, ['C', 'a', 'b', 'é']);
  assert.equal(stat.numChildren, 4);
  assert.equal(await client.getAllChildrenNumber(base), 5);
  assert.deepEqual(await client.getEphemerals(base), [`${base}/a/x`]);
  await client.sync(base);
  await assert.rejects(client.delete(base), code('NotEmpty'));
  await assert.rejects(client.create(`${base}/a/x/y`), code('NoChildrenForEphemerals'));
  await assert.rejects(client.create(`${base}/b`), code('NodeExists'));
  await assert.rejects(client.create(`${base}/no/b`), code('NoNode'));
  assert.equal(await client.exists(`${base}/no`), undefined);
  await client.delete(`${base}/b`, 0);
});

test('many requests at once are answered in order', async () => {
  const path = `${ROOT}/pipeline`;
  await client.create(path, '0');
  const stats = await Promise.all(Array.from({ length: 500 }, (_, at) => client.set(path, String(at), at)));
  assert.deepEqual(
    stats.map(({ version }) => version),
    Array.from({ length: 500 }, (_, at) => at + 1),
  );
});

test('transactions and reads together', async () => {
  const path = `${ROOT}/multi`;
  const done = await client
    .transaction()
    .create(path, 'x')
    .create(`${path}/s`, null, { mode: 'persistentSequential' })
    .create(`${path}/c`, null, { mode: 'container' })
    .set(path, 'y', 0)
    .check(path, 1)
    .delete(`${path}/c`)
    .commit();
  assert.deepEqual(
    done.map((each) => (each.op === 'create' ? each.path : each.op === 'set' ? each.stat.version : each.op)),
    [path, `${path}/s0000000000`, `${path}/c`, 1, 'check', 'delete'],
  );
  await assert.rejects(client.transaction().set(path, 'z').delete(`${path}/none`).check(path).commit(), (error) => {
    assert.ok(error instanceof MultiError);
    assert.deepEqual([error.code, error.index, error.path], ['NoNode', 1, `${path}/none`]);
    assert.deepEqual(error.codes, [undefined, 'NoNode', 'RuntimeInconsistency']);
    return true;
  });
  assert.deepEqual(await client.multi([]), []);
  const [data, children, missing] = await client.multiRead([
    { op: 'get', path },
    { op: 'getChildren', path },
    { op: 'get', path: `${path}/none` },
  ]);
  assert.equal((data as { data: Buffer }).data.toString(), 'y');
  assert.deepEqual((children as { children: string[] }).children, ['s0000000000']);
  assert.ok(code('NoNode')(missing));
});

test('ACLs and digest credentials', async () => {
  const path = `${ROOT}/acl`;
  const hash = createHash('sha1').update('bob:pw').digest('base64');
  await client.create(path, 'secret', { acl: [{ perms: 31, scheme: 'digest', id: `bob:${hash}` }] });
  await assert.rejects(client.get(path), code('NoAuth'));
  {
    await using bob = await connect(SERVER, { auth: [{ scheme: 'digest', auth: 'bob:pw' }] });
    assert.equal((await bob.get(path)).data?.toString(), 'secret');
    assert.deepEqual((await bob.whoAmI()).map(({ scheme }) => scheme).sort(), ['digest', 'ip']);
    assert.equal((await bob.getAcl(path)).acl[0]?.id, `bob:${hash}`);
    const acl = [
      { perms: 1, scheme: 'world', id: 'anyone' },
      { perms: 31, scheme: 'auth', id: '' },
    ];
    assert.equal((await bob.setAcl(path, acl)).aversion, 1);
  }
  assert.equal((await client.get(path)).data?.toString(), 'secret');
  await assert.rejects(client.set(path, 'x'), code('NoAuth'));
  await assert.rejects(client.create(`${ROOT}/bad`, null, { acl: [] }), code('InvalidAcl'));
  const other = await connect(SERVER);
  await other.addAuth('digest', 'bob:pw');
  await other.set(path, 'x');
  await assert.rejects(other.addAuth('nonsense', 'x'), code('AuthFailed'));
  assert.equal(other.state, 'authFailed');
});

test('ephemerals are gone at once after close', async () => {
  const other = await connect(SERVER);
  await other.create(`${ROOT}/gone`, null, { mode: 'ephemeral' });
  await other.close();
  assert.equal(await client.exists(`${ROOT}/gone`), undefined);
});

test('chroot', async () => {
  await client.create(`${ROOT}/jail`);
  await using inside = await connect(`${SERVER}${ROOT}/jail`);
  const events: string[] = [];
  await inside.getChildren('/', { watch: (event) => events.push(show(event)) });
  assert.equal((await inside.create('/x', 'in')).path, '/x');
  assert.equal((await client.get(`${ROOT}/jail/x`)).data?.toString(), 'in');
  await inside.sync('/');
  assert.deepEqual(events, ['NodeChildrenChanged /']);
  assert.match((await inside.getConfig()).data?.toString() ?? '', /^version=|^server\.|^$/);
});

test('one-shot watches: what each kind hears, and once', async () => {
  const path = `${ROOT}/watch`;
  const events: string[] = [];
  const note = (name: string) => (event: WatchEvent) => void events.push(`${name} ${show(event).replace(ROOT, '')}`);
  await client.exists(path, { watch: note('exists') });
  await client.create(path);
  await client.get(path, { watch: note('data') });
  await client.getChildren(path, { watch: note('children') });
  await client.set(path, '1');
  await client.set(path, '2');
  await client.create(`${path}/c`);
  await client.delete(`${path}/c`);
  const both = note('both');
  await client.get(path, { watch: both });
  await client.getChildren(path, { watch: both });
  await client.delete(path);
  await client.sync('/');
  assert.deepEqual(events, [
    'exists NodeCreated /watch',
    'data NodeDataChanged /watch',
    'children NodeChildrenChanged /watch',
    'both NodeDeleted /watch',
  ]);
});

test('persistent watches beside one-shot ones on the same path, removed one after the other', async () => {
  const path = `${ROOT}/standing`;
  const events: string[] = [];
  const note = (name: string) => (event: WatchEvent) => void events.push(`${name} ${show(event).replace(path, '.')}`);
  const heard = async (): Promise<string[]> => {
    await client.sync('/');
    return events.splice(0).sort();
  };
  await client.create(path);
  const plain = await client.addWatch(path, note('plain'));
  await client.get(path, { watch: note('once') });
  await client.set(path, '1');
  assert.deepEqual(await heard(), ['once NodeDataChanged .', 'plain NodeDataChanged .']);
  await client.set(path, '2');
  await client.create(`${path}/a`);
  assert.deepEqual(await heard(), ['plain NodeChildrenChanged .', 'plain NodeDataChanged .']);
  await client.get(path, { watch: note('once') });
  await plain.remove();
  await client.set(path, '3');
  assert.deepEqual(await heard(), ['once NodeDataChanged .'], 'the one-shot watch outlives the persistent one');
  await client.getChildren(path, { watch: note('once') });
  const deep = await client.addWatch(path, note('deep'), { recursive: true });
  await client.create(`${path}/b`);
  await client.set(`${path}/b`, 'x');
  assert.deepEqual(await heard(), ['deep NodeCreated ./b', 'deep NodeDataChanged ./b', 'once NodeChildrenChanged .']);
  await client.get(path, { watch: note('once') });
  await client.set(path, '4');
  await client.set(path, '5');
  assert.deepEqual(await heard(), ['deep NodeDataChanged .', 'deep NodeDataChanged .', 'once NodeDataChanged .']);
  await deep.remove();
  await client.set(path, '6');
  assert.deepEqual(await heard(), []);
  await client.get(path, { watch: note('data') });
  await client.getChildren(path, { watch: note('child') });
  await client.removeWatches(path, 'data');
  await client.set(path, '7');
  await client.create(`${path}/c`);
  assert.deepEqual(await heard(), ['child NodeChildrenChanged .', 'data DataWatchRemoved .']);
  await assert.rejects(client.removeWatches(path, 'any'), code('NoWatcher'));
});

/** Watches of all kinds, then an absence in which things change, then what is heard. */
async function absence(away: Client, leave: () => Promise<void>, comeBack: () => Promise<void>): Promise<void> {
  const base = `${ROOT}/away-${randomBytes(3).toString('hex')}`;
  await client.create(base);
  for (const name of ['data', 'kids', 'dead', 'quiet', 'tree']) await client.create(`${base}/${name}`);
  const events: string[] = [];
  const gaps: WatchGap[] = [];
  const note = (event: WatchEvent): void => void events.push(show(event).replace(base, ''));
  away.on('gap', (gap) => gaps.push(gap));
  await away.get(`${base}/data`, { watch: note });
  await away.getChildren(`${base}/kids`, { watch: note });
  await away.exists(`${base}/new`, { watch: note });
  const dead = (event: WatchEvent): void => note(event);
  await away.get(`${base}/dead`, { watch: dead });
  await away.getChildren(`${base}/dead`, { watch: dead });
  await away.get(`${base}/quiet`, { watch: note });
  await away.addWatch(`${base}/tree`, note, { recursive: true });
  await away.getChildren(`${base}/tree`, { watch: note });
  await away.create(`${base}/own`, null, { mode: 'ephemeral' });
  const { sessionId, lastZxid } = away;
  await leave();
  assert.equal(away.state, 'suspended');
  const change = async (): Promise<void> => {
    await client.set(`${base}/data`, '1');
    await client.create(`${base}/kids/x`);
    await client.create(`${base}/new`);
    await client.delete(`${base}/dead`);
    await client.create(`${base}/tree/missed`);
  };
  if (client !== away) await change();
  await comeBack();
  await until(() => away.state === 'connected', 'connected again');
  assert.equal(away.sessionId, sessionId);
  assert.equal((await away.exists(`${base}/own`))?.ephemeralOwner, sessionId);
  if (client === away) {
    await change();
    await client.sync('/');
    assert.ok(events.includes('NodeCreated /tree/missed'), events.join());
  } else {
    await until(() => gaps.length > 0, 'told of the gap');
    assert.deepEqual(gaps, [{ paths: [`${base}/tree`], after: lastZxid }]);
  }
  for (const event of [
    'NodeDataChanged /data',
    'NodeChildrenChanged /kids',
    'NodeCreated /new',
    'NodeDeleted /dead',
    'NodeChildrenChanged /tree',
  ])
    assert.equal(events.filter((each) => each === event).length, 1, `${event} in ${events.join()}`);
  events.length = 0;
  await client.set(`${base}/quiet`, '1');
  await client.create(`${base}/tree/seen`);
  await away.sync('/');
  assert.deepEqual(events.sort(), ['NodeCreated /tree/seen', 'NodeDataChanged /quiet']);
}

test('watches over a lost connection: catch-up, gap, and all of them set again', async () => {
  await using way = await proxy();
  await using away = await connect(way.at);
  await absence(
    away,
    async () => {
      way.shut(true);
      await until(() => away.state === 'suspended', 'suspended');
    },
    async () => way.shut(false),
  );
});

test('thousands of watches are set again in several packets', async () => {
  await using way = await proxy();
  await using away = await connect(way.at);
  let heard = 0;
  const name = (at: number): string => `${ROOT}/none-${'x'.repeat(100)}-${at}`;
  await Promise.all(Array.from({ length: 4000 }, (_, at) => away.exists(name(at), { watch: () => heard++ })));
  // it may be back before anybody looks
  let isLost = false;
  away.on('state', ({ state }) => {
    isLost ||= state === 'suspended';
  });
  way.cut();
  await until(() => isLost, 'suspended');
  await away.sync('/');
  for (const at of [0, 2000, 3999]) await client.create(name(at));
  await away.sync('/');
  assert.equal(heard, 3);
});

test('a short session that cannot reach its server expires here at 4/3 of its timeout, and there', () =>
  timely(async (round) => {
    await using way = await proxy();
    const doomed = await connect(way.at, { timeoutMs: 4000 });
    let isLost = false;
    doomed.on('state', () => {
      isLost = true;
    });
    const made = await doomed.create(`${ROOT}/doomed${round}`, null, { mode: 'ephemeral' }).catch((error: unknown) => {
      if (!isLost) throw error;
    });
    // so short a session does not live through it when all here stands still
    if (isLost || made === undefined) {
      await doomed.close();
      return 'it was lost before its server was out of reach';
    }
    way.shut(true);
    const from = Date.now();
    const states: string[] = [];
    doomed.on('state', ({ state }) => states.push(state));
    await until(() => doomed.state === 'expired', 'expired');
    const took = Date.now() - from;
    assert.deepEqual(states, ['suspended', 'expired']);
    await assert.rejects(doomed.get('/'), code('SessionExpired'));
    for (const end = Date.now() + PATIENCE_MS; await client.exists(`${ROOT}/doomed${round}`); await sleep(50))
      assert.ok(Date.now() < end, 'the server keeps the ephemeral');
    const wanted = (doomed.negotiatedTimeoutMs * 4) / 3;
    return lateIf(took <= wanted - 1500 || took >= wanted + 200, `${took} ms`);
  }));

test('four-letter words', async () => {
  const at = { host: HOST, port: Number(PORT) };
  assert.equal(await fourLetterWord('ruok', at), 'imok');
  assert.match(await fourLetterWord('srvr', at), /^Zookeeper version: .*\nMode: standalone/s);
  assert.match(await fourLetterWord('mntr', at), /zk_znode_count\t\d+/);
});

if (RESTART !== undefined)
  test('watches over a restart of the server', async () => {
    await absence(
      client,
      async () => {
        const restarted = promisify(exec)(RESTART);
        await until(() => client.state === 'suspended', 'suspended');
        await restarted;
      },
      async () => {},
    );
  });
