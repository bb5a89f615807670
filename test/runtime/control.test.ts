/** The control socket of a server, in front of a stand-in for the server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fetchBackup } from '../../src/ensemble/backup-client.ts';
import { realClock } from '../../src/platform/clock.ts';
import { MAX_SOCKET_PATH } from '../../src/platform/unix-socket.ts';
import type { OfferedBackup } from '../../src/runtime/backup.ts';
import { ClientGate } from '../../src/runtime/client-gate.ts';
import { tcpListener } from '../../src/runtime/clients.ts';
import { Control, type ControlledServer } from '../../src/runtime/control.ts';
import type { ServerStatus } from '../../src/runtime/control-messages.ts';
import { PeerFaults } from '../../src/runtime/peer-faults.ts';
import { PATIENCE_MS } from '../patience.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const STATUS: ServerStatus = {
  sid: 2,
  role: 'leader',
  phase: 'broadcast',
  serving: true,
  settled: true,
  epoch: 5,
  zxid: '0x500000001',
  leader: 2,
  clientPort: 2182,
  clients: 3,
  repair: undefined,
  damage: [],
  electionMs: 40,
};

class FakeServer implements ControlledServer {
  readonly faults: PeerFaults | undefined = new PeerFaults(realClock);
  readonly told: string[] = [];
  status(): ServerStatus {
    return STATUS;
  }
  async digest() {
    return { zxid: STATUS.zxid, digest: 'ab12' };
  }
  async snapshot(): Promise<{ zxid: string }> {
    throw new Error('a snapshot is being written already');
  }
  async backup(): Promise<OfferedBackup> {
    const bytes = Buffer.from('twelve bytes');
    const about = { zxid: '0x1', sid: 1, epoch: 1, version: '0', takenAt: 1 };
    return {
      announcement: { ...about, bytes: bytes.length + this.missing },
      reader: {
        mark: { zxid: { hi: 0, lo: 1 }, chain: { hi: 0, lo: 0 } },
        size: bytes.length + this.missing,
        // in pieces of five
        read: async (at, length) => bytes.subarray(at, at + Math.min(5, length)),
        close: async () => void this.told.push('closed'),
      },
      unsound: ({ message }) => this.told.push(message),
    };
  }
  /** Bytes that are announced and not there. */
  missing = 0;
  async purge(retain: number): Promise<readonly string[]> {
    return [`kept ${retain}`];
  }
  cutClients(cut: boolean): void {
    this.told.push(`cut ${cut}`);
  }
  logLevel(level?: string): string {
    this.told.push(`log ${level ?? ''}`);
    return level ?? 'info';
  }
  stop(): void {
    this.told.push('stop');
  }
}

/** Says some lines, resolves with as many answers. */
async function ask(path: string, ...lines: unknown[]): Promise<unknown[]> {
  const socket = connect(path);
  try {
    socket.write(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
    let text = '';
    for await (const chunk of socket) {
      text += chunk;
      const answers = text.trimEnd().split('\n');
      if (answers.length === lines.length && text.endsWith('\n')) return answers.map((each) => JSON.parse(each));
    }
    throw new Error(`it hung up after ${text}`);
  } finally {
    socket.destroy();
  }
}

test('status, digest, faults and their end, answered in order', async () => {
  const path = join(folder, 'a.sock');
  const server = new FakeServer();
  await using _control = await Control.open(path, server);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const none = { cut: [], lagMs: 0, clientsCut: false };
  const { repair: _, ...shown } = STATUS; // undefined is left out of JSON
  assert.deepEqual(
    await ask(
      path,
      { op: 'status' },
      { op: 'digest' },
      { op: 'partition', from: [3, 1, 2], clients: true },
      { op: 'lag', ms: 20 },
      { op: 'status' },
      { op: 'heal' },
      { op: 'snapshot' },
      { op: 'purge', keep: 4 },
      { op: 'purge', keep: 2 },
      { op: 'log' },
      { op: 'log', level: 'debug' },
    ),
    [
      { ok: true, result: { ...shown, pid: process.pid, faults: none } },
      { ok: true, result: { zxid: STATUS.zxid, digest: 'ab12' } },
      // a member is not cut off from itself
      { ok: true, result: { cut: [1, 3], lagMs: 0, clientsCut: true } },
      { ok: true, result: { cut: [1, 3], lagMs: 20, clientsCut: true } },
      { ok: true, result: { ...shown, pid: process.pid, faults: { cut: [1, 3], lagMs: 20, clientsCut: true } } },
      { ok: true, result: none },
      { ok: false, error: 'a snapshot is being written already' },
      { ok: true, result: { removed: ['kept 4'], count: 1 } },
      { ok: false, error: 'purge needs "keep", a whole number of snapshots from 3 on' },
      { ok: true, result: { level: 'info' } },
      { ok: true, result: { level: 'debug' } },
    ],
  );
  assert.deepEqual(server.told, ['cut true', 'cut false', 'log ', 'log debug']);
  assert.deepEqual(await ask(path, { op: 'stop' }), [{ ok: true, result: {} }]);
  for (let waited = 0; server.told.at(-1) !== 'stop' && waited < PATIENCE_MS; waited += 10)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(server.told.at(-1), 'stop');
});

test('a server that others depend on plays no faults, and says so', async () => {
  const path = join(folder, 'plain.sock');
  const server = Object.assign(new FakeServer(), { faults: undefined });
  await using _control = await Control.open(path, server);
  const sentence = 'faults can be played to the members of zoosh start ensemble only';
  const [shown, ...refused] = (await ask(
    path,
    { op: 'status' },
    { op: 'partition', from: [1] },
    { op: 'lag', ms: 1 },
    { op: 'heal' },
  )) as {
    ok: boolean;
    error?: string;
    result?: { faults: unknown };
  }[];
  assert.deepEqual(shown?.result?.faults, { cut: [], lagMs: 0, clientsCut: false });
  assert.deepEqual(refused, Array(3).fill({ ok: false, error: sentence }));
  assert.deepEqual(server.told, []);
});

test('what is no request is answered with what is wrong, and changes nothing', async () => {
  const path = join(folder, 'b.sock');
  const server = new FakeServer();
  await using _control = await Control.open(path, server);
  const lines = [
    'hello',
    '[]',
    'null',
    { op: 'destroy' },
    { op: 'partition' },
    { op: 'partition', from: ['1'] },
    { op: 'partition', from: [1], clients: 1 },
    { op: 'lag', ms: -1 },
    { op: 'lag', ms: 1e9 },
    { op: 'log', level: 'loud' },
  ];
  for (const answer of (await ask(path, ...lines)) as { ok: boolean; error: string }[]) {
    assert.equal(answer.ok, false);
    assert.match(answer.error, /^(a request is|"op" is|partition needs|lag needs|"level" is one of)/);
  }
  assert.deepEqual(server.faults?.inForce, { cut: [], lagMs: 0 });
  assert.deepEqual(server.told, []);
  // who never ends a line is hung up on
  await assert.rejects(ask(path, 'x'.repeat(200_000).replace(/$/, ' ').repeat(3)), /it hung up|EPIPE|ECONNRESET/);
});

test('the socket of a killed process is taken over, that of a living one is not, and it goes at the end', async () => {
  const path = join(folder, 'c.sock');
  const control = await Control.open(path, new FakeServer());
  await assert.rejects(Control.open(path, new FakeServer()), { exitCode: 41 });
  await control.close();
  assert.throws(() => statSync(path), /ENOENT/);
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('there'))`;
  const left = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(left.stdout, 'data');
  left.kill('SIGKILL');
  await once(left, 'exit');
  assert.ok(statSync(path).isSocket(), 'a killed process leaves its socket');
  await using again = await Control.open(path, new FakeServer());
  assert.equal((await ask(path, { op: 'status' })).length, 1);
  assert.ok(again);
});

test('what lies at the path and is no socket is refused and left alone', async () => {
  const file = join(folder, 'zoo.cfg');
  writeFileSync(file, 'dataDir=/data\n');
  const link = join(folder, 'link');
  symlinkSync(file, link);
  const nowhere = join(folder, 'nowhere');
  symlinkSync(join(folder, 'none'), nowhere);
  const inside = join(folder, 'inside');
  mkdirSync(inside);
  for (const path of [file, link, nowhere, inside]) {
    const before = lstatSync(path);
    await assert.rejects(Control.open(path, new FakeServer()), {
      exitCode: 43,
      message: `the control socket ${path}: what lies there is no socket, and is left alone. Remove it, or name another place by --control PATH`,
    });
    assert.equal(lstatSync(path).ino, before.ino);
  }
  assert.equal(readFileSync(file, 'utf8'), 'dataDir=/data\n');
});

test('a process that takes no more connections is a living one', async () => {
  const path = join(folder, 'full.sock');
  const code = `require('node:net').createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => console.log('there'))`;
  const there = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const waiting: Socket[] = [];
  try {
    await once(there.stdout, 'data');
    there.kill('SIGSTOP');
    const { ino } = statSync(path);
    let error: NodeJS.ErrnoException | undefined;
    while (error === undefined && waiting.length < 1000) {
      const socket = connect(path);
      waiting.push(socket);
      error = await new Promise((resolve) => socket.once('connect', resolve).once('error', resolve));
    }
    assert.equal(error?.code, 'EAGAIN');
    await assert.rejects(Control.open(path, new FakeServer()), { exitCode: 41 });
    assert.equal(statSync(path).ino, ino);
  } finally {
    for (const socket of waiting) socket.destroy();
    there.kill('SIGKILL');
  }
});

test('paths that cannot be a socket are refused with a sentence', async () => {
  await assert.rejects(Control.open(join(folder, 'x'.repeat(MAX_SOCKET_PATH)), new FakeServer()), {
    exitCode: 43,
    message: /has at most 10[37] bytes; --control PATH names a shorter one$/,
  });
  await assert.rejects(Control.open(join(folder, 'none', 'x.sock'), new FakeServer()), { exitCode: 40 });
});

test('a shut gate cuts off who is there and who comes; open again, clients come in', async () => {
  const gate = new ClientGate();
  const net: Server = gate.guard(tcpListener)((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => net.listen(0, '127.0.0.1', resolve));
  const { port } = net.address() as { port: number };
  const dial = (): Socket => connect(port, '127.0.0.1').on('error', () => {});
  const heard = (socket: Socket): Promise<string> =>
    new Promise((resolve) => {
      socket.once('data', (bytes: Buffer) => resolve(String(bytes)));
      socket.once('close', () => resolve('cut'));
      socket.write('hello');
    });
  try {
    const first = dial();
    assert.equal(await heard(first), 'hello');
    const cut = new Promise((resolve) => first.once('close', resolve));
    gate.cut(true);
    await cut;
    assert.equal(await heard(dial()), 'cut');
    gate.cut(false);
    const third = dial();
    assert.equal(await heard(third), 'hello');
    third.destroy();
  } finally {
    net.close();
  }
});

test('a backup comes behind its announcement, piece by piece, and is missed when it ends early', async () => {
  const path = join(folder, 'backup.sock');
  const server = new FakeServer();
  await using _control = await Control.open(path, server);
  const pieces: Buffer[] = [];
  const take = async (piece: Buffer): Promise<void> => void pieces.push(piece);
  assert.deepEqual(await fetchBackup(path, take), {
    ...{ zxid: '0x1', bytes: 12, sid: 1, epoch: 1, version: '0', takenAt: 1 },
  });
  assert.equal(Buffer.concat(pieces).toString(), 'twelve bytes');
  assert.deepEqual(server.told, ['closed']);
  server.missing = 3;
  await assert.rejects(fetchBackup(path, take), (error: NodeJS.ErrnoException) => error.code === 'ECONNRESET');
  assert.deepEqual(server.told.slice(1), ['it ends early', 'closed'], 'its server is told why');
  server.backup = () => Promise.reject(new Error('no quorum'));
  await assert.rejects(fetchBackup(path, take), /no quorum/);
});
