import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { realClock } from '../../src/platform/clock.ts';
import { tcpDialer } from '../../src/platform/tcp.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Connection, ConnectionHandler, Dialer, DialOptions } from '../../src/ports/network.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { PATIENCE_MS } from '../patience.ts';

/** So long between two looks at the clock, ms: this process stood still. A server begins every session anew then. */
const STILL_MS = 300;
const LOOK_MS = 50;
let [lookedAt, stoodMs] = [realClock.monotonic(), 0];
/** Monotonic ms without those in which this process stood still: no client takes its server for silent by them. */
function ranMs(): number {
  const now = realClock.monotonic();
  if (now - lookedAt > STILL_MS) stoodMs += now - lookedAt;
  lookedAt = now;
  return now - stoodMs;
}

/** A network and a clock that can be hurt, between one client and its server. */
export class Wire implements Dialer {
  /** Writes of the client so far. */
  writes = 0;
  /**
   * The write before which (`unsent`) or after which (`unanswered`) the connection breaks; counted as `writes`. `forGood`:
   * it goes silent instead, for ever, so that the session expires.
   */
  cut: { readonly at: number; readonly how: 'unsent' | 'unanswered'; readonly forGood?: boolean } | undefined;
  cuts = 0;
  /** Nothing comes or goes, and nothing is told: a cable pulled out. */
  silent = false;
  /** The process does not run: neither what arrives nor timers are looked at. */
  #frozen: (() => void)[] | undefined;
  readonly #open = new Set<() => void>();

  readonly clock: Clock = {
    monotonic: ranMs,
    wall: realClock.wall,
    after: (ms, run) => {
      let isOff = false;
      const timer = realClock.after(ms, () => this.#soon(() => (isOff ? undefined : run())));
      return {
        [Symbol.dispose]() {
          isOff = true;
          timer[Symbol.dispose]();
        },
      };
    },
  };

  freeze(): void {
    this.#frozen = [];
  }
  thaw(): void {
    const due = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const run of due) run();
  }
  #soon(run: () => void): void {
    if (this.#frozen === undefined) run();
    else this.#frozen.push(run);
  }
  /** Breaks what is connected. */
  break(): void {
    for (const close of [...this.#open]) close();
  }

  async dial(options: DialOptions, handler: ConnectionHandler, signal?: AbortSignal): Promise<Connection> {
    if (this.silent) await sleep(options.timeoutMs, undefined, { ref: false });
    let isDeaf = false;
    let isGone = false;
    const gone = (error?: Error): void => {
      if (isGone) return;
      isGone = true;
      this.#open.delete(close);
      this.#soon(() => handler.closed(error));
    };
    const inner = await tcpDialer.dial(
      options,
      {
        data: (bytes) => {
          if (isDeaf || this.silent) return;
          const copy = Buffer.from(bytes);
          this.#soon(() => {
            if (!isGone) handler.data(copy);
          });
        },
        drained: () => handler.drained?.(),
        closed: gone,
      },
      signal,
    );
    const close = (): void => {
      gone(new Error('cut'));
      inner.destroy();
    };
    this.#open.add(close);
    return {
      ...inner,
      destroy() {
        isGone = true;
        inner.destroy();
      },
      send: (bytes) => {
        if (this.silent) return true;
        const { cut } = this;
        const isHere = cut?.at === ++this.writes;
        if (!isHere) return inner.send(bytes);
        this.cuts++;
        if (cut?.forGood === true) {
          if (cut.how === 'unanswered') inner.send(bytes);
          this.silent = true;
        } else if (cut?.how === 'unsent') setImmediate(close);
        else {
          isDeaf = true;
          inner.send(bytes);
          setTimeout(close, 15); // the server has done it by then
        }
        return true;
      },
    };
  }
}

/** Of sessions that are to expire, ms. */
const EXPIRY_MS = 1000;
/** Of sessions that are not to. */
export const PATIENT_MS = 30_000;

export type Wired = Client & { readonly wire: Wire };

/** A server with short ticks, and clients on wires of their own. */
export class World implements AsyncDisposable {
  readonly server: EmbeddedServer;
  readonly #clients: Wired[] = [];
  readonly #looks = setInterval(ranMs, LOOK_MS).unref();
  #seed = 1;
  private constructor(server: EmbeddedServer) {
    this.server = server;
  }
  static async open(settings: Readonly<Record<string, string>> = {}): Promise<World> {
    const all = { tickTime: '100', maxClientCnxns: '0', maxSessionTimeout: '60000', ...settings };
    return new World(await startEmbedded({ settings: all, logLevel: 'error' }));
  }
  /** For much at once, on a machine that is busy. */
  static openPatient(): Promise<World> {
    return World.open({ forceSync: 'no' });
  }
  /** Only sessions that are to end are short ones. */
  async client(timeoutMs = PATIENT_MS, wire = new Wire()): Promise<Wired> {
    const client = await connect(
      this.server.connectString,
      { timeoutMs, connectTimeoutMs: PATIENCE_MS },
      { clock: wire.clock, dialer: wire, random: seededRandom(this.#seed++) },
    );
    const wired = Object.assign(client, { wire });
    this.#clients.push(wired);
    return wired;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    // one that a failed test left without a network, or standing still, ends too
    for (const { wire } of this.#clients) {
      wire.thaw();
      wire.silent = false;
    }
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.server.stop();
    clearInterval(this.#looks);
  }
}

/** Waits until a fact holds; fails after `ms`, of which those that this process stood still do not count. */
export async function until(what: string, fact: () => boolean | Promise<boolean>, ms = PATIENCE_MS): Promise<void> {
  for (let waited = 0; waited < ms; waited += 5) {
    if (await fact()) return;
    await sleep(5);
  }
  assert.fail(`never: ${what}`);
}

/** Rejects when `work` takes longer than `ms`. */
export async function inTime<T>(what: string, work: Promise<T>, ms = PATIENCE_MS): Promise<T> {
  const late = new AbortController();
  try {
    return await Promise.race([
      work,
      sleep(ms, undefined, { signal: late.signal }).then(() => assert.fail(`not in ${ms} ms: ${what}`)),
    ]);
  } finally {
    late.abort();
  }
}

/**
 * Runs `story` again and again, each time with the connection cut at another of its writes, before it is sent or before it is
 * answered, until the story is over before the cut comes. How many cuts there were.
 */
export async function cutEverywhere(
  world: World,
  story: (client: Wired, what: string) => Promise<void>,
): Promise<number> {
  let cuts = 0;
  for (const how of ['unsent', 'unanswered'] as const)
    for (let at = 1; ; at++) {
      const client = await world.client();
      const { wire } = client;
      wire.cut = { at: wire.writes + at, how };
      const what = `${how} ${at}`;
      await inTime(what, story(client, what));
      await client.close();
      cuts += wire.cuts;
      if (wire.cuts === 0) break;
      assert.ok(at < 60, `${what}: the story has no end`);
    }
  return cuts;
}

/**
 * Runs `story` once for each of its writes, all side by side, each on a path and a client of its own: before that write is
 * sent, or answered, the network goes silent for good, so that the session expires. The story ends by itself, or fails with
 * an error that says so. `check` looks at what is left, through a client of its own. How many sessions expired.
 */
export async function expireEverywhere(
  world: World,
  folder: string,
  story: (client: Wired, path: string) => Promise<void>,
  check: (client: Client, path: string, what: string) => Promise<void>,
): Promise<number> {
  const probe = await world.client(PATIENT_MS);
  const before = probe.wire.writes;
  await inTime('the story', story(probe, `${folder}/probe`));
  const steps = probe.wire.writes - before;
  const looker = await world.client(PATIENT_MS);
  const ends = await Promise.all(
    (['unsent', 'unanswered'] as const).flatMap((how) =>
      Array.from({ length: steps }, async (_, at) => {
        const what = `${folder}, ${how} ${at + 1} of ${steps}`;
        const path = `${folder}/${how}-${at}`;
        const client = await world.client(EXPIRY_MS);
        const { wire } = client;
        wire.cut = { at: wire.writes + at + 1, how, forGood: true };
        await inTime(what, story(client, path)).catch((error: unknown) => {
          assert.match(String((error as { code?: unknown }).code), /^(SessionExpired|ConnectionLoss|Lost)$/, what);
        });
        wire.silent = true;
        await until(`${what}: it expires`, () => client.state === 'expired');
        await inTime(`${what}: what is left`, check(looker, path, what));
        return wire.cuts;
      }),
    ),
  );
  return ends.reduce((sum, each) => sum + each, 0);
}
