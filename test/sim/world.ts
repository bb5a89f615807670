/** Time, network and chance of a simulated machine, all from one seed; they move only when {@link World.turn} is called. */
import { EventEmitter } from 'node:events';
import type { Server as NetServer, Socket } from 'node:net';
import { setImmediate as loopTurn } from 'node:timers/promises';
import { type Random, seededRandom } from '../../src/base/random.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Connection, ConnectionHandler, Dialer } from '../../src/ports/network.ts';
import type { Listener } from '../../src/runtime/clients.ts';
import { SimDisk } from './disk.ts';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

class SimClock {
  now = 1000;
  private readonly timers = new Set<Timer>();
  /** A clock whose timers end with `alive`. */
  plug(alive: () => boolean): Clock {
    return {
      monotonic: () => this.now,
      wall: () => 1_700_000_000_000 + this.now,
      after: (ms, run) => {
        const timer = { at: this.now + Math.max(0, ms), run: () => alive() && run() };
        this.timers.add(timer);
        return { [Symbol.dispose]: () => void this.timers.delete(timer) };
      },
    };
  }
  get next(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.timers) if (at < next) next = at;
    return next;
  }
  advance(to: number): void {
    this.now = to;
    const due = [...this.timers].filter(({ at }) => at <= to).sort((a, b) => a.at - b.at);
    for (const timer of due) if (this.timers.delete(timer)) timer.run();
  }
}

/** One end of a connection as the server sees it: as much of a socket as the client port uses. */
class SimSocket extends EventEmitter {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort: number;
  readonly writableLength = 0;
  destroyed = false;
  paused = false;
  constructor(port: number) {
    super();
    this.remotePort = port;
  }
  readonly toClient: Buffer[] = [];
  /** Bytes queued before it was destroyed are still delivered when it was done soon, lost when at once. */
  write(bytes: Uint8Array): boolean {
    if (!this.destroyed) this.toClient.push(Buffer.from(bytes));
    return true;
  }
  end(bytes?: Uint8Array): void {
    if (bytes !== undefined) this.write(bytes);
  }
  destroySoon(): void {
    this.destroyed = true;
  }
  destroy(): void {
    this.destroyed = true;
    this.toClient.length = 0;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
}

interface Line {
  readonly socket: SimSocket;
  readonly handler: ConnectionHandler;
  readonly toServer: Buffer[];
  /** The client hung up. */
  left: boolean;
}

class SimNet {
  private readonly random: Random;
  private accept: ((socket: Socket) => void) | undefined;
  private readonly lines = new Set<Line>();
  private ports = 1024;
  constructor(random: Random) {
    this.random = random;
  }
  readonly listener: Listener = (accept) => {
    const server = {
      once: () => server,
      listen: (_options: unknown, done: () => void) => {
        this.accept = accept;
        queueMicrotask(done);
        return server;
      },
      address: () => ({ address: '127.0.0.1', port: 2181, family: 'IPv4' }),
      close: () => {
        this.accept = undefined;
        return server;
      },
    };
    return server as unknown as NetServer;
  };
  readonly dialer: Dialer = {
    dial: async (_options, handler, signal) => {
      signal?.throwIfAborted();
      if (this.accept === undefined) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
      const socket = new SimSocket(this.ports++);
      const line: Line = { socket, handler, toServer: [], left: false };
      this.lines.add(line);
      this.accept(socket as unknown as Socket);
      const leave = (): void => {
        line.left = true;
      };
      const connection: Connection = {
        remoteAddress: '127.0.0.1',
        remotePort: 2181,
        send: (bytes) => {
          line.toServer.push(Buffer.from(bytes));
          return true;
        },
        end: leave,
        destroy: leave,
        pause: () => {},
        resume: () => {},
      };
      return connection;
    },
  };
  get busy(): boolean {
    for (const { socket, toServer, left } of this.lines)
      if (toServer.length > 0 || socket.toClient.length > 0 || socket.destroyed || left) return true;
    return false;
  }
  /** Bytes arrive, or not yet, whole or cut anywhere. */
  step(): void {
    for (const line of this.lines) {
      const { socket, handler, toServer } = line;
      if (!socket.paused && !socket.destroyed) this.move(toServer, (bytes) => socket.emit('data', bytes));
      if (!line.left) this.move(socket.toClient, (bytes) => handler.data(bytes));
      if (!line.left && !(socket.destroyed && socket.toClient.length === 0)) continue;
      this.lines.delete(line);
      socket.destroyed = true;
      if (!line.left) handler.closed(undefined);
      socket.emit('close');
    }
  }
  private move(queue: Buffer[], give: (bytes: Buffer) => void): void {
    if (queue.length === 0 || this.random.below(4) === 0) return;
    const bytes = Buffer.concat(queue.splice(0));
    const cut = this.random.below(8) === 0 ? this.random.below(bytes.length + 1) : bytes.length;
    if (cut < bytes.length) queue.push(bytes.subarray(cut));
    if (cut > 0) give(bytes.subarray(0, cut));
  }
  /** The machine of the server is gone: what it sent last may still arrive. */
  cut(): void {
    this.accept = undefined;
    for (const line of this.lines) {
      line.socket.removeAllListeners();
      if (this.random.below(2) === 0) line.socket.toClient.length = 0;
      line.socket.destroyed = true;
    }
  }
}

/** A machine with a disk, a network to it and a clock; after {@link crash} the server that ran on it is heard of no more. */
export class World {
  readonly random: Random;
  readonly disk: SimDisk;
  readonly net: SimNet;
  readonly clock = new SimClock();
  /** Grows with every crash. */
  life = 0;
  crashed: Promise<'crashed'>;
  private tellCrash!: () => void;
  private waiting: (() => void)[] = [];

  constructor(seed: number, syncs = true) {
    this.random = seededRandom(seed);
    this.disk = new SimDisk(this.random, syncs);
    this.net = new SimNet(this.random);
    this.disk.pace = () =>
      this.random.below(3) > 0 ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
    this.disk.onCut = () => this.ended();
    this.crashed = this.nextCrash();
  }
  private nextCrash(): Promise<'crashed'> {
    return new Promise((resolve) => {
      this.tellCrash = () => resolve('crashed');
    });
  }
  /** The server's process ends; the disk keeps what it has, power or not. */
  crash(): void {
    this.disk.unplug();
  }
  private ended(): void {
    this.life++;
    this.net.cut();
    const tell = this.tellCrash;
    this.crashed = this.nextCrash();
    tell();
  }
  /** A little time passes; more when nothing is under way. */
  async turn(): Promise<void> {
    await loopTurn();
    const idle = this.waiting.length === 0 && !this.net.busy;
    const soon = this.clock.now + this.random.below(3);
    this.clock.advance(idle ? Math.max(soon, Math.min(this.clock.next, this.clock.now + 100)) : soon);
    for (const go of this.waiting.splice(0)) go();
    this.net.step();
  }
}
