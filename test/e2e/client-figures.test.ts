/** What the client port counts, held against what was done: bytes, connections, sessions, and each kind of request. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPCODE, OPERATIONS, type OperationName, type RequestOf } from '../../src/protocol/operations.ts';
import { PATIENCE_MS } from '../patience.ts';
import { EXPORTER, type Figures, figures } from './figures.ts';
import { until } from './members.ts';
import { PlainClient } from './plain-client.ts';
import { ServerProcess } from './process.ts';
import { frame, hello } from './raw.ts';

const LINES = [...EXPORTER, 'extendedTypesEnabled=true', '4lw.commands.whitelist=*'];
const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const NAMES = [
  ...['bytes_received_count', 'response_bytes', 'watch_bytes', 'connection_request_count', 'connection_drop_count'],
  ...['connection_revalidate_count', 'sessionless_connections_expired', 'packets_sent', 'packets_received'],
] as const;

/** How far each of these figures went since then; those that stood still are left out. */
function moved(before: Figures, after: Figures, names: Iterable<string>): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of names) {
    const [from, to] = [before.get(name), after.get(name)];
    assert.ok(from !== undefined && to !== undefined, `there is no ${name}`);
    if (to !== from) found[name] = to - from;
  }
  return found;
}
async function opened(port: number, first?: Buffer): Promise<PlainClient> {
  return (await PlainClient.open(port, first)) ?? assert.fail('no session');
}

test('bytes, packets, connections and sessions', async () => {
  await using server = await new ServerProcess(LINES, 'info').start();
  const { port } = server;
  const tell = (): Promise<Figures> => figures(() => server.stderr);
  let before = await tell();
  /** What was done moved exactly these. */
  const moves = async (what: string, wanted: Record<string, number>): Promise<void> => {
    let found: Record<string, number> = {};
    await until(
      async () => {
        found = moved(before, await tell(), NAMES);
        return JSON.stringify(sorted(found)) === JSON.stringify(sorted(wanted));
      },
      PATIENCE_MS,
      () => `${what}: ${JSON.stringify(found)}, and not ${JSON.stringify(wanted)}`,
    );
    before = await tell();
  };
  const sorted = (of: Record<string, number>): [string, number][] =>
    Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));
  const first = hello();
  const client = await opened(port, first);
  await moves('a session', {
    ...{ bytes_received_count: first.length, response_bytes: client.socket.bytesRead, connection_request_count: 1 },
    ...{ packets_received: 1, packets_sent: 1 },
  });
  let [sent, got] = [client.socket.bytesWritten, client.socket.bytesRead];
  const traffic = (): { bytes_received_count: number; response_bytes: number } => {
    const done = {
      bytes_received_count: client.socket.bytesWritten - sent,
      response_bytes: client.socket.bytesRead - got,
    };
    [sent, got] = [client.socket.bytesWritten, client.socket.bytesRead];
    return done;
  };
  assert.equal(await client.create('/a', 1000), 0);
  const made = traffic();
  assert.ok(made.bytes_received_count > 1000 && made.response_bytes > 20);
  await moves('a create', { ...made, packets_received: 1, packets_sent: 1 });

  // an event is sent besides the reply, and its bytes are counted apart
  const { exists } = OPERATIONS;
  await client.ask(exists.code, (to) => exists.request.write(to, { path: '/b', watch: true }));
  await moves('a watch', { ...traffic(), packets_received: 1, packets_sent: 1 });
  const other = await opened(port);
  const [otherSent, otherGot] = [other.socket.bytesWritten, other.socket.bytesRead];
  before = await tell();
  assert.equal(await other.create('/b'), 0);
  await until(
    () => client.socket.bytesRead > got,
    PATIENCE_MS,
    () => 'no event came',
  );
  const event = traffic().response_bytes;
  await moves('an event', {
    bytes_received_count: other.socket.bytesWritten - otherSent,
    response_bytes: event + other.socket.bytesRead - otherGot,
    ...{ watch_bytes: event, packets_received: 1, packets_sent: 2 },
  });

  // without a word: dropped; taken up again: revalidated; with an end of the session: neither
  other.socket.destroy();
  await moves('a client that goes without a word', { connection_drop_count: 1 });
  const again = hello(other.session, other.password);
  const back = await opened(port, again);
  await moves('a session that is taken up again', {
    ...{ bytes_received_count: again.length, response_bytes: back.socket.bytesRead, connection_request_count: 1 },
    ...{ connection_revalidate_count: 1, packets_received: 1, packets_sent: 1 },
  });
  await client.ask(OPERATIONS.closeSession.code, () => {});
  await moves('the end of a session', { ...traffic(), packets_received: 1, packets_sent: 1 });
  // ten seconds are given to say something
  const silent = connect(port, '127.0.0.1');
  await new Promise((resolve) => silent.once('close', resolve));
  await moves('a connection on which nothing was said', {
    ...{ sessionless_connections_expired: 1, connection_drop_count: 1 },
  });
});

type Asked = { readonly [N in OperationName]?: readonly RequestOf<N>[] };
const node = (path: string) => ({ path, data: null, acl: OPEN, flags: 0 });
const WATCHES = { relativeZxid: 0n, dataWatches: [], existWatches: [], childWatches: [] };
const PART = [{ type: OPERATIONS.delete.code, request: { path: '/none', version: -1 } }];
/** By the names of `op_count_*`: what a client may ask that counts there. */
const ASKED = {
  create: {
    ...{ create: [node('/a')], create2: [node('/b')], createContainer: [{ ...node('/c'), flags: 4 }] },
    createTtl: [{ ...node('/d'), flags: 5, ttl: 100_000n }],
  },
  delete: { delete: [{ path: '/b', version: -1 }] },
  exists: { exists: [{ path: '/a', watch: false }] },
  get_data: { getData: [{ path: '/a', watch: false }] },
  set_data: { setData: [{ path: '/a', data: null, version: -1 }] },
  get_acl: { getAcl: [{ path: '/a' }] },
  set_acl: { setAcl: [{ path: '/a', acl: OPEN, version: -1 }] },
  get_children: { getChildren: [{ path: '/', watch: false }], getChildren2: [{ path: '/', watch: false }] },
  sync: { sync: [{ path: '/' }] },
  ping: { ping: [{}] },
  multi: { multi: [PART] },
  multi_read: { multiRead: [[{ type: OPERATIONS.getData.code, request: { path: '/a', watch: false } }]] },
  reconfig: { reconfig: [{ joiningServers: null, leavingServers: '1', newMembers: null, curConfigId: -1n }] },
  check_watches: { checkWatches: [{ path: '/a', type: 3 }] },
  remove_watches: { removeWatches: [{ path: '/a', type: 3 }] },
  set_watches: {
    setWatches: [WATCHES],
    setWatches2: [{ ...WATCHES, persistentWatches: [], persistentRecursiveWatches: [] }],
  },
  get_ephemerals: { getEphemerals: [{ prefixPath: '/' }] },
  get_all_children_number: { getAllChildrenNumber: [{ path: '/' }] },
  add_watch: { addWatch: [{ path: '/a', mode: 0 }] },
  who_am_i: { whoAmI: [{}] },
  close_session: { closeSession: [{}] },
} as unknown as Readonly<Record<string, Asked>>;
/** What no client may ask, on a connection that ends by it. */
const FORBIDDEN = { check: OPCODE.check, delete: OPCODE.deleteContainer } as const;

test('each op_count_* moves by one with its operation, and no other does', async () => {
  await using server = await new ServerProcess(LINES, 'info').start();
  const tell = (): Promise<Figures> => figures(() => server.stderr);
  const client = await opened(server.port);
  const names = [...(await tell()).keys()].filter((name) => name.startsWith('op_count_'));
  assert.deepEqual(
    names.filter((name) => name !== 'op_count_total').sort(),
    [...Object.keys(ASKED), 'check'].map((name) => `op_count_${name}`).sort(),
  );
  const asked = new Set<string>();
  let before = await tell();
  const counts = async (name: string, what: string): Promise<void> => {
    const after = await tell();
    assert.deepEqual(moved(before, after, names), { [`op_count_${name}`]: 1, op_count_total: 1 }, what);
    before = after;
  };
  for (const [name, operations] of Object.entries(ASKED))
    for (const [operation, requests] of Object.entries(operations) as [OperationName, readonly unknown[]][])
      for (const request of requests) {
        const { code, request: kind } = OPERATIONS[operation];
        asked.add(operation);
        const err = await client.ask(code, (to) => (kind.write as (to: Writer, value: unknown) => void)(to, request));
        assert.ok(!Number.isNaN(err), `${operation} ended the connection`);
        await counts(name, operation);
      }
  // logins are counted by their failures
  assert.deepEqual(
    Object.keys(OPERATIONS).filter((operation) => !asked.has(operation)),
    ['auth', 'sasl'],
  );
  for (const [name, code] of Object.entries(FORBIDDEN)) {
    const guest = await opened(server.port);
    const to = new Writer();
    to.int32(1);
    to.int32(code);
    to.text('/a');
    to.int32(-1);
    guest.socket.write(frame(to.take()));
    await until(
      () => guest.socket.destroyed,
      PATIENCE_MS,
      () => `${name} is taken`,
    );
    await counts(name, `operation ${code}`);
  }
});
