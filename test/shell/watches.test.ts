/** Watches that stay: on servers that have them and on those that do not, their numbers, and what is listed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeeperError } from '../../src/base/errors.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { type Client, ConfigCache, connect, type WatchEvent } from '../../src/index.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { addWatch } from '../../src/recipes/repeated-watch.ts';
import { KeptWatches } from '../../src/shell/kept-watches.ts';
import { zoosh } from '../e2e/cli.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type OldServer, oldServer } from './old-server.ts';
import { rig } from './rig.ts';

let server: EmbeddedServer;
let old: OldServer;
let writer: Client;
before(async () => {
  server = await startEmbedded();
  old = await oldServer(server.connectString);
  writer = await connect(server.connectString);
});
after(async () => {
  await writer.close();
  await old[Symbol.asyncDispose]();
  await server.stop();
});

/** What a listener hears, without what it cannot know. */
function ears() {
  const heard: string[] = [];
  const listener = ({ type, path }: WatchEvent): void => void heard.push(`${type.slice(4)} ${path}`);
  const hears = async (...wanted: string[]): Promise<void> => {
    for (let left = PATIENCE_MS / 10; heard.length < wanted.length && left > 0; left--) await sleep(10);
    assert.deepEqual(heard.splice(0).sort(), [...wanted].sort());
  };
  return { listener, hears };
}
const NO_WARNING = { warn: (line: string) => assert.fail(line) };

test('a recursive watch on an old server: one-shot watches, set again, for all below', async () => {
  await writer.create('/r');
  await writer.create('/r/a', '1');
  const client = await connect(old.connectString);
  const { listener, hears } = ears();
  const before = old.refused.length;
  const watch = await addWatch(client, '/r', listener, { recursive: true, ...NO_WARNING });
  assert.deepEqual(old.refused.slice(before), [OPERATIONS.addWatch.code]);
  for (const value of ['2', '3', '4']) {
    await writer.set('/r/a', value);
    await hears('DataChanged /r/a');
  }
  await writer.create('/r/b');
  await hears('Created /r/b');
  await writer.create('/r/b/c');
  await hears('Created /r/b/c');
  await writer.set('/r/b/c', 'x');
  await hears('DataChanged /r/b/c');
  await writer.multi([
    { op: 'delete', path: '/r/b/c', version: -1 },
    { op: 'delete', path: '/r/b', version: -1 },
  ]);
  await hears('Deleted /r/b/c', 'Deleted /r/b');
  await writer.create('/r/b');
  await hears('Created /r/b');
  await addWatch(client, '/r', () => {}, { recursive: false, ...NO_WARNING });
  assert.equal(old.refused.length, before + 1, 'it is asked once');
  await watch.remove();
  await writer.set('/r/a', 'unheard');
  await sleep(100);
  await hears();
  await client.close();
});

test('mirror -f and a cache of configuration follow on an old server, too', async () => {
  await writer.create('/from');
  await writer.create('/from/a', '1');
  const client = await connect(old.connectString);
  const { shell, told, warned } = rig(client);
  const following = shell.run('mirror -f --delete /from /to');
  const later = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (let left = PATIENCE_MS / 10; !(await holds()); left--) {
      assert.ok(left > 0, `${what}: ${told[0]?.failure.message ?? warned.join(', ')}`);
      await sleep(10);
    }
  };
  const textOf = async (path: string): Promise<string | undefined> =>
    (await writer.get(path).catch(() => undefined))?.data?.toString();
  await later('a copy', async () => (await textOf('/to/a')) === '1');
  await using cache = await ConfigCache.open(client, '/from');
  assert.equal(cache.get('/from/a')?.data?.toString(), '1');
  await writer.set('/from/a', '2');
  await writer.create('/from/b');
  await writer.create('/from/b/c', 'deep');
  await later('a change', async () => (await textOf('/to/a')) === '2' && (await textOf('/to/b/c')) === 'deep');
  await later('the cache', async () => cache.size === 4 && cache.get('/from/a')?.data?.toString() === '2');
  await writer.delete('/from/b/c');
  await later('an end', async () => (await writer.exists('/to/b/c')) === undefined);
  await later('its end in the cache', async () => cache.get('/from/b/c') === undefined && cache.isCurrent);
  shell.interrupt();
  assert.equal(await following, 130);
  await client.close();
});

test('mirror -f goes on when a connection broke under it, and sees what changed before its watch stood', async () => {
  await writer.create('/broken', '1');
  const client = await connect(server.connectString);
  let breaks = 0;
  let isWatched = false;
  const frail = new Proxy(client, {
    get(target, name) {
      if (name === 'exists' && breaks > 0)
        return async (path: string) => {
          breaks--;
          throw new KeeperError('ConnectionLoss', path);
        };
      if (name === 'addWatch' && !isWatched)
        return async (...args: Parameters<Client['addWatch']>) => {
          isWatched = true;
          await writer.set('/broken', '2'); // after the comparison, before anything is told
          return client.addWatch(...args);
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { shell, warned, told } = rig(frail);
  const following = shell.run('mirror -f /broken /mended');
  const holds = async (data: string): Promise<void> => {
    for (let left = PATIENCE_MS / 10; ; left--) {
      const found = await writer.get('/mended').catch(() => undefined);
      if (found?.data?.toString() === data) return;
      assert.ok(left > 0, told[0]?.failure.message ?? `never ${data}`);
      await sleep(10);
    }
  };
  await holds('2');
  breaks = 1;
  await writer.set('/broken', '3');
  await holds('3');
  assert.ok(warned.some((line) => line.startsWith('the connection broke')));
  shell.interrupt();
  assert.equal(await following, 130);
  await client.close();
});

test('a persistent watch on an old server tells of the node and its children, and outlives the node', async () => {
  await writer.create('/p');
  const client = await connect(old.connectString);
  const { listener, hears } = ears();
  await addWatch(client, '/p', listener, { recursive: false, ...NO_WARNING });
  await writer.create('/p/a');
  await hears('ChildrenChanged /p');
  await writer.set('/p', 'x');
  await hears('DataChanged /p');
  await writer.delete('/p/a');
  await hears('ChildrenChanged /p');
  await writer.delete('/p');
  await hears('Deleted /p');
  await writer.create('/p');
  await hears('Created /p');
  await writer.create('/p/a');
  await hears('ChildrenChanged /p');
  await client.close();
});

test('no more than a thousand nodes are watched one by one, which is said', async () => {
  await writer.create('/many');
  const transaction = writer.transaction();
  for (let at = 0; at < 1100; at++) transaction.create(`/many/${at}`);
  await transaction.commit();
  const client = await connect(old.connectString);
  const warned: string[] = [];
  await addWatch(client, '/many', () => {}, { recursive: true, warn: (line) => void warned.push(line) });
  assert.deepEqual(warned, ['an old server: 1000 nodes below /many are watched, not all']);
  assert.ok(client.watches().length <= 2001);
  await client.close();
});

test('numbers stay with their watches; what a watch is made of on an old server is not listed', async () => {
  await writer.create('/k');
  for (const at of [server.connectString, old.connectString]) {
    const client = await connect(at);
    let now = 5;
    const kept = new KeptWatches(() => now, assert.fail);
    const { listener, hears } = ears();
    const first = await kept.add(client, '/k', true, listener);
    const second = await kept.add(client, '/k', false, listener);
    now = 9;
    await client.get('/k', { watch: (event) => kept.heard(event) });
    kept.note('/k', 'data', true);
    const listed = (): string[] => kept.list(client).map(({ id, kind, since }) => `${id} ${kind} ${since}`);
    assert.deepEqual([first, second], [1, 2]);
    assert.deepEqual(listed(), ['1 persistentRecursive 5', '2 persistent 5', '3 data 9']);
    assert.equal(await kept.end(1), true);
    assert.equal(await kept.end(1), false);
    assert.deepEqual(listed(), ['2 persistent 5', '3 data 9']);
    await writer.set('/k', at);
    await hears('DataChanged /k');
    assert.deepEqual(listed(), ['2 persistent 5']);
    assert.equal(await kept.add(client, '/k', true, listener), 4);
    await client.close();
  }
});

test('on an old server: watch goes on, session says who we said we are and asks nothing that it hangs up on', async () => {
  const before = old.refused.length;
  const ran = await zoosh(['--auth', 'digest:bob:secret', old.connectString], 'session\nversion\n');
  const rows = new Map(ran.stdout.split('\n').map((line) => line.split('\t') as [string, string]));
  assert.deepEqual([ran.code, rows.get('identities'), rows.get('version')], [0, 'digest:bob', '3.5.9'], ran.stderr);
  assert.equal(rows.get('server'), `3.5.9 at ${old.connectString}`);
  assert.ok(!old.refused.slice(before).includes(OPERATIONS.whoAmI.code));
  await writer.create('/w');
  let isOver = false;
  const watching = zoosh([old.connectString, 'watch', '-R', '--count', '2', '/w']).finally(() => {
    isOver = true;
  });
  // until it has seen two, however long it took to begin
  for (let at = 0; !isOver; at++) {
    await sleep(50);
    await writer.set('/w', String(at));
  }
  const watched = await watching;
  assert.equal(watched.code, 0);
  assert.match(
    watched.stderr,
    /^lost connection to [\d.:]+ \(the server closed the connection\), [^\n]+\nback on [^\n]+\n$/,
  );
  assert.match(watched.stdout, /^\S+\tNodeDataChanged\t\/w\n\S+\tNodeDataChanged\t\/w\n$/);
});

test('watches of commands are no watches of the user: what a wait leaves is not listed, and nothing is asked to end it', async () => {
  await writer.create('/passing', '1');
  const client = await connect(server.connectString);
  const kept = new KeptWatches(() => 0, assert.fail);
  const listed = (): string[] => kept.list(client).map(({ path, kind }) => `${kind} ${path}`);
  const heard: string[] = [];
  const users = (): Promise<unknown> =>
    client.get('/passing', {
      watch: (event) => {
        heard.push(event.type);
        kept.heard(event);
      },
    });
  await client.get('/passing', { watch: () => {} });
  kept.note('/passing', 'data', false);
  assert.deepEqual(listed(), []);
  await users();
  kept.note('/passing', 'data', true);
  assert.deepEqual(listed(), ['data /passing'], 'the user wants it, too');
  kept.note('/passing', 'data', false);
  assert.deepEqual(listed(), ['data /passing']);
  await writer.set('/passing', '2');
  for (let left = PATIENCE_MS / 10; heard.length === 0 && left > 0; left--) await sleep(10);
  await client.get('/passing', { watch: () => {} });
  kept.note('/passing', 'data', false);
  assert.deepEqual([heard, listed()], [['NodeDataChanged'], []], 'the own one has told, and the other is set again');
  await client.close();
  await using older = await oldServer(server.connectString, OPERATIONS.removeWatches.code);
  const ran = await zoosh(
    [older.connectString],
    'create -e /eph 1\nwait /eph\nset /eph 2\nwait /eph --data 2\nwatches\n',
  );
  assert.deepEqual([ran.code, ran.stderr, older.refused], [0, '', []]);
});

test('watches of commands are remembered within a bound', () => {
  const kept = new KeptWatches(() => 0, assert.fail);
  for (let n = 0; n < 25_000; n++) kept.note(`/l/${n}`, 'data', false);
  assert.equal(kept.passing, 10_000);
});

test('session on a server that tells: identities, address, role', async () => {
  const ran = await zoosh(['-o', 'json', '--auth', 'digest:bob:secret', server.connectString, 'session']);
  const json = JSON.parse(ran.stdout) as Record<string, unknown>;
  assert.deepEqual(
    [json.role, json.client, json.identities],
    [
      'standalone',
      '127.0.0.1',
      [
        { scheme: 'ip', id: '127.0.0.1' },
        { scheme: 'digest', id: 'bob' },
      ],
    ],
  );
});
