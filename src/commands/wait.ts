import { KeeperError } from '../base/errors.ts';
import type { Client, Stat } from '../client/api.ts';
import { command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import { matcher } from '../shell/glob.ts';
import type { Output } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';
import { plural, showDuration } from '../shell/units.ts';

/** Until a node is as it should be. */
export default command({
  name: 'wait',
  group: 'watch',
  about: 'wait until a node is as it should be',
  risk: 'read',
  params: {
    path: { kind: 'path', about: 'the node; need not exist' },
    exists: { kind: 'flag', long: '--exists', about: 'until it is there (default)' },
    gone: { kind: 'flag', long: '--gone', about: 'until it is not there' },
    changed: { kind: 'flag', long: '--changed', about: 'until its data is written, or it goes or comes' },
    data: { kind: 'text', long: '--data', about: 'until its data matches this pattern', placeholder: 'GLOB' },
    children: { kind: 'number', long: '--children', about: 'until it has so many children', placeholder: 'N' },
    version: { kind: 'number', long: '--version', about: 'until it has at least this version', placeholder: 'N' },
    timeout: { kind: 'duration', long: '--timeout', about: 'give up after this' },
  },
  examples: [
    ['wait /app/ready', 'until it is there'],
    ['wait /app/workers --children 3 --timeout 30s', 'or 124 after 30s'],
    ['wait /app/state --data "*ready*"', 'until its data matches'],
  ],
  exits: [4, 5, 14, 124],
  async run(values, context): Promise<Output> {
    const { path, timeout } = values;
    const chosen = [values.exists, values.gone, values.changed, values.data, values.children, values.version].filter(
      (each) => each !== undefined && each !== false,
    );
    for (const each of [values.children, values.version])
      if (each !== undefined && each < 0) throw usage('wait: --children and --version must not be negative');
    if (chosen.length > 1) throw usage('wait: one of --exists --gone --changed --data --children --version');
    const client = await context.client();
    using lost = new Lost(client);
    const end = timeout === undefined ? undefined : performance.now() + timeout;
    let before: State | undefined;
    for (;;) {
      let hear = (): void => {};
      const heard = new Promise<void>((resolve, reject) => {
        hear = resolve;
        lost.listen(reject);
      });
      heard.catch(() => {}); // the look below may fail first
      // armed before it is looked at, so that nothing is missed in between
      const state = await look(
        client,
        path,
        values.children !== undefined,
        values.data !== undefined,
        hear,
        context.signal,
      );
      if (holds(state, values, before)) return answer(path, state);
      before ??= state;
      const late = (): Failure =>
        new Failure(124, 'TimedOut', `not within ${showDuration(timeout ?? 0)}: ${lacking(path, state, values)}`, {
          path,
        });
      await next(heard, end, late, context.signal);
    }
  },
});

const OVER = {
  expired: [5, 'SessionExpired', 'expired'],
  closed: [3, 'Closing', 'was closed'],
  authFailed: [4, 'AuthFailed', 'ended, since its credential was refused'],
} as const;

/** With its session the watches go, and say nothing. */
class Lost implements Disposable {
  readonly #off: () => void;
  #why: Failure | undefined;
  #tell = (_why: Failure): void => {};
  constructor(client: Client) {
    this.#off = client.on('state', ({ state }) => {
      const over = OVER[state as keyof typeof OVER];
      if (over === undefined) return;
      const [exit, code, what] = over;
      this.#why ??= new Failure(exit, code, `the session ${what}, and its watches`);
      this.#tell(this.#why);
    });
  }
  /** `tell` in place of whoever listened before. */
  listen(tell: (why: Failure) => void): void {
    this.#tell = tell;
    if (this.#why !== undefined) tell(this.#why);
  }
  [Symbol.dispose](): void {
    this.#off();
  }
}

interface State {
  readonly stat: Stat | undefined;
  readonly data: Buffer | null | undefined;
}

async function look(
  client: Client,
  path: string,
  children: boolean,
  data: boolean,
  watch: () => void,
  signal: AbortSignal,
): Promise<State> {
  try {
    if (children) return { stat: (await client.getChildren(path, { signal, watch })).stat, data: undefined };
    if (data) return await client.get(path, { signal, watch });
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
  }
  const stat = await client.exists(path, { signal, watch });
  // it came between the two requests: the watch on its existence is not the one that was asked for
  if (stat !== undefined && (children || data)) return look(client, path, children, data, watch, signal);
  return { stat, data: undefined };
}

interface Wishes {
  readonly gone: boolean;
  readonly changed: boolean;
  readonly data: string | undefined;
  readonly children: number | undefined;
  readonly version: number | undefined;
}

function holds({ stat, data }: State, wishes: Wishes, before: State | undefined): boolean {
  if (wishes.gone) return stat === undefined;
  if (wishes.changed)
    return before !== undefined && (stat?.mzxid !== before.stat?.mzxid || stat?.czxid !== before.stat?.czxid);
  if (stat === undefined) return false;
  if (wishes.children !== undefined) return stat.numChildren === wishes.children;
  if (wishes.version !== undefined) return stat.version >= wishes.version;
  if (wishes.data !== undefined) return matcher(wishes.data)(data?.toString() ?? '');
  return true;
}

/** How the node is, in place of what was waited for. */
function lacking(path: string, { stat }: State, { gone, changed, data, children, version }: Wishes): string {
  const name = quoteWord(path);
  if (gone) return `${name} is still there`;
  if (changed) return `${name} did not change`;
  if (stat === undefined) return `${name} does not exist`;
  if (children !== undefined) return `${name} has ${plural(stat.numChildren, 'child', 'children')}, not ${children}`;
  if (version !== undefined) return `${name} is version ${stat.version}, not ${version}`;
  return `the data of ${name} does not match ${data}`;
}

async function next(
  event: Promise<void>,
  end: number | undefined,
  late: () => Failure,
  signal: AbortSignal,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort = (): void => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    if (end !== undefined) timer = setTimeout(() => reject(late()), Math.max(0, end - performance.now()));
  });
  try {
    await Promise.race([event, stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** What the node is now: `PATH TAB VERSION TAB CHILDREN`, or `PATH TAB gone`, for pipes. */
const answer = (path: string, { stat }: State): Output => ({
  type: 'state',
  fields: stat === undefined ? [path, 'gone'] : [path, String(stat.version), String(stat.numChildren)],
  text:
    stat === undefined
      ? `${quoteWord(path)} is not there`
      : `${quoteWord(path)} is version ${stat.version}, ${plural(stat.numChildren, 'child', 'children')}`,
  json:
    stat === undefined
      ? { path, exists: false }
      : { path, exists: true, version: stat.version, children: stat.numChildren },
});
