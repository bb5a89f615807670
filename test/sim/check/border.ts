import { KIND } from '../../../src/records/txns.ts';
import { WRONG } from '../model/decide.ts';
import type { ClientTap } from '../world/client-net.ts';
import type { Host } from '../world/host.ts';
import { show } from './compare.ts';
import { type Asked, Conversation, type Said } from './conversation.ts';
import { hex, type Ledger } from './ledger.ts';
import type { Locals } from './locals.ts';
import type { Oracle } from './oracle.ts';
import { readDiffers } from './reads.ts';
import type { HeardAt } from './sessions.ts';
import type { Verdicts } from './verdicts.ts';
import type { Told } from './watch-model.ts';
import { OPERATIONS, type RequestOf } from './wire.ts';
import { writeDiffers } from './writes.ts';

/** What the checker at the border needs to know of the ensemble. */
export interface Around {
  readonly oracle: Oracle;
  readonly ledger: Ledger;
  readonly verdicts: Verdicts;
  readonly locals: Locals;
  now(): number;
  sidOf(host: Host): number;
  /** The moment that a server's state is of; undefined when it has none. */
  momentOf(sid: number): number | undefined;
  /** It takes part in the latest epoch. */
  isPresent(sid: number): boolean;
  /** Who leads, and in which life; empty while nobody does. */
  leader(): string;
  /** Whether somebody who leads has decided that this session ends. */
  isEnding(session: bigint): boolean;
  /** It shows what it has, since it finds no leader; undefined while it serves nobody. */
  isReadOnly(sid: number): boolean | undefined;
  /** It still leads, while another leads a later epoch. */
  isDeposed(sid: number): boolean;
  /** And before the event that is under way. */
  beforeOf(sid: number): number | undefined;
}
/** An event that must be told; `anyOrder`: of those with its zxid which comes first is not said anywhere. */
interface Due extends Told {
  readonly zxid: bigint;
  readonly anyOrder: boolean;
}
const XID = { ping: -2, auth: -4, setWatches: -8 } as const;
/**
 * Everything that servers and clients say to each other, checked against the model as it is said: answers (oracle), their
 * order (I8), what they promise (I3), what they tell of changes (I10), and what a sync promises (P3).
 */
export class Border implements ClientTap {
  private readonly around: Around;
  private readonly open = new Map<number, Conversation>();
  /** What was said in the event that is under way; looked at when the history knows of it. */
  private said: { conversation: Conversation; said: Said }[] = [];
  /** Sessions that live by the history and whose clients were told otherwise: they must end. */
  readonly toldExpired = new Set<bigint>();
  /** What opens each session, as it was given out last, hex. */
  private readonly passwords = new Map<bigint, string>();
  /** The latest moment that any client was told of. */
  private acknowledged = 0;
  /** When a server last heard of a session, and which, newest last. */
  readonly lastHeard = new Map<bigint, HeardAt[]>();
  counts = {
    ...{ deposedSyncs: 0, replies: 0, reads: 0, writes: 0, syncs: 0, events: 0, welcomes: 0 },
    // by a server that only shows what it has
    ...{ shown: 0, shownReads: 0, refusedWrites: 0 },
  };

  constructor(around: Around) {
    this.around = around;
  }
  opened(number: number, server: Host, client: Host): void {
    this.open.set(number, new Conversation(number, this.around.sidOf(server), client.name));
  }
  closed(number: number): void {
    const conversation = this.open.get(number);
    this.open.delete(number);
    // what comes in the very moment in which the connection ends is not read any more
    const heard = this.lastHeard.get(conversation?.session ?? 0n);
    while (heard?.at(-1)?.at === this.around.now() && heard?.at(-1)?.sid === conversation?.sid) heard?.pop();
    if (conversation?.isWelcome !== true) return;
    const { end, heldBy } = endOf(conversation);
    this.around.locals.unheard(conversation.session, end, heldBy);
  }
  /** Another connection to this server has the session now. */
  private taken(by: Conversation, session: bigint): void {
    for (const from of this.open.values()) {
      if (from === by || from.session !== session || from.sid !== by.sid || !from.isWelcome) continue;
      const { end, heldBy } = endOf(from);
      this.around.locals.taken(session, end, heldBy);
    }
  }
  heard(number: number, bytes: Buffer): void {
    const conversation = this.open.get(number);
    if (conversation === undefined) return;
    const at = this.around.now();
    const requests = conversation.heard(bytes);
    if (conversation.isGreeted)
      conversation.helloAt ??= { moment: this.around.oracle.state.now, leader: this.around.leader() };
    for (const each of requests) {
      const asked: Asked = { ...each, at, acknowledged: this.acknowledged };
      if (!conversation.readOnly) this.around.oracle.heard(conversation.session, asked);
      if (conversation.isWelcome) this.around.locals.heard(conversation.session, asked);
      if (each.type === OPERATIONS.sync.code && this.around.isDeposed(conversation.sid)) this.counts.deposedSyncs++;
      if (each.xid !== XID.ping && each.xid !== XID.auth) conversation.asked.push(asked);
    }
    if (conversation.session !== 0n) this.noteHeard(conversation, at, this.knows(conversation));
  }
  /**
   * What a session says of itself to a server that has not applied its beginning cannot be verified there, and whoever has seen
   * more than a server has applied is turned away by it. Whoever had the number before it was given again is not the session.
   */
  private knows({ session, sid, password, isWelcome, lastSeen }: Conversation): boolean {
    const { state } = this.around.oracle;
    const here = this.around.momentOf(sid) ?? -1;
    const born = state.sessions.get(session)?.born;
    if (!isWelcome && (state.momentOf(lastSeen) ?? 0) > here) return false;
    return born !== undefined && born <= here && this.opens(session, password);
  }
  private noteHeard({ session, sid }: Conversation, at: number, isVerified: boolean): void {
    // once its end is decided nothing that is heard saves it, however late a slow disk has that
    const heard = { at, sid, isVerified: isVerified && !this.around.isEnding(session) };
    const list = this.lastHeard.get(session);
    if (list === undefined) this.lastHeard.set(session, [heard]);
    else {
      list.push(heard);
      if (list.length > 400) list.splice(0, 200);
    }
  }
  answered(number: number, bytes: Buffer): void {
    const conversation = this.open.get(number);
    if (conversation !== undefined)
      for (const said of conversation.answered(bytes)) this.said.push({ conversation, said });
  }
  /** After each event, when the history has caught up with what was applied in it. */
  settle(): void {
    if (this.said.length === 0) return;
    const all = this.said;
    this.said = [];
    for (const { conversation, said } of all) this.check(conversation, said);
  }

  private check(conversation: Conversation, said: Said): void {
    const { oracle, verdicts, locals } = this.around;
    switch (said.type) {
      case 'welcome': {
        const before = conversation.session;
        const here = this.around.momentOf(conversation.sid);
        this.counts.welcomes++;
        if (said.timeoutMs <= 0) {
          if (oracle.state.isLive(before)) this.toldOver(conversation);
          // the number was given again: what may live is another's
          else if (this.opens(before, conversation.password)) locals.toldOver(before, conversation.sid);
          return;
        }
        if (before !== 0n && before !== said.session)
          verdicts.fail('I9', `${this.who(conversation)}: resumed as another session, ${hex(said.session)}`);
        this.judgeMode(conversation, said);
        // by what this server knew in this event; one that takes part in the latest epoch asked its leader, who knew all that
        // was committed when the client came. A leader that was deposed and has not noticed welcomes whom it knew
        const { sid, helloAt } = conversation;
        const known = this.around.beforeOf(sid) ?? 0;
        const since = this.around.isPresent(sid) ? Math.max(known, helloAt?.moment ?? 0) : known;
        const isShared = oracle.state.sessions.has(said.session);
        if (before === 0n && locals.mode !== 'shared') {
          // one that only reads asks for nothing: what the session before it asked for may still be done
          if (locals.has(said.session) && !said.readOnly) oracle.forget(said.session);
          // a read-only one does not know all that it gave before it last started, and its wall clock may have gone back
          const born = oracle.state.sessions.get(said.session)?.born;
          const isTaken = born !== undefined && !(said.readOnly && born > (here ?? 0));
          locals.began(said.session, sid, said.timeoutMs, said.readOnly, isTaken);
        } else if (locals.has(said.session) && !isShared) {
          this.taken(conversation, said.session);
          locals.resumed(said.session, sid);
        } else if (!oracle.state.wasLive(said.session, since, here))
          verdicts.fail(
            'I9',
            `${this.who(conversation)}: welcomed as ${hex(said.session)}, which does not live: ${show(oracle.state.sessions.get(said.session))}; the history is at ${oracle.state.now}`,
          );
        const { password } = conversation;
        if (before === 0n) this.passwords.set(said.session, said.password);
        else if (!this.opens(said.session, password))
          verdicts.fail('I9', `${this.who(conversation)}: taken up with a password that is not its own`);
        conversation.session = said.session;
        conversation.timeoutMs = said.timeoutMs;
        conversation.isWelcome = true;
        const { at } = { at: this.around.now() };
        this.noteHeard(conversation, at, true);
        // requests that came behind the handshake were heard before the session had its number
        for (const asked of conversation.asked) {
          if (!said.readOnly) oracle.heard(said.session, asked);
          locals.heard(said.session, asked);
        }
        return;
      }
      case 'event':
        this.counts.events++;
        conversation.events.push(said);
        return;
      case 'reply':
        this.reply(conversation, said);
    }
  }
  /**
   * A client is told that its session is over, and it lives. Whoever leads must have decided that it ends; this may not be
   * committed yet, or never be: then its end comes with its own time.
   */
  private toldOver(conversation: Conversation): void {
    const { session, password, helloAt, sid } = conversation;
    const { verdicts, ledger, oracle, isEnding, isPresent, leader } = this.around;
    // the number was given again (see {@link Locals.began}): what lives is another's
    if (!this.opens(session, password)) return;
    this.toldExpired.add(session);
    // of who led when it came and does not now nobody knows what it had decided
    if (!isPresent(sid) || helloAt === undefined || helloAt.leader === '' || helloAt.leader !== leader()) return;
    if (isEnding(session)) return;
    // one member had it alone when the client came to another, as which it cannot be taken up elsewhere
    if ((oracle.state.sessions.get(session)?.born ?? 0) > helloAt.moment) return;
    for (const { txn } of ledger.beyond()) if (txn.kind === KIND.closeSession && txn.id === session) return;
    verdicts.fail('I9', `${this.who(conversation)}: told that its session is over, which lives and nobody ends`);
  }
  private opens(session: bigint, password: string): boolean {
    return (this.passwords.get(session) ?? password) === password;
  }
  /** A server that only shows what it has says so, and takes only clients that asked for no more. */
  private judgeMode(conversation: Conversation, { readOnly }: Said & { type: 'welcome' }): void {
    const { verdicts, isReadOnly } = this.around;
    const { sid, allowsReadOnly } = conversation;
    conversation.readOnly = readOnly;
    if (readOnly) this.counts.shown++;
    if (readOnly && !allowsReadOnly)
      verdicts.fail('oracle', `${this.who(conversation)}: read-only, to a client that wants to write`);
    // one whose term ended in this very event has closed the connection
    if ((isReadOnly(sid) ?? readOnly) !== readOnly)
      verdicts.fail(
        'oracle',
        `${this.who(conversation)}: says that it is ${readOnly ? '' : 'not '}read-only, and is not so`,
      );
  }
  private who({ sid, client, session }: Conversation): string {
    return `server ${sid} to ${client} (${hex(session)})`;
  }
  private reply(conversation: Conversation, reply: Said & { type: 'reply' }): void {
    const { oracle, verdicts } = this.around;
    this.counts.replies++;
    if (reply.xid === XID.auth) return;
    const asked = reply.xid === XID.ping ? undefined : conversation.asked.shift();
    if (reply.xid !== XID.ping && asked?.xid !== reply.xid) {
      verdicts.fail(
        'I7',
        `${this.who(conversation)}: a reply to ${reply.xid} where one to ${asked?.xid} is due of ${[asked, ...conversation.asked].map((each) => `${each?.xid}:${each?.type}`).join(' ')}; ${hex(reply.zxid)} is ${show(oracle.replayed[oracle.state.momentOf(reply.zxid) ?? 0]?.committed.envelope)}`,
      );
      return;
    }
    // but for a read-only one that has nothing yet: golden vectors say that it serves
    if (reply.zxid < 0n || (reply.err !== 0 && reply.zxid === 0n && !conversation.readOnly)) {
      // refused before anything was looked at: nobody here asks for what is not known
      verdicts.fail('oracle', `${this.who(conversation)}: ${show(asked)} is refused with ${reply.err}`);
      return;
    }
    const moment = oracle.state.momentOf(reply.zxid);
    if (moment === undefined) {
      verdicts.fail('I3', `${this.who(conversation)}: told of ${hex(reply.zxid)}, which no server has applied`);
      return;
    }
    const floor = Math.max(conversation.seen ?? 0, oracle.state.momentOf(conversation.lastSeen) ?? 0);
    if (reply.zxid < conversation.lastSeen || moment < floor)
      verdicts.fail('I8', `${this.who(conversation)}: ${hex(reply.zxid)} after ${hex(oracle.state.zxidOf(floor))}`);
    this.account(conversation, moment, asked);
    if (asked !== undefined) this.judge(conversation, asked, reply, moment);
    this.acknowledged = Math.max(this.acknowledged, moment);
  }
  private judge(conversation: Conversation, asked: Asked, reply: Said & { type: 'reply' }, moment: number): void {
    const { oracle, verdicts } = this.around;
    const fail = (rule: Parameters<Verdicts['fail']>[0], text: string): void =>
      verdicts.fail(rule, `${this.who(conversation)}, ${hex(reply.zxid)}: ${text}`);
    if (conversation.readOnly && (asked.writes !== undefined || asked.type === OPERATIONS.sync.code)) {
      this.counts.refusedWrites++;
      if (reply.err !== WRONG.notReadOnly) fail('I7', `read-only, and answers ${show(asked)} with ${reply.err}`);
      return;
    }
    if (asked.type === OPERATIONS.closeSession.code && oracle.state.isLive(conversation.session, moment))
      fail('I9', 'told that its session has ended, which lives');
    if (asked.type === OPERATIONS.sync.code) {
      this.counts.syncs++;
      if (reply.err !== 0) fail('P3', `sync failed with ${reply.err}`);
      else if (moment < asked.acknowledged)
        fail(
          'P3',
          `a sync is answered below ${hex(oracle.state.zxidOf(asked.acknowledged))}, which was answered before`,
        );
      return;
    }
    if (asked.writes === undefined) {
      if (asked.type !== OPERATIONS.closeSession.code) this.counts.reads++;
      if (conversation.readOnly) this.counts.shownReads++;
      if (asked.type === OPERATIONS.removeWatches.code) {
        const { path, type } = asked.body as RequestOf<'removeWatches'>;
        const had = conversation.watches.remove(path ?? '', type);
        if (had !== (reply.err === 0))
          fail('I10', `a watch of ${path} ${had ? 'is there' : 'is not there'}: ${reply.err}`);
        return;
      }
      const fault = readDiffers(oracle.state, moment, conversation.session, asked, reply);
      if (fault !== undefined) fail('oracle', fault);
      if (reply.err === 0 || reply.err === -101) this.register(conversation, asked, reply.err, moment);
      return;
    }
    this.counts.writes++;
    const replayed = oracle.replayed[moment];
    const { session, xid } = replayed?.committed.envelope ?? { session: 0n, xid: 0 };
    if (replayed === undefined || session !== conversation.session || xid !== asked.xid) {
      fail('oracle', `answers ${show(asked.writes)} with ${reply.err} and another's transaction`);
      return;
    }
    const fault = writeDiffers(replayed, reply);
    if (fault !== undefined) fail('oracle', fault);
    if (moment <= asked.acknowledged)
      fail('I7', `asked after ${hex(oracle.state.zxidOf(asked.acknowledged))} had been answered, done before it`);
  }
  // --- watches -----------------------------------------------------------------------------------------------------

  /** Events of everything up to this moment must have been told by now, and no others. */
  private account(conversation: Conversation, moment: number, asked: Asked | undefined): void {
    const { oracle, verdicts } = this.around;
    const { watches } = conversation;
    const due: Due[] = [];
    for (let at = (conversation.seen ?? moment) + 1; at <= moment; at++) {
      const outcome = oracle.state.outcomes[at];
      const anyOrder = oracle.replayed[at]?.committed.envelope.txn.kind === KIND.closeSession;
      for (const change of outcome?.changes ?? [])
        for (const told of watches.take(change))
          due.push({ ...told, zxid: (outcome as { zxid: bigint }).zxid, anyOrder });
    }
    conversation.seen = moment;
    if (asked?.type === OPERATIONS.setWatches.code || asked?.type === OPERATIONS.setWatches2.code)
      for (const told of this.catchUp(conversation, asked, moment)) due.push({ ...told, zxid: -1n, anyOrder: false });
    const told = conversation.events.splice(0);
    const text = (list: readonly Told[]): string => list.map(({ type, path }) => `${type} ${path}`).join();
    if (
      isSame(
        due,
        told.map(({ event, zxid }) => ({ ...event, zxid })),
      )
    )
      return;
    verdicts.fail(
      'I10',
      `${this.who(conversation)}, at ${hex(oracle.state.zxidOf(moment))}: told ${text(told.map(({ event }) => event)) || 'nothing'}, due ${text(due) || 'nothing'}`,
    );
  }
  private catchUp(conversation: Conversation, asked: Asked, moment: number): Told[] {
    const { oracle } = this.around;
    const body = asked.body as RequestOf<'setWatches2'>;
    const list = (paths: readonly (string | null)[] | null | undefined): string[] => (paths ?? []).map((p) => p ?? '');
    return conversation.watches.catchUp(oracle.state, moment, body.relativeZxid, {
      data: list(body.dataWatches),
      exist: list(body.existWatches),
      child: list(body.childWatches),
      persistent: list(body.persistentWatches),
      recursive: list(body.persistentRecursiveWatches),
    });
  }
  private register({ watches }: Conversation, asked: Asked, err: number, _moment: number): void {
    const { path: given, watch } = (asked.body ?? {}) as { path?: string | null; watch?: boolean };
    const path = given ?? '';
    switch (asked.type) {
      case OPERATIONS.exists.code:
        if (watch === true) watches.watchData(path);
        return;
      case OPERATIONS.getData.code:
        if (watch === true && err === 0) watches.watchData(path);
        return;
      case OPERATIONS.getChildren.code:
      case OPERATIONS.getChildren2.code:
        if (watch === true && err === 0) watches.watchChildren(path);
        return;
      case OPERATIONS.addWatch.code:
        watches.watchAlways(path, (asked.body as RequestOf<'addWatch'>).mode === 1);
    }
  }
}

/** The end of its session that a connection asked for and has no answer to, and the sync that it waits for. */
function endOf({ asked }: Conversation): { end: number | undefined; heldBy: number | undefined } {
  const at = asked.findIndex(({ type }) => type === OPERATIONS.closeSession.code);
  const sync = asked.slice(0, Math.max(0, at)).findLast(({ type }) => type === OPERATIONS.sync.code);
  return { end: asked[at]?.xid, heldBy: sync?.xid };
}

/** The same events in the same order; the ephemerals of a session that ends go in any order. */
function isSame(due: readonly Due[], told: readonly (Told & { zxid: bigint })[]): boolean {
  if (due.length !== told.length) return false;
  const key = ({ type, path }: Told): string => `${type} ${path}`;
  for (let at = 0; at < due.length; ) {
    const { zxid, anyOrder } = due[at] as Due;
    let end = at + 1;
    while (anyOrder && end < due.length && due[end]?.zxid === zxid) end++;
    const a = due.slice(at, end).map(key);
    const b = told.slice(at, end).map(key);
    const numbered = told.slice(at, end).every((each) => each.zxid === -1n || each.zxid === zxid);
    if (a.sort().join() !== b.sort().join() || !numbered) return false;
    at = end;
  }
  return true;
}
