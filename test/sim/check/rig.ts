/** A border with a history made by hand: what is said over it is put into words here. */
import { lanes } from '../../../src/base/hash.ts';
import type { SessionId, Zxid } from '../../../src/base/ids.ts';
import { Writer } from '../../../src/protocol/bytes.ts';
import { WatcherEvent } from '../../../src/protocol/events.ts';
import { ConnectRequest, ConnectResponse } from '../../../src/protocol/handshake.ts';
import {
  type AnswerOf,
  OPERATIONS,
  type OperationName,
  ReplyHeader,
  RequestHeader,
  type RequestOf,
} from '../../../src/protocol/operations.ts';
import { PackWriter } from '../../../src/records/pack.ts';
import { KIND, OPEN_ACL, type Txn, writeEnvelope } from '../../../src/records/txns.ts';
import type { Host } from '../world/host.ts';
import { Border } from './border.ts';
import { Ledger } from './ledger.ts';
import { Locals, type SessionMode } from './locals.ts';
import { chainKey } from './log-tap.ts';
import { Oracle } from './oracle.ts';
import { Verdicts } from './verdicts.ts';

export const SESSION = 0x100000000000001n as SessionId;
const frame = (write: (to: Writer) => void): Buffer => {
  const to = new Writer();
  to.int32(0);
  write(to);
  const bytes = to.take();
  bytes.writeInt32BE(bytes.length - 4, 0);
  return bytes;
};

export class Rig {
  now = 0;
  readonly verdicts = new Verdicts(() => this.now);
  readonly ledger = new Ledger(
    this.verdicts,
    () => this.now,
    (sids) => sids.length >= 2,
  );
  /** Who decides at server 1, and whether it only shows what it has. */
  term: object | undefined = {};
  readOnly: boolean | undefined = false;
  readonly locals: Locals;
  readonly oracle: Oracle;
  readonly border: Border;
  /** Which life of its process that is. */
  life = 1;
  /** What opens the sessions that are given out, and what is said to open them. */
  password = Buffer.alloc(16);
  readonly holders = new Set([1, 2]);
  /** Who leads, and whether it has decided that the session ends. */
  leader = '1';
  ending = false;
  private chain: [number, number] = [0, 0];
  private counter = 0;
  private conversations = 0;

  constructor(mode: SessionMode = 'shared') {
    this.locals = new Locals({
      mode,
      verdicts: this.verdicts,
      now: () => this.now,
      termOf: () => this.term,
      lifeOf: () => this.life,
    });
    this.oracle = new Oracle(this.verdicts, this.locals);
    this.ledger.onCommitted = (committed) => this.oracle.take(committed);
    this.border = new Border({
      oracle: this.oracle,
      ledger: this.ledger,
      verdicts: this.verdicts,
      locals: this.locals,
      isReadOnly: () => this.readOnly,
      now: () => this.now,
      sidOf: () => 1,
      isDeposed: () => false,
      isPresent: () => true,
      leader: () => this.leader,
      isEnding: () => this.ending,
      momentOf: () => this.oracle.state.now,
      beforeOf: () => this.oracle.state.now,
    });
  }
  get rules(): string[] {
    return this.verdicts.violations.map(({ rule }) => rule);
  }
  /** A transaction is written to the disks of the holders and applied by server 1. Returns its zxid. */
  commit(txn: Txn, session: bigint = SESSION, xid = 0, zxid = (1n << 32n) | BigInt(this.counter + 1)): bigint {
    const to = new PackWriter();
    this.counter = Number(zxid & 0xffff_ffffn);
    writeEnvelope(to, Number(zxid >> 32n), this.counter, 1000 + this.counter, session, xid, txn, ...this.chain);
    const before = chainKey(...this.chain);
    this.chain = [lanes[0] as number, lanes[1] as number];
    const chain = chainKey(...this.chain);
    const bytes = Buffer.from(to.bytes.subarray(0, to.at));
    this.ledger.noteWritten({ zxid, chain, before, bytes });
    for (const sid of this.holders) this.ledger.holdingsOf(sid).keep([{ chain, zxid }]);
    this.ledger.applied(1, zxid, chain);
    return zxid;
  }
  begin(): bigint {
    return this.commit({ kind: KIND.createSession, id: SESSION, timeoutMs: 1000, secret: Buffer.alloc(16) });
  }
  create(path: string, xid: number, data = 'x'): bigint {
    const creates = (this.oracle.state.tree.get(path.slice(0, path.lastIndexOf('/')) || '/')?.creates ?? 0) + 1;
    return this.commit(
      { kind: KIND.create, path, data: Buffer.from(data), acl: OPEN_ACL, owner: 0n, creates },
      SESSION,
      xid,
    );
  }
  /** A connection whose session stands. */
  connect(lastZxidSeen = 0n): number {
    const number = this.greet(lastZxidSeen);
    this.welcome(number, 1000, SESSION);
    return number;
  }
  /** A new session that its server gives out by itself; `allows`: its client takes a server that only shows what it has. */
  beginLocally(session = SESSION, { allows = false, readOnly = false } = {}): number {
    const number = this.greet(0n, allows, 0n as SessionId);
    this.welcome(number, 1000, session, readOnly);
    return number;
  }
  /** Whoever had that connection is not heard any more. */
  hangUp(number: number): void {
    this.border.closed(number);
  }
  /** A client comes back and is told that its session is over; `between`: before it is told. */
  refused(between: () => void = () => {}): void {
    const number = this.greet(0n);
    between();
    this.welcome(number, 0, 0n as SessionId);
  }
  private greet(lastZxidSeen: bigint, readOnly = false, sessionId = SESSION): number {
    const number = ++this.conversations;
    this.border.opened(number, {} as Host, { name: 'client' } as Host);
    const hello = {
      protocolVersion: 0,
      lastZxidSeen: lastZxidSeen as Zxid,
      timeoutMs: 1000,
      sessionId,
      password: this.password,
      readOnly,
    };
    this.border.heard(
      number,
      frame((to) => ConnectRequest.write(to, hello)),
    );
    return number;
  }
  private welcome(number: number, timeoutMs: number, sessionId: SessionId, readOnly = false): void {
    const welcome = { protocolVersion: 0, timeoutMs, sessionId, password: this.password, readOnly };
    this.border.answered(
      number,
      frame((to) => ConnectResponse.write(to, welcome)),
    );
    this.border.settle();
  }
  ask<N extends OperationName>(on: number, xid: number, name: N, request: RequestOf<N>): void {
    const { code, request: kind } = OPERATIONS[name];
    this.border.heard(
      on,
      frame((to) => {
        RequestHeader.write(to, { xid, type: code });
        (kind as { write(to: Writer, value: unknown): void }).write(to, request);
      }),
    );
  }
  answer<N extends OperationName>(on: number, xid: number, zxid: bigint, name: N, answer: AnswerOf<N> | number): void {
    const err = typeof answer === 'number' ? answer : 0;
    this.border.answered(
      on,
      frame((to) => {
        ReplyHeader.write(to, { xid, zxid: zxid as Zxid, err });
        if (err === 0) (OPERATIONS[name].answer as { write(to: Writer, value: unknown): void }).write(to, answer);
      }),
    );
    this.border.settle();
  }
  event(on: number, zxid: bigint, type: number, path: string): void {
    this.border.answered(
      on,
      frame((to) => {
        ReplyHeader.write(to, { xid: -1, zxid: zxid as Zxid, err: 0 });
        WatcherEvent.write(to, { type, state: 3, path });
      }),
    );
    this.border.settle();
  }
}
export const worldAcl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
