import { isDiskFull } from '../storage/errors.ts';
import type { Room } from '../storage/room.ts';
import { isBefore, type Mark, type Position } from '../zab/types.ts';

/** Beside a snapshot: the log behind it, with the zeros ahead of its end, and the identity record. */
const BESIDE = 512 * 1024;
const MB = 1024 * 1024;

export interface RoomNeeded {
  readonly storage: { room(): Promise<Room>; giveUpHistory(): Promise<void> };
  /** The last place in the history that this member may have acknowledged. */
  readonly held: Position;
  /** Of the leader's snapshot, and its bytes. */
  readonly at: Mark;
  readonly bytes: number;
  /** Resolves after a while; false: this server stops. */
  rest(): Promise<boolean>;
  warn(sentence: string): void;
  /** What this member waits for, a short phrase; undefined: nothing any more. */
  waits(phrase: string | undefined): void;
}

const mb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;

/**
 * A snapshot of the leader found no room beside the history here (foundations.md 13.4). Ours may go first where the snapshot
 * reaches beyond everything that we may have acknowledged: what a snapshot holds is committed, so a quorum holds all of it
 * without us, and no promise of ours is needed for a record in it. What we owe is stored before. Otherwise, and where that would
 * not make room enough, this waits: resolves when the snapshot may be asked for again.
 */
export async function makeRoom({ storage, held, at, bytes, rest, warn, waits }: RoomNeeded): Promise<void> {
  const needed = bytes + BESIDE;
  const mayGo = isBefore(held, at);
  for (let told = false; ; told = true) {
    const { free, own } = await storage.room();
    if (free >= needed) break;
    if (mayGo && free + own >= needed) {
      warn(
        `there is no room for the leader's snapshot (${mb(bytes)}) beside the history here: the old files (${mb(own)}) are given up, since a quorum holds all of it`,
      );
      await storage.giveUpHistory().catch((error: Error) => {
        if (!isDiskFull(error)) throw error;
        warn(`they cannot be given up yet: ${error.message}`);
      });
      break;
    }
    const why = mayGo ? '' : '; the history here stays, since others may need it';
    const phrase = `waits for room: a snapshot needs ${mb(needed)}, ${mb(free)} are free${why}`;
    if (!told) warn(`this member ${phrase}`);
    waits(phrase);
    if (!(await rest())) break;
  }
  waits(undefined);
}
