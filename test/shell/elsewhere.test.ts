/** What belongs to one ensemble stays there when the shell goes to another one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import type { Client, ConnectOptions } from '../../src/client/api.ts';
import { ShellSession } from '../../src/shell/session.ts';
import { rig } from './rig.ts';

const stat = { version: 3, czxid: 1n, ephemeralOwner: 0n };

function tree(done: string[] = []): Client {
  return {
    state: 'connected',
    sessionId: 1n,
    chroot: '',
    watches: () => [],
    close: async () => {},
    get: async () => ({ data: null, stat }),
    exists: async () => stat,
    set: async (path: string, _data: unknown, version: number) => {
      done.push(`set ${path} ${version}`);
      return stat;
    },
    multi: async (ops: readonly { readonly op: string; readonly path: string }[]) => {
      done.push(...ops.map(({ op, path }) => `${op} ${path}`));
      return ops.map(({ op, path }) => ({ op, path, stat }));
    },
  } as unknown as Client;
}

test('what waits in a transaction is not taken to other servers', async () => {
  for (const line of ['connect other:1', 'connect', 'use @x', 'close']) {
    const done: string[] = [];
    const it = rig(tree(done));
    assert.equal(await it.shell.run('txn; set /x forLOCAL'), 0);
    assert.equal(await it.shell.run(line), 2, line);
    const { message, hint } = it.told[0]?.failure ?? {};
    assert.match(message ?? '', /^(?:connect|use|close): 1 operation of a transaction waits, meant for localhost:1$/);
    assert.equal(hint, 'commit or abort first');
    assert.equal(await it.shell.run('commit'), 0);
    assert.deepEqual(done, ['set /x']);
    assert.equal(await it.shell.run('connect other:1'), 0);
  }
  const it = rig(tree());
  assert.equal(await it.shell.run('txn; connect other:1; abort'), 0, 'one that is empty is in nobody’s way');
});

test('set -v = knows no version of another tree', async () => {
  const done: string[] = [];
  const it = rig(tree(done));
  assert.equal(await it.shell.run('get /x; connect; set -v = /x y'), 0, 'the same servers have the same tree');
  assert.equal(await it.shell.run('get /x; connect localhost:1/app; set -v = /x y'), 2);
  assert.match(it.told[0]?.failure.message ?? '', /has not read \/x yet/);
  assert.equal(await it.shell.run('get /x; set -v = /x y'), 0);
  assert.equal(await it.shell.run('connect other:1; set -v = /x y'), 2);
  assert.deepEqual(done, ['set /x 3', 'set /x 3']);
});

function sessions({ server = 'localhost:1', refuses = false } = {}) {
  const news: string[] = [];
  const states: ConnectOptions['onState'][] = [];
  const session = new ShellSession(
    { server, options: {} },
    {
      connect: async (_server, { onState }) => {
        states.push(onState);
        const client = {
          ...{ state: 'connected', sessionId: BigInt(states.length), negotiatedTimeoutMs: 30_000, server: 'zk1:1' },
          watches: () => [{ path: '/w', kind: 'data', armed: true }],
          close: async () => {},
          addAuth: async () => {
            if (refuses) throw new KeeperError('AuthFailed');
          },
        };
        return client as unknown as Client;
      },
      target: (text) => ({ server: text, options: {} }),
      word: () => Promise.reject(new Error('no network in this test')),
      news: (line) => news.push(line),
      changed: () => {},
      watched: () => {},
      now: () => 0,
      interactive: false,
    },
  );
  const change: NonNullable<ConnectOptions['onState']> = (each) => states.at(-1)?.(each);
  return { session, news, change };
}
const { signal } = new AbortController();

test('who connects elsewhere is told what goes with the session that is left', async () => {
  for (const leave of [
    (session: ShellSession) => session.connect('other:1', signal),
    (session: ShellSession) => session.connect(undefined, signal),
    (session: ShellSession) => session.close(),
  ]) {
    const { session, news } = sessions();
    await session.client();
    session.noteEphemeral('/e');
    session.noteWatch('/w', 'data', true);
    await leave(session);
    assert.deepEqual(news, [
      'gone with the session before: 1 ephemeral node (/e)',
      'gone with the session before: 1 watch (/w)',
    ]);
  }
});

test('a refused credential ends the connection, not the session: its nodes go when its time is over', async () => {
  const { session, news } = sessions({ refuses: true });
  await session.client();
  session.noteEphemeral('/e');
  await assert.rejects(session.addAuth('digest', 'x'), { code: 'AuthFailed' });
  assert.deepEqual(news, [
    'the credential was refused, and the server closed the connection',
    'goes within 30s: 1 ephemeral node (/e)',
    'new session 0x2',
  ]);
});

test('a new session in the place of a lost one is told, also without watches', async () => {
  const { session, news, change } = sessions();
  await session.client();
  assert.deepEqual(news, [], 'the first is no news');
  change({ state: 'expired', server: undefined });
  await session.client();
  assert.deepEqual(news, ['the session expired', 'new session 0x2']);
});

test('one server is tried again, where there are others they are', async () => {
  for (const [server, next] of [
    ['zk1:1/app', 'trying again'],
    ['zk1:1,zk2:1', 'looking for another'],
  ] as const) {
    const { session, news, change } = sessions({ server });
    await session.client();
    change({ state: 'suspended', server: undefined });
    assert.deepEqual(news, [`lost connection to zk1:1, ${next}`]);
  }
});
