import { type PeerMessage, partsOf } from '../records/peer-messages.ts';

/** Bytes of transactions beyond which a message is sent part by part. */
const LARGE = 1024 * 1024;

export interface OutgoingSurroundings {
  /** Puts a message into the turn's packet; false: wait until {@link Outgoing.drained}. */
  send(link: number, message: PeerMessage): boolean;
  flush(): void;
  /** Runs in a later turn of the loop. */
  later(run: () => void): void;
}
interface Backlog {
  readonly messages: PeerMessage[];
  from: number;
  full: boolean;
}

/**
 * What zab sends, in the order of each link. A long history for a member that was away goes out part by part, a part a turn
 * and no faster than the link takes it, so that it holds up nobody else; what is sent behind it waits for it.
 */
export class Outgoing {
  private readonly around: OutgoingSurroundings;
  private readonly backlogs = new Map<number, Backlog>();

  constructor(around: OutgoingSurroundings) {
    this.around = around;
  }
  send(link: number, message: PeerMessage): void {
    const backlog = this.backlogs.get(link);
    if (backlog !== undefined) {
      backlog.messages.push(...(isLarge(message) ? partsOf(message) : [message]));
      return;
    }
    if (!isLarge(message)) {
      this.around.send(link, message);
      return;
    }
    this.backlogs.set(link, { messages: [...partsOf(message)], from: 0, full: false });
    this.pump(link);
  }
  private pump(link: number): void {
    const backlog = this.backlogs.get(link);
    if (backlog === undefined || backlog.full) return;
    const { messages } = backlog;
    for (let large = false; backlog.from < messages.length && !large; ) {
      const message = messages[backlog.from++] as PeerMessage;
      large = message.type === 'PROPOSAL' || message.type === 'INFORM';
      if (!this.around.send(link, message)) backlog.full = true;
    }
    if (backlog.from === messages.length) this.backlogs.delete(link);
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

/** True for transactions of more than {@link LARGE} bytes in all. */
function isLarge(message: PeerMessage): boolean {
  if (message.type !== 'PROPOSAL' && message.type !== 'INFORM') return false;
  const { entries } = message;
  if (entries.length < 256) return false; // requests are bounded: a turn's worth
  let bytes = 0;
  for (const entry of entries) bytes += entry.bytes.length;
  return bytes > LARGE;
}
