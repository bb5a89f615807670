import { connect } from 'node:net';
import { hello, replies } from './load.ts';

const EVERY_MS = 5;
/** What takes longer is kept with its moment. */
const SLOW_MS = 20;
const PING = Buffer.from([0, 0, 0, 8, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]);

/** Pings a server every 5 ms on a connection of its own: how long its loop stood still, as seen from outside. */
export class Pinger {
  readonly slow: { at: number; ms: number }[] = [];
  longest = 0;
  count = 0;
  /** The connection ended. */
  ended = false;
  /** The longest time this process itself was late: what it did not see itself is no witness. */
  ownLate = 0;
  private readonly began = performance.now();
  private readonly stop: () => void;

  constructor(port: number) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const sent: number[] = [];
    let last = performance.now();
    let timer: NodeJS.Timeout | undefined;
    replies(
      socket,
      () => {
        last = performance.now();
        timer = setInterval(() => {
          const now = performance.now();
          this.ownLate = Math.max(this.ownLate, now - last - EVERY_MS);
          last = now;
          sent.push(now);
          socket.write(PING);
        }, EVERY_MS).unref();
      },
      () => {
        const now = performance.now();
        const ms = now - (sent.shift() as number);
        this.count++;
        this.longest = Math.max(this.longest, ms);
        if (ms > SLOW_MS) this.slow.push({ at: Math.round(now - this.began), ms: Math.round(ms) });
      },
      () => {},
    );
    socket.on('error', () => {});
    socket.on('close', () => {
      this.ended = true;
      clearInterval(timer);
    });
    socket.write(hello());
    socket.unref();
    this.stop = () => socket.destroy();
  }
  /** Figures begin again. */
  reset(): void {
    this.longest = 0;
    this.count = 0;
    this.ownLate = 0;
    this.slow.length = 0;
  }
  close(): void {
    this.stop();
  }
  /** The longest ping, and how late this process itself was, ms. */
  toString(): string {
    return `longest ping ${this.longest.toFixed(1)} ms of ${this.count} (own lateness ${this.ownLate.toFixed(1)} ms)`;
  }
}
