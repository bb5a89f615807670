import type { Socket } from 'node:net';

const PONG = Buffer.from('fffffffe', 'hex');

/** One connection of the attacker. */
export class Line {
  private readonly socket: Socket;
  private heard: Buffer = Buffer.alloc(0);
  ended = false;
  private wake: () => void = () => {};
  constructor(socket: Socket) {
    this.socket = socket;
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes: Buffer) => {
      // replies are looked at only for where a ping was answered
      this.heard = Buffer.concat([this.heard, bytes]).subarray(-(1 << 20));
      this.wake();
    });
    for (const event of ['end', 'close'])
      this.socket.on(event, () => {
        this.ended = true;
        this.wake();
      });
  }
  say(bytes: Buffer): void {
    this.heard = Buffer.alloc(0);
    this.socket.write(bytes);
  }
  get bytes(): number {
    return this.heard.length;
  }
  get isPinged(): boolean {
    return this.heard.includes(PONG);
  }
  /** What is waited for may be so. */
  look(): void {
    this.wake();
  }
  /** True when it is so, in time and before it was hung up. */
  async until(is: () => boolean, ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (!is() && !this.ended) {
      const left = end - performance.now();
      if (left <= 0) {
        // this process may be slow itself: what has come is read first
        for (let turns = 0; turns < 3 && !is() && !this.ended; turns++) await new Promise(setImmediate);
        return is();
      }
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
    return is();
  }
  close(): void {
    if (this.ended || 'encrypted' in this.socket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }
}
