import { closeSync, writeSync } from 'node:fs';

/** What a server in the background writes on descriptor 3 once its ports are open. */
export const UP = 'up\n';
/** What it writes there before, as long as it gets on. */
const AT_WORK = '.';
const BEAT_MS = 1000;
const FD = 3;

/** Tells who started a server in the background that it gets on, and in the end that it goes on by itself. */
export class ComingUp implements Disposable {
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(isWanted: boolean) {
    if (!isWanted) return;
    this.say(AT_WORK);
    this.timer = setInterval(() => this.say(AT_WORK), BEAT_MS).unref();
  }
  up(): void {
    if (this.timer === undefined) return;
    this.say(UP);
    this[Symbol.dispose]();
  }
  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }
  private say(text: string): void {
    try {
      writeSync(FD, text);
      if (text === UP) closeSync(FD);
    } catch {
      clearInterval(this.timer); // nobody waits any more
    }
  }
}
