import type { SessionId } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import { apachePassword } from '../protocol/apache-password.ts';
import { ConnectResponse } from '../protocol/handshake.ts';
import { OPCODE } from '../protocol/operations.ts';
import { type CreateSessionTxn, KIND } from '../records/txns.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { sessionSecret } from '../tree/sessions.ts';
import { equalSecrets } from './auth.ts';
import type { ClientConnection } from './connection.ts';
import type { Outbox } from './outbox.ts';
import { finish } from './reply.ts';
import type { SessionTracker, TrackedSession } from './sessions.ts';

/** A session to be created: what the log will hold, and what only the client will know. */
export interface Birth {
  readonly txn: CreateSessionTxn;
  readonly password: Uint8Array;
}

/** How connections come to their sessions: a new one, or one that is taken up again with its password. */
export class Handshakes {
  private readonly tree: DataTree;
  private readonly tracker: SessionTracker;
  private readonly outbox: Outbox;
  private readonly random: Random;
  private readonly sid: number;
  /** The last id that was given, if any was. */
  private last: bigint | undefined;
  /** And before this state was ours. */
  private given: bigint | undefined;
  /** Sessions that were taken up again. */
  resumed = 0;
  /** Handshakes whose connection was closed since nobody was served. */
  unserved = 0;
  /** What clients are told: this server is read-only. */
  readOnly = false;

  constructor(tree: DataTree, tracker: SessionTracker, outbox: Outbox, random: Random, sid: number) {
    this.tree = tree;
    this.tracker = tracker;
    this.outbox = outbox;
    this.random = random;
    this.sid = sid;
  }
  /** This process gave ids with another state: it goes on behind them, whatever its wall clock says by now. */
  follow({ last, given, unserved }: Handshakes): void {
    this.given = last ?? given;
    this.unserved = unserved;
  }
  /** A session for this connection, with an id never given before. `wall`: ms. */
  create(connection: ClientConnection, wall: number): Birth {
    this.last ??= this.firstId(wall);
    this.last = BigInt.asIntN(64, this.last + 1n);
    return this.birth(connection, this.last as SessionId);
  }
  private firstId(wall: number): bigint {
    const base = (BigInt.asUintN(64, BigInt(wall) << 24n) >> 8n) | (BigInt(this.sid) << 56n);
    let first = BigInt.asIntN(64, base);
    // ids of servers from 128 on are negative: only one that was given may stand against them, no 0 in its place
    for (const taken of [this.tree.sessions.highest.get(this.sid), this.given])
      if (taken !== undefined && taken > first) first = taken;
    return first;
  }
  private birth({ timeoutMs }: ClientConnection, id: SessionId): Birth {
    const password = this.random.bytes(16);
    return { txn: { kind: KIND.createSession, id, timeoutMs, secret: sessionSecret(password) }, password };
  }
  /** Whether this password opens the session, as it is applied here. */
  opens(id: SessionId, password: Uint8Array): boolean {
    const entry = this.tree.sessions.get(id);
    return entry !== undefined && equalSecrets(sessionSecret(password), entry.secret);
  }
  /** The session was imported from Apache ZooKeeper, and its client has not come back: everybody can work out its password. */
  isImported(id: SessionId): boolean {
    return this.opens(id, apachePassword(id));
  }
  /** What is applied here decides: another password than the one known is not under way to this server. */
  isKnown(id: SessionId, password: Uint8Array): boolean {
    return this.tree.sessions.get(id) !== undefined && (this.opens(id, password) || !this.isImported(id));
  }
  /**
   * A password of ours for an imported session whose client has come back with Apache's; undefined when it has one, or is over.
   * The log says it like the beginning of a session, which keeps what it owns.
   */
  renewal(connection: ClientConnection, id: SessionId): Birth | undefined {
    const tracked = this.tracker.get(id);
    return tracked?.closing === false && this.isImported(id) ? this.birth(connection, id) : undefined;
  }
  /** It was created at `now`; its connection is told, unless that is gone. */
  created({ txn, password }: Birth, connection: ClientConnection | undefined, now: number): void {
    const tracked = this.tracker.add(txn.id, txn.timeoutMs, now);
    if (connection === undefined) return;
    this.tracker.retime(tracked, txn.timeoutMs, now);
    const since = connection.head()?.since ?? now;
    connection.shift();
    connection.stats.lastXid = 0;
    connection.stats.lastOp = OPCODE.createSession;
    this.outbox.timed(connection, since, now, this.outbox.updates);
    this.attach(connection, tracked);
    this.welcome(connection, txn.timeoutMs, txn.id, password);
  }
  /** A session that no transaction begins begins. */
  begin(connection: ClientConnection, tracked: TrackedSession, password: Uint8Array, now: number): void {
    connection.stats.lastXid = 0;
    connection.stats.lastOp = OPCODE.createSession;
    this.outbox.timed(connection, now, now);
    this.attach(connection, tracked);
    this.welcome(connection, tracked.timeoutMs, tracked.id, password);
  }
  /** The connection has the session from now on, and its client is told. */
  takeUp(connection: ClientConnection, tracked: TrackedSession, password: Uint8Array): void {
    this.resumed++;
    this.attach(connection, tracked);
    this.welcome(connection, tracked.timeoutMs, tracked.id, password);
  }
  /** Takes up session `id` again. False when it is over or the password is not its own: the client was told so. */
  resume(connection: ClientConnection, id: SessionId, password: Uint8Array, now: number): boolean {
    const tracked = this.tracker.get(id);
    if (tracked === undefined || tracked.closing || !this.opens(id, password)) {
      this.refuse(connection);
      return false;
    }
    this.resumed++;
    this.tracker.retime(tracked, connection.timeoutMs, now);
    this.attach(connection, tracked);
    this.welcome(connection, connection.timeoutMs, tracked.id, password);
    return true;
  }
  /** Tells a client that its session is over. */
  refuse(connection: ClientConnection): void {
    this.welcome(connection, 0, 0n as SessionId, Buffer.alloc(16));
  }
  private attach(connection: ClientConnection, tracked: TrackedSession): void {
    const { connection: before } = tracked;
    if (before !== undefined && before !== connection) {
      before.tracked = undefined;
      before.moved = true;
    }
    connection.session = tracked.id;
    connection.tracked = tracked;
    tracked.connection = connection;
    connection.state = 'open';
  }
  private welcome(connection: ClientConnection, timeoutMs: number, sessionId: SessionId, password: Uint8Array): void {
    const to = this.outbox.to(connection);
    const at = to.at;
    to.int32(0);
    const readOnly = connection.modern ? this.readOnly : undefined;
    ConnectResponse.write(to, { protocolVersion: 0, timeoutMs, sessionId, password, readOnly });
    finish(to, at);
    this.outbox.sent(connection);
  }
}
