import type { Clock } from '../ports/clock.ts';
import { DAMAGED } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { Logger } from './log.ts';

/** What was found damaged in this life of the process, and what became of it. Times are ms since 1970. */
export interface DamageNote {
  readonly at: number;
  /** What is damaged, and what is known of its extent: clauses. */
  readonly found: string;
  /** Undefined while it is not mended. */
  readonly mended: { readonly at: number; readonly how: string } | undefined;
}

/** The oldest go first: a disk that fails finds ever new ones. */
const KEPT = 50;

/** Remembers damage and repairs until the next start, for status. */
export class DamageNotes {
  private readonly clock: Clock;
  private notes: DamageNote[] = [];
  constructor(clock: Clock) {
    this.clock = clock;
  }
  get all(): readonly DamageNote[] {
    return this.notes;
  }
  found(what: string, how?: string): void {
    const at = this.clock.wall();
    const known = this.notes.some(({ found, mended }) => found === what && mended === undefined);
    if (known && how === undefined) return; // the same damage, met again at a reload
    const note = { at, found: what, mended: how === undefined ? undefined : { at, how } };
    this.notes = [...this.notes, note].slice(-KEPT);
  }
  /** Everything that is open, or only that of which `which` says so. */
  mended(how: string, which: (found: string) => boolean = () => true): void {
    const at = this.clock.wall();
    this.notes = this.notes.map((note) =>
      note.mended === undefined && which(note.found) ? { ...note, mended: { at, how } } : note,
    );
  }
}

/** What a storage that was just opened says of itself, into the log and into `damage`. */
export function noteDamage(storage: Storage, damage: DamageNotes, logger: Logger): void {
  const sentences = storage.damage?.sentences ?? [];
  for (const note of storage.notes) {
    if (sentences.includes(note)) continue;
    logger.warn(note);
    if (note.startsWith(DAMAGED)) damage.found(note, 'something else stands in for it');
  }
  // what made it load its files again turned out not to be needed
  if (storage.damage === undefined) return damage.mended('a snapshot stands in for it');
  const what = sentences.join('; ');
  logger.error(`${what}; this member is given it again by the leader and serves nobody until then`);
  damage.found(what);
}
