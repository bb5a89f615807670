import type { SessionId } from '../base/ids.ts';
import type { Reader } from '../protocol/bytes.ts';
import { OPCODE, OPERATIONS } from '../protocol/operations.ts';
import { LOCAL_SESSIONS_LEVEL } from '../records/peer-frame.ts';
import type { MessageOf, PeerMessage } from '../records/peer-messages.ts';
import type { CreateSessionTxn } from '../records/txns.ts';
import type { AuditedRequest } from './audit.ts';
import type { ClientConnection, Waiting } from './connection.ts';
import type { Desk } from './desk.ts';
import { birthBody } from './forwarded.ts';
import type { Birth } from './handshakes.ts';
import type { Office } from './office.ts';
import type { Numbered } from './replica.ts';
import type { TrackedSession } from './sessions.ts';
import { markAsAsked, widePartsOf } from './wide-parts.ts';

/** A client's request on its way: sent to the leader, and not numbered as far as is known here. */
interface Asker {
  readonly connection: ClientConnection;
  readonly xid: number;
  readonly opcode: number;
  readonly password: Uint8Array | undefined;
  readonly audited: AuditedRequest | undefined;
  /** Of a multi: see {@link widePartsOf}. */
  readonly wide: readonly number[] | undefined;
  /** A session of this member alone that is to become everybody's. */
  readonly upgrade: CreateSessionTxn | undefined;
  /** The counter of its entry, which will come; 0 until the leader has numbered it. */
  counter: number;
}
/** Bytes before a request's body: xid and type. */
const HEADER_BYTES = 8;
const NO_BODY = Buffer.alloc(0);

/** A learner's desk: what its clients want of the leader goes there, in order, and the leader says under which number each was taken. */
export class LearnerDesk implements Desk {
  readonly holds = false;
  readonly takesLocal: boolean;
  private readonly server: Office;
  private readonly epoch: number;
  private asked: Asker[] = [];
  private askedFrom = 0;
  private bound: Asker[] = [];
  private boundFrom = 0;
  private heardOf = new Set<Pick<TrackedSession, 'id' | 'timeoutMs'>>();
  private readonly syncs = new Map<number, () => void>();
  private syncCount = 0;
  /** Clients that wait until the leader says that their session lives; by session, in order. */
  private readonly returning = new Map<bigint, { connection: ClientConnection; password: Uint8Array }[]>();

  /** Sessions that the leader of this term took from here. */
  private readonly elsewhere = new Set<bigint>();

  /** `level`: what the leader and this member agreed to speak. */
  constructor(server: Office, epoch: number, level: number) {
    this.takesLocal = level >= LOCAL_SESSIONS_LEVEL;
    this.server = server;
    this.epoch = epoch;
  }
  get waiting(): number {
    return this.asked.length - this.askedFrom;
  }
  heard(session: TrackedSession): void {
    this.heardOf.add(session);
  }

  write(
    connection: ClientConnection,
    xid: number,
    type: number,
    _from: Reader,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const { session } = connection;
    const isMoved = connection.moved || this.returning.has(session);
    // one whose session is elsewhere for certain is refused by the leader, with a number that the log remembers, as ZooKeeper's does.
    // What a sync held back until its session was elsewhere, or comes back, the leader might take for new (I7)
    if (isMoved && !this.isElsewhere(connection)) return this.server.end(connection);
    const body = start + HEADER_BYTES < end ? bytes.subarray(start + HEADER_BYTES, end) : NO_BODY;
    this.forward(connection, session, xid, type, body, undefined);
  }
  /**
   * The leader of this term has attached the session to another member, and nothing was asked since that could bring it back:
   * all that comes to the leader from here before such a question is not executed.
   */
  private isElsewhere({ session, moved, local }: ClientConnection): boolean {
    return moved && !local && this.elsewhere.has(session) && !this.returning.has(session);
  }
  private forward(
    connection: ClientConnection,
    session: bigint,
    xid: number,
    op: number,
    body: Uint8Array,
    password: Uint8Array | undefined,
  ): void {
    const { server, epoch } = this;
    connection.beginWrite(server.now);
    this.asked.push({
      connection,
      xid,
      opcode: op,
      password,
      audited: connection.asked,
      wide: op === OPERATIONS.multi.code ? widePartsOf(body) : undefined,
      upgrade: undefined,
      counter: 0,
    });
    const type = connection.local ? 'LOCALREQUEST' : 'REQUEST';
    server.toLeader({ type, epoch, session, xid, op, body, identities: connection.identities });
  }
  createSession(connection: ClientConnection): void {
    this.begin(connection, this.server.handshakes.create(connection, this.server.wall));
  }
  private begin(connection: ClientConnection, { txn, password }: Birth): void {
    this.forward(connection, txn.id, 0, OPCODE.createSession, birthBody(txn), password);
  }
  upgrade(connection: ClientConnection, txn: CreateSessionTxn): boolean {
    const { server, epoch } = this;
    const op = OPCODE.createSession;
    // nobody waits for its answer: whatever is asked behind it is answered behind it
    this.asked.push({
      connection,
      xid: 0,
      opcode: op,
      password: undefined,
      audited: undefined,
      wide: undefined,
      upgrade: txn,
      counter: 0,
    });
    const session = txn.id;
    server.toLeader({ type: 'REQUEST', epoch, session, xid: 0, op, body: birthBody(txn), identities: [] });
    return true;
  }
  resume(connection: ClientConnection, id: SessionId, password: Uint8Array): void {
    const { server } = this;
    if (server.handshakes.isKnown(id, password)) return this.claim(connection, id, password);
    this.noteBirth(connection, id, password);
    this.askSync(() => {
      // one that another member had alone may be everybody's since
      if (connection.state === 'connecting' && this.noteBirth(connection, id, password))
        this.resume(connection, id, password);
      else this.claim(connection, id, password);
    });
  }
  /** Begun elsewhere, and not applied here yet; whoever comes back lives (I9), with the time that it asks for now. */
  private noteBirth({ timeoutMs }: ClientConnection, id: SessionId, password: Uint8Array): boolean {
    const isBegun = this.server.unappliedBirth(id, password) !== undefined;
    if (isBegun) this.heardOf.add({ id, timeoutMs });
    return isBegun;
  }
  /** Only who knows the password may ask the leader to move the session here. */
  private claim(connection: ClientConnection, id: SessionId, password: Uint8Array): void {
    const { server, epoch } = this;
    if (connection.state !== 'connecting') return;
    if (!server.handshakes.opens(id, password)) return this.attach(connection, id, password, false);
    const waiting = this.returning.get(id) ?? [];
    waiting.push({ connection, password });
    this.returning.set(id, waiting);
    server.toLeader({ type: 'REVALIDATE', epoch, session: id, timeoutMs: connection.timeoutMs });
  }
  private attach(connection: ClientConnection, id: SessionId, password: Uint8Array, valid: boolean): void {
    const { server } = this;
    if (connection.state !== 'connecting') return;
    const renewed =
      valid && server.handshakes.opens(id, password) ? server.handshakes.renewal(connection, id) : undefined;
    if (renewed !== undefined) {
      server.handshakes.resumed++;
      return this.begin(connection, renewed);
    }
    if (valid && server.handshakes.resume(connection, id, password, server.now)) return;
    if (!valid) server.handshakes.refuse(connection);
    server.end(connection);
  }

  sync(connection: ClientConnection, bytes: Buffer, start: number, end: number): boolean {
    const { server } = this;
    const frame = Buffer.from(bytes.subarray(start, end));
    const waiting: Waiting = { kind: 'sync', frame, ready: false, since: server.now };
    connection.waiting.push(waiting);
    this.askSync(() => {
      waiting.ready = true;
      server.drain(connection);
    });
    return true;
  }
  /** Runs `then` when everything is applied here that was committed anywhere before now. */
  private askSync(then: () => void): void {
    const { server, epoch } = this;
    const id = ++this.syncCount;
    this.syncs.set(id, then);
    server.toLeader({ type: 'SYNC', epoch, id });
  }

  received(_link: number, message: PeerMessage): void {
    switch (message.type) {
      case 'TAKEN':
        return this.taken(message);
      case 'REVALIDATED':
        return this.revalidated(message);
      case 'MOVED':
        this.elsewhere.add(message.session);
        return this.server.moved(message.session as SessionId);
      case 'SYNCED': {
        const then = this.syncs.get(message.id);
        this.syncs.delete(message.id);
        if (then !== undefined) this.server.await(message.upTo, then);
        return;
      }
    }
  }
  private taken({ first, count }: MessageOf<'TAKEN'>): void {
    for (let i = 0; i < count; i++) {
      const asker = this.asked[this.askedFrom];
      if (asker === undefined) return; // the leader speaks of more than was asked: it is not believed
      this.asked[this.askedFrom++] = undefined as unknown as Asker;
      if (first > 0) {
        asker.counter = first + i;
        this.bound.push(asker);
      } else this.turnedAway(asker);
    }
    if (this.askedFrom === this.asked.length) {
      this.asked = [];
      this.askedFrom = 0;
    } else if (this.askedFrom > 4096) {
      this.asked.splice(0, this.askedFrom);
      this.askedFrom = 0;
    }
  }
  private turnedAway({ connection, upgrade }: Asker): void {
    if (upgrade !== undefined) this.server.notUpgraded(upgrade);
    if (connection.state !== 'closing') this.server.end(connection);
  }
  bind(numbered: Numbered): void {
    if (numbered.epoch !== this.epoch) return;
    const next = this.bound[this.boundFrom];
    if (next === undefined || next.counter !== numbered.counter) return;
    this.boundFrom++;
    if (this.boundFrom === this.bound.length) {
      this.bound = [];
      this.boundFrom = 0;
    } else if (this.boundFrom > 4096) {
      this.bound.splice(0, this.boundFrom);
      this.boundFrom = 0;
    }
    numbered.connection = next.connection;
    numbered.xid = next.xid;
    numbered.opcode = next.opcode;
    numbered.password = next.password;
    numbered.asked = next.audited;
    markAsAsked(numbered.txn, next.wide);
  }
  private revalidated({ session, valid }: MessageOf<'REVALIDATED'>): void {
    this.elsewhere.delete(session);
    const waiting = this.returning.get(session);
    const first = waiting?.shift();
    if (waiting?.length === 0) this.returning.delete(session);
    if (first !== undefined) this.attach(first.connection, session as SessionId, first.password, valid);
  }
  forget(session: TrackedSession): void {
    this.heardOf.delete(session);
    this.elsewhere.delete(session.id);
  }
  goOn(): void {}
  gone(): void {}
  tell(): void {}
  nextSync(): undefined {}
  synced(): void {}

  /** Sessions heard of since the last report, for the leader, who alone decides whose time is over. */
  report(): void {
    const { server, epoch, heardOf } = this;
    this.heardOf = new Set();
    const sessions = [...heardOf].map(({ id, timeoutMs }) => ({ session: id, timeoutMs }));
    for (let at = 0; at === 0 || at < sessions.length; at += MOST_TOUCHED)
      server.toLeader({
        type: 'TOUCHED',
        epoch,
        wallMs: Math.max(0, Math.round(server.wall)),
        sessions: sessions.slice(at, at + MOST_TOUCHED),
      });
  }
}
/** Sessions in one report. */
const MOST_TOUCHED = 10_000;
