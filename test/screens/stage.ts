/** A shell on a server of this process, its clock standing still, on which scenes are played. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../src/base/random.ts';
import type { Client } from '../../src/client/api.ts';
import { connect, fourLetterWord } from '../../src/client/connect.ts';
import { realClock } from '../../src/platform/clock.ts';
import { tcpDialer } from '../../src/platform/tcp.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import type { Output } from '../../src/shell/output.ts';
import type { Shell, Told } from '../../src/shell/shell.ts';
import type { ShellPorts } from '../../src/shell/shell-ports.ts';
import { inTime } from '../recipes/world.ts';
import { rig } from '../shell/rig.ts';
import { Mask } from './mask.ts';

/** When all scenes are played. */
export const NOW = Date.UTC(2026, 0, 2, 15, 4, 5);
const DAY = 86_400_000;

/** What a scene brings onto the screen, in order. */
export type Piece =
  | { readonly type: 'typed'; readonly text: string }
  | { readonly type: 'shown'; readonly output: Output }
  | { readonly type: 'written'; readonly text: string }
  | { readonly type: 'told'; readonly told: Told }
  | { readonly type: 'warned'; readonly text: string }
  | { readonly type: 'ended'; readonly status: number };

export interface Scene {
  /** What is typed, one line after the other; `{folder}` is a folder for files. */
  readonly lines: readonly string[];
  /** What is otherwise than usual. */
  readonly set?: (stage: Stage) => void | Promise<void>;
}

/** What is there while one scene is played. */
export interface Stage {
  readonly shell: Shell;
  readonly client: Client;
  readonly folder: string;
  readonly server: EmbeddedServer;
  readonly pieces: Piece[];
  /** Puts ports of the shell in place of the usual ones. */
  ports(ports: Partial<ShellPorts>): void;
  /** The shell's client does these things otherwise. */
  answers(changed: Partial<Client>): void;
  /** `performance.now` goes on by so many ms whenever it is asked. */
  tick(ms: number): void;
  /** `performance.now` is this, whoever else asks for it meanwhile. */
  clock(now: () => number): void;
}

/** Opens the stage, plays, and leaves the process as it was. */
export class Theatre implements AsyncDisposable {
  readonly #server: EmbeddedServer;
  readonly #folder: string;
  readonly #restore: () => void;
  /** Plants and clears, whatever a scene does to its own session. */
  readonly #hand: Client;
  static #now = NOW;
  #scenes = 0;

  private constructor(server: EmbeddedServer, hand: Client, folder: string, restore: () => void) {
    this.#server = server;
    this.#hand = hand;
    this.#folder = folder;
    this.#restore = restore;
  }

  static async open(): Promise<Theatre> {
    const now = Date.now;
    const { TZ } = process.env;
    process.env.TZ = 'UTC';
    Date.now = () => Theatre.#now;
    const folder = mkdtempSync(join(tmpdir(), 'zoosh-screens-'));
    const server = await startEmbedded({
      dataDir: join(folder, 'data'),
      settings: { '4lw.commands.whitelist': '*', maxClientCnxns: '0' },
      logLevel: 'error',
    });
    return new Theatre(server, await connect(server.connectString), folder, () => {
      Date.now = now;
      if (TZ === undefined) delete process.env.TZ;
      else process.env.TZ = TZ;
    });
  }

  /** Plays one scene on a tree that is always the same. */
  async play(scene: Scene): Promise<Piece[]> {
    const client = await connect(
      this.#server.connectString,
      {},
      { clock: realClock, dialer: tcpDialer, random: seededRandom(1) },
    );
    const folder = join(this.#folder, 'files');
    mkdirSync(folder, { recursive: true });
    const now = performance.now;
    const { fetch } = globalThis;
    // a server's clock never goes back: each scene has a day of its own
    const shift = ++this.#scenes * 10 * DAY;
    try {
      const base = await plant(this.#hand, client, async (before) => {
        Theatre.#now = NOW + shift - before;
        // the server looks at its clock when a change has come
        await this.#hand.create('/clock', null);
        await this.#hand.delete('/clock');
      });
      const stage = this.#stage(client, folder);
      await scene.set?.(stage);
      for (const typed of scene.lines) {
        const line = typed.replaceAll('{folder}', folder);
        stage.pieces.push({ type: 'typed', text: line });
        const status = await inTime(line, stage.shell.run(line, { line: 1 }));
        stage.shell.stopped = false;
        if (status !== 0) stage.pieces.push({ type: 'ended', status });
        stage.shell.lastStatus = 0;
      }
      return new Mask(base, this.#folder, NOW + shift, shift).value(stage.pieces);
    } finally {
      performance.now = now;
      globalThis.fetch = fetch;
      rmSync(folder, { recursive: true, force: true });
      await client.close();
      await clear(this.#hand, '/');
      await clear(this.#hand, '/zookeeper/quota');
    }
  }

  #stage(client: Client, folder: string): Stage {
    const pieces: Piece[] = [];
    let changed: Partial<Client> = {};
    const shown = new Proxy(client, {
      get(target, name) {
        const own = changed[name as keyof Client];
        if (own !== undefined) return own;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { shell } = rig(shown, {}, new Map(), {
      trash: join(folder, 'undo'),
      now: Date.now,
      server: this.#server.connectString,
    });
    // as a command would ask it, with the real network
    shell.ports.session.word = (word, options) => fourLetterWord(word, options);
    const ports = (others: Partial<ShellPorts>): void => void Object.assign(shell.ports, others);
    ports({
      show: (output) => void pieces.push({ type: 'shown', output }),
      redraw: (output) => void pieces.push({ type: 'shown', output }),
      tell: (told) => void pieces.push({ type: 'told', told }),
      warn: (text) => void pieces.push({ type: 'warned', text }),
      write: (bytes) => void pieces.push({ type: 'written', text: Buffer.from(bytes).toString() }),
      confirm: async () => {},
    });
    return {
      shell,
      client,
      folder,
      server: this.#server,
      pieces,
      ports,
      answers(others) {
        changed = { ...changed, ...others };
      },
      tick(ms) {
        let at = performance.now();
        performance.now = () => {
          at += ms;
          return at;
        };
      },
      clock(now) {
        performance.now = now;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#restore();
    await this.#hand.close();
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The tree of every scene; the zxid of its first node. */
async function plant(client: Client, owner: Client, clock: (before: number) => Promise<void>): Promise<bigint> {
  await clock(3 * DAY);
  const first = await client.create('/app', null);
  await client.create('/app/config', '{"level":"debug"}');
  await client.create('/app/empty', '');
  await client.create('/app/logo', Buffer.from('89504e470d0a1a0a0000000d4948445200000010', 'hex'));
  await client.create('/app/motd', 'Welcome to the machine.\nMind the gap.\n');
  await client.create('/app/workers', null);
  await client.create('/backup', null);
  await client.create('/backup/config', '{"level":"warn","pool":{"min":2,"max":16}}');
  await client.create('/jobs', null);
  await client.create('/jobs/nightly', null);
  await client.create('/secret', 'x', {
    acl: [{ scheme: 'digest', id: 'bob:0dPsx5mQh1wFvO4bRhC8UvEHjfc=', perms: 31 }],
  });
  await clock(65_000);
  await client.set('/app/config', '{"level":"info","pool":{"min":2,"max":16}}');
  for (const name of ['web1', 'web2'])
    await owner.create(`/app/workers/${name}`, `${name}:8080`, { mode: 'ephemeral' });
  await clock(0);
  return first.stat?.czxid ?? 0n;
}

/** Takes away all below, but what the server keeps for itself. */
async function clear(client: Client, path: string): Promise<void> {
  const children = await client.getChildren(path).then(
    ({ children }) => children,
    () => [],
  );
  for (const name of children) {
    const child = `${path === '/' ? '' : path}/${name}`;
    if (child === '/zookeeper') continue;
    await clear(client, child);
    await client.delete(child).catch(() => {});
  }
}

/** A file for a scene. */
export const fileFor = ({ folder }: Stage, name: string, text: string | Uint8Array): void =>
  writeFileSync(join(folder, name), text);
