import type { Config, Member } from '../records/txns.ts';

/** The server lines of zoo.cfg, as far as they may change who is a member (foundations.md 13.14). */
export interface ServerLines {
  /** A hash of the lines of the last start, from the identity record; undefined in a directory that never kept any. */
  readonly stored: string | undefined;
  /** The same hash of the present lines, and the members they list. Incarnations in them are void. */
  readonly now: string;
  readonly members: readonly Member[];
  /** zoo.cfg may change members: reconfigEnabled=false. A server alone adds the members of its zoo.cfg in any case. */
  readonly govern: boolean;
}

/** What a person sees of the members: two lists that agree here differ in incarnations at most. */
export function outlineOf(members: readonly Member[]): string {
  const rows = members.map(({ sid, role, addresses, client, group, weight }) => ({
    sid,
    row: [sid, role, addresses, client, group ?? 0, weight ?? 1],
  }));
  rows.sort((a, b) => a.sid - b.sid);
  return JSON.stringify(rows.map(({ row }) => row));
}

/**
 * Lines that this member would propose if it led: those of a zoo.cfg that was changed, until a config equal to them or any
 * later change of members is in force. An admission changes no members.
 */
export class PendingLines {
  readonly members: readonly Member[];
  private readonly wanted: string;
  private readonly before: string | undefined;
  private readonly changed: boolean;
  private readonly mayPropose: boolean;
  private settled = false;

  /** `config` is the one in force at the start, `alone` that this member is a quorum of one by it. */
  constructor(lines: ServerLines, config: Config | undefined, alone: boolean) {
    const { stored, now, members, govern } = lines;
    this.members = members;
    this.wanted = outlineOf(members);
    this.before = config === undefined ? undefined : outlineOf(config.members);
    this.changed = stored !== now;
    this.mayPropose = (govern && stored !== undefined && this.changed) || (alone && members.length > 1);
  }

  /** A config is in force for good; true when that settles the lines and they are to be stored. */
  inForce(config: Config): boolean {
    if (this.settled) return false;
    const outline = outlineOf(config.members);
    this.settled = outline === this.wanted || outline !== this.before;
    return this.settled && this.changed;
  }
  /** A leader proposes them. */
  get arePending(): boolean {
    return this.mayPropose && !this.settled;
  }
}
