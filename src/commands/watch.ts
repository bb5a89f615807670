import type { EventType, WatchEvent } from '../client/api.ts';
import { type Arg, type CommandContext, command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import { matcher } from '../shell/glob.ts';
import { textOf } from '../shell/node-json.ts';
import type { EventLine, Output } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';
import { hex, plural, showCount, showDuration } from '../shell/units.ts';
import { type WatchTests, watchBehind } from './watch-behind.ts';
import { WatchQueue } from './watch-queue.ts';
import { readValue, WatchValues } from './watch-values.ts';

const KINDS = {
  created: 'NodeCreated',
  changed: 'NodeDataChanged',
  deleted: 'NodeDeleted',
  children: 'NodeChildrenChanged',
} as const satisfies Record<string, EventType>;
const nameOfKind = (type: EventType): string =>
  Object.entries(KINDS).find(([, each]) => each === type)?.[0] ?? 'removed';
/** Data beyond this does not go into an environment, bytes. */
const MOST_ENV = 100_000;

/** Events as they come. */
export default command({
  name: 'watch',
  group: 'watch',
  about: 'report changes of nodes as they come, or run a program for each',
  risk: 'read',
  params: {
    paths: { kind: 'path', about: 'nodes; need not exist', placeholder: 'PATH', globs: true, many: true },
    recursive: { kind: 'flag', short: '-R', about: 'and all below' },
    data: { kind: 'flag', short: '-d', about: 'only when a node comes, goes, or its data is written' },
    children: { kind: 'flag', short: '-c', about: 'only when children come or go' },
    follow: { kind: 'flag', short: '-f', about: 'go on until Ctrl-C; without it a script waits for one event' },
    count: { kind: 'number', long: '--count', about: 'go on until so many have come', placeholder: 'N' },
    until: {
      kind: 'text',
      long: '--until',
      about:
        'go on until an event of this kind: created, changed, deleted or children; or until data matches: data=GLOB',
      placeholder: 'EXPR',
    },
    timeout: { kind: 'duration', long: '--timeout', about: 'give up after this' },
    diff: { kind: 'flag', long: '--diff', about: 'what the data was and is, which children came and went' },
    quiet: { kind: 'flag', long: '--quiet', about: 'say nothing; the exit code answers' },
    // words after --; an option only so that any number of paths may stand before it
    run: { kind: 'text', long: '--run', about: 'a word of the program', many: true, hidden: true },
  },
  legacy: (args) => {
    const end = args.findIndex(({ text, quote }) => quote === 'none' && text === '--');
    if (end < 0) return args;
    const run: Arg = { text: '--run', quote: 'none' };
    return [...args.slice(0, end), ...args.slice(end + 1).flatMap((word) => [run, word])];
  },
  examples: [
    ['watch /app/config', 'one change, then on with the script; at the prompt above the line, until unwatch'],
    ['watch -R -f --diff /app', 'every change at and below /app with what it was'],
    ['watch -f /app/config -- ./reload.sh', 'a program for each change'],
    ['watch --until "data=*ready*" --timeout 30s /app/state', 'or 124 after 30s'],
  ],
  exits: [5, 25, 124, 126, 127],
  tail: '[-- CMD...]',
  notes: [
    'After -- stands a program that is run for each event, never two at once; what comes meanwhile counts as one. It finds',
    'ZOOSH_EVENT (created, changed, deleted, children), ZOOSH_TYPE, ZOOSH_PATH, ZOOSH_ZXID and, where there is a node, ZOOSH_VERSION and,',
    'when it is text, ZOOSH_DATA in its environment; the exit code is that of its last run.',
    'At the prompt watch returns at once and reports above the line what comes, until unwatch, --count, --until or --timeout ends it;',
    'with -f, --quiet or a program it holds the prompt until Ctrl-C.',
    'On servers before 3.6, which have no such watches, each of at most 1,000 nodes is watched on its own.',
  ],
  isEndless: ({ follow, count, until, timeout }) =>
    follow && count === undefined && until === undefined && timeout === undefined,
  async run(values, context): Promise<Output> {
    const { recursive, follow, count, until, timeout, diff, quiet, run } = values;
    if (count !== undefined && count < 1) throw usage('watch: --count is at least 1');
    const isOver = untilOf(until);
    const paths = recursive ? topmost(values.paths) : [...new Set(values.paths)];
    // what has the terminal or answers by its exit code is waited for
    if (context.interactive && !follow && !quiet && run.length === 0)
      return watchBehind(paths, { recursive, count, timeout, diff }, { wanted: wantedOf(values), isOver }, context);
    const client = await context.client();
    const late = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
    const signal = late === undefined ? context.signal : AbortSignal.any([context.signal, late]);
    await using queue = new WatchQueue(client, (line) => context.warn(line), wantedOf(values));
    const kept = diff ? new WatchValues(async () => client, context) : undefined;
    const most = count ?? (follow || until !== undefined ? Number.POSITIVE_INFINITY : 1);
    let [exit, seen] = [0, 0];
    try {
      for (const path of paths) {
        await queue.add(path, recursive, signal);
        await kept?.begin(path, recursive);
      }
      // at a prompt nothing else would say that it has begun
      if (context.interactive && !quiet && run.length === 0)
        context.warn(`watching ${paths.map(quoteWord).join(' ')}${recursive ? ' and below' : ''} until Ctrl-C`);
      while (seen < most) {
        const line = await queue.next(signal);
        // for a program what has come meanwhile is one with it, but the end is looked for in each
        const changed = run.length > 0 ? undefined : await withChange(line, quiet ? undefined : kept);
        if (changed === 'told') continue;
        const told = changed === undefined ? [line, ...queue.rest()] : [changed];
        seen += told.length;
        if (run.length > 0) {
          const { event } = told.at(-1) ?? line;
          exit = await (await context.start(run, await environmentOf(event, context))).ended;
          context.signal.throwIfAborted();
        } else if (!quiet) {
          context.show({ type: 'events', events: told });
          await context.drained();
        }
        if (await some(told, (each) => isOver(each, context))) break;
      }
    } catch (error) {
      if (late?.aborted === true && !context.signal.aborted) throw tooLate(paths, { until, most, seen }, timeout ?? 0);
      throw error;
    }
    return { type: 'many', parts: [], ...(run.length > 0 && { exit, program: run }) };
  },
});

/** What did not come, in so many ms. */
function tooLate(
  paths: readonly string[],
  { until, most, seen }: { readonly until: string | undefined; readonly most: number; readonly seen: number },
  limitMs: number,
): Failure {
  const limit = showDuration(limitMs);
  const what = ((): string => {
    if (until !== undefined) return `no event in ${limit} that fits --until ${until}`;
    if (seen === 0) return `no event in ${limit}`;
    if (!Number.isFinite(most)) return `the time limit of ${limit} was reached`;
    return `only ${showCount(seen)} of ${plural(most, 'event')} in ${limit}`;
  })();
  return new Failure(124, 'TimedOut', `${what}: ${paths.map(quoteWord).join(' ')}`, { path: paths[0] });
}

async function some<T>(all: readonly T[], test: (each: T) => Promise<boolean>): Promise<boolean> {
  for (const each of all) if (await test(each)) return true;
  return false;
}
async function withChange(line: EventLine, kept: WatchValues | undefined): Promise<EventLine | 'told'> {
  const change = await kept?.changeOf(line.event);
  return change === 'told' ? change : { ...line, ...(change !== undefined && { change }) };
}

/** A recursive watch tells of those below it, too. */
function topmost(paths: readonly string[]): string[] {
  const all = [...new Set(paths)];
  const isBelow = (path: string, top: string): boolean => path !== top && (top === '/' || path.startsWith(`${top}/`));
  return all.filter((path) => !all.some((top) => isBelow(path, top)));
}

/** Of a node itself, of its children, or both; below a recursive watch a child is told by its own creation. */
function wantedOf({ data, children, recursive }: { data: boolean; children: boolean; recursive: boolean }) {
  if (data === children) return () => true;
  const types: readonly EventType[] = data
    ? ['NodeCreated', 'NodeDataChanged', 'NodeDeleted']
    : recursive
      ? ['NodeCreated', 'NodeDeleted']
      : ['NodeChildrenChanged'];
  return ({ type }: WatchEvent): boolean => types.includes(type);
}

/** @throws Failure (2) */
function untilOf(text: string | undefined): WatchTests['isOver'] {
  if (text === undefined) return async () => false;
  const kind = Object.hasOwn(KINDS, text) ? KINDS[text as keyof typeof KINDS] : undefined;
  if (kind !== undefined) return async ({ event }) => event.type === kind;
  if (!text.startsWith('data='))
    throw usage(`watch: --until is created, changed, deleted, children or data=GLOB, not ${text}`);
  const matches = matcher(text.slice('data='.length));
  return async ({ event: { type, path }, change }, context) => {
    if (type === 'NodeDeleted') return false;
    // what was shown is what is looked at
    const value = change?.after ?? (await readValue(await context.client(), path, context.signal));
    return value !== undefined && matches(Buffer.from(value.data ?? []).toString());
  };
}

/** What the program is told of an event. */
async function environmentOf(
  { type, path, zxid }: WatchEvent,
  context: CommandContext,
): Promise<Record<string, string>> {
  const value = type === 'NodeDeleted' ? undefined : await readValue(await context.client(), path, context.signal);
  const text = value?.data != null && value.data.length <= MOST_ENV ? textOf(value.data) : undefined;
  return {
    ZOOSH_EVENT: nameOfKind(type),
    ZOOSH_TYPE: type,
    ZOOSH_PATH: path,
    ZOOSH_SERVER: context.session.target,
    ...(zxid !== undefined && { ZOOSH_ZXID: hex(zxid) }),
    ...(value !== undefined && { ZOOSH_VERSION: String(value.version) }),
    ...(text !== undefined && { ZOOSH_DATA: text }),
  };
}
