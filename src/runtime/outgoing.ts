import { type PeerMessage, partsOf } from '../records/peer-messages.ts';

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
  /** More waits for this link than it may: its learner is to be cut off, and comes back to be synchronised anew. */
  overrun(link: number, bytes: number): void;
}
interface Backlog {
  messages: PeerMessage[];
  from: number;
  /** Bytes that are left of the history that began it, and of transactions behind that. */
  first: number;
  bytes: number;
  full: boolean;
  /** Too much came: nothing more is sent. */
  over: boolean;
}
const newBacklog = (messages: PeerMessage[], first: number, full: boolean): Backlog => ({
  messages,
  from: 0,
  first,
  bytes: 0,
  full,
  over: false,
});

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
    const bytes = bytesOf(message);
    if (backlog !== undefined) return this.put(link, backlog, message, bytes);
    if (bytes > LARGE) {
      this.backlogs.set(link, newBacklog([...partsOf(message)], bytes, false));
      return this.pump(link);
    }
    if (!this.around.send(link, message)) this.backlogs.set(link, newBacklog([], 0, true));
  }
  private put(link: number, backlog: Backlog, message: PeerMessage, bytes: number): void {
    if (backlog.over) return;
    if (bytes > LARGE) for (const part of partsOf(message)) backlog.messages.push(part);
    else backlog.messages.push(message);
    backlog.bytes += bytes;
    if (backlog.bytes <= this.most) return;
    backlog.over = true;
    backlog.messages = [];
    this.around.overrun(link, backlog.bytes);
  }
  private pump(link: number): void {
    const backlog = this.backlogs.get(link);
    if (backlog === undefined || backlog.full || backlog.over) return;
    const { messages } = backlog;
    for (let sent = 0; backlog.from < messages.length && !backlog.full; ) {
      const message = messages[backlog.from] as PeerMessage;
      const bytes = bytesOf(message);
      if (sent > 0 && sent + bytes > LARGE) break;
      const ofFirst = Math.min(backlog.first, bytes);
      sent += bytes;
      backlog.from++;
      backlog.first -= ofFirst;
      backlog.bytes -= bytes - ofFirst;
      backlog.full = !this.around.send(link, message);
    }
    if (backlog.full || backlog.from < messages.length) {
      if (backlog.from > SWEEP) backlog.messages = messages.slice(backlog.from);
      if (backlog.from > SWEEP) backlog.from = 0;
      if (!backlog.full) this.around.later(() => this.pump(link));
    } else this.backlogs.delete(link);
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

/** Of transactions; everything else is small and answers something. */
function bytesOf(message: PeerMessage): number {
  if (message.type !== 'PROPOSAL' && message.type !== 'INFORM') return 0;
  let bytes = 0;
  for (const entry of message.entries) bytes += entry.bytes.length;
  return bytes;
}
