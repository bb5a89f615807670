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
import { Members, STEADY } from '../e2e/members.ts';
import { ServerProcess } from '../e2e/process.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ApacheMembers } from './apache-members.ts';
import { ApacheProcess } from './apache-process.ts';

/** The other library: programs that do `rounds` of a recipe, with two clients together. */
export type Rivals = (hosts: string, folder: string, recipe: string, rounds: number) => readonly (readonly string[])[];

/** A server of which the clients know one address, through every kill; or three, and who leads them is killed. */
export interface Server extends AsyncDisposable {
  readonly hosts: string;
  /** Starts (again) on the same data; resolves when it serves. */
  start(): Promise<unknown>;
  kill(signal: NodeJS.Signals): Promise<unknown>;
}
// sessions of ours must live through a start of Java, however busy the machine is
const LINES = [`maxSessionTimeout=${2 * PATIENCE_MS}`, 'maxClientCnxns=0'];

class ThreeOfOurs implements Server {
  #members: Members | undefined;
  get hosts(): string {
    return this.#members?.hosts ?? '';
  }
  async start(): Promise<void> {
    this.#members ??= await Members.make({ voters: 3, lines: [...LINES, STEADY] });
    this.#members.startAll();
    await this.#members.serving();
  }
  async kill(signal: NodeJS.Signals): Promise<void> {
    await (await this.#members?.leader())?.kill(signal);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#members?.[Symbol.asyncDispose]();
  }
}

class ThreeOfApache implements Server {
  #members: ApacheMembers | undefined;
  #killed = 0;
  get hosts(): string {
    return this.#members?.all.map(({ port }) => `127.0.0.1:${port}`).join() ?? '';
  }
  async start(): Promise<void> {
    if (this.#members === undefined) {
      const lines = ['tickTime=500', 'syncLimit=60', 'admin.enableServer=false'];
      this.#members = await ApacheMembers.start(3, 0, [...lines, ...LINES]);
      return;
    }
    this.#members.launch(this.#killed);
    await this.#members.serving();
  }
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#members === undefined) return;
    this.#killed = await this.#members.leader();
    await this.#members.kill(this.#killed, signal);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#members?.[Symbol.asyncDispose]();
  }
}

/** `RECIPES_SERVER`: `zoosh` unless said, or `apache`, which is Debian's; `RECIPES_SERVERS`: 1 unless said, or 3. */
function serverOf(name: string, count: string): Server {
  assert.match(`${name} ${count}`, /^(zoosh|apache) [13]$/);
  if (count === '3') return name === 'apache' ? new ThreeOfApache() : new ThreeOfOurs();
  return name === 'apache' ? new ApacheProcess(LINES) : new ServerProcess(LINES, 'error');
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
    const server = serverOf(process.env.RECIPES_SERVER ?? 'zoosh', process.env.RECIPES_SERVERS ?? '1');
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
   * Both of theirs and both of ours, `rounds` each. The server, or the leader of three, is killed `kills` times
   * meanwhile, whenever ours have done another part of theirs.
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
    // each of ours may be at another server than who changed something last
    for (const client of this.clients) await client.sync('/');
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
