/** `watch` at the prompt: it tells above the line what comes, while other commands run. */
import type { WatchEvent } from '../client/api.ts';
import type { CommandContext } from '../shell/command.ts';
import type { EventChange, EventLine, Output } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';
import { plural } from '../shell/units.ts';
import { WatchValues } from './watch-values.ts';

/** Events that wait for a look at what they changed; those beyond are told without, so that a storm costs no reads. */
const MOST_LOOKS = 100;

export interface WatchWishes {
  readonly recursive: boolean;
  /** Ends after so many. */
  readonly count: number | undefined;
  /** Ends after so long, ms. */
  readonly timeout: number | undefined;
  readonly diff: boolean;
}
export interface WatchTests {
  readonly wanted: (event: WatchEvent) => boolean;
  /** Of an event, and of what it was told to have changed. */
  readonly isOver: (told: Pick<EventLine, 'event' | 'change'>, context: CommandContext) => Promise<boolean>;
}

/** Sets the watches and returns; they end with `unwatch`, or when the wishes say so. */
export async function watchBehind(
  paths: readonly string[],
  { recursive, count = Number.POSITIVE_INFINITY, timeout, diff }: WatchWishes,
  { wanted, isOver }: WatchTests,
  context: CommandContext,
): Promise<Output> {
  const { session } = context;
  const kept = diff ? new WatchValues(() => context.client(), context) : undefined;
  const ids: number[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let [left, waiting] = [count, 0];
  let work: Promise<void> = Promise.resolve();
  const named = (): string => `${ids.length === 1 ? 'watch' : 'watches'} ${ids.join(', ')}`;
  const end = async (why: string): Promise<void> => {
    if (left < 0) return;
    left = -1;
    clearTimeout(timer);
    const ended = await Promise.all(ids.map((id) => session.endWatch(id, listener)));
    if (ended.includes(true)) context.news(`${named()} ended: ${why}`);
  };
  const tell = async (event: WatchEvent): Promise<void> => {
    if (left <= 0) return;
    let change: EventChange | 'told' | undefined;
    // what cannot be read any more is told without
    if (waiting <= MOST_LOOKS) change = await kept?.changeOf(event).catch(() => undefined);
    if (change === 'told' || left <= 0) return;
    left--;
    context.watched(event, change, paths.length === 1 ? paths[0] : undefined);
    if (await isOver({ event, change }, context).catch(() => false)) await end('--until');
    else if (left === 0) await end(plural(count, 'event'));
  };
  const listener = (event: WatchEvent): void => {
    if (!wanted(event) && event.type !== 'PersistentWatchRemoved') return;
    waiting++;
    work = work.then(() => tell(event)).finally(() => waiting--);
  };
  for (const path of paths) ids.push(await session.addWatch(path, recursive, listener));
  if (kept !== undefined) {
    const looked = Promise.all(paths.map((path) => kept.begin(path, recursive)));
    work = looked.then(
      () => {},
      () => {},
    );
    try {
      await looked;
    } catch (error) {
      await Promise.all(ids.map((id) => session.endWatch(id, listener)));
      throw error;
    }
  }
  if (timeout !== undefined) timer = setTimeout(() => void end('--timeout'), timeout).unref();
  const text = `watching ${paths.map(quoteWord).join(' ')}${recursive ? ' and below' : ''} (${named()})`;
  return { type: 'done', text, json: { paths, recursive, ids } };
}
