/** The client port over a server that only notes what it is given, with real sockets and a clock of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { ClientPort, tcpListener, type Words } from '../../src/runtime/clients.ts';
import { Tally } from '../../src/runtime/tally.ts';
import { checkConfig, parseAssignment } from '../../src/server/config.ts';
import type { ClientConnection } from '../../src/server/connection.ts';
import type { Server } from '../../src/server/server.ts';
import { hello } from '../e2e/raw.ts';
import { PATIENCE_MS } from '../patience.ts';

const { create, getChildren, ping } = OPERATIONS;

async function stage() {
  const given: [turn: number, type: number][] = [];
  const gone: ClientConnection[] = [];
  const timers = new Map<() => void, number>();
  let now = 0;
  let turns = 0;
  const clock = {
    monotonic: () => now,
    wall: () => now,
    after: (ms: number, run: () => void) => {
      timers.set(run, now + ms);
      return { [Symbol.dispose]: () => void timers.delete(run) };
    },
  };
  const state = { holds: false, serve: (_connection: ClientConnection) => {} };
  const server = {
    ...{ inParts: false, applying: false, outstanding: 0 },
    outbox: { dirty: [] as ClientConnection[], counts: {}, received: () => {}, reuse: () => {} },
    get holds() {
      return state.holds;
    },
    handshake: (connection: ClientConnection) => {
      connection.state = 'open';
    },
    receive: (connection: ClientConnection, bytes: Buffer, start: number) => {
      given.push([turns, bytes.readInt32BE(start + 4)]);
      state.serve(connection);
    },
    disconnected: (connection: ClientConnection) => void gone.push(connection),
  };
  const answer = (connection: ClientConnection, bytes: number): void => {
    connection.out ??= (() => {
      server.outbox.dirty.push(connection);
      return new Writer(16);
    })();
    connection.out.room(bytes);
    connection.out.at += bytes;
  };
  const config = checkConfig(
    ['dataDir=/data', 'clientPort=0', 'clientPortAddress=127.0.0.1'].map((line) => parseAssignment(line, 'line')),
  );
  const logger = { warn: assert.fail, error: assert.fail, info: () => {} };
  const port: ClientPort = new ClientPort(
    server as unknown as Server,
    config,
    { tally: new Tally() } as Words,
    () => {},
    () => {
      turns++;
      port.flush();
    },
    { clock, listener: tcpListener },
    logger as never,
    undefined,
  );
  const at = await port.listen();
  const until = async (what: string, is: () => boolean): Promise<void> => {
    const end = Date.now() + PATIENCE_MS;
    while (!is()) {
      assert.ok(Date.now() < end, `waited in vain: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const attach = async (): Promise<{ socket: Socket; connection: ClientConnection }> => {
    const socket = connect(at.port, at.host);
    socket.on('error', () => {});
    socket.write(hello());
    await until('it is open', () => [...port.clients].some(({ connection }) => connection.state === 'open'));
    const [client] = [...port.clients];
    return { socket, connection: (client as { connection: ClientConnection }).connection };
  };
  const pass = (ms: number): void => {
    now += ms;
    for (const [run, due] of [...timers]) if (due <= now && timers.delete(run)) run();
  };
  return {
    ...{ port, state, given, gone, answer, attach, until, pass, clock },
    tick: (ms: number) => {
      now += ms;
    },
    [Symbol.asyncDispose]: async () => {
      port.drain();
      for (const { socket } of port.clients) socket.destroy();
      await port.stop();
    },
  };
}
const frames = (...types: number[]): Buffer =>
  Buffer.concat(
    types.map((type) => {
      const bytes = Buffer.alloc(12);
      bytes.writeInt32BE(8, 0);
      bytes.writeInt32BE(1, 4);
      bytes.writeInt32BE(type, 8);
      return bytes;
    }),
  );
const times = (count: number, type: number): number[] => new Array(count).fill(type);

test('of what a client asked that has gone the writes are done, in order and in turns; nobody would read the rest', async () => {
  await using it = await stage();
  const { socket, connection } = await it.attach();
  it.state.holds = true;
  const asked = [
    ...times(300, getChildren.code),
    create.code,
    ...times(300, ping.code),
    ...times(100, create.code),
    -11,
  ];
  socket.write(frames(...asked));
  await it.until('all of it was read', () => [...it.port.clients][0]?.cutter.pending === asked.length * 12);
  socket.resetAndDestroy();
  await it.until('it has gone', () => [...it.port.clients][0]?.socket.destroyed === true);
  assert.deepEqual(
    [it.given.length, it.gone.length],
    [0, 0],
    'what it asked is not lost, and not done while nothing may be',
  );
  it.state.holds = false;
  it.port.goOn();
  await it.until('it is forgotten', () => it.gone.length === 1);
  assert.deepEqual(
    it.given.map(([, type]) => type),
    [...times(101, create.code), -11],
  );
  assert.ok(new Set(it.given.map(([turn]) => turn)).size > 3, 'others had their turns between');
  assert.equal(it.gone[0], connection);
  assert.equal([...it.port.clients].length, 0);
});

test('a client that has said its last is answered to the end, and then let go', async () => {
  await using it = await stage();
  const { socket } = await it.attach();
  it.state.serve = (connection) => it.answer(connection, 4);
  let got = 0;
  socket.on('data', (bytes: Buffer) => {
    got += bytes.length;
  });
  socket.end(frames(...times(500, getChildren.code)));
  await once(socket, 'close');
  assert.deepEqual([it.given.length, got], [500, 2000]);
});

test('a client that is owed much gets no more of its requests done in the same turn', async () => {
  await using it = await stage();
  const { socket, connection } = await it.attach();
  it.state.holds = true;
  it.state.serve = (asking) => it.answer(asking, 5 * 1024 * 1024);
  socket.write(frames(...times(20, getChildren.code)));
  await it.until('all of it was read', () => [...it.port.clients][0]?.cutter.pending === 240);
  it.state.holds = false;
  it.port.goOn();
  socket.resume();
  await it.until('all is done', () => it.given.length === 20);
  const turns = it.given.map(([turn]) => turn);
  assert.equal(new Set(turns).size, 20, `${turns}`);
  assert.equal(connection.state, 'open');
});

test('long requests end the share of their client once they have taken the time that all have', async () => {
  await using it = await stage();
  const { socket } = await it.attach();
  it.state.holds = true;
  it.state.serve = () => it.tick(5);
  const asked = times(12, getChildren.code);
  socket.write(frames(...asked));
  await it.until('all of it was read', () => [...it.port.clients][0]?.cutter.pending === asked.length * 12);
  it.state.holds = false;
  it.port.goOn();
  await it.until('all is done', () => it.given.length === asked.length);
  const turns = it.given.map(([turn]) => turn);
  for (const turn of new Set(turns)) assert.ok(turns.filter((each) => each === turn).length <= 3, `${turns}`);
});

test('a client that is let go and does not read is cut off', async () => {
  await using it = await stage();
  const { socket, connection } = await it.attach();
  socket.pause();
  it.state.serve = (asking) => it.answer(asking, 16 * 1024 * 1024);
  socket.write(frames(create.code));
  await it.until('it was asked', () => it.given.length === 1);
  it.port.close(connection);
  it.port.flush();
  const [client] = [...it.port.clients];
  assert.ok((client?.socket.writableLength ?? 0) > 0);
  it.pass(9_999);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(it.gone.length, 0, 'it may yet read');
  it.pass(1);
  await it.until('it is forgotten', () => it.gone.length === 1);
  socket.destroy();
});
