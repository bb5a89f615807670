import { assert, InvariantError } from '../base/assert.ts';
import type { Config } from '../records/txns.ts';
import { Leader } from './leader.ts';
import type { Audience } from './learners.ts';
import { Member } from './member.ts';
import { isQuorum, type Voice } from './quorum.ts';
import {
  type ConfigAt,
  type Effect,
  type Ensemble,
  type Input,
  isBefore,
  type Past,
  type Phase,
  type Position,
  type Refusal,
  type Role,
} from './types.ts';

const NONE: readonly Effect[] = [];

/**
 * One peer's life. Handed an {@link Ensemble} it is a {@link Member} of one. Otherwise it is a quorum of one: LOOKING finds itself, discovery stores a new epoch, synchronisation
 * waits until its own log is durable to the end, broadcast begins. The steps and their order on disk are those of an
 * ensemble (foundations.md 5, 13.3): history durable, then the epoch, then the acknowledgement.
 */
export class Peer {
  role: Role = 'looking';
  phase: Phase = 'discovery';
  leader: Leader | undefined;
  acceptedEpoch: number;
  currentEpoch: number;
  private readonly past: Past;
  private config: Config | undefined;
  /** What the log has on disk; starts at what was read from it. */
  private durable: Position;
  /** Of the log: appends and what the disk says of them name it. */
  generation: number;
  private readonly lastCounter: number | undefined;
  /** Counter of the first proposal of this term (`found` or `seen`); requests wait until it is committed. */
  private firstProposal = 0;
  private serving = false;
  private readonly member: Member | undefined;

  constructor(past: Past, generation: number, lastCounter?: number, ensemble?: Ensemble) {
    assert(past.currentEpoch <= past.acceptedEpoch, 'currentEpoch is above acceptedEpoch');
    assert(past.last.epoch <= past.acceptedEpoch, 'the log holds an epoch that was never accepted');
    assert(ensemble !== undefined || past.damage === undefined, 'alone with a damaged log');
    this.past = past;
    this.acceptedEpoch = past.acceptedEpoch;
    // what a crash inside synchronisation leaves: history durable, the epoch not yet (foundations.md 13.3)
    this.currentEpoch = Math.max(past.currentEpoch, past.last.epoch);
    this.config = past.config;
    this.durable = past.last;
    this.generation = generation;
    this.lastCounter = lastCounter;
    this.member = ensemble === undefined ? undefined : new Member(past, ensemble, generation, lastCounter);
  }

  /** True for a member of an ensemble, false for a server alone. */
  get isMember(): boolean {
    return this.member !== undefined;
  }

  /** True when a member is a quorum by itself, as far as its log tells. */
  get isAlone(): boolean {
    return this.member?.isAlone === true;
  }

  /** Takes one thing that happened; returns all that must happen next. */
  step(input: Input): readonly Effect[] {
    const { member } = this;
    if (member === undefined) return this.alone(input);
    const effects = member.step(input);
    this.role = member.role;
    this.phase = member.phase;
    this.leader = member.leader;
    this.generation = member.state.history.generation;
    this.acceptedEpoch = member.state.acceptedEpoch;
    this.currentEpoch = member.state.currentEpoch;
    return effects;
  }

  private alone(input: Input): readonly Effect[] {
    switch (input.type) {
      case 'start':
        return this.lookAround();
      case 'epochsStored':
        return this.epochsStored(input.accepted, input.current);
      case 'exhausted':
        return this.exhausted();
      case 'persisted':
        return this.persisted(input.generation, input.upTo);
      default:
        throw new InvariantError(`${input.type} for a server alone`);
    }
  }

  /** The member that this one learns from. */
  get followed(): number | undefined {
    return this.member?.followed;
  }
  /** The link to that member, once there is one. */
  get leaderLink(): number | undefined {
    return this.member?.leaderLink;
  }
  /** Up to where the history is known committed; what group headers say (foundations.md 13.7). */
  get committed(): Position {
    const { member, leader } = this;
    if (member !== undefined) return member.state.history.committed;
    return leader === undefined ? this.past.committed : { epoch: leader.epoch, counter: leader.lastCommitted };
  }
  /** True while this member's log is damaged: it serves nobody. */
  get repairing(): boolean {
    return this.member?.state.damage !== undefined;
  }
  /**
   * Why a leader would refuse this reconfiguration now, undefined when it would not: another one is under way, or no quorum of
   * the new voters is connected and up to date. Asked in the turn of the input `reconfigure`.
   */
  canReconfigure(config: Config): Refusal | undefined {
    return this.member === undefined ? 'no-quorum' : this.member.canReconfigure(config);
  }

  /** A leader's word that every change of members is done: who is not among them any more may go. */
  get isSettled(): boolean {
    return this.member === undefined || this.member.isSettled;
  }
  /** Who counts by the end of the log, where that stands, and who has everything now, this member too. */
  get membership(): { readonly last: ConfigAt | undefined; readonly synced: readonly Voice[] } {
    return this.member === undefined ? { last: undefined, synced: [] } : this.member.membership;
  }

  /** Who learns from this member; undefined while it does not lead others. */
  get audience(): Audience | undefined {
    return this.member?.audience;
  }

  /** A config record was proposed or recovered: it counts from now on (foundations.md 13.7). */
  adopt(config: Config): void {
    this.config = config;
  }

  /** The first proposal of the term was numbered; requests wait for it. */
  proposedFirst(counter: number): void {
    this.firstProposal = counter;
  }

  private lookAround(): readonly Effect[] {
    assert(this.role === 'looking', 'started twice');
    if (this.config !== undefined) assert(this.isQuorumAlone(), 'alone without being a quorum');
    this.role = 'leading';
    this.phase = 'discovery';
    // the promise to ourselves; nothing of this epoch may exist before it is durable
    return [{ type: 'storeEpochs', accepted: this.acceptedEpoch + 1, current: this.currentEpoch }];
  }

  private isQuorumAlone(): boolean {
    const { sid, incarnation } = this.past;
    return this.config !== undefined && isQuorum(this.config, [{ sid, incarnation }]);
  }

  private epochsStored(accepted: number, current: number): readonly Effect[] {
    assert(accepted >= this.acceptedEpoch && current >= this.currentEpoch, 'an epoch went back');
    this.acceptedEpoch = accepted;
    this.currentEpoch = current;
    if (this.phase === 'discovery') {
      this.phase = 'synchronization';
      // our own NEWLEADER ack needs our log on disk to its end; what was recovered was verified there
      assert(!isBefore(this.durable, this.past.last), 'recovered a log that is not durable');
      return [{ type: 'storeEpochs', accepted, current: accepted }];
    }
    if (this.phase === 'synchronization' && current === accepted) return this.established(accepted);
    return NONE;
  }

  /** A quorum of one needs no election: it goes through discovery again. The old leader stays until the new epoch stands. */
  private exhausted(): readonly Effect[] {
    const { leader } = this;
    assert(this.phase === 'broadcast' && leader !== undefined, 'a term ended that did not run');
    assert(leader.exhausted && leader.lastCommitted === leader.lastProposed, 'a term ended before its proposals');
    this.phase = 'discovery';
    this.serving = false;
    this.firstProposal = 0;
    return [{ type: 'storeEpochs', accepted: this.acceptedEpoch + 1, current: this.currentEpoch }];
  }

  private established(epoch: number): readonly Effect[] {
    this.phase = 'broadcast';
    this.leader = new Leader(epoch, this.lastCounter);
    const { sid, incarnation, bootTag } = this.past;
    const first: Effect =
      this.config === undefined ? { type: 'proposeFound' } : { type: 'proposeSeen', sid, incarnation, tag: bootTag };
    return [{ type: 'established', epoch }, { type: 'commit', upTo: this.durable }, first];
  }

  private persisted(generation: number, upTo: Position): readonly Effect[] {
    if (generation !== this.generation) return NONE;
    assert(!isBefore(upTo, this.durable), 'the log went back');
    this.durable = upTo;
    const leader = this.leader;
    if (leader === undefined || upTo.epoch !== leader.epoch) return NONE;
    if (!leader.persisted(upTo.counter)) return NONE;
    const commit: Effect = { type: 'commit', upTo: { epoch: leader.epoch, counter: leader.lastCommitted } };
    if (this.serving || this.firstProposal === 0 || leader.lastCommitted < this.firstProposal) return [commit];
    this.serving = true;
    return [commit, { type: 'serve' }];
  }
}
