import { textWidth } from '../base/width.ts';
import type { WatchEvent } from '../client/api.ts';
import { dataJson } from '../shell/node-json.ts';
import type { EventChange, EventLine, NodeValue } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';
import { hex, plural, showCount } from '../shell/units.ts';
import { visibleLine } from './data.ts';
import { keyText, shortData } from './differences.ts';
import { fold, LEAST } from './fold.ts';
import { plainTheme, type Theme } from './theme.ts';

const KINDS: Readonly<Record<WatchEvent['type'], string>> = {
  NodeCreated: 'created ',
  NodeDeleted: 'deleted ',
  NodeDataChanged: 'changed ',
  NodeChildrenChanged: 'children',
  DataWatchRemoved: 'data watch removed',
  ChildWatchRemoved: 'child watch removed',
  PersistentWatchRemoved: 'watch removed',
};

/** `15:04:05` */
export const clock = (at: Date): string => at.toTimeString().slice(0, 8);

/** `15:04:05 changed  /app/config` */
export function eventLine(event: WatchEvent, at: Date, theme: Theme): string {
  const paint = event.type === 'NodeDeleted' ? theme.bad : event.type === 'NodeCreated' ? theme.good : theme.attention;
  return `${theme.dim(clock(at))} ${paint(KINDS[event.type])} ${quoteWord(event.path)}`;
}

/**
 * An event with what it changed: `15:04:05 changed  /app/config v0 -> v1  level: "info" -> "debug"`; that goes on below the
 * path where it does not fit into `width` cells.
 */
export function changeLines({ event, at, change }: EventLine, theme: Theme, width: number): string[] {
  const line = eventLine(event, new Date(at), theme);
  const told = change === undefined ? '' : visibleLine(changeText(change));
  if (told === '') return [line];
  const bare = eventLine(event, new Date(at), plainTheme(theme.ascii));
  if (textWidth(`${bare} ${told}`) <= width) return [`${line} ${told}`];
  const indent = Math.min(BELOW, Math.max(2, width - LEAST));
  return [line, ...fold(' '.repeat(indent) + told, width, indent)];
}
/** Under the path: what stands before it are the time and the word for what happened. */
const BELOW = '15:04:05 changed  '.length;

const MOST = 48;

/** What changed, in a few words; empty when nothing is known. */
export function changeText({ before, after, children }: EventChange): string {
  const words: string[] = [];
  if (children !== undefined) {
    const signed = [
      ...children.added.map((name) => `+${quoteWord(name)}`),
      ...children.removed.map((name) => `-${quoteWord(name)}`),
    ];
    const more = signed.length > 5 ? ` and ${showCount(signed.length - 5)} more` : '';
    words.push(`${signed.slice(0, 5).join(' ')}${more} (${showCount(children.count)} now)`.trim());
  }
  if (before !== undefined && after !== undefined)
    words.push(
      `v${before.version} -> v${after.version}  ${keyText(before.data, after.data, MOST) ?? pairText(before, after)}`,
    );
  else if (after !== undefined) words.push(`v${after.version}  ${shortData(after.data, 2 * MOST)}`);
  else if (before !== undefined) words.push(`was v${before.version}  ${shortData(before.data, 2 * MOST)}`);
  return words.join('  ');
}

const pairText = (before: NodeValue, after: NodeValue): string =>
  `${shortData(before.data, MOST)} -> ${shortData(after.data, MOST)}`;

/** An event with what it changed, for programs. */
export const changeJson = ({ event, at, change }: EventLine) => ({
  ...(JSON.parse(eventJson(event, new Date(at))) as object),
  ...(change?.before !== undefined && { old: valueJson(change.before) }),
  ...(change?.after !== undefined && { new: valueJson(change.after) }),
  ...(change?.children !== undefined && { children: change.children }),
});
const valueJson = ({ version, data }: NodeValue) => ({ version, ...dataJson(data) });

/** One line for programs. */
export const eventJson = (event: WatchEvent, at: Date): string =>
  JSON.stringify({
    time: at.toISOString(),
    type: event.type,
    state: 'SyncConnected',
    path: event.path,
    ...(event.zxid !== undefined && { zxid: hex(event.zxid) }),
  });

const PER_SECOND = 20;

/** Events of one watch that were not shown one by one. */
interface Folded {
  count: number;
  last: WatchEvent;
}

/**
 * Lets the first events of each second through and folds the rest into one line per watch and second, so that a storm
 * cannot bury the prompt.
 */
export class EventFolder {
  readonly #print: (line: string) => void;
  readonly #theme: Theme;
  readonly #watchOf: (path: string) => string;
  readonly #width: () => number;
  #second = 0;
  #shown = 0;
  #folded = new Map<string, Folded>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `watchOf`: where the watch stands that told of a path. */
  constructor(
    print: (line: string) => void,
    theme: Theme,
    watchOf: (path: string) => string = (path) => path,
    width = () => Number.POSITIVE_INFINITY,
  ) {
    this.#width = width;
    this.#print = print;
    this.#theme = theme;
    this.#watchOf = watchOf;
  }
  /** `watch`: where it stands, when that is known: several may tell of one path. */
  take(line: EventLine, watch = this.#watchOf(line.event.path)): void {
    const { event, at } = line;
    const second = Math.floor(at / 1000);
    if (second !== this.#second) {
      this.flush();
      this.#second = second;
      this.#shown = 0;
    }
    if (this.#shown < PER_SECOND) {
      this.#shown++;
      this.#print(changeLines(line, this.#theme, this.#width()).join('\n'));
      return;
    }
    const folded = this.#folded.get(watch);
    if (folded === undefined) this.#folded.set(watch, { count: 1, last: event });
    else {
      folded.count++;
      folded.last = event;
    }
    this.#timer ??= setTimeout(() => this.flush(), 1000);
  }
  /** Tells what was folded so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [watch, { count, last }] of this.#folded) {
      const where = watch === last.path ? '' : ` under ${quoteWord(watch)}`;
      this.#print(this.#theme.dim(`+${plural(count, 'event')}${where} (last: ${last.type} ${quoteWord(last.path)})`));
    }
    this.#folded = new Map();
  }
}
