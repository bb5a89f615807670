import type { SessionId } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import { ConnectResponse } from '../protocol/handshake.ts';
import { OPCODE } from '../protocol/operations.ts';
import { type CreateSessionTxn, KIND } from '../records/txns.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { equalSecrets, sessionSecret } from './auth.ts';
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
  private last: bigint | undefined;
  /** Sessions that were taken up again. */
  resumed = 0;

  constructor(tree: DataTree, tracker: SessionTracker, outbox: Outbox, random: Random, sid: number) {
    this.tree = tree;
    this.tracker = tracker;
    this.outbox = outbox;
    this.random = random;
    this.sid = sid;
  }
  /** A session for this connection, with an id never given before. `wall`: ms. */
  create(connection: ClientConnection, wall: number): Birth {
    if (this.last === undefined) {
      const base = (BigInt.asUintN(64, BigInt(wall) << 24n) >> 8n) | (BigInt(this.sid) << 56n);
      const highest = this.tree.sessions.highest.get(this.sid) ?? 0n;
      const start = BigInt.asIntN(64, base);
      this.last = start > highest ? start : highest;
    }
    this.last = BigInt.asIntN(64, this.last + 1n);
    const password = this.random.bytes(16);
    const id = this.last as SessionId;
    const txn = {
      kind: KIND.createSession,
      id,
      timeoutMs: connection.timeoutMs,
      secret: sessionSecret(password),
    };
    return { txn, password };
  }
  /** It was created at `now`; its connection is told, unless that is gone. */
  created({ txn, password }: Birth, connection: ClientConnection | undefined, now: number): void {
    const tracked = this.tracker.add(txn.id, txn.timeoutMs, now);
    if (connection === undefined) return;
    const since = connection.head()?.since ?? now;
    connection.shift();
    connection.stats.lastXid = 0;
    connection.stats.lastOp = OPCODE.createSession;
    this.outbox.timed(connection, since, now, this.outbox.updates);
    this.attach(connection, tracked);
    this.welcome(connection, txn.timeoutMs, txn.id, password);
  }
  /** Takes up session `id` again. False when it is over or the password is not its own: the client was told so. */
  resume(connection: ClientConnection, id: SessionId, password: Uint8Array, now: number): boolean {
    const tracked = this.tracker.get(id);
    const entry = this.tree.sessions.get(id);
    const alive = tracked !== undefined && !tracked.closing && entry !== undefined;
    if (!alive || !equalSecrets(sessionSecret(password), entry.secret)) {
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
    connection.session = tracked.id;
    connection.tracked = tracked;
    tracked.connection = connection;
    connection.state = 'open';
  }
  private welcome(connection: ClientConnection, timeoutMs: number, sessionId: SessionId, password: Uint8Array): void {
    const to = this.outbox.to(connection);
    const at = to.at;
    to.int32(0);
    const readOnly = connection.modern ? false : undefined;
    ConnectResponse.write(to, { protocolVersion: 0, timeoutMs, sessionId, password, readOnly });
    finish(to, at);
    this.outbox.sent(connection);
  }
}
