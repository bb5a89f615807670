/** An ensemble of Debian's ZooKeeper servers on free loopback ports, with their admin servers. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fourLetterWord } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';

const START_MS = 3 * PATIENCE_MS;
const HOST = '127.0.0.1';
const JAVA = ['-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const CLASSES = '/usr/share/java/zookeeper.jar:/usr/share/java/*';

export interface ApacheMember {
  readonly id: number;
  readonly port: number;
  readonly adminPort: number;
  readonly data: string;
}

export class ApacheMembers implements AsyncDisposable {
  readonly all: readonly ApacheMember[];
  private readonly folder: string;
  private readonly children = new Map<number, ChildProcess>();
  private log = '';
  private constructor(folder: string, all: readonly ApacheMember[]) {
    this.folder = folder;
    this.all = all;
  }
  /** Started and serving; one voter alone is a server without an ensemble. `lines`: more of each zoo.cfg. */
  static async start(voters: number, observers: number, lines: readonly string[]): Promise<ApacheMembers> {
    const folder = mkdtempSync(join(tmpdir(), 'zoosh-apache-'));
    const count = voters + observers;
    const base = await ownBlock(HOST, count);
    const ids = Array.from({ length: count }, (_, at) => at + 1);
    const servers = ids.map(
      (id) =>
        `server.${id}=${HOST}:${base + 99 + id}:${base + 199 + id}:${id > voters ? 'observer' : 'participant'};${HOST}:${base + id - 1}`,
    );
    const all = ids.map((id) => {
      const data = join(folder, `m${id}`);
      mkdirSync(data, { recursive: true });
      if (count > 1) writeFileSync(join(data, 'myid'), `${id}\n`);
      return { id, port: base + id - 1, adminPort: base + 299 + id, data };
    });
    const members = new ApacheMembers(folder, all);
    try {
      for (const { id, port, adminPort, data } of all) {
        const own = count > 1 ? ['standaloneEnabled=false', ...servers] : [`clientPort=${port}`];
        const role = id > voters ? ['peerType=observer'] : [];
        const cfg = join(data, 'zoo.cfg');
        const usual = ['initLimit=20', 'syncLimit=10', 'preAllocSize=256', 'admin.serverAddress=127.0.0.1'];
        const text = [...usual, `dataDir=${data}`, `admin.serverPort=${adminPort}`, ...lines, ...role, ...own, ''];
        writeFileSync(cfg, text.join('\n'));
        members.launch(id);
      }
      await members.serving();
      return members;
    } catch (error) {
      await members[Symbol.asyncDispose]();
      throw error;
    }
  }
  /** Starts one (again); does not wait for it. */
  launch(id: number): void {
    const { data } = this.all[id - 1] as ApacheMember;
    const words = [...JAVA, '-cp', CLASSES, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', join(data, 'zoo.cfg')];
    const child = spawn('java', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.log = `${this.log}${chunk}`.slice(-4000);
      });
    this.children.set(id, child);
  }
  /** Resolves when all of them serve. */
  async serving(): Promise<void> {
    const end = performance.now() + START_MS;
    for (const { port } of this.all)
      while ((await roleAt(port)) === undefined) {
        assert.ok(performance.now() < end, `Apache's servers do not serve: ${this.log}`);
        await sleep(100);
      }
  }
  async leader(): Promise<number> {
    for (const end = performance.now() + START_MS; performance.now() < end; await sleep(100))
      for (const { id, port } of this.all) if ((await roleAt(port)) === 'leader') return id;
    throw new Error(`none of Apache's servers leads: ${this.log}`);
  }
  signal(id: number, signal: NodeJS.Signals): void {
    this.children.get(id)?.kill(signal);
  }
  async kill(id: number, signal: NodeJS.Signals): Promise<void> {
    const child = this.children.get(id);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.children.keys()) await this.kill(id, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 8 });
  }
}

/** Undefined while it does not serve. */
const roleAt = async (port: number): Promise<string | undefined> =>
  /^Mode: (\w+)$/m.exec(await fourLetterWord('srvr', { host: HOST, port }).catch(() => ''))?.[1];
