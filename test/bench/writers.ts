import { connect } from 'node:net';
import { hello, type LoadKind, replies, request } from './load.ts';

/** Clients that each keep some requests under way for as long as they are wanted; every error is counted. */
export class Writers {
  acknowledged = 0;
  errors = 0;
  /** The longest time without an answer, of all of them together, ms. */
  longest = 0;
  private last = performance.now();
  private stopped = false;
  private next = 0;
  private readonly first: number;
  private readonly kind: LoadKind;
  private readonly done: Promise<void>[];

  constructor(kind: LoadKind, ports: readonly number[], first: number, depth: number) {
    this.kind = kind;
    this.first = first;
    this.done = ports.map((port) => this.run(port, depth));
  }
  private run(port: number, depth: number): Promise<void> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let open = 0;
    let xid = 0;
    const one = (): void => {
      const key = this.kind === 'create' ? this.first + this.next++ : 0;
      open++;
      socket.write(request(this.kind, key, ++xid));
    };
    return new Promise((resolve) => {
      replies(
        socket,
        () => {
          for (let i = 0; i < depth; i++) one();
        },
        (err) => {
          const now = performance.now();
          this.longest = Math.max(this.longest, now - this.last);
          this.last = now;
          open--;
          if (err === 0) this.acknowledged++;
          else this.errors++;
          if (!this.stopped) one();
          else if (open === 0) socket.destroy();
        },
        () => {},
      );
      socket.on('error', () => {});
      socket.on('close', () => {
        if (!this.stopped || open > 0) this.errors++;
        resolve();
      });
      socket.write(hello());
    });
  }
  reset(): void {
    this.longest = 0;
    this.last = performance.now();
  }
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.done);
  }
}
