import { assert } from '../base/assert.ts';
import { counts, type Voice } from './quorum.ts';
import type { State } from './state.ts';
import { plan } from './sync.ts';
import { isBefore, isSame, type Mark, type Message, type Position, positionOf } from './types.ts';

/** A learner on one link. A new connection is a new learner: nothing it said on an older one counts (foundations.md 13.1). */
export class Learner {
  readonly link: number;
  readonly sid: number;
  /** Its voice; undefined before FOLLOWERINFO. */
  voice: Voice | undefined;
  tag = '';
  /** What it said of starts whose tags it keeps no longer. */
  startsUpTo: Position | undefined;
  acceptedEpoch = 0;
  /** The ends of its log, once it has answered LEADERINFO; set back when it asks for a snapshot. */
  ends: readonly Mark[] | undefined;
  /** It promised this epoch afresh; learners that had accepted it before do not count for it. */
  promised = false;
  knowsEpoch = false;
  /** Up to where entries were sent; undefined until synchronisation began. */
  sent: Position | undefined;
  /** It waits for a snapshot that joins on to what is remembered. */
  wantsSnapshot = false;
  /** It was sent entries from here on to begin with; undefined before that, and when it was sent a snapshot. */
  from: Position | undefined;
  /** How often it got more of what it was sent to begin with. */
  steps = 0;
  /** Up to where it holds everything on disk; undefined before its acknowledgement of NEWLEADER. */
  upTo: Position | undefined;
  upToDate = false;
  /** End of the history when it was told what is committed: what it appends behind that says so. */
  toldAt: Position | undefined;
  /** The last probe it answered. */
  round = 0;
  /** Ticks since it was heard, and since it acknowledged something new while something was open. */
  silent = 0;
  behind = 0;

  constructor(link: number, sid: number) {
    this.link = link;
    this.sid = sid;
  }
}

/** Who learns from a leader, as people count them. */
export interface Audience {
  /** All that are connected, up to date or not. */
  readonly learners: number;
  /** Up to date: voters, listed voters whose incarnation does not count (yet), and everybody else. */
  readonly followers: number;
  readonly nonVoting: number;
  readonly observers: number;
  /** Syncs that wait for a quorum's answer. */
  readonly pendingSyncs: number;
  /** How many voters in step may be lost, whichever, before nothing can be committed any more. */
  readonly slack: number;
  /**
   * Each of the learners; `sent` is up to where entries were sent to it, `behind` how many transactions a voter in step does
   * not have on its disk yet.
   */
  readonly each: readonly {
    readonly link: number;
    readonly sid: number;
    readonly isObserver: boolean;
    readonly sent: Position | undefined;
    readonly behind: number | undefined;
  }[];
}

/** Brings a learner to the leader's history and puts NEWLEADER behind it, all in the order of its link. */
export function synchronise(state: State, learner: Learner, epoch: number): void {
  const { history, snapshot } = state;
  const { link } = learner;
  if (learner.ends === undefined) return;
  const how = learner.wantsSnapshot ? ({ type: 'snap', alarm: false } as const) : plan(history, learner.ends);
  let from: Mark;
  switch (how.type) {
    case 'diff':
      from = how.from;
      state.send(link, { type: 'DIFF', epoch, from });
      break;
    case 'trunc':
      from = how.to;
      state.send(link, { type: 'TRUNC', epoch, to: from });
      break;
    case 'snap': {
      learner.wantsSnapshot = true;
      if (how.alarm) state.out.push({ type: 'diverged', sid: learner.sid });
      if (!state.snapshotFits) return state.takeSnapshot();
      from = snapshot;
      const message = { type: 'SNAP' as const, epoch, at: from, ...history.known(from) };
      state.out.push({ type: 'sendSnapshot', link, message });
      break;
    }
  }
  learner.wantsSnapshot = false;
  learner.sent = from;
  learner.from = how.type === 'snap' ? undefined : from;
  forward(state, learner, epoch, history.last);
  state.send(link, { type: 'NEWLEADER', epoch });
}

/** A part of the history as it was sent to somebody. */
export interface Forwarded {
  readonly type: 'PROPOSAL' | 'INFORM';
  readonly epoch: number;
  readonly from: Position;
  readonly end: Position;
  readonly message: Message;
}

/** Sends a learner what it was not yet sent, up to `end`. Learners that lack the same are sent one message. */
export function forward(state: State, learner: Learner, epoch: number, end: Position, inform = false): void {
  const { sent } = learner;
  if (sent === undefined || !isBefore(sent, end)) return;
  assert(!isBefore(sent, state.history.base), 'a learner lacks what is forgotten');
  const type = inform ? ('INFORM' as const) : ('PROPOSAL' as const);
  let last = state.forwarded;
  if (last?.type !== type || last.epoch !== epoch || !isSame(last.from, sent) || !isSame(last.end, end)) {
    const message = { type, epoch, entries: state.history.between(sent, end) };
    last = { type, epoch, from: sent, end: positionOf(end), message };
    state.forwarded = last;
  }
  learner.sent = last.end;
  state.send(learner.link, last.message);
}

/** True when a learner's word counts by the configs in force at this leader. */
export const hasVote = (state: State, learner: Learner): boolean =>
  learner.voice !== undefined && counts(state.configs, learner.voice);
