import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { findListener, MAX_SOCKET_PATH } from '../platform/unix-socket.ts';
import { type OfferedBackup, sendBackup } from './backup.ts';
import {
  type ControlAnswer,
  type ControlRequest,
  type ControlResults,
  MAX_CONTROL_LINE,
  type ServerStatus,
  type TreeDigest,
} from './control-messages.ts';
import { isLogLevel, LOG_LEVELS, type LogLevel } from './log.ts';
import type { PeerFaults } from './peer-faults.ts';
import { StartError } from './start-error.ts';

/** What a server lets be done with it over its control socket. */
export interface ControlledServer {
  status(): ServerStatus;
  /** Of the whole tree, at one zxid; computed when it is asked for. */
  digest(): Promise<TreeDigest>;
  /** Writes a snapshot now. @throws Error whose message says why not */
  snapshot(): Promise<{ readonly zxid: string }>;
  /** As {@link snapshot}, and opens it; whoever asked closes it. @throws Error whose message says why not */
  backup(): Promise<OfferedBackup>;
  /** Removes snapshots beyond so many, and log files that none of the others needs; resolves with their names. */
  purge(retain: number): Promise<readonly string[]>;
  /** Of the network to the other servers; undefined where none can be played. */
  readonly faults: PeerFaults | undefined;
  /** Cuts all clients off, and turns every new one away until told otherwise. */
  cutClients(cut: boolean): void;
  /** What is logged, from now on this and what is graver when `level` is given. */
  logLevel(level?: LogLevel): string;
  /** Begins an orderly end of the server, as SIGTERM does. */
  stop(): void;
}

/**
 * The control socket of a server: requests and answers are lines of JSON, answered in order. Whoever may open the file may
 * do everything, so it is its owner's alone (0600).
 */
export class Control implements AsyncDisposable {
  private readonly path: string;
  private readonly server: ControlledServer;
  private readonly net: Server;
  private readonly sockets = new Set<Socket>();
  private clientsCut = false;

  private constructor(path: string, server: ControlledServer) {
    this.path = path;
    this.server = server;
    this.net = createServer((socket) => this.serve(socket));
  }
  /** @throws StartError: 41 when a living process listens there, 43 when the path cannot be a socket's or is another file's, 40 otherwise */
  static async open(path: string, server: ControlledServer): Promise<Control> {
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
      throw new StartError(
        43,
        `the control socket ${path}: the path of a socket has at most ${MAX_SOCKET_PATH} bytes; --control PATH names a shorter one`,
      );
    const control = new Control(path, server);
    try {
      await control.listen().catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EADDRINUSE') throw error;
        await removeDead(path);
        await control.listen();
      });
    } catch (error) {
      throw error instanceof StartError ? error : cannotOpen(path, error);
    }
    return control;
  }
  private listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.net.once('error', reject);
      // the socket file is made within this call, so nobody can open it before it is ours alone
      const mask = process.umask(0o177);
      try {
        this.net.listen({ path: this.path }, () => {
          this.net.off('error', reject);
          this.net.on('error', () => {});
          chmodSync(this.path, 0o600);
          resolve();
        });
      } finally {
        process.umask(mask);
      }
    });
  }
  /** Takes the socket away; answers under way are lost. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.net.close(() => resolve()));
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
    let text = '';
    let before: Promise<void> = Promise.resolve();
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      const lines = (text + chunk).split('\n');
      text = lines.pop() ?? '';
      if (text.length > MAX_CONTROL_LINE) return void socket.destroy();
      for (const line of lines)
        before = before.then(async () => {
          await this.answer(line, socket);
        });
    });
  }
  private async answer(line: string, socket: Socket): Promise<void> {
    const say = (answer: ControlAnswer): void => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`);
    };
    try {
      const request = read(line);
      if (request.op !== 'backup') return say({ ok: true, result: await this.perform(request) });
      const { announcement, ...backup } = await this.server.backup();
      say({ ok: true, result: announcement });
      await sendBackup(backup, socket);
    } catch (error) {
      say({ ok: false, error: (error as Error).message });
    }
  }
  private async perform(
    request: Exclude<ControlRequest, { op: 'backup' }>,
  ): Promise<ControlResults[ControlRequest['op']]> {
    const { server } = this;
    switch (request.op) {
      case 'status':
        return { ...server.status(), pid: process.pid, faults: this.faults };
      case 'digest':
        return server.digest();
      case 'snapshot':
        return server.snapshot();
      case 'purge': {
        const names = await server.purge(request.keep);
        return { removed: names.slice(0, MOST_NAMES), count: names.length };
      }
      case 'partition':
        this.network.partition(request.from.filter((sid) => sid !== server.status().sid));
        this.cutClients(request.clients);
        return this.faults;
      case 'lag':
        this.network.lag(request.ms);
        return this.faults;
      case 'heal':
        this.network.heal();
        this.cutClients(false);
        return this.faults;
      case 'log':
        return { level: server.logLevel(request.level) };
      case 'stop':
        // the answer goes out first
        setImmediate(() => server.stop());
        return {};
    }
  }
  private cutClients(cut: boolean): void {
    if (cut !== this.clientsCut) this.server.cutClients(cut);
    this.clientsCut = cut;
  }
  /** @throws Error where no faults can be played */
  private get network(): PeerFaults {
    const { faults } = this.server;
    if (faults !== undefined) return faults;
    throw new Error('faults can be played to the members of zoosh start ensemble only');
  }
  private get faults(): ControlResults['heal'] {
    return { ...(this.server.faults?.inForce ?? { cut: [], lagMs: 0 }), clientsCut: this.clientsCut };
  }
}

/** @throws Error whose message says what is wrong */
function read(line: string): ControlRequest {
  let request: Record<string, unknown>;
  try {
    request = JSON.parse(line) as Record<string, unknown>;
    if (typeof request !== 'object' || request === null) throw new Error();
  } catch {
    throw new Error('a request is one line with a JSON object');
  }
  const { op, from, clients = false, ms, level, keep } = request;
  switch (op) {
    case 'status':
    case 'digest':
    case 'snapshot':
    case 'backup':
    case 'heal':
    case 'stop':
      return { op };
    case 'partition':
      if (!Array.isArray(from) || !from.every((sid) => Number.isInteger(sid)) || typeof clients !== 'boolean')
        throw new Error('partition needs "from", a list of server ids, and may have "clients"');
      return { op, from: from as number[], clients };
    case 'lag':
      if (typeof ms !== 'number' || !Number.isInteger(ms) || ms < 0 || ms > MOST_LAG_MS)
        throw new Error(`lag needs "ms", a whole number up to ${MOST_LAG_MS}`);
      return { op, ms };
    case 'purge':
      if (typeof keep !== 'number' || !Number.isInteger(keep) || keep < LEAST_KEPT)
        throw new Error(`purge needs "keep", a whole number of snapshots from ${LEAST_KEPT} on`);
      return { op, keep };
    case 'log':
      if (level === undefined) return { op };
      if (typeof level !== 'string' || !isLogLevel(level))
        throw new Error(`"level" is one of ${LOG_LEVELS.join(', ')}`);
      return { op, level };
    default:
      throw new Error('"op" is one of status, digest, snapshot, backup, purge, partition, lag, heal, log, stop');
  }
}

const MOST_LAG_MS = 600_000;
/** Snapshots that a purge leaves at least. */
const LEAST_KEPT = 3;
/** Names in one answer, which is a line of bounded length. */
const MOST_NAMES = 1000;

function cannotOpen(path: string, error: unknown): StartError {
  // the library calls a folder that is missing one that may not be used
  const folder = dirname(path);
  const why = existsSync(folder) ? fileWords(error) : `there is no folder ${folder}`;
  return new StartError(40, `the control socket ${path} cannot be opened: ${why}; --control PATH names another place`);
}

/** Of what lies at the path only a socket that a killed process left may go. @throws StartError */
async function removeDead(path: string): Promise<void> {
  switch (await findListener(path)) {
    case 'nothing':
      return;
    case 'dead':
      return unlinkSync(path);
    case 'living':
      throw new StartError(
        41,
        `at the control socket ${path} another process listens. Stop it, or name another place by --control PATH`,
      );
    case 'other':
      throw new StartError(
        43,
        `the control socket ${path}: what lies there is no socket, and is left alone. Remove it, or name another place by --control PATH`,
      );
  }
}
