import type { Config, Member } from '../records/txns.ts';
import { hasVote, type Learner } from './learners.ts';
import { isQuorum, type Voice } from './quorum.ts';
import type { State } from './state.ts';
import { type ConfigReason, type Entry, isBefore, type Position, positionOf, type Refusal } from './types.ts';

/**
 * What a leader does about who counts, one config record at a time: it admits members with new directories (foundations.md
 * 13.8), changes members when asked or when zoo.cfg says so (13.14), and finds out when a change is done (13.7).
 */
export class Membership {
  private readonly state: State;
  private readonly learners: ReadonlyMap<number, Learner>;
  /** A config record was asked for and has not come back as a proposal. */
  private asked = false;
  /** The last config record known committed, from where on group headers say so, and whether that is to be told. */
  private pending: { readonly at: Position; readonly from: Position; readonly tell: boolean } | undefined;

  constructor(state: State, learners: ReadonlyMap<number, Learner>) {
    this.state = state;
    this.learners = learners;
  }

  private get underWay(): boolean {
    const { history } = this.state;
    return this.asked || history.configsAt(history.committed).next !== undefined;
  }
  /** Why this config would be refused now. */
  refusal(config: Config): Refusal | undefined {
    if (this.underWay) return 'in-progress';
    const { self } = this.state;
    return isQuorum(this.fill(config), [...this.voices(), self]) ? undefined : 'no-quorum';
  }
  private *synchronised(): Iterable<Learner> {
    for (const learner of this.learners.values()) if (learner.upToDate) yield learner;
  }
  /** Learners that have everything. */
  voices(): Voice[] {
    return [...this.synchronised()].map(({ voice }) => voice as Voice);
  }
  private ofServer(sid: number): Learner | undefined {
    for (const learner of this.synchronised()) if (learner.sid === sid) return learner;
    return undefined;
  }
  /** Incarnations that are not given: those of servers that are synchronised now, else those listed before, else none. */
  private fill(config: Config): Config {
    const before = this.state.history.lastConfig?.config.members ?? [];
    const { self } = this.state;
    const known = (sid: number): string | null =>
      (sid === self.sid ? self.incarnation : this.ofServer(sid)?.voice?.incarnation) ??
      before.find((member) => member.sid === sid)?.incarnation ??
      null;
    return {
      ...config,
      members: config.members.map((each) => ({ ...each, incarnation: each.incarnation ?? known(each.sid) })),
    };
  }

  /** Asks for this config. Returns the learner above whose promise the term has to rise first (foundations.md 13.11). */
  private ask(config: Config, reason: ConfigReason, epoch: number): Learner | undefined {
    for (const learner of this.synchronised()) {
      if (learner.acceptedEpoch <= epoch || hasVote(this.state, learner)) continue;
      const { sid, voice } = learner;
      const joins = ({ role, incarnation }: Member): boolean =>
        role === 'participant' && incarnation === voice?.incarnation;
      if (config.members.some((each) => each.sid === sid && joins(each))) return learner;
    }
    this.asked = true;
    this.state.out.push({ type: 'proposeConfig', config, reason });
    return undefined;
  }
  reconfigure(config: Config, epoch: number): Learner | undefined {
    const { out } = this.state;
    const refusal = this.refusal(config);
    if (refusal !== undefined) {
      out.push({ type: 'reconfigRefused', refusal });
      return undefined;
    }
    const above = this.ask(this.fill(config), 'reconfigure', epoch);
    if (above !== undefined) out.push({ type: 'reconfigRefused', refusal: 'in-progress' }); // the next term takes it
    return above;
  }
  /**
   * A member that is here under another incarnation than the one listed, or none; a voter first, since its voice is missed. An
   * observer may be made a voter while it is away, and counts when it comes back only as what is listed. One that promised an
   * epoch above ours waits for a later term: once its own log lists it, it would not follow this one (13.11).
   */
  private unlisted({ members }: Config, epoch: number): Member | undefined {
    let observer: Member | undefined;
    for (const listed of members) {
      const learner = this.ofServer(listed.sid);
      const incarnation = learner?.voice?.incarnation;
      if (learner === undefined || incarnation === undefined || incarnation === listed.incarnation) continue;
      if (listed.role === 'participant') return { ...listed, incarnation };
      if (learner.acceptedEpoch <= epoch) observer ??= { ...listed, incarnation };
    }
    return observer;
  }
  /** Does what is due by itself. */
  consider(epoch: number): Learner | undefined {
    const { history, lines } = this.state;
    const present = history.lastConfig?.config;
    if (present === undefined || this.underWay) return undefined;
    const other = this.unlisted(present, epoch);
    if (other !== undefined) {
      const members = present.members.map((each) => (each.sid === other.sid ? other : each));
      return this.ask({ ...present, members }, 'admit', epoch);
    }
    if (lines === undefined || !lines.arePending) return undefined;
    const changed = { ...present, members: lines.members.map((each) => ({ ...each, incarnation: null })) };
    return this.refusal(changed) === undefined ? this.ask(this.fill(changed), 'lines', epoch) : undefined;
  }
  proposed({ note }: Entry): void {
    if (note?.type === 'config') this.asked = false;
  }

  /** This config is committed; headers of groups that begin beyond the present end of the log say so. */
  committed(at: Position, tell: boolean): void {
    this.pending = { at, from: positionOf(this.state.history.last), tell };
  }
  /** It holds a group that began when it knew the config committed: what it appended after it was told. */
  private isCertain({ upTo, toldAt }: Learner, from: Position): boolean {
    return upTo !== undefined && toldAt !== undefined && isBefore(from, upTo) && isBefore(toldAt, upTo);
  }
  /** Something is durable somewhere: a quorum of the config may know now that it is committed. */
  maybeDone(): void {
    const { pending, state } = this;
    if (pending === undefined) return;
    const { at, from, tell } = pending;
    const { config } = state.history.configsAt(at);
    const certain: Voice[] = isBefore(from, state.history.durable) ? [state.self] : [];
    for (const learner of this.learners.values())
      if (this.isCertain(learner, from)) certain.push(learner.voice as Voice);
    if (config === undefined || !isQuorum(config, certain)) return;
    this.pending = undefined;
    if (tell) state.out.push({ type: 'configDone', at });
  }
  /** True while a config is not done and nothing is under way that would make it so. */
  get needsNoop(): boolean {
    const { committed, last } = this.state.history;
    return this.pending !== undefined && !isBefore(committed, last);
  }
  /** Nothing about who counts is under way. */
  get isSettled(): boolean {
    return this.isDone && !this.underWay;
  }
  get isDone(): boolean {
    return this.pending === undefined;
  }
}
