import { type PeerMessage, partFrom } from '../records/peer-messages.ts';

/** Bytes of transactions beyond which a message is sent part by part; also what a link is given in one turn of the loop. */
const LARGE = 1024 * 1024;
/** Messages that were sent are forgotten when there are so many. */
const SWEEP = 1024;

export interface OutgoingSurroundings {
  /** Puts a message into the turn's packet; false: wait until {@link Outgoing.drained}. */
  send(link: number, message: PeerMessage): boolean;
  flush(): void;
  /** Runs in a later turn of the loop. */
  later(run: () => void): void;
  /** More waits for this link than may: its learner is to be cut off, and comes back to be synchronised anew. */
  overrun(link: number, bytes: number): void;
}

/** What waits for one link. */
class Backlog {
  /** A history that is cut into parts as they are sent; undefined when it is through, or there was none. */
  private history: PeerMessage | undefined;
  private sentOfHistory = 0;
  private messages: PeerMessage[] = [];
  private from = 0;
  /** Of transactions behind the history. */
  bytes = 0;
  full: boolean;
  /** Too much came: nothing more is sent. */
  over = false;

  constructor(history: PeerMessage | undefined, full: boolean) {
    this.history = history;
    this.full = full;
  }
  get isEmpty(): boolean {
    return this.history === undefined && this.from === this.messages.length;
  }
  push(message: PeerMessage): void {
    this.messages.push(message);
    this.bytes += bytesOf(message, Number.POSITIVE_INFINITY);
  }
  giveUp(): void {
    this.over = true;
    this.messages = [];
  }
  /** The next message and the bytes of transactions in it, if they are not more than `most`. */
  next(most: number): { message: PeerMessage; bytes: number } | undefined {
    if (this.history !== undefined) return this.nextPart(this.history);
    const message = this.messages[this.from];
    if (message === undefined) return undefined;
    const bytes = bytesOf(message, Number.POSITIVE_INFINITY);
    if (bytes > most) return undefined;
    this.bytes -= bytes;
    if (++this.from > SWEEP) {
      this.messages = this.messages.slice(this.from);
      this.from = 0;
    }
    return { message, bytes };
  }
  private nextPart(history: PeerMessage): { message: PeerMessage; bytes: number } {
    const { part, next } = partFrom(history, this.sentOfHistory);
    this.sentOfHistory = next ?? 0;
    if (next === undefined) this.history = undefined;
    return { message: part, bytes: LARGE };
  }
}

/**
 * What zab sends, in the order of each link. A long history for a member that was away goes out part by part, a part a turn
 * and no faster than the link takes it, so that it holds up nobody else; what is sent behind it waits for it. So does what is
 * sent to a link that takes less than is proposed: its transactions are not written out but stay what is remembered anyway,
 * until there is room, or until more than `most` bytes of them wait.
 */
export class Outgoing {
  private readonly around: OutgoingSurroundings;
  private readonly most: number;
  private readonly backlogs = new Map<number, Backlog>();

  /** `most`: bytes of transactions that may wait for one link, beside those of the history that it was given first. */
  constructor(around: OutgoingSurroundings, most: number) {
    this.around = around;
    this.most = most;
  }
  send(link: number, message: PeerMessage): void {
    const backlog = this.backlogs.get(link);
    if (backlog !== undefined) return this.wait(link, backlog, message);
    if (bytesOf(message, LARGE) > LARGE) {
      this.backlogs.set(link, new Backlog(message, false));
      this.pump(link);
    } else if (!this.around.send(link, message)) this.backlogs.set(link, new Backlog(undefined, true));
  }
  private wait(link: number, backlog: Backlog, message: PeerMessage): void {
    if (backlog.over) return;
    backlog.push(message);
    if (backlog.bytes <= this.most) return;
    backlog.giveUp();
    this.around.overrun(link, backlog.bytes);
  }
  private pump(link: number): void {
    const backlog = this.backlogs.get(link);
    if (backlog === undefined || backlog.full || backlog.over) return;
    for (let room = LARGE; room > 0 && !backlog.full; ) {
      const next = backlog.next(room === LARGE ? Number.POSITIVE_INFINITY : room);
      if (next === undefined) break;
      room -= next.bytes;
      backlog.full = !this.around.send(link, next.message);
    }
    if (backlog.isEmpty && !backlog.full) this.backlogs.delete(link);
    else if (!backlog.full) this.around.later(() => this.pump(link));
    this.around.flush();
  }
  /** There is room on the link again. */
  drained(link: number): void {
    const backlog = this.backlogs.get(link);
    if (backlog?.full !== true) return;
    backlog.full = false;
    this.pump(link);
  }
  /** The link is gone, or is to end: what was not sent never will be. */
  closed(link: number): void {
    this.backlogs.delete(link);
  }
  close(): void {
    this.backlogs.clear();
  }
}

/** Of transactions, counted up to `enough`; everything else is small and answers something. */
function bytesOf(message: PeerMessage, enough: number): number {
  if (message.type !== 'PROPOSAL' && message.type !== 'INFORM') return 0;
  let bytes = 0;
  for (let i = 0; i < message.entries.length && bytes <= enough; i++) bytes += message.entries[i]?.bytes.length ?? 0;
  return bytes;
}
