/** bench and smoketest against a server of this process: what they find, and that nothing of theirs is left behind. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import { parentOf } from '../../src/base/path.ts';
import type { CreateOptions, ReadOptions } from '../../src/client/api.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { type Client, ConnectError, connect } from '../../src/index.ts';
import { toJson } from '../../src/out/json.ts';
import { toPlain } from '../../src/out/plain.ts';
import { ClientFacade } from '../../src/shell/facade.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { type Rig, rig } from './rig.ts';

let server: EmbeddedServer;
let hand: Client;
before(async () => {
  server = await startEmbedded({ settings: { maxClientCnxns: '0' }, logLevel: 'error' });
  hand = await connect(server.connectString);
});
after(async () => {
  await hand.close();
  await server.stop();
});
const rootOf = async (): Promise<string[]> => (await hand.getChildren('/')).children;
beforeEach(async () => assert.deepEqual(await rootOf(), ['zookeeper']));

type Wrap = (client: Client, number: number) => Client;
interface Played extends Rig {
  readonly opened: Client[];
  /** What was shown, as it goes into a pipe. */
  text(): string;
}
/** A shell whose further sessions are real ones, the `number`th of them as `wrap` would have it. */
function play(wrap: Wrap = (client) => client, target = server.connectString): Played {
  const it = rig(undefined, {}, new Map(), { server: target });
  const opened: Client[] = [];
  it.shell.ports.session.openAt = async (servers) => {
    const client = await connect(servers, { connectTimeoutMs: PATIENCE_MS });
    opened.push(client);
    return wrap(client, opened.length - 1);
  };
  return Object.assign(it, {
    opened,
    text: () => it.shown.map((output) => Buffer.from(toPlain(output)).toString()).join(''),
  });
}
/** Nothing of it is left, on the server or of the sessions. */
async function isTidy({ opened }: Played): Promise<void> {
  assert.deepEqual(await rootOf(), ['zookeeper']);
  assert.ok(opened.length > 0);
  for (const client of opened) assert.ok(['closed', 'expired'].includes(client.state), client.state);
}
const told = ({ shell, told: all }: Played): string => `${shell.lastStatus} ${all.at(-1)?.failure.message}`;
/** A session of which one method is another. */
function otherwise(client: Client, methods: (inner: Client) => Partial<Client>): Client {
  const other = new ClientFacade(client);
  for (const [name, value] of Object.entries(methods(client))) Object.defineProperty(other, name, { value });
  return other;
}

const LINES = `Testing latencies on server HOST using asynchronous calls
created      20 permanent znodes TOOK
set          20           znodes TOOK
get          20           znodes TOOK
deleted      20 permanent znodes TOOK
created      20 ephemeral znodes TOOK
watched      40           znodes TOOK
deleted      20 ephemeral znodes TOOK
notif        40           watches TOOK
Latency test complete
`;
const TOOK = / in {1,6}\d+ ms \((?:\d+\.\d{6} ms\/op \d+\.\d\/sec|included in prior)\)$/gm;
const masked = (text: string): string => text.replaceAll(server.connectString, 'HOST').replace(TOOK, 'TOOK');

test('bench: eight phases in the lines of zk-latencies.py, and nothing is left', async () => {
  const it = play();
  assert.equal(await it.shell.run('bench --znode_count 20 --watch_multiple 2'), 0, told(it));
  assert.equal(masked(it.text()), LINES);
  await isTidy(it);
  assert.equal(it.sessions, 0, 'it needs no session but its own');

  const last = it.shown.at(-1);
  assert.ok(last?.type === 'steps');
  const { servers, ...rest } = toJson(last) as { servers: { server: string; phases: Record<string, unknown>[] }[] };
  assert.deepEqual(rest, { test: 'latency', complete: true, calls: 'asynchronous' });
  assert.deepEqual(
    servers.map((each) => [each.server, each.phases.length]),
    [[server.connectString, 8]],
  );
  const [first, ...others] = servers[0]?.phases ?? [];
  assert.deepEqual(Object.keys(first ?? {}), 'phase count ms msPerOp perSecond p50 p95 p99 max'.split(' '));
  assert.deepEqual(Object.keys(others.at(-1) ?? {}), 'phase count ms msPerOp perSecond'.split(' '));
});

test('bench: each server in turn, or several as one; one request at a time; quiet and verbose', async () => {
  const { connectString } = server;
  const port = connectString.split(':')[1];
  const both = play();
  assert.equal(
    await both.shell.run(`bench --znode_count 3 --servers ${connectString},localhost:${port}`),
    0,
    told(both),
  );
  assert.deepEqual(both.text().match(/on server \S+/g), [`on server ${connectString}`, `on server localhost:${port}`]);
  await isTidy(both);
  const one = play();
  let most = 0;
  let now = 0;
  const slow = play((client) =>
    otherwise(client, (inner) => ({
      set: async (...args) => {
        most = Math.max(most, ++now);
        return inner.set(...args).finally(() => now--);
      },
    })),
  );
  assert.equal(await one.shell.run(`bench -q --znode_count 3 --cluster ${connectString},localhost:${port}`), 0);
  assert.equal(one.text(), 'Latency test complete\n');
  assert.equal(one.opened.length, 1);
  assert.equal(await slow.shell.run('bench --znode_count 9 --synchronous -v'), 0);
  assert.equal(most, 1);
  assert.match(slow.text(), /using synchronous calls\n/);
  assert.equal(slow.text().match(/^ {8}p50 [\d.]+ {2}p95 [\d.]+ {2}p99 [\d.]+ {2}max [\d.]+ {2}ms$/gm)?.length, 7);
  await isTidy(slow);
});

test('bench: a root that is there is left alone; with --force what is made goes below it, and goes again', async () => {
  await hand.create('/zk-latencies', 'mine');
  await hand.create('/zk-latencies/znode-0', 'of somebody else');
  const before = await hand.get('/zk-latencies');
  const it = play();
  assert.equal(await it.shell.run('bench --znode_count 5'), 11);
  assert.equal(told(it), '11 node already exists: /zk-latencies');
  assert.match(it.told[0]?.failure.hint ?? '', /^--force works in a node of its own below it/);
  assert.deepEqual(await hand.get('/zk-latencies'), before);
  assert.equal(await it.shell.run('bench --force --znode_count 5'), 0, told(it));
  assert.deepEqual((await hand.getChildren('/zk-latencies')).children, ['znode-0']);
  assert.equal((await hand.get('/zk-latencies')).data?.toString(), 'mine');
  await hand.delete('/zk-latencies/znode-0');
  await hand.delete('/zk-latencies');
  await isTidy(it);
});

test('bench: a refusal in the middle is told with server and phase, and nothing is left', async () => {
  const it = play((client) =>
    otherwise(client, (inner) => ({
      set: (path, ...rest) =>
        path.endsWith('-7') ? Promise.reject(new KeeperError('NoAuth', path)) : inner.set(path, ...rest),
    })),
  );
  assert.equal(await it.shell.run('bench --znode_count 20'), 14);
  assert.equal(told(it), `14 ${server.connectString}: set: not permitted by the ACL: /zk-latencies/znode-7`);
  assert.doesNotMatch(it.text(), /^set|complete/m);
  await isTidy(it);
});

test('bench: data that comes back otherwise is a failure', async () => {
  const it = play((client) =>
    otherwise(client, (inner) => ({
      get: async (path, options) => ({ ...(await inner.get(path, options)), data: Buffer.from('?') }),
    })),
  );
  assert.equal(await it.shell.run('bench --znode_count 3'), 44);
  assert.match(told(it), /get: \/zk-latencies\/znode-0 does not hold what was written to it$/);
  await isTidy(it);
});

test('bench: its session ends in the middle: another takes away what is there', async () => {
  for (const phase of ['set', 'exists'] as const) {
    let count = 0;
    const it = play((client, number) =>
      number > 0
        ? client
        : otherwise(client, (inner) => ({
            [phase]: async (...args: readonly never[]) => {
              if (++count === 5) await inner.close();
              return (inner[phase] as (...args: readonly never[]) => Promise<unknown>)(...args);
            },
          })),
    );
    assert.equal(await it.shell.run('bench --znode_count 40 --synchronous'), 3, told(it));
    assert.equal(it.opened.length, 2);
    await isTidy(it);
  }
});

test('bench: Ctrl-C in any phase, and while the root is made: nothing is left', async () => {
  const methods = ['sync', 'create', 'set', 'get', 'delete', 'exists'] as const;
  for (const method of methods)
    for (const count of [1, 30]) {
      let calls = 0;
      const it = play((client) =>
        otherwise(client, (inner) => ({
          [method]: (...args: readonly never[]) => {
            // exists and sync are asked of the root, too
            if (++calls === count || method === 'sync') it.shell.interrupt();
            return (inner[method] as (...args: readonly never[]) => Promise<unknown>)(...args);
          },
        })),
      );
      assert.equal(await it.shell.run('bench --znode_count 60'), 130, `${method} ${count}: ${told(it)}`);
      await isTidy(it);
    }
});

test('bench: the answer to the making of the root is lost: it is known by its mark, and goes', async () => {
  for (const force of [false, true]) {
    if (force) await hand.create('/zk-latencies', 'mine');
    const it = play((client, number) =>
      otherwise(client, (inner) => ({
        create: async (path: string, data?: Uint8Array | string | null, options?: CreateOptions) => {
          const made = await inner.create(path, data, options);
          if (number === 0) throw new KeeperError('ConnectionLoss', path);
          return made;
        },
      })),
    );
    assert.equal(await it.shell.run(`bench --znode_count 3 ${force ? '--force' : ''}`), 3, told(it));
    if (force) {
      assert.deepEqual((await hand.getChildren('/zk-latencies')).children, []);
      await hand.delete('/zk-latencies');
    }
    await isTidy(it);
  }
});

test('bench: what somebody else made below the root stays, and that is said', async () => {
  const it = play((client) =>
    otherwise(client, (inner) => ({
      get: async (path: string, options?: ReadOptions) => {
        if (path.endsWith('-1')) await hand.create(`${parentOf(path)}/theirs`, 'x');
        return inner.get(path, options);
      },
    })),
  );
  assert.equal(await it.shell.run('bench --znode_count 3'), 13);
  assert.match(told(it), /what the test made below \/zk-latencies could not be removed: .*has children/);
  assert.deepEqual((await hand.getChildren('/zk-latencies')).children, ['theirs']);
  await hand.delete('/zk-latencies/theirs');
  await hand.delete('/zk-latencies');
  await isTidy(it);
});

test('bench: events that do not come are missed', async () => {
  const it = play((client) =>
    otherwise(client, (inner) => ({
      exists: (path: string) => inner.exists(path),
      // a minute is over at once
      clock: { ...inner.clock, after: (_ms: number, task: () => void) => inner.clock.after(10, task) },
    })),
  );
  assert.equal(await it.shell.run('bench --znode_count 3'), 124, told(it));
  assert.match(told(it), /notifications: 0 of 3 events came within 60s$/);
  await isTidy(it);
});

test('both: what cannot be is refused before anything is sent', async () => {
  for (const [line, status, message] of [
    ['bench --znode_count 0', 2, /--znode_count is from 1 to 1000000/],
    ['bench --watch_multiple 101', 2, /--watch_multiple is from 1 to 100/],
    ['bench --znode_size 2M', 19, /too large for one request/],
    ['bench --servers a:1 --cluster b:2', 2, /exclude each other/],
    ['bench -q -v', 2, /exclude each other/],
    ['bench --servers a:1,a:1', 2, /a:1 is named twice/],
    ['bench --servers a:b', 2, /the port is a number/],
    ['bench --timeout 0', 2, /--timeout is from/],
    ['bench --root_znode /zookeeper/x', 30, /ZooKeeper's own/],
    ['smoketest --root_znode /zookeeper', 30, /ZooKeeper's own/],
    ['smoketest -q -v', 2, /exclude each other/],
    ['bench -n', 2, /unknown option -n/],
  ] as const) {
    const it = play();
    assert.equal(await it.shell.run(line), status, line);
    assert.match(told(it), message);
    assert.equal(it.opened.length, 0, line);
  }
  const dry = play();
  dry.shell.ports.session.openAt = () => Promise.reject(new Error('it opened a session'));
  assert.equal(await dry.shell.run('txn'), 0);
  assert.equal(await dry.shell.run('smoketest'), 2);
  assert.match(told(dry), /cannot be part of a transaction/);
});

test('both: a server that takes no session is named, and nothing is made', async () => {
  const it = play();
  const { openAt } = it.shell.ports.session;
  it.shell.ports.session.openAt = (servers) =>
    servers === 'gone:1'
      ? Promise.reject(new ConnectError([{ host: servers, reason: 'refused' }], 1))
      : openAt(servers);
  for (const name of ['bench', 'smoketest']) {
    assert.equal(await it.shell.run(`${name} --servers ${server.connectString},gone:1`), 3);
    assert.equal(told(it), '3 1 of 2 servers took no session');
    assert.deepEqual(it.told.at(-1)?.failure.lines, ['gone:1: refused']);
    await isTidy(it);
  }
  assert.equal(await it.shell.run('smoketest --servers gone:1'), 3);
  assert.equal(told(it), '3 gone:1 took no session');
  assert.deepEqual(it.told.at(-1)?.failure.lines, ['gone:1: refused']);
});

test('smoketest: a session with each server, every deletion heard by all', async () => {
  const { connectString } = server;
  const other = `localhost:${connectString.split(':')[1]}`;
  const it = play();
  assert.equal(await it.shell.run(`smoketest --servers ${connectString},${other}`), 0, told(it));
  const text = it
    .text()
    .replace(/0x[0-9a-f]+/g, '0x1')
    .replace(/[\d.]+ms/g, '1ms');
  const each = (line: string): string => [connectString, other].map((host) => `${host}  ${line}\n`).join('');
  assert.equal(
    text.replace(/session_[01]/g, 'session_N'),
    `${each('session 0x1 in 1ms, ephemeral node /zk-smoketest/session_N')}${each('sees and watches 2 nodes')}${each('heard of 2 deletions, in order, in 1ms')}Smoke test successful\n`,
  );
  await isTidy(it);
  const verbose = play();
  assert.equal(await verbose.shell.run('smoketest -v'), 0, told(verbose));
  assert.equal(verbose.opened.length, 2, 'a single server is tried by two sessions');
  assert.equal(verbose.text().match(/NodeDeleted \/zk-smoketest\/session_[01] after/g)?.length, 4);
  const quiet = play();
  assert.equal(await quiet.shell.run('smoketest -q --root_znode /smoke'), 0);
  assert.equal(quiet.text(), 'Smoke test successful\n');
  await isTidy(quiet);
});

test('smoketest: an empty root is used and stays, one with nodes is refused', async () => {
  await hand.create('/zk-smoketest', 'mine');
  const it = play();
  assert.equal(await it.shell.run('smoketest'), 0, told(it));
  assert.equal((await hand.get('/zk-smoketest')).data?.toString(), 'mine');
  await hand.create('/zk-smoketest/session_0');
  assert.equal(await it.shell.run('smoketest'), 11);
  assert.equal(told(it), '11 /zk-smoketest has 1 node below it');
  assert.deepEqual((await hand.getChildren('/zk-smoketest')).children, ['session_0']);
  await hand.delete('/zk-smoketest/session_0');
  await hand.delete('/zk-smoketest');
  await isTidy(it);
});

test('smoketest: what is wrong with a server is found, each thing by itself, and nothing is left', async () => {
  const faults: readonly (readonly [string, RegExp, (inner: Client) => Partial<Client>])[] = [
    [
      'an event is lost',
      /told of 1 of 2 deletions within 300ms$/,
      (inner) => ({
        get: (path: string, options?: ReadOptions) => inner.get(path, path.endsWith('_1') ? {} : options),
      }),
    ],
    [
      'events are out of order',
      /told of NodeDeleted \/zk-smoketest\/session_1 where NodeDeleted \/zk-smoketest\/session_0 comes next$/,
      (inner) => {
        let first = (): void => {};
        return {
          get: (path: string, { watch, ...options }: ReadOptions = {}) =>
            inner.get(path, {
              ...options,
              watch: (event) => {
                if (event.path.endsWith('_0')) first = () => watch?.(event);
                else {
                  watch?.(event);
                  first();
                }
              },
            }),
        };
      },
    ],
    [
      'an event is another',
      /told of NodeDataChanged/,
      (inner) => ({
        get: (path: string, { watch, ...options }: ReadOptions = {}) =>
          inner.get(path, { ...options, watch: (event) => watch?.({ ...event, type: 'NodeDataChanged' }) }),
      }),
    ],
    [
      'a node is not seen',
      /sees no session_0 below \/zk-smoketest$/,
      (inner) => ({
        getChildren: async (path: string, options?: ReadOptions) => {
          const found = await inner.getChildren(path, options);
          return { ...found, children: found.children.filter((name) => name !== 'session_0') };
        },
      }),
    ],
    [
      'a node is of another session',
      /says \/zk-smoketest\/session_0 is of session 0x0, not 0x/,
      (inner) => ({
        get: async (path: string, options?: ReadOptions) => {
          const found = await inner.get(path, options);
          return { ...found, stat: { ...found.stat, ephemeralOwner: 0n as typeof found.stat.ephemeralOwner } };
        },
      }),
    ],
    [
      'a deleted node is still seen',
      /still sees session_1 after the deletion$/,
      (inner) => ({
        getChildren: async (path: string, options?: ReadOptions) => {
          const found = await inner.getChildren(path, options);
          return { ...found, children: [...found.children.filter((name) => name !== 'session_1'), 'session_1'] };
        },
      }),
    ],
  ];
  for (const [what, message, methods] of faults)
    await timely(async () => {
      const it = play((client, number) => (number === 1 ? otherwise(client, methods) : client));
      // only what is lost is waited for until the time is up
      const limit = what === 'an event is lost' ? 300 : PATIENCE_MS;
      assert.equal(await it.shell.run(`smoketest --timeout ${limit}`), 1, `${what}: ${told(it)}`);
      // of a machine that stood still for all of that time nothing was heard
      const isLate = told(it).endsWith('told of 0 of 2 deletions within 300ms');
      if (!isLate) assert.match(told(it), message, what);
      assert.match(told(it), /^1 smoke test failed: 127\.0\.0\.1:\d+ /);
      assert.doesNotMatch(it.text(), /successful/);
      await isTidy(it);
      return lateIf(isLate, told(it));
    });
});

test('smoketest: a refusal is told with server and step; Ctrl-C leaves nothing', async () => {
  const it = play((client, number) =>
    otherwise(client, (inner) => ({
      delete: (path, ...rest) =>
        number === 1 && path.endsWith('_1')
          ? Promise.reject(new KeeperError('SessionExpired', path))
          : inner.delete(path, ...rest),
    })),
  );
  assert.equal(await it.shell.run('smoketest'), 5);
  assert.match(told(it), /^5 127\.0\.0\.1:\d+: delete: /);
  await isTidy(it);
  for (const method of ['create', 'get', 'delete', 'getChildren'] as const) {
    const ended = play((client) =>
      otherwise(client, (inner) => ({
        [method]: (...args: readonly never[]) => {
          ended.shell.interrupt();
          return (inner[method] as (...args: readonly never[]) => Promise<unknown>)(...args);
        },
      })),
    );
    assert.equal(await ended.shell.run('smoketest'), 130, method);
    await isTidy(ended);
  }
});
