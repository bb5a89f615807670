import { ROLLED_BACK } from './discovery.ts';
import type { State } from './state.ts';
import {
  follows,
  isBefore,
  isSameMark,
  type Mark,
  type Message,
  markOf,
  ORIGIN,
  type Phase,
  type Position,
  positionOf,
  type Vote,
} from './types.ts';

type Of<T extends Message['type']> = Message & { readonly type: T };
/** Between two attempts to reach a leader that is not leading yet. */
const REDIAL_TICKS = 2;
const UNASKED = 'a damaged log is to go on';
/** What was applied here is not taken back for anybody; a leader that asks for it is out of its mind. */
const BEHIND = 'the leader lacks what is committed here';

/**
 * A term as learner, whether it counts (a follower) or not (an observer): promises the leader's epoch, takes over its
 * history, then appends what comes and acknowledges what is durable. `over` says why it must end.
 */
export class Learning {
  private readonly state: State;
  readonly sid: number;
  phase: Phase = 'discovery';
  over: string | undefined;
  /** The member that the leader going away wants to be voted for. */
  successor: Vote | undefined;
  /** Who was to lead votes for another: we, whose log knows less of who counts, decided too early. */
  hasChanged = false;
  epoch = 0;
  /** To the leader. */
  link: number | undefined;
  /** What the leader said of starts whose tags it keeps no longer. */
  private startsUpTo: Position | undefined;
  private redialIn: number | undefined;
  private silent = 0;
  private age = 0;
  /** This link's promise: true when the epoch was accepted before and no promise is given now. */
  private old = false;
  private synchronising = false;
  private asked = false;
  /** End of the log when NEWLEADER came: all of it must be durable before the epoch is, and that before the ack. */
  private newLeaderAt: Position | undefined;
  private acked = false;
  private ackedUpTo: Position | undefined;
  private committed: Position | undefined;
  /** Something of the history that we are given came since the leader was last told so, and the ticks until it may be told again. */
  private gotFurther = false;
  private untilTold = 0;

  constructor(state: State, sid: number) {
    this.state = state;
    this.sid = sid;
  }
  begin(): void {
    this.state.out.push({ type: 'dial', to: this.sid });
  }

  linked(link: number, sid: number): void {
    const { state } = this;
    if (sid !== this.sid || this.link !== undefined) return state.hangUp(link, 'not waited for');
    this.link = link;
    this.startsUpTo = undefined;
    this.silent = 0;
    const { self, tags, acceptedEpoch, history } = state;
    const config = history.committedConfig();
    const voter = history.lists(self);
    state.sendStarts(link);
    state.send(link, { type: 'FOLLOWERINFO', incarnation: self.incarnation, tags, acceptedEpoch, voter, config });
  }
  dialFailed(sid: number): void {
    if (sid === this.sid && this.link === undefined) this.redialIn = REDIAL_TICKS;
  }
  closed(link: number): void {
    if (link !== this.link) return;
    this.link = undefined;
    // a leader that is not leading yet hangs up; any later, what was promised on that link is void
    if (this.epoch === 0 && this.over === undefined) this.redialIn = REDIAL_TICKS;
    else this.over ??= 'the link to the leader closed';
  }
  close(): void {
    if (this.link !== undefined) this.state.hangUp(this.link, 'no longer following');
    this.link = undefined;
  }
  private leave(reason: string): void {
    this.over ??= reason;
  }

  /** Whom we wait for to lead is not leading yet, and says whom it votes for. */
  candidateVotes(vote: Vote | null): void {
    if (this.epoch > 0 || vote === null || vote.sid === this.sid) return;
    this.hasChanged = true;
    this.leave('the candidate votes for another');
  }
  tick(): void {
    const { limits } = this.state;
    if (this.redialIn !== undefined && --this.redialIn <= 0) {
      this.redialIn = undefined;
      this.state.out.push({ type: 'dial', to: this.sid });
    }
    this.age++;
    const patience = this.phase === 'broadcast' ? limits.silence : limits.init;
    if (this.link !== undefined && ++this.silent > patience) this.leave('the leader is silent');
    if (this.epoch === 0 && this.age > limits.init) this.leave('the leader does not lead');
    this.tellProgress();
  }
  /** A part of the snapshot came, or was read back: who sends it is there, however long the whole takes. */
  progress(link: number): void {
    if (link !== this.link) return;
    this.silent = 0;
    this.gotFurther = this.synchronising;
  }
  /**
   * What a learner is given to begin with may take longer than everything else may. The leader hears that it comes further, with
   * an acknowledgement of nothing; heartbeats wait behind what is sent, and say nothing of a disk that stands still.
   */
  private tellProgress(): void {
    if (this.untilTold > 0) this.untilTold--;
    const { link, epoch } = this;
    if (!this.gotFurther || this.untilTold > 0 || this.acked || link === undefined || this.over !== undefined) return;
    this.gotFurther = false;
    this.untilTold = this.state.limits.ping;
    const { incarnation } = this.state.self;
    this.state.send(link, { type: 'ACK', epoch, incarnation, upTo: positionOf(ORIGIN) });
  }

  received(link: number, message: Message): void {
    if (link !== this.link || this.over !== undefined) return;
    this.silent = 0;
    switch (message.type) {
      case 'STARTS':
        this.startsUpTo = message.upTo;
        return;
      case 'LEADERINFO':
        return this.leaderInfo(link, message);
      case 'ROLLEDBACK':
        if (message.incarnation !== this.state.self.incarnation) return;
        this.state.out.push({ type: 'rolledBack' });
        return this.leave(ROLLED_BACK);
      case 'VOTE':
      case 'FOLLOWERINFO':
      case 'ACKEPOCH':
      case 'ASKSNAP':
      case 'ACKNEWLEADER':
      case 'ACK':
      case 'PONG':
        return this.leave(`${message.type} from a leader`);
    }
    if (this.epoch === 0 || message.epoch !== this.epoch) return this.leave(`${message.type} of another epoch`);
    switch (message.type) {
      case 'PING': {
        const { incarnation } = this.state.self;
        return this.state.send(link, { type: 'PONG', epoch: this.epoch, incarnation, round: message.round });
      }
      case 'DIFF':
        if (this.synchronising) return this.leave('synchronisation begins twice');
        if (this.state.damage !== undefined) return this.leave(UNASKED);
        if (!isSameMark(message.from, this.state.history.last)) return this.askForSnapshot(link);
        return this.beginSync();
      case 'TRUNC':
        return this.truncate(link, message.to);
      case 'SNAP':
        if (this.synchronising) return this.leave('synchronisation begins twice');
        if (message.at.epoch > this.epoch) return this.leave('a snapshot of a later epoch');
        this.state.stage(message.at, message.configs, message.seen);
        this.asked = false;
        return this.beginSync();
      case 'PROPOSAL':
        return this.append(message);
      case 'INFORM':
        this.append(message);
        return this.inform(message);
      case 'NEWLEADER':
        return this.newLeader();
      case 'UPTODATE':
        return this.upToDate(message);
      case 'COMMIT':
        return this.commit(message.upTo);
      case 'HANDOVER':
        this.successor = message.vote;
        return this.leave('the leader hands over');
    }
  }

  private leaderInfo(link: number, info: Of<'LEADERINFO'>): void {
    const { state } = this;
    const { history } = state;
    if (this.epoch !== 0) return this.leave('LEADERINFO twice');
    const leader = { sid: this.sid, incarnation: info.incarnation };
    if (history.provesOld(leader, info.tags, this.startsUpTo) || state.witness.saw(leader, info.epoch)) {
      state.send(link, { type: 'ROLLEDBACK', incarnation: info.incarnation });
      return this.leave('the directory of the leader is an old copy');
    }
    state.witness.accepted(leader, info.epoch);
    if (history.learnCommitted(info.config)) state.apply();
    // one that never counted may follow a lower epoch than it has accepted, and keeps its promise (foundations.md 13.11)
    if (info.epoch < state.acceptedEpoch && history.lists(state.self))
      return this.leave(`epoch ${info.epoch} is below the accepted one, ${state.acceptedEpoch}`);
    // but not a leader that was stopped for long: the epoch we are in had its quorum, the lower one can commit nothing more
    if (info.epoch < state.currentEpoch)
      return this.leave(`epoch ${info.epoch} is below the present one, ${state.currentEpoch}`);
    this.epoch = info.epoch;
    this.old = info.epoch <= state.acceptedEpoch;
    if (this.old) return this.ackEpoch(link);
    state.store(info.epoch, state.currentEpoch);
  }
  private ackEpoch(link: number): void {
    const { currentEpoch, history, damage } = this.state;
    const ends = damage === undefined ? history.ends() : []; // of a damaged log nothing is built on: a snapshot is needed
    const last = damage === undefined ? markOf(history.last) : { ...ORIGIN, ...damage.mayHaveAcked };
    const promise = this.old ? null : currentEpoch;
    this.state.send(link, { type: 'ACKEPOCH', epoch: this.epoch, currentEpoch: promise, last, ends });
  }

  /** What {@link State.store} asked for is durable: the promise first, the taking over second. */
  stored(): void {
    if (this.link === undefined) return;
    if (this.newLeaderAt === undefined) return this.ackEpoch(this.link);
    const { self, history } = this.state;
    this.phase = 'synchronization';
    this.acked = true;
    this.ackedUpTo = history.durable;
    const { epoch, link } = this;
    this.state.send(link, { type: 'ACKNEWLEADER', epoch, incarnation: self.incarnation, upTo: history.durable });
    this.applyCommitted();
  }

  private beginSync(): void {
    this.phase = 'synchronization';
    this.synchronising = true;
    this.newLeaderAt = undefined;
  }
  private askForSnapshot(link: number): void {
    this.asked = true; // what is still under way builds on a mark that we do not have
    this.state.send(link, { type: 'ASKSNAP', epoch: this.epoch });
  }
  private truncate(link: number, to: Mark): void {
    const { state } = this;
    if (this.synchronising) return this.leave('synchronisation begins twice');
    if (state.damage !== undefined) return this.leave(UNASKED);
    if (!state.history.has(to)) return this.askForSnapshot(link);
    if (isBefore(to, state.history.committed)) return this.leave(BEHIND);
    state.cut(to);
    this.beginSync();
  }

  private append({ entries, type }: Of<'PROPOSAL'> | Of<'INFORM'>): void {
    if (this.asked) return;
    const { incoming } = this.state;
    if (!this.synchronising) return this.leave(`${type} before synchronisation`);
    for (const entry of entries) {
      if (!follows(incoming.last, entry) || entry.epoch > this.epoch) return this.leave('a proposal after a gap');
      incoming.append(entry);
    }
    this.gotFurther = true;
    this.state.out.push({ type: 'append', generation: incoming.generation, entries });
  }
  private inform({ entries }: Of<'INFORM'>): void {
    const last = entries[entries.length - 1];
    if (last !== undefined && this.over === undefined && !this.asked) this.commit(positionOf(last));
  }

  private newLeader(): void {
    if (this.asked) return;
    if (!this.synchronising || this.newLeaderAt !== undefined) return this.leave('NEWLEADER out of place');
    const { incoming, history } = this.state;
    if (isBefore(incoming.last, history.committed)) return this.leave(BEHIND);
    const { epoch, counter } = incoming.last;
    this.newLeaderAt = { epoch, counter };
    this.maybeTakeOver();
  }
  /** History durable, then the epoch, then the acknowledgement (invariant I5). */
  private maybeTakeOver(): void {
    const { state } = this;
    const { incoming } = state;
    if (this.newLeaderAt === undefined || this.acked || state.storing !== undefined) return;
    if (state.staging || state.cutting || isBefore(incoming.durable, this.newLeaderAt)) return;
    state.store(state.acceptedEpoch, this.epoch);
  }

  /** Our disk holds more, or the cut or the snapshot is durable. */
  persisted(): void {
    const { state } = this;
    if (!this.acked) {
      this.gotFurther = true;
      return this.maybeTakeOver();
    }
    const { durable } = state.history;
    if (this.link !== undefined && (this.ackedUpTo === undefined || isBefore(this.ackedUpTo, durable))) {
      this.ackedUpTo = durable;
      const { incarnation } = state.self;
      state.send(this.link, { type: 'ACK', epoch: this.epoch, incarnation, upTo: durable });
    }
    state.apply();
  }

  private commit(upTo: Position): void {
    if (this.asked) return;
    if (isBefore(this.state.incoming.last, upTo)) return this.leave('a commit of what was never proposed');
    if (this.committed === undefined || isBefore(this.committed, upTo)) this.committed = upTo;
    this.applyCommitted();
  }
  private applyCommitted(): void {
    const { state } = this;
    if (!this.acked || this.committed === undefined) return;
    state.history.commit(this.committed);
    state.apply();
  }
  private upToDate({ committed }: Of<'UPTODATE'>): void {
    if (!this.acked) return this.leave('UPTODATE before our acknowledgement');
    this.commit(committed);
    if (this.phase === 'broadcast' || this.over !== undefined) return;
    this.phase = 'broadcast';
    this.state.out.push({ type: 'serve' });
  }
}
