/** What is said of a command that failed on its way: whether its changes were made, and whose ACL said no. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { KeeperError } from '../../src/base/errors.ts';
import type { Client, OpOptions } from '../../src/client/api.ts';
import { DeadlineClient, Outcome } from '../../src/shell/deadline.ts';
import { isOfRead } from '../../src/shell/failed-request.ts';
import { OPEN_ACL } from '../../src/shell/node-record.ts';
import { type Rig, rig } from './rig.ts';

const lost = (path: string): Promise<never> => Promise.reject(new KeeperError('ConnectionLoss', path));
const denied = (path: string): Promise<never> => Promise.reject(new KeeperError('NoAuth', path));
const stat = { version: 0, numChildren: 0, ephemeralOwner: 0n, dataLength: 0 };
/** A session that answers so. */
function shellOf(answers: object): Rig {
  const out = rig({
    get: async () => ({ data: Buffer.from('x'), stat }),
    exists: async () => stat,
    ...answers,
  } as unknown as Client);
  // what is never answered keeps this process no longer
  Object.assign(out.shell.ports, { opTimeoutMs: () => 1000 });
  return out;
}

/** Exit code, message and hint of a line. */
async function told({ shell, told }: Rig, line: string): Promise<readonly [number, string, string | undefined]> {
  const exit = await shell.run(line);
  const { message, hint } = told.at(-1)?.failure ?? assert.fail(`${line} did not fail`);
  return [exit, message, hint];
}

test('a read that is lost before a command changed anything is a read that is lost', async () => {
  const [exit, message] = await told(shellOf({ get: lost }), 'set --append /a x');
  assert.deepEqual([exit, message], [3, 'the connection broke before a reply came: /a']);
});

test('of a change that is lost the outcome is unknown, whatever fails after it', async () => {
  const [exit, message] = await told(shellOf({ set: lost }), 'set /a x');
  assert.deepEqual(
    [exit, message],
    [6, 'outcome unknown: the connection broke before a reply came; it may or may not have been done: /a'],
  );
  // a delete of the same command is under way when a read of it is lost
  const outcome = new Outcome();
  const ports = { limitMs: () => 50, outcome: () => outcome, took: () => {}, waits: () => {}, watching: () => {} };
  const client = new DeadlineClient({ get: lost, delete: () => new Promise(() => {}) } as unknown as Client, ports);
  const readFails = (): Promise<boolean> =>
    client.get('/a').then(
      () => assert.fail(),
      (error) => isOfRead(error),
    );
  const under = client.delete('/a/b').catch((error: KeeperError) => error.code);
  assert.equal(await readFails(), false);
  assert.equal(await under, 'OperationTimeout');
  assert.deepEqual([outcome.isLost, await readFails()], [true, true]);
});

test('what one command has lost, or left under way, is nothing of the next', async () => {
  const shell = shellOf({ get: lost, delete: () => new Promise(() => {}) });
  Object.assign(shell.shell.ports, { opTimeoutMs: () => 50 });
  const under = (await shell.shell.client()).delete('/a/b').catch((error: KeeperError) => error.code);
  assert.equal((await told(shell, 'set --append /a x'))[0], 3);
  assert.equal(await under, 'OperationTimeout');
  // nor in a file of commands that goes on, nor where one command runs others
  for (const line of ['run f', 'repeat 1 run f']) {
    const files = new Map([['f', 'set /a x\nget /a\n']]);
    const { shell: goesOn, told: all } = rig({ set: lost, get: lost } as unknown as Client, {}, files, {
      keepGoing: true,
    });
    await goesOn.run(line);
    assert.deepEqual(
      all.slice(0, 2).map(({ failure }) => failure.exit),
      [6, 3],
    );
  }
});

test('where one command runs others and goes on, each failure has its own code, and the first is the exit', async () => {
  const answers = {
    set: lost,
    get: lost,
    getChildren: async () => ({ children: ['x', 'y'], stat }),
    exists: async (path: string) => (path.includes('*') ? undefined : stat),
  };
  for (const [line, exit, said] of [
    ['repeat 2 set /a x', 6, ['error: outcome unknown', 'error: outcome unknown']],
    ['repeat 2 get /a', 3, ['error: the connection broke', 'error: the connection broke']],
    ['each /a/* do set {} x', 6, ['/a/x: error: outcome unknown', '/a/y: error: outcome unknown']],
    ['each /a/* do get {}', 3, ['/a/x: error: the connection broke', '/a/y: error: the connection broke']],
  ] as const) {
    const it = rig(answers as unknown as Client, {}, undefined, { keepGoing: true });
    assert.equal(await it.shell.run(line), exit, line);
    for (const [at, begin] of said.entries()) assert.ok(it.warned[at]?.startsWith(begin), it.warned.join());
  }
});

test('a change in another ensemble is one as well', async () => {
  const source = {
    exists: async (path: string) => (path === '/b' ? undefined : stat),
    getChildren: async () => ({ children: [], stat }),
    getAcl: async () => ({ acl: [], stat }),
  };
  const shell = shellOf({ ...source, close: async () => {}, create: lost, multi: lost });
  assert.equal((await told(shell, 'cp /a @other:/b'))[0], 6);
});

test('a transaction is not lost with the reads for its undo, and is with its own answer', async () => {
  const trash = mkdtempSync(join(tmpdir(), 'zoosh-outcomes-'));
  try {
    for (const [answers, exit, waiting] of [
      [{ get: lost, getAcl: lost }, 3, 1],
      [{ getAcl: async () => ({ acl: OPEN_ACL, stat }), multi: lost }, 6, undefined],
    ] as const) {
      const whole = { get: async () => ({ data: null, stat }), exists: async () => stat };
      const it = rig(whole as unknown as Client, {}, undefined, { trash });
      assert.equal(await it.shell.run('txn'), 0);
      assert.equal(await it.shell.run('delete /a'), 0);
      Object.assign(whole, answers);
      assert.equal(await it.shell.run('commit'), exit);
      assert.equal(it.shell.changes.waiting, waiting);
    }
  } finally {
    rmSync(trash, { recursive: true, force: true });
  }
});

test('C-c ends a command whose server stands still, also one that makes parents first', async () => {
  for (const line of ['create -p /a/b x', 'put /a/b x', 'mkdir -p /a/b']) {
    const stands = (_path: string, _data: unknown, { signal }: OpOptions = {}): Promise<never> =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        setImmediate(() => out.shell.interrupt());
      });
    const none = (path: string): Promise<never> => Promise.reject(new KeeperError('NoNode', path));
    const out = shellOf({ create: stands, set: none, exists: async () => undefined });
    const [exit, , hint] = await told(out, line);
    assert.deepEqual(
      [exit, hint],
      [130, 'a change was under way, and may have been made: look before trying again'],
      line,
    );
  }
});

test('C-c ends the recipes of one step, and what only looks at the tree for a transaction', async () => {
  for (const line of [
    'counter incr /c',
    'queue put /q x',
    'queue len /q',
    'txn { create /a/b x; set /a y }',
    'delete -n /a',
  ]) {
    const stands = (): Promise<never> => {
      setImmediate(() => out.shell.interrupt());
      return new Promise(() => {});
    };
    const heeding = (_path: string, { signal }: OpOptions = {}): Promise<never> =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        void stands();
      });
    const get = line.includes('/a') ? heeding : stands;
    const out = shellOf({ get, getChildren: stands, exists: stands, create: stands });
    const [exit] = await told(out, line);
    assert.equal(exit, 130, line);
  }
});

test('what Ctrl-C ended sends nothing more, and an ensemble that answers late leaves no session', async () => {
  for (const line of [
    'queue take /q',
    'queue take --wait /q',
    'counter incr /c',
    'queue put /q x',
    'locks /l',
    'cp /a @other:/b',
  ]) {
    const sent: string[] = [];
    let answer = (): void => {};
    const held =
      (name: string, value: unknown) =>
      (...args: unknown[]) => {
        sent.push(name);
        return new Promise((resolve, reject) => {
          answer = () => resolve(value);
          const signal = (args.at(-1) as OpOptions | undefined)?.signal;
          signal?.addEventListener('abort', () => reject(signal.reason));
        });
      };
    const node = { data: Buffer.from('1'), stat };
    const children = { children: ['item-100-0000000001'], stat };
    const out = shellOf({
      ...{ get: held('get', node), getChildren: held('getChildren', children), exists: held('exists', stat) },
      ...{ multi: held('multi', []), create: held('create', {}), close: async () => void sent.push('close') },
      ...{ on: () => () => {}, state: 'connected', random: { bytes: (count: number) => new Uint8Array(count) } },
      clock: { after: () => ({ [Symbol.dispose]() {} }), monotonic: () => 0 },
    });
    if (line.startsWith('cp'))
      Object.assign(out.shell.ports.session, { open: held('open', await out.shell.ports.session.client()) });
    const running = out.shell.run(line);
    await pause(20);
    assert.equal(out.shell.interrupt(), true, line);
    assert.equal(await running, 130, line);
    const before = sent.length;
    answer();
    await pause(20);
    assert.deepEqual(sent.slice(before), line.startsWith('cp') ? ['close'] : [], line);
  }
});

test('each command that another one runs has lost its own changes only', async () => {
  let isFirst = true;
  const it = rig(
    {
      set: async (path: string) => {
        const fails = isFirst;
        isFirst = false;
        return fails ? lost(path) : stat;
      },
      get: async () => ({ data: Buffer.from('x'), stat }),
      exists: async () => stat,
    } as unknown as Client,
    {},
    undefined,
    { keepGoing: true },
  );
  setTimeout(() => it.shell.interrupt(), 60);
  assert.equal(await it.shell.run('repeat -i 5s 2 set /a x'), 130);
  assert.equal(it.told.at(-1)?.failure.hint, undefined);
  // its exit is that of the first that failed, of a file's as well
  const files = new Map([['f', 'set /a x\nget /a\n']]);
  const run = rig({ set: lost, get: async () => ({ data: null, stat }) } as unknown as Client, {}, files, {
    keepGoing: true,
  });
  for (const line of ['run f', 'repeat 2 run f']) assert.equal(await run.shell.run(line), 6, line);
});

test('a program that ends before its command says of a change under way that it may have been made', async () => {
  const out = shellOf({ set: () => new Promise(() => {}), get: () => new Promise(() => {}) });
  for (const [line, hints] of [
    ['get /a', []],
    ['set /a x', ['a change was under way, and may have been made: look before trying again']],
  ] as const) {
    out.told.length = 0;
    void out.shell.run(line);
    await new Promise((resolve) => setImmediate(resolve));
    out.shell.giveUp();
    assert.deepEqual(
      out.told.map(({ failure }) => failure.hint),
      hints,
    );
  }
});

test('what is too large is said where that may be why the connection broke, and not of a read', async () => {
  const big = 'x'.repeat(1_100_000);
  const LARGE = /a server hangs up on what is larger than its jute.maxbuffer/;
  assert.match((await told(shellOf({ set: lost }), `set /a ${big} --force-size`))[2] ?? '', LARGE);
  assert.match((await told(shellOf({ set: lost }), 'set /a small --force-size'))[2] ?? '', /^look at the node before/);
  const [exit, message, hint] = await told(shellOf({ get: lost }), `set --append /a ${big} --force-size`);
  assert.deepEqual([exit, message], [3, 'the connection broke before a reply came: /a']);
  assert.doesNotMatch(hint ?? '', LARGE);
});

test('C-c says that a change was under way, if one was', async () => {
  for (const isChange of [true, false]) {
    const slow = (_path: string, ...more: unknown[]): Promise<never> =>
      new Promise((_resolve, reject) => {
        const { signal } = more.at(-1) as OpOptions;
        signal?.addEventListener('abort', () => reject(signal.reason));
        setImmediate(() => out.shell.interrupt());
      });
    const out = shellOf(isChange ? { set: slow } : { get: slow });
    const [exit, message, hint] = await told(out, isChange ? 'set /a x' : 'set --append /a x');
    assert.deepEqual([exit, message], [130, 'interrupted']);
    const wanted = isChange ? 'a change was under way, and may have been made: look before trying again' : undefined;
    assert.equal(hint, wanted);
  }
});

test('C-c on a barrier that waits leaves nothing to look for: its node goes with the session', async () => {
  const clock = { after: () => ({ [Symbol.dispose]() {} }), wall: () => 0, monotonic: () => 0 };
  const random = { bytes: (count: number) => new Uint8Array(count), below: () => 0 };
  const out = shellOf({
    ...{ clock, random, chroot: '', sessionId: 1n, state: 'connected', on: () => () => {} },
    create: async (path: string) => ({ path, stat: { ...stat, czxid: 1n } }),
    exists: async (path: string) => (path.endsWith('ready') ? undefined : stat),
    getChildren: async () => {
      setImmediate(() => out.shell.interrupt());
      return { children: ['0000000000000000-member'], stat };
    },
    delete: () => new Promise(() => {}), // its answer is yet to come when that is told
  });
  assert.deepEqual(await told(out, 'barrier -n 2 /b'), [130, 'interrupted', undefined]);
});

test('who makes or deletes a node is told whose ACL decides that: its parent says', async () => {
  const shell = shellOf({ create: denied, delete: denied, set: denied });
  assert.equal((await told(shell, 'create /a/b x'))[1], 'not permitted by the ACL of /a: /a/b');
  assert.equal((await told(shell, 'create -s /a/ x'))[1], 'not permitted by the ACL of /a: /a/');
  assert.equal((await told(shell, 'delete /b'))[1], 'not permitted by the ACL of /: /b');
  const [exit, message, hint] = await told(shell, 'set /a/b x');
  assert.deepEqual([exit, message], [14, 'not permitted by the ACL: /a/b']);
  assert.match(hint ?? '', /addauth/);
});

test('what is interrupted ends the line: neither || nor -k goes on behind it', async () => {
  const lines = [
    'sleep 30s || echo other',
    'sleep 30s && echo other || echo another',
    'run waits.zk || echo other',
    'each /a do sleep 30s || echo other',
    'sleep 30s\necho other',
  ];
  for (const keepGoing of [false, true])
    for (const line of lines) {
      const client = { state: 'connected', exists: async () => ({ version: 0 }) } as unknown as Client;
      const out = rig(client, {}, new Map([['waits.zk', 'sleep 30s || echo within\n']]), { keepGoing });
      setTimeout(() => out.shell.interrupt(), 30);
      assert.equal(await out.shell.run(line), 130, line);
      assert.deepEqual(out.shown, [], line);
    }
  // what only fails is answered by what stands behind ||, also after an interrupt before
  const out = rig();
  setTimeout(() => out.shell.interrupt(), 30);
  await out.shell.run('sleep 30s || echo other');
  assert.equal(await out.shell.run('nosuch || echo other'), 0);
  assert.equal(out.shown.length, 1);
});
