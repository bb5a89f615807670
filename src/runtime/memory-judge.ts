import { LimitJudge } from './limit-judge.ts';

/** Parts of the limit: from the first on nothing more is taken, below the second it is again. */
const FULL = 0.9;
const ROOM = 0.85;
const MIB = 1 << 20;
/** V8 counts three times its young half-space (16 MiB) as part of the limit; what lives on has no room there. */
const YOUNG = 48 * MIB;

/** What V8 uses, and may use, bytes. */
export interface Heap {
  readonly used_heap_size: number;
  readonly heap_size_limit: number;
}
/** What the judge has to say, a sentence; `full` when it changed. */
export interface Sentence {
  readonly text: string;
  readonly full?: boolean;
}

/** Of one kind of memory: says when a half and four fifths are used, when nothing more is to be taken, and when there is room again. */
export class MemoryJudge {
  private readonly near = new LimitJudge();
  private isFull = false;
  private readonly what: string;
  private readonly remedy: string;
  /** `what`: "V8's heap are in use", behind two numbers; `remedy`: a main clause. */
  constructor(what: string, remedy: string) {
    this.what = what;
    this.remedy = remedy;
  }
  get full(): boolean {
    return this.isFull;
  }
  /** Undefined when there is nothing new. Bytes. */
  judge(used: number, limit: number): Sentence | undefined {
    const part = used / limit;
    const [have, most] = [used, limit].map((bytes) => Math.round(bytes / MIB));
    const so = `memory: ${have} of ${most} MiB of ${this.what}`;
    const step = this.near.judge(this.what, used, limit);
    if (part >= FULL && !this.isFull) {
      this.isFull = true;
      return {
        text: `${so}. New sessions, writes and watches are refused from here on (deletes, reads, pings and ends of sessions are not) until it is less than ${Math.round((limit * ROOM) / MIB)} MiB. Delete nodes, or ${this.remedy}`,
        full: true,
      };
    }
    if (part < ROOM && this.isFull) {
      this.isFull = false;
      return { text: `${so}: new sessions, writes and watches are taken again`, full: false };
    }
    if (step === undefined || this.isFull) return undefined;
    return {
      text: `${so}. To have more, ${this.remedy}; from ${Math.round((limit * FULL) / MIB)} MiB on new sessions, writes and watches are refused`,
    };
  }
}

/** What of V8's limit what lives on may use: the whole is told by V8. */
export const roomOf = ({ heap_size_limit: all }: Heap): number => (all > 2 * YOUNG ? all - YOUNG : all);
