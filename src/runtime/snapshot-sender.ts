import type { MessageOf, PeerMessage } from '../records/peer-messages.ts';
import { isSame, type Mark, ORIGIN } from '../zab/types.ts';
import { halvesOf } from './marks.ts';

/** A snapshot file that is read while it is sent; it stays on the disk until it is closed. */
export interface SnapshotFile {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
export interface SnapshotSource {
  openSnapshot(at: ReturnType<typeof halvesOf>): Promise<SnapshotFile>;
}
export interface SenderSurroundings {
  readonly storage: SnapshotSource;
  /** Puts a message into the turn's packet; false: wait until {@link SnapshotSender.drained}. */
  send(link: number, message: PeerMessage): boolean;
  flush(): void;
  warn(sentence: string): void;
  hangUp(link: number, reason: string): void;
  /** A learner that was sent this snapshot went before it was up to date: the file may be damaged. Asked in the middle of anything. */
  brokeOff(at: Mark): void;
}

/** Bytes of the file in one message. */
const CHUNK = 256 * 1024;
/** Bytes that are sent for one ask: a learner asks on once they are on its disk, so that no more of them wait in its memory. */
export const SNAPSHOT_WINDOW = 4 * 1024 * 1024;

interface Offer {
  readonly at: Mark;
  readonly epoch: number;
  readonly file: Promise<SnapshotFile>;
  drained: (() => void) | undefined;
  closed: boolean;
  sending: boolean;
}

/**
 * A leader's side of SNAP: offers the newest verified snapshot file on a link and sends a window of it when the learner asks,
 * from where it asks, no faster than the link takes it. What it offers stays on the disk until the link closes or all of it was sent.
 */
export class SnapshotSender {
  private readonly around: SenderSurroundings;
  private readonly offers = new Map<number, Offer>();
  /** What links were offered whose learners are not up to date yet. */
  private readonly unproved = new Map<number, Mark>();

  constructor(around: SenderSurroundings) {
    this.around = around;
  }
  offer(link: number, message: MessageOf<'SNAP'>): void {
    this.end(link);
    const { around } = this;
    around.send(link, message);
    if (isSame(message.at, ORIGIN)) return; // the empty state is no file
    this.unproved.set(link, message.at);
    const file = around.storage.openSnapshot(halvesOf(message.at));
    file.catch((error: Error) => {
      around.warn(`the snapshot for a learner cannot be read: ${error.message}`);
      this.offers.delete(link);
      around.hangUp(link, 'the snapshot cannot be read');
    });
    this.offers.set(link, {
      at: message.at,
      epoch: message.epoch,
      file,
      drained: undefined,
      closed: false,
      sending: false,
    });
  }
  asked(link: number, { at, offset }: MessageOf<'ASKCHUNKS'>): void {
    const offer = this.offers.get(link);
    if (offer === undefined || offer.sending || !isSame(offer.at, at)) return;
    offer.sending = true;
    this.run(link, offer, offset).catch((error: Error) => {
      this.around.warn(`the snapshot for a learner cannot be read: ${error.message}`);
      this.around.hangUp(link, 'the snapshot cannot be read');
    });
  }
  private async run(link: number, offer: Offer, from: number): Promise<void> {
    const { around } = this;
    const file = await offer.file;
    const { at, epoch } = offer;
    const end = Math.min(file.size, from + SNAPSHOT_WINDOW);
    for (let offset = from; offset < end && !offer.closed; ) {
      const bytes = await file.read(offset, Math.min(CHUNK, end - offset));
      if (offer.closed) return;
      if (bytes.length === 0) throw new Error('it ends early');
      const room = around.send(link, { type: 'CHUNK', epoch, at, offset, total: file.size, bytes });
      around.flush();
      offset += bytes.length;
      // behind the last of a window the next ask may come before the news that there is room
      if (!room && offset < end)
        await new Promise<void>((resolve) => {
          offer.drained = resolve;
        });
    }
    offer.sending = false;
    if (end === file.size) this.end(link);
  }
  drained(link: number): void {
    const offer = this.offers.get(link);
    offer?.drained?.();
    if (offer !== undefined) offer.drained = undefined;
  }
  /** The learner has everything: what it was sent was whole. */
  arrived(link: number): void {
    this.unproved.delete(link);
  }
  /** The link is no more. */
  closed(link: number): void {
    const at = this.unproved.get(link);
    this.unproved.delete(link);
    this.end(link);
    if (at !== undefined) this.around.brokeOff(at);
  }
  private end(link: number): void {
    const offer = this.offers.get(link);
    if (offer === undefined) return;
    this.offers.delete(link);
    offer.closed = true;
    offer.drained?.();
    offer.file.then(
      (file) => file.close(),
      () => undefined,
    );
  }
  close(): void {
    this.unproved.clear();
    for (const link of [...this.offers.keys()]) this.end(link);
  }
}
