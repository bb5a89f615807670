/** Commands whose tree or servers change, or hide something, while they look. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import type { Client } from '../../src/client/api.ts';
import { toHuman } from '../../src/out/human.ts';
import { makeTheme } from '../../src/out/theme.ts';
import { rig } from './rig.ts';

const stat = { version: 0, numChildren: 0, ephemeralOwner: 0n, dataLength: 4, zxid: 1n };
const fails = (code: 'NoNode' | 'NodeExists' | 'BadVersion' | 'NoAuth', path: string): never => {
  throw new KeeperError(code, path);
};

test('touch: made by somebody else, then changed by somebody else, then touched; and it gives up in the end', async () => {
  for (const isQuiet of [true, false]) {
    const done: string[] = [];
    let looks = 0;
    const client = {
      get: async (path: string) => {
        done.push('get');
        return ++looks === 1 ? fails('NoNode', path) : { data: Buffer.from('warm'), stat: { ...stat, version: looks } };
      },
      create: async (path: string) => {
        done.push('create');
        return fails('NodeExists', path);
      },
      set: async (path: string, data: Buffer, version: number) => {
        done.push(`set ${data} ${version}`);
        return looks < 3 || !isQuiet ? fails('BadVersion', path) : stat;
      },
    } as unknown as Client;
    assert.equal(await rig(client).shell.run('touch /a'), isQuiet ? 0 : 12);
    const begin = ['get', 'create', 'get', 'set warm 2', 'get', 'set warm 3'];
    assert.deepEqual(done, isQuiet ? begin : [...begin, 'get', 'set warm 4', 'get', 'set warm 5']);
  }
});

test('tree: a node that servers do not even show is drawn, without figures; at the last level nothing is lacking', async () => {
  const client = {
    getChildren: async (path: string) => {
      if (path === '/app/secret') return fails('NoAuth', path);
      return {
        children: path === '/app' ? ['open', 'secret'] : [],
        stat: { ...stat, numChildren: path === '/app' ? 2 : 0 },
      };
    },
    exists: async (path: string) => (path === '/app/secret' ? fails('NoAuth', path) : stat),
  } as unknown as Client;
  const theme = await makeTheme(false, true);
  for (const [line, exit, warned] of [
    ['tree -L 1 -s /app', 0, 0],
    ['tree -s /app', 14, 1],
  ] as const) {
    const it = rig(client);
    assert.equal(await it.shell.run(line), exit, line);
    assert.equal(it.warned.length, warned, line);
    const [shown] = it.shown;
    assert.equal(shown?.type, 'tree');
    const text = toHuman(shown ?? assert.fail(), { theme, width: 80, now: 0 }).join('\n');
    assert.match(text, /open {2}4/);
    assert.match(text, /secret$/m);
  }
});

test('top: who does not serve is one of the rows, and below them it says why', async () => {
  const srvr = [
    'Zookeeper version: 3.8.0-x',
    'Latency min/avg/max: 0/1.5/9',
    'Received: 100',
    'Connections: 2',
    'Outstanding: 0',
    'Zxid: 0x100000005',
    'Mode: leader',
    'Node count: 5',
    '',
  ].join('\n');
  const word = async (_word: string, { host }: { host: string }): Promise<string> => {
    if (host === 'up') return srvr;
    if (host === 'looking') return 'This ZooKeeper instance is not currently serving requests\n';
    throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  };
  const client = { getConfig: async () => fails('NoNode', '/zookeeper/config') } as unknown as Client;
  const it = rig(client, {}, new Map(), { server: 'up:1,looking:2,gone:3' });
  it.shell.ports.session.word = word as typeof it.shell.ports.session.word;
  assert.equal(await it.shell.run('top -n 1 -i 100ms'), 0);
  const theme = await makeTheme(false, true);
  const [shown] = it.shown;
  const lines = toHuman(shown ?? assert.fail(), { theme, width: 80, now: 0 });
  assert.match(lines.join('\n'), /^ *up:1 +leader +0 +0 +1\.5\/9 +2 +0$/m);
  assert.match(lines.join('\n'), /^ *looking:2 +waits( +-)+$/m);
  assert.match(lines.join('\n'), /^ *gone:3 +DOWN( +-)+$/m);
  const foot = lines.slice(-2).map((line) => line.trim());
  assert.deepEqual(foot, ['looking:2: not serving: no quorum, or starting', 'gone:3: refused']);
  const { json } = shown as { json?: unknown };
  assert.deepEqual(
    (json as { fault?: string }[]).map(({ fault }) => fault),
    [undefined, 'not serving: no quorum, or starting', 'refused'],
  );

  // nobody leads: all of them are there, and answer that they wait
  const leaderless = rig(client, {}, new Map(), { server: 'looking:1,gone:2' });
  leaderless.shell.ports.session.word = it.shell.ports.session.word;
  assert.equal(await leaderless.shell.run('top -n 1 -i 100ms'), 0);
  const gone = rig(client, {}, new Map(), { server: 'gone:1,gone:2' });
  gone.shell.ports.session.word = it.shell.ports.session.word;
  assert.equal(await gone.shell.run('top -n 1 -i 100ms'), 3);
});
