/** Kinds of faults, named as in reliability.md 2. */
export const FAULT_KINDS = [
  'disk.lost_unsynced',
  'disk.bitrot',
  'disk.misdirected_write',
  'disk.misdirected_read',
  'disk.write_eio',
  'disk.read_eio',
  'disk.fsync_eio',
  'disk.enospc',
  'disk.emfile',
  'disk.slow',
  'disk.wiped',
  'disk.rolled_back',
  'disk.missing_log',
  'net.partition_full',
  'net.partition_one',
  'net.partition_bridge',
  'net.partition_asym',
  'net.partition_channel',
  'net.slow_link',
  'net.half_open',
  'net.reset',
  'net.fragment',
  'net.client_cut',
  'proc.crash',
  'proc.down',
  'proc.crash_call',
  'proc.crash_all',
  'proc.crash_loop',
  'proc.pause',
  'proc.graceful',
  'clock.wall_jump',
  'clock.mono_drift',
  'load.burst',
  'op.reconfig',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What a run reached, counted: a run that reached nothing proves nothing (reliability.md 6.6). */
export class Coverage {
  readonly injected = new Map<FaultKind, number>();
  readonly effective = new Map<FaultKind, number>();
  readonly marks = new Map<string, number>();

  inject(kind: FaultKind): void {
    this.injected.set(kind, (this.injected.get(kind) ?? 0) + 1);
  }
  /** It met code that had to handle it. */
  tell(kind: FaultKind, times = 1): void {
    if (times > 0) this.effective.set(kind, (this.effective.get(kind) ?? 0) + times);
  }
  reach(mark: string, times = 1): void {
    if (times > 0) this.marks.set(mark, (this.marks.get(mark) ?? 0) + times);
  }
  add(other: CoverageRecord): void {
    for (const [kind, count] of Object.entries(other.injected))
      this.injected.set(kind as FaultKind, (this.injected.get(kind as FaultKind) ?? 0) + count);
    for (const [kind, count] of Object.entries(other.effective)) this.tell(kind as FaultKind, count);
    for (const [mark, count] of Object.entries(other.marks)) this.reach(mark, count);
  }
  record(): CoverageRecord {
    return {
      injected: Object.fromEntries(this.injected),
      effective: Object.fromEntries(this.effective),
      marks: Object.fromEntries(this.marks),
    };
  }
}
export interface CoverageRecord {
  readonly injected: Readonly<Record<string, number>>;
  readonly effective: Readonly<Record<string, number>>;
  readonly marks: Readonly<Record<string, number>>;
}
