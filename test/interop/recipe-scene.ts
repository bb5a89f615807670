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
import { type Client, connect, DoubleBarrier, Group, type Hold } from '../../src/index.ts';
import { Members, STEADY } from '../e2e/members.ts';
import { ServerProcess } from '../e2e/process.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ApacheMembers } from './apache-members.ts';
import { ApacheProcess } from './apache-process.ts';

/** A barrier and a group: all four come in each round. */
export const ROUNDS = 200;
/** Rounds in which the server is killed while ours wait for theirs, who come when it is back. */
const HELD = { enter: 66, leave: 133 } as const;
/** Rounds in which it is killed whatever all of them are at. */
const HURT = new Set([66, 133]);

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
  /** Until a file has so many lines of a round. */
  async told(file: string, at: number, count: number): Promise<void> {
    const isOf = (line: string): boolean => line === String(at) || line.startsWith(`${at} `);
    while (this.lines(file).filter(isOf).length < count) await sleep(5);
  }
  /** The server is killed and starts again when `is`; whoever waits for `mended` goes on then. */
  async #hurtWhen(is: () => Promise<boolean>, mended?: string): Promise<void> {
    while (!(await is())) await sleep(5);
    await this.server.kill('SIGKILL');
    await this.server.start();
    this.hurt++;
    if (mended !== undefined) this.note('mended', mended);
  }
  hurt = 0;

  /**
   * All four in and out again, {@link ROUNDS} times. The server is killed while ours wait for theirs to enter, and while they
   * wait for theirs to leave: then theirs are not there, which lose what they wait for with their connection.
   */
  async barriers(): Promise<void> {
    for (const [name, at] of Object.entries(HELD)) this.note('hold', `${name} ${at}`);
    const [watcher] = this.clients as [Client];
    const children = async (): Promise<readonly string[]> => (await watcher.getChildren('/barrier')).children;
    await this.play('barrier', ROUNDS, 0, async (client, name, at) => {
      const barrier = new DoubleBarrier(client, '/barrier', 4, { id: name });
      const meanwhile = (held: keyof typeof HELD, is: () => Promise<boolean>): Promise<void> =>
        name === 'z1' && at === HELD[held] ? this.#hurtWhen(is, `${held} ${at}`) : Promise.resolve();
      this.note('came', String(at));
      const came = meanwhile('enter', async () => (await children()).length === 2);
      await Promise.all([barrier.enter(), came]);
      this.note('entered', `${at} ${this.lines('came').filter((line) => line === String(at)).length}`);
      // one of theirs that has not noticed yet that all came would miss who leaves, and wait for ever
      await this.told('entered', at, 4);
      // the four and `ready`
      const left = meanwhile('leave', async () => (await children()).length < 5);
      await Promise.all([barrier.leave(), left]);
      this.note('left', String(at));
      await this.told('left', at, 4);
    });
    const entered = this.lines('entered');
    assert.equal(entered.length, 4 * ROUNDS);
    for (const line of entered) assert.match(line, /^\d+ 4$/);
    assert.equal(this.hurt, 2);
    assert.deepEqual(await children(), []);
  }

  /** All four join, see one another, and leave, {@link ROUNDS} times, the server killed twice. */
  async groups(recipe: 'party' | 'group', style: 'kazoo' | 'curator', all: string): Promise<void> {
    await this.play(recipe, ROUNDS, 0, async (client, name, at) => {
      const hurting = name === 'z1' && HURT.has(at) ? this.#hurtWhen(async () => true) : Promise.resolve();
      const group = new Group(client, `/${recipe}`, { style });
      const member = await group.join(name, 'here');
      while ((await group.members()).length < 4) await sleep(5);
      const seen = (await group.members()).map(({ id }) => id).sort();
      this.note(recipe, `${at} ${seen.join(' ')}`);
      await this.told(recipe, at, 4);
      await Promise.all([member.leave(), hurting]);
      this.note('left', String(at));
      await this.told('left', at, 4);
    });
    assert.equal(this.hurt, HURT.size);
    const wanted = Array.from({ length: ROUNDS }, (_, at) => Array.from({ length: 4 }, () => `${at} ${all}`)).flat();
    assert.deepEqual(this.lines(recipe), wanted);
    const [client] = this.clients as [Client];
    assert.deepEqual((await client.getChildren(`/${recipe}`)).children, []);
  }

  /** Each of ours was taken once, but for those that one of theirs deleted without hearing of it. `made`: how many ours put. */
  allTaken(made: number): void {
    const ours = this.lines('took').filter((line) => line.startsWith('z'));
    assert.equal(new Set(ours).size, ours.length, 'an item was taken twice');
    const known = new Set([...ours, ...this.lines('doubt')]);
    const missing = Array.from({ length: made }, (_, at) => `z${at}`).filter((item) => !known.has(item));
    assert.deepEqual(missing, [], 'nobody has them');
    console.log(`${made} items: ${ours.length} taken, ${this.lines('doubt').length} in doubt`);
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
