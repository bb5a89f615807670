import type { Voice } from './quorum.ts';
import { isBefore, type Position } from './types.ts';

interface Known {
  accepted: number;
  /** The epoch in which it acknowledged last, and up to where. */
  ackedIn: number;
  acked: Position | undefined;
}

/** Directories remembered; of those that never acknowledged anything the oldest is forgotten. */
const MOST = 4096;

/**
 * What other directories said in this life of theirs and ours. Promises and acknowledgements are on their disks, so one that
 * takes them back is an old copy (foundations.md 13.9).
 */
export class Witness {
  private readonly known = new Map<string, Known>();
  /** Of each server the directory that spoke last: the one that every acknowledgement asks for. */
  private readonly latest = new Map<number, { incarnation: string; known: Known }>();

  private of({ sid, incarnation }: Voice): Known {
    const latest = this.latest.get(sid);
    if (latest?.incarnation === incarnation) return latest.known;
    const key = `${sid} ${incarnation}`;
    let known = this.known.get(key);
    if (known === undefined) {
      if (this.known.size >= MOST) this.forget();
      known = { accepted: 0, ackedIn: 0, acked: undefined };
      this.known.set(key, known);
    }
    this.latest.set(sid, { incarnation, known });
    return known;
  }
  private forget(): void {
    for (const [key, { acked }] of this.known)
      if (acked === undefined) {
        this.known.delete(key);
        this.latest.clear();
        return;
      }
  }
  accepted(voice: Voice, epoch: number): void {
    const known = this.of(voice);
    known.accepted = Math.max(known.accepted, epoch);
  }
  acked(voice: Voice, epoch: number, upTo: Position): void {
    const known = this.of(voice);
    known.ackedIn = epoch;
    known.acked = upTo;
  }
  /** True when it had accepted a higher epoch than it has now. */
  saw(voice: Voice, accepted: number): boolean {
    return accepted < this.of(voice).accepted;
  }
  /** True when it lacks what it acknowledged. Only a later leader may have cut that, and that would be a later promise. */
  misses(voice: Voice, accepted: number, last: Position): boolean {
    const { ackedIn, acked } = this.of(voice);
    return acked !== undefined && accepted === ackedIn && isBefore(last, acked);
  }
}
