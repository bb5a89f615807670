/** Debian's ZooKeeper server, alone, as a process that can be killed and started again on its data. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fourLetterWord } from '../../src/client/connect.ts';
import { PATIENCE_MS } from '../patience.ts';

const START_MS = 3 * PATIENCE_MS;
const JAVA = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const CLASSES = '/usr/share/java/zookeeper.jar:/usr/share/java/*';

/**
 * Clients come in by a gate that is open while the server serves: who connects to Apache's while it starts may never be
 * answered, and kazoo waits a whole session timeout then.
 */
export class ApacheProcess implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'zoosh-apache-'));
  readonly #gate: Server = createServer((socket) => this.#enter(socket));
  readonly #sockets = new Set<Socket>();
  #isOpen = false;
  #port = 0;
  #child: ChildProcess | undefined;
  #log = '';
  readonly #lines: readonly string[];

  readonly #flags: readonly string[];

  readonly #classes: string;

  /** `lines`: more of its zoo.cfg; `flags`: of the Java machine; `classes`: its class path. */
  constructor(lines: readonly string[] = [], flags: readonly string[] = [], classes = CLASSES) {
    this.#classes = classes;
    this.#lines = lines;
    this.#flags = flags;
  }
  get hosts(): string {
    return `127.0.0.1:${(this.#gate.address() as { port: number }).port}`;
  }
  /** The server's own, without the gate. */
  get port(): number {
    return this.#port;
  }
  #enter(socket: Socket): void {
    if (!this.#isOpen) return void socket.destroy();
    const server = dial({ host: '127.0.0.1', port: this.#port });
    for (const [one, other] of [
      [socket, server],
      [server, socket],
    ] as const) {
      this.#sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => {});
      one.on('data', (bytes) => other.write(bytes));
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
  /** Starts (again) on the same data; resolves when it serves. */
  async start(): Promise<void> {
    if (this.#port === 0) {
      // the gate first: it must not be given the port that is free until Java listens there
      await new Promise<void>((resolve) => this.#gate.listen(0, '127.0.0.1', resolve));
      this.#port = await freePort();
    }
    const config = join(this.#folder, 'zoo.cfg');
    const lines = [
      'tickTime=2000',
      `dataDir=${this.#folder}`,
      `clientPort=${this.#port}`,
      'clientPortAddress=127.0.0.1',
      'maxClientCnxns=0',
      'admin.enableServer=false',
      'preAllocSize=256',
      ...this.#lines,
    ];
    writeFileSync(config, [...lines, ''].join('\n'));
    const words = [
      ...JAVA,
      ...this.#flags,
      '-cp',
      this.#classes,
      'org.apache.zookeeper.server.ZooKeeperServerMain',
      config,
    ];
    const child = spawn('java', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.#log = `${this.#log}${chunk}`.slice(-4000);
      });
    const end = performance.now() + START_MS;
    while (!(await this.#serves())) {
      assert.ok(child.exitCode === null && performance.now() < end, `Apache's server does not serve: ${this.#log}`);
      await sleep(50);
    }
    this.#isOpen = true;
  }
  async #serves(): Promise<boolean> {
    try {
      const answer = await fourLetterWord('srvr', { host: '127.0.0.1', port: this.#port, timeoutMs: 2000 });
      return /^Mode: standalone$/m.test(answer);
    } catch {
      return false;
    }
  }
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#isOpen = false;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#gate.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
