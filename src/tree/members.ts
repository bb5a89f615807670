import type { PackReader, PackWriter } from '../records/pack.ts';
import { RecordError } from '../records/pack.ts';
import type { Config } from '../records/txns.ts';

/** A place in the history and the chain of hashes at it. `counter` is unsigned, the chain's halves are signed. */
export interface MarkAt {
  readonly epoch: number;
  readonly counter: number;
  readonly chainHi: number;
  readonly chainLo: number;
}
/** The last `seen` record of one incarnation of a member, and where it stands. */
export interface SeenTag {
  readonly at: { readonly epoch: number; readonly counter: number };
  readonly sid: number;
  readonly incarnation: string;
  readonly tag: string;
}

/** Incarnations whose last boot tag is kept; the longest unheard of goes first. */
export const MAX_SEEN = 256;

/**
 * What agreement needs of the log before a snapshot: where the last config record stands, `found` included, and under which
 * boot tag each incarnation was last seen (foundations.md 13.7, 13.9). Equal on all members, like the rest of the state.
 */
export class MemberNotes {
  /** Undefined before `found`. */
  configAt: MarkAt | undefined;
  private readonly tags = new Map<string, SeenTag>();

  /** The state goes on in another ensemble. */
  clear(): void {
    this.configAt = undefined;
    this.tags.clear();
  }
  /** In the order of the log. */
  seen(): SeenTag[] {
    return [...this.tags.values()];
  }
  note(seen: SeenTag): void {
    const key = `${seen.sid} ${seen.incarnation}`;
    this.tags.delete(key);
    this.tags.set(key, seen);
    if (this.tags.size > MAX_SEEN) this.tags.delete(this.tags.keys().next().value as string);
  }
  /** The record at this place has this chain. */
  chained(epoch: number, counter: number, chainHi: number, chainLo: number): void {
    const { configAt } = this;
    if (configAt?.epoch === epoch && configAt.counter === counter) this.configAt = { epoch, counter, chainHi, chainLo };
  }

  /** Two fields of a record. */
  write(to: PackWriter): void {
    const { configAt } = this;
    to.array(configAt === undefined ? 0 : 2);
    if (configAt !== undefined) {
      to.int64(configAt.epoch, configAt.counter | 0);
      to.int64(configAt.chainHi, configAt.chainLo);
    }
    to.array(this.tags.size * 4);
    for (const { at, sid, incarnation, tag } of this.tags.values()) {
      to.int64(at.epoch, at.counter | 0);
      to.int(sid);
      to.text(incarnation);
      to.text(tag);
    }
  }
  read(from: PackReader): void {
    const marks = from.array();
    if (marks !== 0 && marks !== 2) throw new RecordError(`a mark of ${marks} fields`);
    if (marks === 2) {
      const { epoch, counter } = readPosition(from);
      from.int64();
      this.configAt = { epoch, counter, chainHi: from.hi, chainLo: from.lo };
    }
    const fields = from.array();
    if (fields % 4 !== 0 || fields > MAX_SEEN * 4) throw new RecordError(`boot tags of ${fields} fields`);
    for (let i = 0; i < fields; i += 4) {
      const at = readPosition(from);
      this.note({ at, sid: from.int(), incarnation: from.text(), tag: from.text() });
    }
  }
}

function readPosition(from: PackReader): { epoch: number; counter: number } {
  from.int64();
  return { epoch: from.hi, counter: from.lo >>> 0 };
}

/** A config in an order of fields that no encoder decides, for digests. */
export function writeConfigFields(to: PackWriter, config: Config): void {
  to.text(String(config.maxTxnBytes));
  for (const { sid, role, incarnation, addresses, client, group, weight } of config.members) {
    to.int(sid);
    to.text(role);
    to.text(incarnation ?? '');
    to.text(addresses.join('|'));
    to.text(client ?? '');
    to.int(group ?? -1);
    to.int(weight ?? 1);
  }
}
