/** The disk of a simulated member: what is durable, and what is under way and may be lost, cut short or done in a crash. */
import assert from 'node:assert/strict';
import type { Random } from '../../src/base/random.ts';
import {
  type ConfigAt,
  type Entry,
  follows,
  type Input,
  isBefore,
  isSame,
  isSameMark,
  type Mark,
  markOf,
  ORIGIN,
  type Position,
  type SeenAt,
} from '../../src/zab/types.ts';

/** The two things on the disk that are written side by side. */
export const LOG = 0;
export const IDENTITY = 1;
type File = typeof LOG | typeof IDENTITY;

interface Operation {
  /** Makes it durable; a crash may leave the first `share` of it (0 to 1) only. */
  readonly run: (share: number) => void;
  readonly done: Input;
}

/** Index of the last entry at or before `position` in a whole log, -1 when there is none. */
export function indexOf(log: readonly Entry[], position: Position): number {
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(position, log[middle] as Entry)) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

export type Copy = Pick<
  SimDisk,
  'incarnation' | 'accepted' | 'current' | 'base' | 'committed' | 'lines' | 'tags' | 'log'
>;

export class SimDisk {
  incarnation: string;
  tags: string[] = [];
  accepted: number;
  current: number;
  /** Every entry from the first on; those up to {@link base} stand for the snapshot's state. */
  log: Entry[];
  base: Mark = ORIGIN;
  committed: Position = ORIGIN;
  /** The server lines of the last start. */
  lines: string | undefined;
  /** What is left of the log is `log`; this is what it was, and how far it went. */
  damage: { readonly was: readonly Entry[]; readonly mayHaveAcked: Position } | undefined;
  /** An older state of this directory was put in its place. */
  isOldCopy = false;
  private staged: { readonly generation: number; log: Entry[]; readonly base: Mark } | undefined;
  private besideGeneration = -1;
  private installed = -1;
  private operations: [Operation[], Operation[]] = [[], []];
  /** Called after every change of what is durable. */
  changed: () => void = () => {};

  constructor(incarnation: string, log: readonly Entry[]) {
    this.incarnation = incarnation;
    this.log = [...log];
    this.accepted = this.last.epoch;
    this.current = this.last.epoch;
  }

  get last(): Mark {
    return this.log[this.log.length - 1] ?? ORIGIN;
  }
  holds(mark: Mark, index: number): boolean {
    const entry = this.log[index];
    return entry !== undefined && isSameMark(entry, mark);
  }

  append(generation: number, entries: readonly Entry[], committed: Position): void {
    const last = entries[entries.length - 1];
    assert.ok(last !== undefined);
    const beside = generation === this.besideGeneration;
    this.operations[LOG].push({
      run: (share) => {
        const { staged } = this;
        if (beside && staged?.generation !== generation && this.installed !== generation) return; // dropped meanwhile
        const into = staged?.generation === generation ? staged.log : this.log;
        const [head] = entries;
        assert.ok(head !== undefined && follows(into[into.length - 1] ?? ORIGIN, head), 'written after a gap');
        assert.ok(into !== this.log || this.damage === undefined, 'appended to a damaged log');
        const kept = entries.slice(0, Math.floor(entries.length * share));
        into.push(...kept);
        if (into === this.log && share === 1 && isBefore(this.committed, committed)) this.committed = committed;
      },
      done: { type: 'persisted', generation, upTo: { epoch: last.epoch, counter: last.counter } },
    });
  }
  truncate(generation: number, to: Mark): void {
    this.operations[LOG].push({
      run: (share) => {
        if (share < 1) return;
        assert.equal(this.damage, undefined, 'cut a damaged log');
        const at = indexOf(this.log, to);
        assert.ok(at === -1 ? isSame(to, ORIGIN) : isSameMark(this.log[at] as Entry, to), 'cut elsewhere');
        this.log.length = at + 1;
      },
      done: { type: 'truncated', generation },
    });
  }
  stage(generation: number, state: readonly Entry[], at: Mark): void {
    assert.ok(isSameMark(state[state.length - 1] ?? ORIGIN, at), 'a snapshot of another place');
    this.besideGeneration = generation;
    this.operations[LOG].push({
      run: (share) => {
        if (share === 1) this.staged = { generation, log: [...state], base: at };
      },
      done: { type: 'snapshotStaged', generation },
    });
  }
  storeEpochs(accepted: number, current: number, install: number | undefined): void {
    this.operations[IDENTITY].push({
      run: (share) => {
        if (share < 1) return;
        assert.ok(accepted >= this.accepted && current >= this.current && current <= accepted, 'an epoch went back');
        this.accepted = accepted;
        this.current = current;
        if (install === undefined) return;
        const { staged } = this;
        assert.ok(staged?.generation === install, 'installed what is not there');
        this.log = staged.log;
        this.base = staged.base;
        this.committed = staged.base;
        this.staged = undefined;
        this.installed = install;
        this.damage = undefined;
      },
      done: { type: 'epochsStored', accepted, current },
    });
  }
  dropStaged(generation: number): void {
    // what is under way for it goes with it
    const mine = (input: Input): boolean => 'generation' in input && input.generation === generation;
    this.operations[LOG] = this.operations[LOG].filter(({ done }, i) => i === 0 || !mine(done));
    if (this.staged?.generation === generation) this.staged = undefined;
  }
  /** A snapshot of the state at `at` becomes where loading starts. */
  takeSnapshot(at: Position): Mark {
    const index = indexOf(this.log, at);
    this.base = index < 0 ? ORIGIN : markOf(this.log[index] as Entry);
    if (isBefore(this.committed, this.base)) this.committed = this.base;
    return this.base;
  }

  pending(file: File): number {
    return this.operations[file].length;
  }
  /** The oldest operation on this file is done. */
  finish(file: File): Input | undefined {
    const operation = this.operations[file].shift();
    operation?.run(1);
    this.check();
    return operation?.done;
  }
  /** Power goes: of each write under way nothing, a part or all is there; of what waited behind it nothing. */
  crash(random: Random): void {
    for (const [first] of this.operations)
      if (first !== undefined && random.below(2) === 0) first.run(random.below(2) === 0 ? 1 : random.below(100) / 100);
    this.operations = [[], []];
    this.staged = undefined;
    this.check();
  }
  wipe(incarnation: string): void {
    this.incarnation = incarnation;
    this.tags = [];
    this.accepted = 0;
    this.current = 0;
    this.log = [];
    this.base = ORIGIN;
    this.committed = ORIGIN;
    this.lines = undefined;
    this.damage = undefined;
    this.isOldCopy = false;
    this.check();
  }
  /** Only the first `intact` entries can still be read. A snapshot that lies beyond them is gone too. */
  harm(intact: number): void {
    const was = this.log;
    const mayHaveAcked = this.last;
    this.log = was.slice(0, intact);
    if (isBefore(this.last, this.base)) this.base = ORIGIN;
    if (isBefore(this.last, this.committed)) this.committed = this.last;
    this.damage = { was, mayHaveAcked };
    this.check();
  }
  /** A copy of the directory, for {@link restore}. */
  copy(): Copy {
    const { incarnation, accepted, current, base, committed, lines } = this;
    return { incarnation, accepted, current, base, committed, lines, tags: [...this.tags], log: [...this.log] };
  }
  restore(copy: Copy): void {
    Object.assign(this, copy, { tags: [...copy.tags], log: [...copy.log] });
    this.isOldCopy = true;
    this.check();
  }
  private check(): void {
    assert.ok(this.current <= this.accepted, 'currentEpoch above acceptedEpoch on disk');
    assert.ok(this.last.epoch <= this.accepted, 'an epoch in the log that was never accepted');
    this.changed();
  }

  /** What is read at a start. */
  load(): { recent: Entry[]; configs: ConfigAt[]; seen: SeenAt[] } {
    const configs: ConfigAt[] = [];
    const seen: SeenAt[] = [];
    for (const entry of this.log) {
      if (entry.note?.type === 'config') configs.push({ at: markOf(entry), config: entry.note.config });
      if (entry.note?.type === 'seen') {
        const { sid, incarnation, tag } = entry.note;
        seen.push({ at: markOf(entry), sid, incarnation, tag });
      }
    }
    return { recent: this.log.slice(indexOf(this.log, this.base) + 1), configs, seen };
  }
}
