import { assert } from '../base/assert.ts';
import type { Config } from '../records/txns.ts';
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
  private entries: Entry[] = [];
  private configs: ConfigAt[];
  private seen: SeenAt[];
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
    this.entries = [...recent];
  }

  /** The end of the log, on the disk or not. */
  get last(): Mark {
    return this.entries[this.entries.length - 1] ?? this.base;
  }
  get isDurable(): boolean {
    return isSame(this.durable, this.last);
  }

  append(entry: Entry): void {
    assert(follows(this.last, entry), 'appended after a gap');
    this.entries.push(entry);
    const { note } = entry;
    if (note?.type === 'config') this.configs.push({ at: markOf(entry), config: note.config });
    if (note?.type === 'seen') {
      const { sid, incarnation, tag } = note;
      this.seen.push({ at: markOf(entry), sid, incarnation, tag });
    }
  }

  /** Index of the first entry beyond `position`. */
  private beyond(position: Position): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(position, this.entries[middle] as Entry)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
  /** The last mark at or before `position`; undefined when this part of the log does not reach back so far. */
  floor(position: Position): Mark | undefined {
    if (isBefore(position, this.base)) return undefined;
    return this.entries[this.beyond(position) - 1] ?? this.base;
  }
  /** The mark just before this one; undefined when it is not remembered. */
  before(mark: Position): Mark | undefined {
    const at = this.beyond(mark) - 1;
    return at < 0 ? undefined : (this.entries[at - 1] ?? this.base);
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
    this.entries.length = this.beyond(to);
    this.configs = this.configs.filter(({ at }) => !isBefore(to, at));
    this.seen = this.seen.filter(({ at }) => !isBefore(to, at));
    this.generation = generation;
  }

  commit(upTo: Position): boolean {
    if (!isBefore(this.committed, upTo)) return false;
    assert(!isBefore(this.last, upTo), 'committed what the log does not hold');
    this.committed = upTo;
    return true;
  }

  /** Forgets old entries beyond `remember` of them, never one that is not committed. */
  forget(remember: number): void {
    if (this.entries.length < 2 * remember) return; // now and then, many at once
    const cut = Math.min(this.entries.length - remember, this.beyond(this.committed));
    if (cut <= 0) return;
    this.base = markOf(this.entries[cut - 1] as Entry);
    this.entries = this.entries.slice(cut);
    const kept = this.configs.findLastIndex(({ at }) => !isBefore(this.committed, at));
    this.configs = this.configs.slice(Math.max(0, kept - 1));
    const latest = new Map(this.seen.map((each) => [`${each.sid} ${each.incarnation}`, each]));
    this.seen = this.seen.filter(
      (each) => isBefore(this.committed, each.at) || latest.get(`${each.sid} ${each.incarnation}`) === each,
    );
  }

  /** The last mark of each epoch, newest first: enough to find the last common record of two logs. */
  ends(): Mark[] {
    const ends: Mark[] = [];
    let next: Mark | undefined;
    for (let i = this.entries.length - 1; i >= 0 && ends.length < MOST_ENDS; i--) {
      const entry = this.entries[i] as Entry;
      if (next === undefined || next.epoch !== entry.epoch) ends.push(markOf(entry));
      next = entry;
    }
    if (ends.length < MOST_ENDS) ends.push(this.base);
    return ends;
  }

  /** The last config record and, unless that one is known committed, the one before it (foundations.md 13.7). */
  configsInForce(): readonly Config[] {
    const last = this.configs[this.configs.length - 1];
    if (last === undefined) return [];
    const before = this.configs[this.configs.length - 2];
    if (before === undefined || !isBefore(this.committed, last.at)) return [last.config];
    return [before.config, last.config];
  }
  /** The config in force for a place that is committed, and the first config record beyond it. */
  configsAt(committed: Position): { config: Config | undefined; next: ConfigAt | undefined } {
    const beyond = this.configs.findIndex(({ at }) => isBefore(committed, at));
    const known = beyond === -1 ? this.configs.length : beyond;
    return { config: this.configs[known - 1]?.config, next: this.configs[known] };
  }
  /** The last config record known committed. */
  committedConfig(): Mark | null {
    return this.configs.findLast(({ at }) => !isBefore(this.committed, at))?.at ?? null;
  }
  /** Another member knows that this config record is committed; if our log holds it, so do we. */
  learnCommitted(config: Mark | null): boolean {
    return config !== null && this.has(config) && this.commit(markOf(config));
  }
  /** True when some config record lists this voter under this incarnation. */
  lists({ sid, incarnation }: Voice): boolean {
    return this.configs.some(({ config }) =>
      config.members.some((each) => each.sid === sid && each.incarnation === incarnation),
    );
  }
  /** The boot tag that the log saw last of this member and incarnation. */
  lastSeen({ sid, incarnation }: Voice): string | undefined {
    return this.seen.findLast((each) => each.sid === sid && each.incarnation === incarnation)?.tag;
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
