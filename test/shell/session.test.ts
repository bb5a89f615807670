import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import type { Client, ConnectOptions } from '../../src/client/api.ts';
import { ShellSession, type Target } from '../../src/shell/session.ts';

/** Sessions one after the other; `broken`: paths on which a session can set no watch. */
function rig(broken: readonly (readonly string[])[] = []) {
  const news: string[] = [];
  const set: string[][] = [];
  const states: ConnectOptions['onState'][] = [];
  const session = new ShellSession(
    { server: 'localhost:1', options: {} },
    {
      connect: async (_server, { onState }) => {
        const at = set.push([]) - 1;
        states.push(onState);
        const client = {
          state: 'connected',
          sessionId: BigInt(at + 1),
          watches: () => [],
          close: async () => {},
          addWatch: async (path: string, _listener: unknown, { recursive }: { recursive: boolean }) => {
            if (broken[at]?.includes(path) === true) throw new Error('connection lost');
            set[at]?.push(`${path}${recursive ? '/**' : ''}`);
          },
        };
        return client as unknown as Client;
      },
      target: (server) => ({ server, options: {} }),
      word: () => Promise.reject(new Error('no network in this test')),
      news: (line) => news.push(line),
      changed: () => {},
      watched: () => {},
      now: () => 0,
      interactive: false,
    },
  );
  const expire = (): void => states.at(-1)?.({ state: 'expired', server: undefined });
  return { session, news, set, expire };
}

test('a watch is set once however often it is asked for, and again in the next session', async () => {
  const { session, news, set, expire } = rig();
  await session.addWatch('/a', true);
  await session.addWatch('/a', true);
  await session.addWatch('/a', false);
  await session.addWatch('/b', true);
  assert.deepEqual(set, [['/a/**', '/a', '/b/**']]);
  session.forgetWatches('/a', 'persistent');
  session.forgetWatches('/a', 'data');
  expire();
  await session.client();
  assert.deepEqual(set[1], ['/a/**', '/b/**']);
  assert.equal(news.at(-1), 'new session 0x2; set again: 2 watches. Changes in between are unknown');
  session.forgetWatches('/a', 'any');
  session.forgetWatches('/b', 'persistentRecursive');
  expire();
  await session.client();
  assert.deepEqual(set[2], []);
});

test('a watch that cannot be set again is told, and the session is there all the same', async () => {
  const { session, news, set, expire } = rig([[], ['/a']]);
  await session.addWatch('/a', true);
  await session.addWatch('/b', true);
  expire();
  assert.equal((await session.client()).sessionId, 2n);
  assert.equal((await session.client()).sessionId, 2n);
  assert.deepEqual(set[1], ['/b/**']);
  assert.ok(news.includes('the watch on /a could not be set again: connection lost'));
  assert.match(news.at(-1) ?? '', /set again: 1 watch\./);
});

test('one address is one server; a list, or a name that may stand for several, is not', () => {
  const ports = {
    ...{ connect: () => new Promise<never>(() => {}), word: async () => '', now: () => 0, interactive: true },
    ...{ news: () => {}, changed: () => {}, watched: () => {} },
    target: (server: string): Target => ({ server, options: {} }),
  };
  for (const [server, isOne] of [
    ['127.0.0.1:2181', true],
    ['[::1]:2181/app', true],
    ['localhost', true],
    ['127.0.0.1:2181,127.0.0.1:2182', false],
    ['zk:2181', false],
  ] as const)
    assert.equal(new ShellSession({ server, options: {} }, ports).isOfOneServer, isOne, server);
});

test('watches that tell once go with an expired session, and it is said which', async () => {
  const { session, news, expire } = rig();
  await session.client();
  session.noteWatch('/e', 'data', true);
  session.noteWatch('/w', 'children', true);
  session.noteWatch('/of-a-command', 'data', false);
  expire();
  assert.deepEqual(news, ['the session expired', 'gone with it: 2 one-time watches (/e /w)']);
  expire();
  assert.equal(news.filter((line) => line.startsWith('gone')).length, 1, 'once');
});

test('only ephemeral nodes that are still there are mourned', async () => {
  const { session, news, expire } = rig();
  await session.client();
  session.noteEphemeral('/e1');
  session.noteEphemeral('/e2');
  session.forgetEphemeral('/e1');
  expire();
  assert.deepEqual(news, ['the session expired', 'gone with it: 1 ephemeral node (/e2)']);
});

test('a credential from the start that is refused: what waited for it fails, and a prompt goes on without it', async () => {
  const opened = (interactive: boolean, server = 'localhost:1') => {
    const news: string[] = [];
    const given: ConnectOptions['auth'][] = [];
    const auth = [{ scheme: 'digest', auth: 'bob:secret' }];
    const session = new ShellSession(
      { server, options: { auth } },
      {
        connect: async (_server, { auth: presented = [] }) => {
          given.push([...presented]);
          if (presented.length > 0 || server === 'strict:1') throw new KeeperError('AuthFailed');
          return { state: 'connected', sessionId: 7n, watches: () => [], close: async () => {} } as unknown as Client;
        },
        target: (text) => ({ server: text, options: { auth } }),
        word: () => Promise.reject(new Error('no network in this test')),
        news: (line) => news.push(line),
        changed: () => {},
        watched: () => {},
        now: () => 0,
        interactive,
      },
    );
    return { session, news, given };
  };
  const isRefused = (error: unknown): boolean => error instanceof KeeperError && error.code === 'AuthFailed';
  const prompt = opened(true);
  await assert.rejects(prompt.session.client(), isRefused);
  assert.equal((await prompt.session.client()).sessionId, 7n);
  assert.deepEqual(prompt.given, [[{ scheme: 'digest', auth: 'bob:secret' }], []]);
  assert.deepEqual(prompt.news, [
    'the credential (digest) was refused; going on without it: addauth presents another',
    'new session 0x7',
  ]);
  // who says where to go says as whom, too
  await assert.rejects(prompt.session.connect('@prod', new AbortController().signal), isRefused);
  assert.equal(prompt.given[2]?.length, 1);
  // nobody gets on there without one: it is tried once, and not for ever
  const strict = opened(true, 'strict:1');
  for (let i = 0; i < 3; i++) await assert.rejects(strict.session.client(), isRefused);
  assert.equal(strict.news.length, 1);
  // a script was meant for somebody
  const script = opened(false);
  for (let i = 0; i < 2; i++) await assert.rejects(script.session.client(), isRefused);
  assert.deepEqual(script.news, []);
  assert.ok(script.given.every((presented) => presented?.length === 1));
});
