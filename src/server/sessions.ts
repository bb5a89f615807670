import type { SessionId } from '../base/ids.ts';
import type { ClientConnection } from './connection.ts';

/** A session as the one who may expire it sees it. */
export interface TrackedSession {
  readonly id: SessionId;
  /** Only the member that it is attached to knows of it. */
  readonly local: boolean;
  /** As negotiated at the last attach, ms. */
  timeoutMs: number;
  /** Monotonic ms, a multiple of the tick. */
  deadline: number;
  /** A closeSession is decided; nothing more is accepted. */
  closing: boolean;
  /** Where it is attached, if anywhere. */
  connection: ClientConnection | undefined;
}

/**
 * Who is alive. Deadlines are rounded up to the tick, so that a session moves between buckets at most once a tick however
 * often it is heard; a session lives between its timeout and its timeout plus one tick of silence (semantics.md 10.2).
 */
export class SessionTracker {
  private readonly sessions = new Map<SessionId, TrackedSession>();
  private readonly buckets = new Map<number, Set<TrackedSession>>();
  private readonly tickMs: number;
  private readonly local: boolean;
  /** The bucket looked at next. */
  private nextBucket: number | undefined;
  /** `local`: of sessions that only this member knows. */
  constructor(tickMs: number, local = false) {
    this.tickMs = tickMs;
    this.local = local;
  }
  get size(): number {
    return this.sessions.size;
  }
  all(): IterableIterator<TrackedSession> {
    return this.sessions.values();
  }
  get(id: SessionId): TrackedSession | undefined {
    return this.sessions.get(id);
  }
  private roundUp(ms: number): number {
    return (Math.floor(ms / this.tickMs) + 1) * this.tickMs;
  }
  add(id: SessionId, timeoutMs: number, now: number): TrackedSession {
    const known = this.sessions.get(id);
    if (known !== undefined) return known;
    const { local } = this;
    const session: TrackedSession = { id, local, timeoutMs, deadline: 0, closing: false, connection: undefined };
    this.sessions.set(id, session);
    this.touch(session, now);
    return session;
  }
  /** The client was heard. */
  touch(session: TrackedSession, now: number): void {
    const deadline = this.roundUp(now + session.timeoutMs);
    if (deadline <= session.deadline || session.closing) return;
    this.leaveBucket(session);
    session.deadline = deadline;
    let bucket = this.buckets.get(deadline);
    if (bucket === undefined) {
      bucket = new Set();
      this.buckets.set(deadline, bucket);
      if (this.nextBucket === undefined || deadline < this.nextBucket) this.nextBucket = deadline;
    }
    bucket.add(session);
  }
  /** A reattach negotiated another timeout: the deadline follows it, also downwards. */
  retime(session: TrackedSession, timeoutMs: number, now: number): void {
    this.leaveBucket(session);
    session.timeoutMs = timeoutMs;
    session.deadline = 0;
    this.touch(session, now);
  }
  remove(id: SessionId): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    this.leaveBucket(session);
    this.sessions.delete(id);
  }
  private leaveBucket(session: TrackedSession): void {
    const bucket = this.buckets.get(session.deadline);
    if (bucket === undefined) return;
    bucket.delete(session);
    if (bucket.size === 0) this.buckets.delete(session.deadline);
  }
  clear(): void {
    this.sessions.clear();
    this.buckets.clear();
    this.nextBucket = undefined;
  }
  /** Everybody gets their time again: after a new term began or this process was paused. */
  renewAll(now: number): void {
    for (const session of this.sessions.values()) this.touch(session, now);
  }
  /** Sessions whose deadline has passed, each once and `most` at a time; they are marked closing. Whoever is heard before its turn lives on. */
  expired(now: number, most: number): TrackedSession[] {
    const out: TrackedSession[] = [];
    if (this.nextBucket === undefined) return out;
    while (this.nextBucket <= now) {
      const bucket = this.buckets.get(this.nextBucket);
      if (bucket !== undefined) {
        for (const session of bucket) {
          if (out.length === most) return out;
          bucket.delete(session);
          session.closing = true;
          out.push(session);
        }
        this.buckets.delete(this.nextBucket);
      } else if (this.buckets.size === 0) {
        this.nextBucket = undefined;
        return out;
      }
      this.nextBucket += this.tickMs;
    }
    return out;
  }
}
