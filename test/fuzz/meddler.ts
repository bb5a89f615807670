import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Random } from '../../src/base/random.ts';

/** What may be done to a stream of bytes, once, at some place. */
export const MEDDLINGS = ['bytes changed', 'bytes put in', 'cut', 'noise from there on'] as const;
export type Meddling = (typeof MEDDLINGS)[number];

/** Passes on what is said through a socket, and somewhere does one thing to it; what is heard comes as it is. */
export class Meddler extends Duplex {
  private readonly socket: Socket;
  private readonly random: Random;
  private readonly what: Meddling;
  /** Bytes that still pass as they are. */
  private left: number;
  private isDone = false;
  /** At byte number `at` of what is said. */
  constructor(socket: Socket, random: Random, what: Meddling, at: number) {
    super({ allowHalfOpen: false });
    this.socket = socket;
    this.random = random;
    this.what = what;
    this.left = at;
    socket.on('data', (bytes: Buffer) => this.push(bytes));
    socket.on('end', () => this.push(null));
    socket.on('error', () => {});
    socket.on('close', () => this.destroy());
  }
  override _read(): void {}
  override _write(bytes: Buffer, _encoding: string, done: (error?: Error) => void): void {
    const meddled = this.meddled(bytes);
    if (meddled.length === 0 || this.socket.destroyed) done();
    else this.socket.write(meddled, () => done());
  }
  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    this.socket.destroy();
    done();
  }
  private junk(most: number): Buffer {
    return Buffer.from(this.random.bytes(1 + this.random.below(most)));
  }
  private meddled(bytes: Buffer): Buffer {
    const { left, what } = this;
    this.left -= bytes.length;
    if (this.isDone) return what === 'cut' ? Buffer.alloc(0) : what === 'noise from there on' ? this.junk(300) : bytes;
    if (left >= bytes.length) return bytes;
    this.isDone = true;
    const [before, after] = [bytes.subarray(0, left), Buffer.from(bytes.subarray(left))];
    if (what === 'cut') return before;
    if (what === 'noise from there on') return Buffer.concat([before, this.junk(2000)]);
    if (what === 'bytes put in') return Buffer.concat([before, this.junk(300), after]);
    for (let times = this.random.below(4); times >= 0; times--)
      after[this.random.below(after.length)] = this.random.below(256);
    return Buffer.concat([before, after]);
  }
}
