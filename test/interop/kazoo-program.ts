import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const UNTIL_MS = 180_000;

/** A program on kazoo that goes on beside a test and says how far it is. */
export class KazooProgram implements Disposable {
  said = '';
  /** Of that what is on its standard output. */
  out = '';
  readonly #child: ChildProcess;
  /** It ended, and everything it said is here. */
  readonly #closed: Promise<void>;

  /** `script` lies in this folder. */
  constructor(script: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(`../../../test/interop/${script}`, import.meta.url));
    const child = spawn('/usr/bin/python3', [path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#closed = new Promise((resolve) => child.once('close', () => resolve()));
    child.stdout.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
    });
    child.stdin.on('error', () => {});
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.said += chunk.toString();
      });
  }
  /** Resolves when it said so. */
  async until(word: string): Promise<void> {
    const end = performance.now() + UNTIL_MS;
    while (!this.said.includes(word)) {
      assert.ok(this.#child.exitCode === null && performance.now() < end, `no ${word}: ${this.said}`);
      await sleep(20);
    }
  }
  /** Ends its input, if it waits for that, and waits until it ended well. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#closed;
    assert.equal(this.#child.exitCode, 0, this.said);
  }
  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
