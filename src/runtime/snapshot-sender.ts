import { crc32 } from 'node:zlib';
import type { MessageOf, PeerMessage } from '../records/peer-messages.ts';
import { isSame, type Mark, ORIGIN } from '../zab/types.ts';
import { halvesOf } from './marks.ts';

/** A snapshot file that is read while it is sent; it stays on the disk until it is closed. */
export interface SnapshotFile {
  readonly size: number;
  /** Rejects when the bytes are known to be wrong, if it is read from the beginning on. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
export interface SnapshotSource {
  openSnapshot(at: ReturnType<typeof halvesOf>): Promise<SnapshotFile>;
}
export interface SenderSurroundings {
  readonly storage: SnapshotSource;
  readonly transfer: Transfer;
  /** Puts a message into the turn's packet; false: wait until {@link SnapshotSender.drained}. */
  send(link: number, message: PeerMessage): boolean;
  flush(): void;
  warn(sentence: string): void;
  hangUp(link: number, reason: string): void;
  /** The file of this snapshot could not be read, or what was read is not what was written. */
  unsound(at: Mark): void;
}

/** In which parts snapshot files travel; the same at all members. */
export interface Transfer {
  /** Bytes of the file in one message. */
  readonly chunkBytes: number;
  /** Bytes that are sent for one ask: a learner asks on once they are on its disk, so that no more of them wait in its memory. */
  readonly windowBytes: number;
}
export const TRANSFER: Transfer = { chunkBytes: 256 * 1024, windowBytes: 4 * 1024 * 1024 };

interface Offer {
  readonly at: Mark;
  readonly epoch: number;
  readonly file: Promise<SnapshotFile>;
  /** Up to where it was sent. */
  position: number;
  drained: (() => void) | undefined;
  closed: boolean;
  sending: boolean;
}

/**
 * A leader's side of SNAP: offers the newest verified snapshot file on a link and sends a window of it each time that the learner
 * asks on, no faster than the link takes it. What it offers stays on the disk until the link closes or all of it was sent. A file
 * that rotted since it was verified is found out here, as it is read; a link that breaks says nothing of the file.
 */
export class SnapshotSender {
  private readonly around: SenderSurroundings;
  private readonly offers = new Map<number, Offer>();

  constructor(around: SenderSurroundings) {
    this.around = around;
  }
  offer(link: number, message: MessageOf<'SNAP'>): void {
    this.end(link);
    const { around } = this;
    around.send(link, message);
    if (isSame(message.at, ORIGIN)) return; // the empty state is no file
    const file = around.storage.openSnapshot(halvesOf(message.at));
    const { at, epoch } = message;
    const offer: Offer = { at, epoch, file, position: 0, drained: undefined, closed: false, sending: false };
    this.offers.set(link, offer);
    file.catch((error: Error) => this.fails(link, offer, error));
  }
  private fails(link: number, offer: Offer, { message }: Error): void {
    if (this.offers.get(link) !== offer) return; // told already, or nobody waits for it
    const { around } = this;
    this.end(link);
    around.warn(`the snapshot for a learner cannot be read: ${message}`);
    around.unsound(offer.at);
    around.hangUp(link, 'the snapshot cannot be read');
  }
  asked(link: number, { at, offset }: MessageOf<'ASKCHUNKS'>): void {
    const offer = this.offers.get(link);
    if (offer === undefined || offer.sending || !isSame(offer.at, at)) return;
    // what is not read from the beginning on is not verified
    if (offset !== offer.position) return this.around.hangUp(link, 'it asks for another part of the snapshot');
    offer.sending = true;
    this.run(link, offer).catch((error: Error) => this.fails(link, offer, error));
  }
  /** The first ask of a learner that has the beginning: it is read all the same, or what follows would not be verified. */
  resumed(link: number, { at, offset, checksum }: MessageOf<'RESUME'>): void {
    const offer = this.offers.get(link);
    if (offer === undefined || offer.sending || offer.position > 0 || !isSame(offer.at, at)) return;
    offer.sending = true;
    this.skip(offer, offset)
      .then((found) => {
        if (offer.closed) return;
        if (found !== checksum) {
          this.end(link);
          return this.around.hangUp(link, 'what it has of the snapshot is another file');
        }
        offer.position = offset;
        return this.run(link, offer);
      })
      .catch((error: Error) => this.fails(link, offer, error));
  }
  /** The CRC-32 of the file up to `offset`; undefined when nothing is behind that: another file has more. */
  private async skip(offer: Offer, offset: number): Promise<number | undefined> {
    const file = await offer.file;
    if (offset >= file.size) return undefined;
    let checksum = 0;
    for (let at = 0; at < offset; ) {
      const bytes = await file.read(at, Math.min(this.around.transfer.chunkBytes, offset - at));
      if (offer.closed) return undefined;
      if (bytes.length === 0) throw new Error('it ends early');
      checksum = crc32(bytes, checksum);
      at += bytes.length;
    }
    return checksum;
  }
  private async run(link: number, offer: Offer): Promise<void> {
    const { around } = this;
    const file = await offer.file;
    const { at, epoch } = offer;
    const { chunkBytes, windowBytes } = around.transfer;
    const end = Math.min(file.size, offer.position + windowBytes);
    for (let offset = offer.position; offset < end && !offer.closed; ) {
      const bytes = await file.read(offset, Math.min(chunkBytes, end - offset));
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
    offer.position = end;
    offer.sending = false;
    if (end === file.size) this.end(link);
  }
  drained(link: number): void {
    const offer = this.offers.get(link);
    offer?.drained?.();
    if (offer !== undefined) offer.drained = undefined;
  }
  /** The link is no more. */
  closed(link: number): void {
    this.end(link);
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
    for (const link of [...this.offers.keys()]) this.end(link);
  }
}
