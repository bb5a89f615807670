import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownPort } from '../ports.ts';

const BIN = fileURLToPath(new URL('../../../bin/zoosh.js', import.meta.url));

/** The built binary serving on a free loopback port; ended when disposed. */
export class ServerProcess implements AsyncDisposable {
  readonly folder: string;
  port = 0;
  stderr = '';
  /** When set, no file may grow beyond so many bytes, as on a disk that is full. */
  fileLimit: number | undefined;
  /** When set, it may have so many files and sockets open at once. */
  openLimit: number | undefined;
  /** More words of its command. */
  words: readonly string[] = [];
  private child: ChildProcess | undefined;
  private readonly lines: readonly string[];
  private exited: Promise<number> = Promise.resolve(0);
  private readonly level: string;
  private readonly flags: readonly string[];
  /** `lines`: more of its zoo.cfg; `flags`: of Node. */
  constructor(lines: readonly string[] = [], level = 'warn', flags: readonly string[] = []) {
    this.level = level;
    this.flags = flags;
    this.folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
    this.lines = lines;
  }
  /** Starts (again) on the same directory; resolves with `ready`, rejects when the process ends before. */
  async start(): Promise<this> {
    const cfg = join(this.folder, 'zoo.cfg');
    if (this.port === 0) this.port = await ownPort('127.0.0.1');
    const base = [
      'tickTime=2000',
      `dataDir=${join(this.folder, 'data')}`,
      `clientPort=${this.port}`,
      'clientPortAddress=127.0.0.1',
    ];
    writeFileSync(cfg, [...base, ...this.lines, ''].join('\n'));
    const command = [
      process.execPath,
      ...this.flags,
      BIN,
      'start',
      'server',
      '--config',
      cfg,
      '--log-level',
      this.level,
      ...this.words,
    ];
    const limits = [
      ...(this.fileLimit === undefined ? [] : [`ulimit -f ${Math.ceil(this.fileLimit / 512)}`]),
      ...(this.openLimit === undefined ? [] : [`ulimit -n ${this.openLimit}`]),
    ];
    const limited = ['sh', '-c', [...limits, 'exec "$0" "$@"'].join(' && '), ...command];
    const [program = '', ...args] = limits.length === 0 ? command : limited;
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    // not `exit`: its last words may come after that
    this.exited = new Promise((resolve) =>
      child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128))),
    );
    child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    await new Promise<void>((resolve, reject) => {
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
        const ready = /^ready [^:]+:(\d+)$/m.exec(out);
        if (ready === null) return;
        this.port = Number(ready[1]);
        resolve();
      });
      child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${this.stderr}`)));
    });
    return this;
  }
  get pid(): number | undefined {
    return this.child?.pid;
  }
  get hosts(): string {
    return `127.0.0.1:${this.port}`;
  }
  /** The exit code, once it has ended by itself or was killed. */
  get ended(): Promise<number> {
    return this.exited;
  }
  /** Does not wait for what comes of it. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }
  async kill(signal: NodeJS.Signals): Promise<number> {
    this.signal(signal);
    return this.exited;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
