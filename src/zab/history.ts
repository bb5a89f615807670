import { assert } from '../base/assert.ts';
import type { Config } from '../records/txns.ts';
import { Entries } from './entries.ts';
import type { Voice } from './quorum.ts';
import {
  type ConfigAt,
  type Entry,
  follows,
  isBefore,
  isSame,
  isSameMark,
  type Mark,
  markOf,
  type Position,
  type SeenAt,
} from './types.ts';

/** How many entries are forgotten at once: after a snapshot that was awaited there may be millions, and others wait. */
const FORGET_AT_ONCE = 10_000;
/** How many epochs a learner tells the ends of; a log that differs further back is replaced whole. */
const MOST_ENDS = 16;

/** Where a history begins, and what its beginning is known to hold. */
export interface Beginning {
  readonly base: Mark;
  readonly configs: readonly ConfigAt[];
  readonly seen: readonly SeenAt[];
  readonly committed: Position;
  readonly durable: Position;
  readonly generation: number;
}

/** A log as zab sees it: its recent entries, how far it is on the disk and committed, and who counts by it. */
export class History {
  base: Mark;
  private readonly entries: Entries;
  private configs: ConfigAt[];
  private seen: SeenAt[];
  /** What {@link configsInForce} answered last, while it still holds. */
  private inForce: readonly Config[] | undefined;
  /** Notes were added since old ones were last forgotten. */
  private notesGrew = true;
  committed: Position;
  durable: Position;
  /** Changes with each cut; answers of the disk for an older one are void. */
  generation: number;

  constructor(from: Beginning, recent: readonly Entry[] = []) {
    this.base = markOf(from.base);
    this.configs = [...from.configs];
    this.seen = [...from.seen];
    this.committed = from.committed;
    this.durable = from.durable;
    this.generation = from.generation;
    this.entries = new Entries(recent);
  }

  /** The end of the log, on the disk or not. */
  get last(): Mark {
    return this.entries.last ?? this.base;
  }
  get isDurable(): boolean {
    return isSame(this.durable, this.last);
  }

  append(entry: Entry): void {
    assert(follows(this.last, entry), 'appended after a gap');
    this.entries.push(entry);
    const { note } = entry;
    if (note === undefined) return;
    this.notesGrew = true;
    this.inForce = undefined;
    if (note.type === 'config') this.configs.push({ at: markOf(entry), config: note.config });
    else {
      const { sid, incarnation, tag } = note;
      this.seen.push({ at: markOf(entry), sid, incarnation, tag });
    }
  }

  /** Index of the first entry beyond `position`. */
  private beyond(position: Position): number {
    // most questions are about the newest part
    let high = this.entries.length;
    let low = high;
    for (let step = 1; low > 0 && isBefore(position, this.entries.at(low - 1)); step *= 2) {
      high = low - 1;
      low = Math.max(0, low - step);
    }
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(position, this.entries.at(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
  /** The last mark at or before `position`; undefined when this part of the log does not reach back so far. */
  floor(position: Position): Mark | undefined {
    if (isBefore(position, this.base)) return undefined;
    const at = this.beyond(position) - 1;
    return at < 0 ? this.base : this.entries.at(at);
  }
  /** The mark just before this one; undefined when it is not remembered. */
  before(mark: Position): Mark | undefined {
    const at = this.beyond(mark) - 1;
    if (at < 0) return undefined;
    return at === 0 ? this.base : this.entries.at(at - 1);
  }
  has(mark: Mark): boolean {
    const floor = this.floor(mark);
    return floor !== undefined && isSameMark(floor, mark);
  }
  /** Entries beyond `position`, up to `end`. */
  between(position: Position, end: Position): readonly Entry[] {
    return this.entries.slice(this.beyond(position), this.beyond(end));
  }

  /** Ends the log at `to`, which it holds. What config and `seen` records said beyond it is void. */
  truncate(to: Mark, generation: number): void {
    assert(this.has(to), 'cut at a place that the log does not hold');
    assert(!isBefore(to, this.committed), 'cut what is committed');
    this.entries.cut(this.beyond(to));
    this.inForce = undefined;
    this.configs = this.configs.filter(({ at }) => !isBefore(to, at));
    this.seen = this.seen.filter(({ at }) => !isBefore(to, at));
    this.generation = generation;
  }

  commit(upTo: Position): boolean {
    if (!isBefore(this.committed, upTo)) return false;
    assert(!isBefore(this.last, upTo), 'committed what the log does not hold');
    this.committed = upTo;
    if (this.inForce?.length === 2) this.inForce = undefined;
    return true;
  }

  /** Forgets old entries beyond `count` of them or `bytes` in them, some at a time, never one that is not committed. */
  forget(count: number, bytes: number): void {
    const { entries, committed } = this;
    let last: Entry | undefined;
    for (let left = FORGET_AT_ONCE; left > 0; left--) {
      if ((entries.length <= count && entries.bytes <= bytes) || isBefore(committed, entries.at(0))) break;
      last = entries.dropFirst();
    }
    if (last !== undefined) this.base = markOf(last);
    if (this.notesGrew) this.forgetNotes();
  }
  /** Keeps the last two config records known committed and what comes after them, and the last `seen` of each directory. */
  private forgetNotes(): void {
    const { committed } = this;
    const kept = this.configs.findLastIndex(({ at }) => !isBefore(committed, at));
    this.configs = this.configs.slice(Math.max(0, kept - 1));
    const latest = new Map<string, SeenAt>();
    for (const each of this.seen)
      if (!isBefore(committed, each.at)) latest.set(`${each.sid} ${each.incarnation}`, each);
    this.seen = this.seen.filter(
      (each) => isBefore(committed, each.at) || latest.get(`${each.sid} ${each.incarnation}`) === each,
    );
    const open = (note: { readonly at: Position } | undefined): boolean =>
      note !== undefined && isBefore(committed, note.at);
    this.notesGrew = open(this.configs[this.configs.length - 1]) || open(this.seen[this.seen.length - 1]);
  }

  /** The last mark of each epoch, newest first: enough to find the last common record of two logs. */
  ends(): Mark[] {
    const ends: Mark[] = [];
    for (let i = this.entries.length - 1; i >= 0 && ends.length < MOST_ENDS; ) {
      const entry = this.entries.at(i);
      ends.push(markOf(entry));
      i = this.beyond({ epoch: entry.epoch, counter: 0 }) - 1;
    }
    if (ends.length < MOST_ENDS) ends.push(this.base);
    return ends;
  }

  /** The last config record and, unless that one is known committed, the one before it (foundations.md 13.7). */
  configsInForce(): readonly Config[] {
    this.inForce ??= this.findInForce();
    return this.inForce;
  }
  private findInForce(): readonly Config[] {
    const last = this.configs[this.configs.length - 1];
    if (last === undefined) return [];
    const before = this.configs[this.configs.length - 2];
    if (before === undefined || !isBefore(this.committed, last.at)) return [last.config];
    return [before.config, last.config];
  }
  /** The last config record, committed or not. */
  get lastConfig(): ConfigAt | undefined {
    return this.configs[this.configs.length - 1];
  }
  /** The config in force for a place that is committed, and the first config record beyond it. */
  configsAt(committed: Position): { config: Config | undefined; next: ConfigAt | undefined } {
    let known = this.configs.length;
    while (known > 0 && isBefore(committed, (this.configs[known - 1] as ConfigAt).at)) known--;
    return { config: this.configs[known - 1]?.config, next: this.configs[known] };
  }
  /** The last config record known committed. */
  committedConfig(): Mark | null {
    for (let i = this.configs.length - 1; i >= 0; i--) {
      const { at } = this.configs[i] as ConfigAt;
      if (!isBefore(this.committed, at)) return at;
    }
    return null;
  }
  /** Another member knows that this config record is committed; if our log holds it, so do we. */
  learnCommitted(config: Mark | null): boolean {
    return config !== null && this.has(config) && this.commit(markOf(config));
  }
  /**
   * True when a config record that is still known lists this member under this incarnation, as a voter or as an observer: who
   * observes by the last one may have counted by the one before.
   */
  lists({ sid, incarnation }: Voice): boolean {
    return this.configs.some(({ config }) =>
      config.members.some((each) => each.sid === sid && each.incarnation === incarnation),
    );
  }
  /**
   * True when a directory with these boot tags lacks the start that the log saw last of it: it is an old copy. One that knows of
   * all its starts that were seen up to `upTo` lacks none of them, though it keeps their tags no longer.
   */
  provesOld({ sid, incarnation }: Voice, tags: readonly string[], upTo: Position | undefined): boolean {
    const last = this.seen.findLast((each) => each.sid === sid && each.incarnation === incarnation);
    if (last === undefined || tags.includes(last.tag)) return false;
    return upTo === undefined || isBefore(upTo, last.at);
  }
  hasSeen(tag: string): boolean {
    return this.seen.some((each) => each.tag === tag);
  }
  /** What config and `seen` records say up to `at`. */
  known(at: Position): { configs: readonly ConfigAt[]; seen: readonly SeenAt[] } {
    return {
      configs: this.configs.filter((each) => !isBefore(at, each.at)),
      seen: this.seen.filter((each) => !isBefore(at, each.at)),
    };
  }
}
