/** Two clients of another library and two of ours use the same recipe on the same paths, while their server is killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, type Hold } from '../../src/index.ts';
import { ServerProcess } from '../e2e/process.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ApacheProcess } from './apache-process.ts';

/** The other library: programs that do `rounds` of a recipe, with two clients together. */
export type Rivals = (hosts: string, folder: string, recipe: string, rounds: number) => readonly (readonly string[])[];

/** A server of which the clients know one address, through every kill. */
export interface Server extends AsyncDisposable {
  readonly hosts: string;
  /** Starts (again) on the same data; resolves when it serves. */
  start(): Promise<unknown>;
  kill(signal: NodeJS.Signals): Promise<unknown>;
}
/** `RECIPES_SERVER`: `zoosh` unless said, or `apache`, which is Debian's. */
function serverOf(name: string): Server {
  // sessions of ours must live through a start of Java, however busy the machine is
  const sessions = `maxSessionTimeout=${2 * PATIENCE_MS}`;
  if (name === 'apache') return new ApacheProcess([sessions]);
  assert.equal(name, 'zoosh');
  return new ServerProcess(['maxClientCnxns=0', sessions], 'error');
}

/** A server, two clients of ours, and a folder in which everybody who is in puts up a sign. */
export class Scene implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'zoosh-recipes-'));
  readonly server: Server;
  readonly clients: Client[] = [];
  readonly #rivals: Rivals;
  private constructor(server: Server, rivals: Rivals) {
    this.server = server;
    this.#rivals = rivals;
  }
  static async open(rivals: Rivals): Promise<Scene> {
    const server = serverOf(process.env.RECIPES_SERVER ?? 'zoosh');
    await server.start();
    const scene = new Scene(server, rivals);
    const patient = { timeoutMs: 2 * PATIENCE_MS, connectTimeoutMs: PATIENCE_MS };
    for (let at = 0; at < 2; at++) scene.clients.push(await connect(scene.server.hosts, patient));
    return scene;
  }
  note(file: string, text: string): void {
    appendFileSync(join(this.folder, file), `${text}\n`);
  }
  lines(file: string): string[] {
    try {
      return readFileSync(join(this.folder, file), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  }
  private signs(): string[] {
    return readdirSync(this.folder).filter((each) => each.startsWith('in-'));
  }
  /**
   * Being in: who else is in is looked at when the own sign is up. As long as nobody has met anybody this one stays until
   * somebody else is in, too, `meetMs` at most: on a busy machine a place is left before the next is taken.
   */
  async inside(kind: string, name: string, sequence?: string, meetMs = 0): Promise<void> {
    const sign = join(this.folder, `in-${kind}-${name}`);
    closeSync(openSync(sign, 'wx'));
    this.note('seen', this.signs().sort().join(' '));
    if (sequence !== undefined) this.note('order', sequence);
    await sleep(4);
    const until = performance.now() + meetMs;
    const isWaiting = (): boolean => this.signs().length < 2 && !this.lines('seen').some((line) => line.includes(' '));
    while (performance.now() < until && isWaiting()) await sleep(10);
    unlinkSync(sign);
  }
  /** Both of ours take it at once, when in all that was played no two met: chance may have kept them apart, and nothing else. */
  async meet(kind: string, take: (client: Client, name: string) => Promise<Hold>): Promise<void> {
    if (this.lines('seen').some((line) => line.includes(' '))) return;
    const holds = await Promise.all(this.clients.map((client, n) => take(client, `z${n + 1}`)));
    for (const n of holds.keys()) closeSync(openSync(join(this.folder, `in-${kind}-z${n + 1}`), 'wx'));
    this.note('seen', this.signs().sort().join(' '));
    for (const [n, hold] of holds.entries()) {
      unlinkSync(join(this.folder, `in-${kind}-z${n + 1}`));
      await hold.release();
    }
  }
  #run([program = '', ...args]: readonly string[]): Promise<void> {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    return new Promise((resolve, reject) => {
      child.on('close', (code) =>
        code === 0 ? resolve() : reject(new Error(`${args.join(' ')}: ended with ${code}`)),
      );
    });
  }
  /**
   * Both of theirs and both of ours, `rounds` each. The server is killed `kills` times meanwhile, whenever ours have done
   * another part of theirs.
   */
  async play(
    recipe: string,
    rounds: number,
    kills: number,
    ours: (client: Client, name: string, at: number) => Promise<void>,
  ): Promise<void> {
    let isOver = false;
    let isHurt = false;
    let done = 0;
    const all = Promise.all([
      ...this.#rivals(this.server.hosts, this.folder, recipe, rounds).map((words) => this.#run(words)),
      ...this.clients.map(async (client, n) => {
        for (let at = 0; at < rounds; at++) {
          // so that it is not over before the last kill
          while (at === rounds - 1 && kills > 0 && !isHurt) await sleep(5);
          await ours(client, `z${n + 1}`, at);
          done++;
        }
      }),
    ]).finally(() => {
      isOver = true;
    });
    const hurt = async (): Promise<void> => {
      while (!isOver && this.lines('began').length < 2) await sleep(20);
      for (let kill = 0; kill < kills; kill++) {
        const enough = (2 * rounds * (kill + 1)) / (kills + 1);
        while (!isOver && done < enough) await sleep(5);
        assert.ok(!isOver, `over before kill ${kill + 1}`);
        await this.server.kill('SIGKILL');
        await this.server.start();
      }
    };
    const hurting = hurt().finally(() => {
      isHurt = true;
    });
    await Promise.all([all, hurting]);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.server[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function held(scene: Scene, hold: Hold, kind: string, name: string, meetMs = 0): Promise<void> {
  await scene.inside(kind, name, hold.node.slice(-10), meetMs);
  await hold.release();
}
export const ascending = (lines: readonly string[]): void => assert.deepEqual(lines, [...lines].sort());
