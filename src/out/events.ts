import type { WatchEvent } from '../client/api.ts';
import { quoteWord } from '../shell/paths.ts';
import { hex } from '../shell/units.ts';
import type { Theme } from './theme.ts';

const KINDS: Readonly<Record<WatchEvent['type'], string>> = {
  NodeCreated: 'created ',
  NodeDeleted: 'deleted ',
  NodeDataChanged: 'changed ',
  NodeChildrenChanged: 'children',
  DataWatchRemoved: 'data watch removed',
  ChildWatchRemoved: 'child watch removed',
  PersistentWatchRemoved: 'watch removed',
};

const clock = (at: Date): string => at.toTimeString().slice(0, 8);

/** `15:04:05 changed  /app/config` */
export function eventLine(event: WatchEvent, at: Date, theme: Theme): string {
  const paint = event.type === 'NodeDeleted' ? theme.bad : event.type === 'NodeCreated' ? theme.good : theme.attention;
  return `${theme.dim(clock(at))} ${paint(KINDS[event.type])} ${quoteWord(event.path)}`;
}

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

/** Lets the first events of each second through and folds the rest into one line, so that a storm cannot bury the prompt. */
export class EventFolder {
  readonly #print: (line: string) => void;
  readonly #theme: Theme;
  #second = 0;
  #shown = 0;
  #folded = 0;
  #last: WatchEvent | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(print: (line: string) => void, theme: Theme) {
    this.#print = print;
    this.#theme = theme;
  }
  take(event: WatchEvent, at: Date): void {
    const second = Math.floor(at.getTime() / 1000);
    if (second !== this.#second) {
      this.flush();
      this.#second = second;
      this.#shown = 0;
    }
    if (this.#shown < PER_SECOND) {
      this.#shown++;
      this.#print(eventLine(event, at, this.#theme));
      return;
    }
    this.#folded++;
    this.#last = event;
    this.#timer ??= setTimeout(() => this.flush(), 1000);
  }
  /** Tells what was folded so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#folded === 0 || this.#last === undefined) return;
    this.#print(this.#theme.dim(`+${this.#folded} events (last: ${this.#last.type} ${quoteWord(this.#last.path)})`));
    this.#folded = 0;
  }
}
