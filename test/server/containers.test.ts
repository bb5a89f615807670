/** Containers and nodes with a time to live: when they go, as zoo.cfg says and when it says nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { serverOptionsOf } from '../../src/runtime/server-options.ts';
import { checkConfig } from '../../src/server/config.ts';
import { parseProperties } from '../../src/server/config-text.ts';
import { ask, rig } from './rig.ts';

const MINUTE = 60_000;
const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

/** After how many minutes an empty container is gone, looked for each minute; undefined: not within ten. `used`: it had a child. */
function goneAfter(line: string, used = false): number | undefined {
  const config = checkConfig(parseProperties(`dataDir=/d\nclientPort=1\n${line}\n`, 'zoo.cfg'));
  const { reaperMaxNeverUsedMs } = serverOptionsOf(config, 1);
  const all = rig(seededRandom(5), { server: { reaperMaxNeverUsedMs } });
  const { server, settle, attach } = all;
  const connection = attach();
  ask(all, connection, 'createContainer', { path: '/c', data: null, acl, flags: 4 });
  if (used) {
    ask(all, connection, 'create', { path: '/c/x', data: null, acl, flags: 0 });
    settle();
    ask(all, connection, 'delete', { path: '/c/x', version: -1 });
  }
  settle();
  assert.ok(server.tree.find('/c') !== 0, 'it was made');
  for (let minutes = 0; minutes <= 10; minutes++) {
    server.reap(1000);
    settle();
    if (server.tree.find('/c') === 0) return minutes;
    server.wall += MINUTE;
    server.now += MINUTE;
  }
  return undefined;
}

test('a container that never had a child goes after five minutes, or when zoo.cfg says, or never', () => {
  assert.equal(goneAfter(''), 6, 'more than five minutes, by the minute');
  assert.equal(goneAfter('znode.container.maxNeverUsedIntervalMs=90000'), 2);
  assert.equal(goneAfter('znode.container.maxNeverUsedIntervalMs=0'), undefined);
  assert.equal(goneAfter('znode.container.maxNeverUsedIntervalMs=0', true), 0, 'one that had a child goes at once');
});

test('a node that is found to be due stays when a change of it is under way: its time begins anew', () => {
  const all = rig(seededRandom(5));
  const { server, settle, attach } = all;
  const connection = attach();
  const pass = (ms: number): void => {
    server.wall += ms;
    server.now += ms;
  };
  const ttl = { data: null, acl, flags: 5, ttl: 1000n };
  for (const path of ['/set', '/anew', '/due']) ask(all, connection, 'createTtl', { path, ...ttl });
  ask(all, connection, 'createContainer', { path: '/c', data: null, acl, flags: 4 });
  ask(all, connection, 'create', { path: '/c/x', data: null, acl, flags: 0 });
  settle();
  ask(all, connection, 'delete', { path: '/c/x', version: -1 });
  settle();
  pass(5000);
  const there = (): string[] => ['/set', '/anew', '/due', '/c'].filter((path) => server.tree.find(path) !== 0);
  // decided, and not yet on the disk
  ask(all, connection, 'setData', { path: '/set', data: Buffer.from('x'), version: -1 });
  for (const path of ['/anew', '/c']) ask(all, connection, 'delete', { path, version: -1 });
  ask(all, connection, 'createTtl', { path: '/anew', ...ttl });
  ask(all, connection, 'createContainer', { path: '/c', data: null, acl, flags: 4 });
  server.reap(1000);
  settle();
  assert.deepEqual(there(), ['/set', '/anew', '/c']);
  pass(1001);
  server.reap(1000);
  settle();
  assert.deepEqual(there(), ['/c'], 'and when it is over they go');
});
