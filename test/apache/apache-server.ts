/** Debian's ZooKeeper server, alone, on a folder of the caller's, for files of Apache's that are made and read. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fourLetterWord } from '../../src/client/connect.ts';

const START_MS = 120_000;
const JAVA = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dzookeeper.extendedTypesEnabled=true'];
const CLASSES = ['-cp', '/usr/share/java/zookeeper.jar:/usr/share/java/*'];

export interface ApacheSettings {
  /** Lines of zoo.cfg behind the usual ones. */
  readonly lines?: readonly string[];
  /** `-D` words for Java. */
  readonly java?: readonly string[];
}

/** One run of the server on `folder`, where `data` and perhaps `log` lie. */
export class ApacheServer implements AsyncDisposable {
  readonly hosts: string;
  /** The end of what it wrote to its log. */
  said = '';
  readonly #child: ChildProcess;

  private constructor(hosts: string, child: ChildProcess) {
    this.hosts = hosts;
    this.#child = child;
  }
  /** Resolves when it serves. */
  static async start(folder: string, { lines = [], java = [] }: ApacheSettings = {}): Promise<ApacheServer> {
    const port = await freePort();
    mkdirSync(join(folder, 'data'), { recursive: true });
    const config = join(folder, 'zoo.cfg');
    const usual = [
      'tickTime=2000',
      `dataDir=${join(folder, 'data')}`,
      `clientPort=${port}`,
      'clientPortAddress=127.0.0.1',
      'maxClientCnxns=0',
      'admin.enableServer=false',
      'preAllocSize=64',
    ];
    writeFileSync(config, [...usual, ...lines, ''].join('\n'));
    const words = [...JAVA, ...java, ...CLASSES, 'org.apache.zookeeper.server.ZooKeeperServerMain', config];
    const child = spawn('java', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const server = new ApacheServer(`127.0.0.1:${port}`, child);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        server.said = `${server.said}${chunk}`.slice(-20_000);
      });
    const end = performance.now() + START_MS;
    while (!(await serves(port))) {
      if (child.exitCode === null && performance.now() < end) await sleep(50);
      else {
        await server.end('SIGKILL');
        assert.fail(`Apache's server does not serve: ${server.said}`);
      }
    }
    return server;
  }
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.end('SIGKILL');
  }
}

async function serves(port: number): Promise<boolean> {
  try {
    return /^Mode: standalone$/m.test(await fourLetterWord('srvr', { host: '127.0.0.1', port, timeoutMs: 2000 }));
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
