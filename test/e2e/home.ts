/** A folder as ZooKeeper is installed into, for tests of what operators do with a server of it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { type Ran, zoosh } from './cli.ts';
import { until as untilMs } from './members.ts';

const root = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
const homes: Home[] = [];
after(() => {
  // what a test that failed left running
  for (const home of homes)
    for (const pid of existsSync(home.pidFile) ? [pidOf(home)] : [])
      if (isAlive(pid) && argumentsOf(pid).includes(home.pidFile)) process.kill(pid, 'SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

const freePort = (): Promise<number> => ownBlock('127.0.0.1', 1);

/** A folder as ZooKeeper is installed into: bin, conf, data, logs. */
export class Home {
  readonly dir = mkdtempSync(join(root, 'home-'));
  readonly port: number;
  readonly env: Record<string, string>;
  private constructor(port: number, lines: readonly string[]) {
    this.port = port;
    this.env = { USER: 'op', ZOO_LOG_DIR: join(this.dir, 'logs') };
    mkdirSync(join(this.dir, 'conf'));
    this.configure(lines);
    homes.push(this);
  }
  static async make(...lines: readonly string[]): Promise<Home> {
    return new Home(await freePort(), lines);
  }
  configure(lines: readonly string[], name = 'zoo.cfg'): void {
    const base = [`dataDir=${this.data}`, `clientPort=${this.port}`, 'clientPortAddress=127.0.0.1', 'tickTime=2000'];
    writeFileSync(join(this.dir, 'conf', name), [...base, ...lines, ''].join('\n'));
  }
  get data(): string {
    return join(this.dir, 'data');
  }
  get pidFile(): string {
    return join(this.data, 'zookeeper_server.pid');
  }
  get out(): string {
    return join(this.dir, `logs/zookeeper-op-server-${hostname()}.out`);
  }
  get hosts(): string {
    return `127.0.0.1:${this.port}`;
  }
  server(...words: string[]): Promise<Ran> {
    return zoosh(['server', '--config', join(this.dir, 'conf'), ...words], '', this.env);
  }
  /** One of the scripts. */
  script(name: string, words: readonly string[], env: Record<string, string> = {}): Ran {
    const { PATH = '' } = process.env;
    const ran = spawnSync(join(this.dir, 'bin', name), words, {
      encoding: 'utf8',
      env: {
        PATH,
        ZOOSH_CODE_CACHE: process.env.ZOOSH_CODE_CACHE ?? 'off',
        ZOOSH_HOME: join(this.dir, 'home'),
        LANG: 'C.UTF-8',
        ...this.env,
        ...env,
      },
      timeout: PATIENCE_MS,
    });
    return { code: ran.status ?? 128, stdout: ran.stdout, stderr: ran.stderr };
  }
}

export const pidOf = (home: Home): number => Number(readFileSync(home.pidFile, 'utf8'));
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false; // it went just now
  }
}
export const argumentsOf = (pid: number): string[] => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
export const until = (is: () => boolean, what: string): Promise<void> => untilMs(is, PATIENCE_MS, () => what);
