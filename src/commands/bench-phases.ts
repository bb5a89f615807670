/** What is done to a server, phase by phase, and how long it took. */
import type { Client, WatchEvent } from '../client/api.ts';
import type { CommandContext } from '../shell/command.ts';
import { Failure } from '../shell/failure.ts';
import { showCount } from '../shell/units.ts';
import { percentiles } from './latency.ts';
import { failedAt, Waiter } from './test-ground.ts';

/** Requests on their way to one server where they are not sent one by one. */
const INFLIGHT = 1000;
/** Events that have not come after this will not come, ms. */
const EVENTS_MS = 60_000;

export interface PhaseOptions {
  /** Nodes in each phase. */
  readonly count: number;
  readonly data: Uint8Array;
  /** Watches on each node. */
  readonly multiple: number;
  /** One request after the other. */
  readonly isSynchronous: boolean;
  readonly pathOf: (at: number) => string;
}
/** How one phase went; times in ms. Of the events only their sum is known: they come with the answers to the deletions. */
export interface Phase {
  readonly phase: string;
  /** `created     100 permanent znodes`, as zk-latencies.py has it. */
  readonly line: string;
  readonly count: number;
  readonly ms: number;
  readonly percentiles?: ReturnType<typeof percentiles>;
}

/**
 * The eight phases, each told of when it has ended.
 * @throws Failure naming the server: of a refusal, of data that is not what was written (44), of events that do not come (124)
 */
export async function runPhases(
  server: string,
  client: Client,
  options: PhaseOptions,
  context: CommandContext,
  told: (phase: Phase) => void,
): Promise<void> {
  const { count, data, multiple, pathOf } = options;
  const { signal } = context;
  const wanted = Buffer.from(data);
  const events = new EventCounter(multiple);
  const phase = async (name: string, words: Words, each: (at: number) => Promise<unknown>, of = count) => {
    using progress = context.progress(`${server}: ${name}`);
    try {
      const { ms, times } = await timed(of, options.isSynchronous ? 1 : INFLIGHT, each, signal, (done) =>
        progress.update(done, of),
      );
      told({ phase: name, line: lineOf(words, of), count: of, ms, percentiles: percentiles(times) });
    } catch (error) {
      throw signal.aborted ? signal.reason : failedAt(server, name, error);
    }
  };
  const remove = (at: number): Promise<void> => client.delete(pathOf(at), -1, { signal });
  await phase('create permanent', ['created', ' permanent znodes'], (at) =>
    client.create(pathOf(at), data, { signal }),
  );
  await phase('set', ['set', '           znodes'], (at) => client.set(pathOf(at), data, -1, { signal }));
  await phase('get', ['get', '           znodes'], async (at) => {
    const found = await client.get(pathOf(at), { signal });
    if (found.data?.equals(wanted) !== true)
      throw new Failure(44, 'WrongData', `${server}: get: ${pathOf(at)} does not hold what was written to it`);
  });
  await phase('delete permanent', ['deleted', ' permanent znodes'], remove);
  await phase('create ephemeral', ['created', ' ephemeral znodes'], (at) =>
    client.create(pathOf(at), data, { mode: 'ephemeral', signal }),
  );
  await phase(
    'watch',
    ['watched', '           znodes'],
    async (at) => {
      const path = pathOf(at % count);
      const watch = events.listeners[Math.floor(at / count)] as (event: WatchEvent) => void;
      if ((await client.exists(path, { watch, signal })) === undefined)
        throw new Failure(10, 'NoNode', `${server}: watch: ${path} is gone, though nobody deleted it here`);
    },
    count * multiple,
  );
  await phase('delete ephemeral', ['deleted', ' ephemeral znodes'], remove);
  const began = performance.now();
  await events.all(count * multiple, server, client, context);
  const ms = performance.now() - began;
  const line = lineOf(['notif', '           watches'], count * multiple);
  told({ phase: 'notifications', line, count: count * multiple, ms });
}

type Words = readonly [verb: string, what: string];
const lineOf = ([verb, what]: Words, count: number): string => `${verb.padEnd(7)} ${String(count).padStart(7)}${what}`;

/** What a phase took, as zk-latencies.py says it: `... in   1234 ms (0.123400 ms/op 8103.7/sec)`. */
export function phaseLine({ line, count, ms }: Phase): string {
  const elapsed = `${line}  in ${String(Math.floor(ms)).padStart(6)} ms`;
  if (ms < 1) return `${elapsed} (included in prior)`;
  return `${elapsed} (${(ms / count).toFixed(6)} ms/op ${(count / (ms / 1000)).toFixed(1)}/sec)`;
}

/** Runs `work` so many times, so many at once, begun in order; how long each took, ms. Ends when all that began has ended. */
async function timed(
  count: number,
  inflight: number,
  work: (at: number) => Promise<unknown>,
  signal: AbortSignal,
  progressed: (done: number) => void,
): Promise<{ ms: number; times: number[] }> {
  const times: number[] = [];
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const began = performance.now();
  const one = async (): Promise<void> => {
    while (next < count && failure === undefined && !signal.aborted) {
      const at = next++;
      const from = performance.now();
      try {
        await work(at);
      } catch (error) {
        failure ??= { error };
        return;
      }
      times.push(performance.now() - from);
      progressed(times.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(inflight, count) }, one));
  const ms = performance.now() - began;
  signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
  return { ms, times };
}

/** Counts deletions that watches tell of; each listener hears of a node once. */
class EventCounter {
  readonly listeners: readonly ((event: WatchEvent) => void)[];
  #count = 0;
  readonly #waiter = new Waiter();

  constructor(multiple: number) {
    this.listeners = Array.from({ length: multiple }, () => ({ type }: WatchEvent) => {
      if (type === 'NodeDeleted') this.#count++;
      this.#waiter.wake();
    });
  }

  /** Resolves when so many have come. @throws Failure (124) when they do not, naming the server */
  async all(wanted: number, server: string, client: Client, { signal }: CommandContext): Promise<void> {
    await this.#waiter.until(() => this.#count >= wanted, EVENTS_MS, client, signal);
    if (this.#count !== wanted)
      throw new Failure(
        124,
        'EventsMissing',
        `${server}: notifications: ${showCount(this.#count)} of ${showCount(wanted)} events came within ${EVENTS_MS / 1000}s`,
      );
  }
}
