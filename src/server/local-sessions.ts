import type { SessionId } from '../base/ids.ts';
import { Reader } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { CREATE_FLAG, OPERATIONS } from '../protocol/operations.ts';
import { type CreateSessionTxn, KIND } from '../records/txns.ts';
import { sessionSecret } from '../tree/sessions.ts';
import { equalSecrets } from './auth.ts';
import type { ClientConnection } from './connection.ts';
import type { Handshakes } from './handshakes.ts';
import { SessionTracker, type TrackedSession } from './sessions.ts';

/** Bytes before a request's body: xid and type. */
const HEADER_BYTES = 8;

/**
 * Sessions that this member alone knows of (semantics.md 16): no transaction begins or ends one, none owns an ephemeral, and
 * none outlives the term. Only what is not everybody's is kept here: the password's hash and the time of expiry.
 */
export class LocalSessions {
  private readonly handshakes: Handshakes;
  private readonly tracker: SessionTracker;
  private readonly secrets = new Map<SessionId, Uint8Array>();
  private readonly reader = new Reader(Buffer.alloc(0));

  constructor(handshakes: Handshakes, tickMs: number) {
    this.handshakes = handshakes;
    this.tracker = new SessionTracker(tickMs, true);
  }
  get size(): number {
    return this.tracker.size;
  }
  all(): IterableIterator<TrackedSession> {
    return this.tracker.all();
  }
  get(id: SessionId): TrackedSession | undefined {
    return this.tracker.get(id);
  }
  /** Begins one for this connection, whose client is told at once. */
  create(connection: ClientConnection, now: number, wall: number): void {
    const { txn, password } = this.handshakes.create(connection, wall);
    this.secrets.set(txn.id, txn.secret);
    this.handshakes.begin(connection, this.tracker.add(txn.id, txn.timeoutMs, now), password, now);
  }
  /** Whether this password opens the session. */
  opens(id: SessionId, password: Uint8Array): boolean {
    const secret = this.secrets.get(id);
    return secret !== undefined && equalSecrets(sessionSecret(password), secret);
  }
  /** Its client is back: the deadline follows the timeout that it asks for now. */
  resume(connection: ClientConnection, tracked: TrackedSession, password: Uint8Array, now: number): void {
    this.tracker.retime(tracked, connection.timeoutMs, now);
    this.handshakes.takeUp(connection, tracked, password);
  }
  heard(tracked: TrackedSession, now: number): void {
    this.tracker.touch(tracked, now);
  }
  /** Whether this write of a local session makes an ephemeral. What cannot be read does not: it is refused later. */
  wantsMore(type: number, bytes: Buffer, start: number, end: number): boolean {
    const { create, create2, multi } = OPERATIONS;
    if (type !== create.code && type !== create2.code && type !== multi.code) return false;
    try {
      const from = this.reader.reset(bytes, start + HEADER_BYTES, end);
      if (type !== multi.code) return isEphemeral(create.request.read(from).flags);
      return multi.request
        .read(from)
        .some(
          ({ type: part, request }) =>
            (part === create.code || part === create2.code) && isEphemeral((request as { flags: number }).flags),
        );
    } catch (fault) {
      if (fault instanceof ProtocolError) return false;
      throw fault;
    }
  }
  /** What the log says when the session becomes everybody's: its id, time and password stay. */
  birth({ id, timeoutMs }: TrackedSession): CreateSessionTxn {
    return { kind: KIND.createSession, id, timeoutMs, secret: this.secrets.get(id) as Uint8Array };
  }
  /** It did not become everybody's: it goes on as it was, from now on for its timeout. */
  keep({ id, timeoutMs, secret }: CreateSessionTxn, now: number): void {
    this.secrets.set(id, secret);
    this.tracker.add(id, timeoutMs, now);
  }
  /** It is over, or everybody's from now on. */
  remove(id: SessionId): void {
    this.tracker.remove(id);
    this.secrets.delete(id);
  }
  /** Those whose time is over, which are gone with this. */
  expire(now: number, most: number): TrackedSession[] {
    const late = this.tracker.expired(now, most);
    for (const { id } of late) this.remove(id);
    return late;
  }
  renewAll(now: number): void {
    this.tracker.renewAll(now);
  }
  clear(): void {
    this.tracker.clear();
    this.secrets.clear();
  }
}

const isEphemeral = (flags: number): boolean =>
  flags === CREATE_FLAG.ephemeral || flags === CREATE_FLAG.ephemeralSequential;
