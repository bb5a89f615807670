import { type Committed, hex } from './ledger.ts';
import type { Verdicts } from './verdicts.ts';

/** When a session was heard of, and by which server. */
export interface HeardAt {
  readonly at: number;
  readonly sid: number;
  /** The server could tell that it was this session. */
  readonly isVerified: boolean;
}
export interface SessionsAround {
  readonly verdicts: Verdicts;
  lastHeard(session: bigint): readonly HeardAt[];
  timeoutMs(session: bigint): number;
  /** Ms of a tick. */
  readonly tickMs: number;
  /** Whether this server was in touch with the leader, and both ran, from one moment to another. */
  wasInTouch(sid: number, from: number, until: number): boolean;
  /** When the leader of that epoch began to serve. */
  ledSince(epoch: number): number | undefined;
}

/** How much slower a clock may go than the true time. */
const SLOWEST = 0.9;

/**
 * No session dies early (I9): not before its timeout has passed since a server that stayed in touch with the leader heard
 * of it, nor within a timeout of the beginning of the epoch that ends it.
 */
export function judgeExpiry(around: SessionsAround, session: bigint, committed: Committed): void {
  const { verdicts, tickMs } = around;
  const { writtenAt, zxid } = committed;
  const least = around.timeoutMs(session) * SLOWEST;
  const since = around.ledSince(Number(zxid >> 32n));
  if (since !== undefined && writtenAt - since < least) {
    verdicts.fail(
      'I9',
      `session ${hex(session)} is ended ${Math.round(writtenAt - since)} ms into the epoch of ${hex(zxid)}`,
    );
    return;
  }
  // what a follower heard is told with the next answer to a ping of the leader, half a tick later
  const told = around
    .lastHeard(session)
    .filter(
      ({ at, sid, isVerified }) =>
        isVerified && at + tickMs <= writtenAt && around.wasInTouch(sid, at, Math.min(writtenAt, at + 2 * tickMs)),
    );
  const last = told.at(-1);
  if (last !== undefined && writtenAt - last.at < least)
    verdicts.fail(
      'I9',
      `session ${hex(session)} is ended by ${hex(zxid)}, ${Math.round(writtenAt - last.at)} ms after server ${last.sid} heard of it; its timeout is ${around.timeoutMs(session)}`,
    );
}
