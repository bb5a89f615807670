import type { WatchEvent } from '../client/api.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { hex, plural } from '../shell/units.ts';
import {
  checkTimeout,
  failedAt,
  onTestGround,
  placesOf,
  serversOption,
  TEST_OPTIONS,
  type TestGround,
  type TestSession,
  targetOf,
  Waiter,
} from './test-ground.ts';

const ROOT = '/zk-smoketest';
const TIMEOUT_MS = 10_000;
const NAME = 'session_';

/** Whether an ensemble works, as zk-smoketest.py finds out. */
export default command({
  name: 'smoketest',
  group: 'admin',
  about: 'try whether every server takes sessions, ephemeral nodes and watches',
  risk: 'write',
  dryRun: false,
  removesOwn: true,
  params: {
    servers: serversOption('servers to try, a session with each; default those of the session'),
    timeout: {
      kind: 'duration',
      long: '--timeout',
      about: 'session timeout asked for, and how long events may take; default 10s',
    },
    root: {
      kind: 'newPath',
      long: '--root_znode',
      about: `made for the test, and removed; default ${ROOT}`,
      placeholder: 'PATH',
    },
    ...TEST_OPTIONS,
  },
  examples: [
    ['smoketest', 'each server of the session'],
    ['smoketest --timeout 30s -q', 'slow ones, and only the last line'],
    ['smoketest -v --root_znode /app/smoketest', 'every event, and elsewhere'],
  ],
  exits: [1, 3, 5, 11, 14],
  notes: [
    'Each session makes an ephemeral node, finds and watches the nodes of all of them, then deletes its own; every session must hear of every',
    'deletion, in the order of the deletions. Two sessions try a single server. The exit code is 1 when a server fails that.',
    'What is made is removed again, also after a failure and on Ctrl-C. A root that was there must be empty, and stays.',
  ],
  async run({ servers, timeout, root = ROOT, quiet, verbose }, context): Promise<Output> {
    if (quiet && verbose) throw usage('smoketest: -q and -v exclude each other');
    const timeoutMs = checkTimeout('smoketest', timeout, TIMEOUT_MS);
    const named = placesOf(servers, await targetOf(context));
    // the nodes of others are what is watched
    const places = named.length === 1 ? [...named, ...named] : named;
    const isOwn = (name: string): boolean => name.startsWith(NAME);
    const found = await onTestGround({ places, timeoutMs, root, existing: 'whenEmpty', isOwn }, context, (ground) =>
      smoke(ground, {
        timeoutMs,
        context,
        say: (lines, entries = []) => context.show({ type: 'steps', lines: quiet ? [] : lines, entries }),
        more: (line) => verbose && !quiet && context.show({ type: 'steps', lines: [line], entries: [] }),
      }),
    );
    const json = { test: 'smoke', successful: true };
    return { type: 'steps', lines: ['Smoke test successful'], entries: [json], json: { ...json, sessions: found } };
  },
});

interface SmokeOptions {
  readonly timeoutMs: number;
  readonly context: CommandContext;
  say(lines: readonly string[], entries?: readonly unknown[]): void;
  /** What only -v shows. */
  more(line: string): void;
}

/** What one session found. */
interface Found {
  readonly server: string;
  readonly session: string;
  readonly openMs: number;
  readonly watches: number;
  /** From the first deletion until it had heard of the last. */
  readonly eventsMs: number;
}

async function smoke(ground: TestGround, options: SmokeOptions): Promise<Found[]> {
  const { context, say, more } = options;
  const { signal } = context;
  const { sessions } = ground;
  const names = sessions.map((_session, at) => NAME + at);
  /** A step of one session; what a server refuses is told with its name. */
  const at = async <T>({ server }: TestSession, during: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw signal.aborted ? signal.reason : failedAt(server, during, error);
    }
  };
  for (const [number, session] of sessions.entries()) {
    const { server, client, openMs } = session;
    const path = ground.pathOf(names[number] as string);
    const made = await at(session, 'create', client.create(path, '', { mode: 'ephemeral', signal }));
    if (made.path !== path) throw failed(session, `made ${made.path} instead of ${path}`);
    const id = hex(client.sessionId);
    say([`${server}  session ${id} in ${ms(openMs)}, ephemeral node ${path}`]);
  }
  const heard = sessions.map(
    (session) =>
      new Heard(
        session,
        names.map((name) => ground.pathOf(name)),
        more,
      ),
  );
  for (const [number, session] of sessions.entries()) {
    const { client, server } = session;
    await at(session, 'sync', client.sync(ground.base, { signal }));
    const { children } = await at(session, 'ls', client.getChildren(ground.base, { signal }));
    const missing = names.filter((name) => !children.includes(name));
    if (missing.length > 0) throw failed(session, `sees no ${missing.join(', ')} below ${ground.base}`);
    for (const name of names) {
      const path = ground.pathOf(name);
      const watch = (heard[number] as Heard).listener;
      const { stat } = await at(session, 'get', client.get(path, { watch, signal }));
      const owner = sessions[names.indexOf(name)]?.client.sessionId;
      if (stat.ephemeralOwner !== owner)
        throw failed(session, `says ${path} is of session ${hex(stat.ephemeralOwner)}, not ${hex(owner ?? 0n)}`);
    }
    say([`${server}  sees and watches ${plural(names.length, 'node')}`]);
  }
  const began = performance.now();
  for (const each of heard) each.began = began;
  for (const [number, session] of sessions.entries())
    await at(session, 'delete', session.client.delete(ground.pathOf(names[number] as string), -1, { signal }));
  const found: Found[] = [];
  for (const [number, session] of sessions.entries()) {
    const { server, client, openMs } = session;
    await at(session, 'sync', client.sync(ground.base, { signal }));
    const eventsMs = await (heard[number] as Heard).all(options);
    const { children } = await at(session, 'ls', client.getChildren(ground.base, { signal }));
    const still = names.filter((name) => children.includes(name));
    if (still.length > 0) throw failed(session, `still sees ${still.join(', ')} after the deletion`);
    const one = {
      server,
      session: hex(client.sessionId),
      openMs: digits(openMs),
      watches: names.length,
      eventsMs: digits(eventsMs),
    };
    found.push(one);
    say([`${server}  heard of ${plural(names.length, 'deletion')}, in order, in ${ms(eventsMs)}`], [one]);
  }
  return found;
}

/** What a session is told by its watches. */
class Heard {
  readonly listener = (event: WatchEvent): void => this.#hear(event);
  /** When the first node was deleted. */
  began = 0;
  readonly #session: TestSession;
  readonly #wanted: readonly string[];
  readonly #more: (line: string) => void;
  readonly #events: WatchEvent[] = [];
  #lastMs = 0;
  readonly #waiter = new Waiter();

  /** `wanted`: paths of nodes in the order in which they will be deleted. */
  constructor(session: TestSession, wanted: readonly string[], more: (line: string) => void) {
    this.#session = session;
    this.#wanted = wanted;
    this.#more = more;
  }

  #hear(event: WatchEvent): void {
    this.#lastMs = performance.now() - this.began;
    this.#events.push(event);
    this.#more(`${this.#session.server}  ${event.type} ${event.path} after ${ms(this.#lastMs)}`);
    this.#waiter.wake();
  }

  /** How long it took, ms. @throws Failure (1) when an event is missing, wrong or out of order */
  async all({ timeoutMs, context: { signal } }: SmokeOptions): Promise<number> {
    await this.#waiter.until(() => this.#events.length >= this.#wanted.length, timeoutMs, this.#session.client, signal);
    for (const [at, path] of this.#wanted.entries()) {
      const event = this.#events[at];
      if (event === undefined)
        throw failed(
          this.#session,
          `told of ${this.#events.length} of ${plural(this.#wanted.length, 'deletion')} within ${ms(timeoutMs)}`,
        );
      if (event.type !== 'NodeDeleted' || event.path !== path)
        throw failed(this.#session, `told of ${event.type} ${event.path} where NodeDeleted ${path} comes next`);
    }
    return this.#lastMs;
  }
}

const failed = ({ server }: TestSession, what: string): Failure =>
  new Failure(1, 'SmokeTestFailed', `smoke test failed: ${server} ${what}`);
const digits = (value: number): number => Number(value.toFixed(3));
const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)}ms`;
