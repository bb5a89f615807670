import { Blocks } from '../base/blocks.ts';
import type { PackWriter } from '../records/pack.ts';
import { type Entry, entryOf } from '../records/peer-entries.ts';
import type { LogSink } from '../server/office.ts';

/** A leader's log: what its server proposes goes to the disk, and is kept for the others until the end of the turn. */
export class MemberLog implements LogSink {
  private readonly log: LogSink;
  private readonly blocks = new Blocks();
  private gathered: Entry[] = [];
  private to: PackWriter | undefined;

  constructor(log: LogSink) {
    this.log = log;
  }
  writer(): PackWriter {
    this.to = this.log.writer();
    return this.to;
  }
  commitEnvelope(start: number, hi: number, lo: number): void {
    const { bytes, at } = this.to as PackWriter;
    this.gathered.push(entryOf(this.blocks.copy(bytes, start, at)));
    this.log.commitEnvelope(start, hi, lo);
  }
  get isWaiting(): boolean {
    return this.gathered.length > 0;
  }
  /** What was proposed since the last time. */
  take(): readonly Entry[] {
    const { gathered } = this;
    if (gathered.length > 0) this.gathered = [];
    return gathered;
  }
}
