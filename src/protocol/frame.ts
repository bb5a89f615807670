import { ProtocolError } from './errors.ts';

/** Default limit of a frame's payload, bytes (ZooKeeper's jute.maxbuffer). */
export const DEFAULT_MAX_FRAME = 0xfffff;

/**
 * Cuts a byte stream into frames. Knows no socket. A frame that lies whole inside a chunk is handed out as a view, with
 * no copy; only what is cut by the chunk's end is kept. Memory is bounded by the limit plus one chunk.
 */
export class FrameCutter {
  private kept: Buffer | undefined;
  private have = 0;
  private readonly maxBytes: number;
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }
  /** Bytes held back for a frame that is not complete yet. */
  get pending(): number {
    return this.have;
  }
  private lengthAt(bytes: Buffer, at: number): number {
    const length = bytes.readInt32BE(at);
    if (length < 0 || length > this.maxBytes)
      throw new ProtocolError(`a frame of ${length} bytes; at most ${this.maxBytes} are accepted`);
    return length;
  }
  /**
   * Calls `frame(bytes, start, end)` for every complete frame. `frame` returns false to stop: the rest, from `end` on, is kept.
   * @throws ProtocolError for a length below 0 or above the limit
   */
  push(chunk: Buffer, frame: (bytes: Buffer, start: number, end: number) => boolean): void {
    let bytes = chunk;
    let limit = chunk.length;
    let at = 0;
    if (this.have > 0) {
      const joined = this.join(chunk);
      if (joined === undefined) return;
      bytes = joined;
      limit = this.have;
      this.have = 0;
      this.kept = undefined; // whoever reads these frames may keep views on them
    }
    while (limit - at >= 4) {
      const length = this.lengthAt(bytes, at);
      const end = at + 4 + length;
      if (end > limit) break;
      const more = frame(bytes, at + 4, end);
      at = end;
      if (more) continue;
      // stopped: the rest stays where it is, however many frames it holds
      this.kept = bytes.subarray(at, limit);
      this.have = limit - at;
      return;
    }
    this.keep(bytes, at, limit);
  }
  /** Takes a chunk without cutting it, for whoever must not go on yet. @throws ProtocolError as {@link push} */
  hold(chunk: Buffer): void {
    if (this.have > 0) {
      this.join(chunk);
      return;
    }
    this.kept = chunk;
    this.have = chunk.length;
  }
  /** Takes the next frame out if it is this one, length and all; false, and nothing changes, when it is another or not whole. */
  skip(frame: Buffer): boolean {
    const { kept, have } = this;
    if (kept === undefined || have < frame.length || kept.compare(frame, 0, frame.length, 0, frame.length) !== 0)
      return false;
    this.kept = kept.subarray(frame.length);
    this.have = have - frame.length;
    return true;
  }
  /** Forgets what is held. */
  clear(): void {
    this.kept = undefined;
    this.have = 0;
  }
  /** Adds the chunk to what is held; undefined while the frame is still not complete. */
  private join(chunk: Buffer): Buffer | undefined {
    const need = this.have + chunk.length;
    let kept = this.kept as Buffer;
    if (kept.length < need) {
      // grown with what has arrived, never with what a length merely promises
      const grown = Buffer.alloc(Math.max(need, kept.length * 2));
      kept.copy(grown, 0, 0, this.have);
      kept = grown;
      this.kept = grown;
    }
    chunk.copy(kept, this.have);
    this.have = need;
    if (need < 4) return undefined;
    return this.lengthAt(kept, 0) + 4 > need ? undefined : kept;
  }
  private keep(bytes: Buffer, at: number, limit: number): void {
    const rest = limit - at;
    this.have = rest;
    if (rest === 0) {
      if (this.kept !== undefined && this.kept.length > 65536) this.kept = undefined;
      return;
    }
    if (this.kept === undefined || this.kept.length < rest) this.kept = Buffer.alloc(Math.max(rest, 1024));
    bytes.copy(this.kept, 0, at, limit);
  }
}
