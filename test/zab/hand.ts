/** One machine fed by hand, for stories: a log, an election won or lost in one line, and what it asked for last. */
import assert from 'node:assert/strict';
import type { Config } from '../../src/records/txns.ts';
import type { Founders } from '../../src/zab/founding.ts';
import type { ServerLines } from '../../src/zab/lines.ts';
import { Peer } from '../../src/zab/peer.ts';
import {
  type ConfigAt,
  type Effect,
  type Entry,
  type Input,
  isSame,
  type Mark,
  type Message,
  markOf,
  type Note,
  ORIGIN,
  type Past,
  type Position,
  type SeenAt,
  type Vote,
} from '../../src/zab/types.ts';
import { entryAfter, LIMITS, memberOf } from './sim-node.ts';

export type Of<T extends Message['type']> = Message & { readonly type: T };
export const configOf = (...sids: number[]): Config => ({
  members: sids.map((sid) => memberOf(sid, `i${sid}`)),
  maxTxnBytes: 1000,
});
export const THREE = configOf(1, 2, 3);

/** Entries of these epochs, `counts` each, behind `log`; without one they begin with `found` as 1:1. */
export function logOf(
  counts: readonly (readonly [epoch: number, count: number])[],
  log: readonly Entry[] = [],
): Entry[] {
  const out = [...log];
  if (out.length === 0) out.push(entryAfter(ORIGIN, 1, 1, { type: 'config', config: THREE }));
  for (const [epoch, count] of counts)
    for (let i = 0; i < count; i++) {
      const last = out[out.length - 1] as Entry;
      out.push(entryAfter(last, epoch, last.epoch === epoch ? last.counter + 1 : 1));
    }
  return out;
}
export const withNote = (log: readonly Entry[], epoch: number, note: Note): Entry[] => {
  const last = log[log.length - 1] ?? ORIGIN;
  return [...log, entryAfter(last, epoch, last.epoch === epoch ? last.counter + 1 : 1, note)];
};
export const endOf = (log: readonly Entry[]): Mark => markOf(log[log.length - 1] ?? ORIGIN);

export interface Before {
  readonly log?: readonly Entry[];
  readonly committed?: Mark;
  readonly accepted?: number;
  readonly current?: number;
  readonly incarnation?: string;
  readonly tags?: readonly string[];
  readonly startsUpTo?: Position;
  readonly snapshot?: Mark;
  readonly base?: Mark;
  readonly founders?: Founders | undefined;
  readonly damage?: Past['damage'];
  readonly lines?: ServerLines;
  readonly peers?: readonly number[];
  readonly remember?: number;
  readonly rememberBytes?: number;
}

export class Hand {
  readonly peer: Peer;
  readonly sid: number;
  readonly log: readonly Entry[];
  readonly incarnation: string;
  effects: readonly Effect[] = [];
  /** Everything it ever did. */
  private readonly all: Effect[] = [];

  constructor(sid: number, before: Before = {}) {
    const { log = logOf([]), tags = [`t${sid}`] } = before;
    const last = endOf(log);
    const accepted = before.accepted ?? Math.max(1, last.epoch);
    this.sid = sid;
    this.log = log;
    this.incarnation = before.incarnation ?? `i${sid}`;
    const configs: ConfigAt[] = [];
    const seen: SeenAt[] = [];
    for (const entry of log) {
      if (entry.note?.type === 'config') configs.push({ at: markOf(entry), config: entry.note.config });
      else if (entry.note !== undefined) seen.push({ ...entry.note, at: markOf(entry) });
    }
    const base = before.base ?? ORIGIN;
    const past = {
      sid,
      incarnation: this.incarnation,
      bootTag: tags[tags.length - 1] ?? '',
      acceptedEpoch: accepted,
      currentEpoch: before.current ?? last.epoch,
      last,
      committed: before.committed ?? last,
      config: configs[configs.length - 1]?.config,
      seenTags: new Set<string>(),
      damage: before.damage,
    };
    const from = log.findIndex((entry) => entry.epoch === base.epoch && entry.counter === base.counter) + 1;
    this.peer = new Peer(past, 1, undefined, {
      limits: LIMITS,
      tags,
      startsUpTo: before.startsUpTo,
      base,
      recent: log.slice(from),
      configs,
      seen,
      snapshot: before.snapshot ?? base,
      peers: before.peers ?? [1, 2, 3],
      founders: before.founders,
      lines: before.lines,
      remember: before.remember ?? 1000,
      rememberBytes: before.rememberBytes ?? 1_000_000,
    });
    this.feed({ type: 'start' });
  }

  feed(...inputs: Input[]): readonly Effect[] {
    this.effects = inputs.flatMap((input) => this.peer.step(input));
    this.all.push(...this.effects);
    for (const effect of this.effects) {
      if (effect.type === 'storeEpochs') this.storing = effect;
      if (effect.type === 'vote') this.round = effect.message.round;
    }
    return this.effects;
  }
  ticks(count: number): readonly Effect[] {
    const tick: Input = { type: 'tick' };
    return this.feed(...Array.from({ length: count }, () => tick));
  }
  /** Types of the effects, those of messages by their own names. */
  get did(): string[] {
    return this.effects.map((effect) =>
      effect.type === 'send' || effect.type === 'sendSnapshot' ? effect.message.type : effect.type,
    );
  }
  every<T extends Effect['type']>(type: T): (Effect & { readonly type: T })[] {
    return this.all.filter((effect): effect is Effect & { readonly type: T } => effect.type === type);
  }
  everDid(name: Effect['type'] | Message['type']): boolean {
    return this.all.some((effect) => effect.type === name || (effect.type === 'send' && effect.message.type === name));
  }
  isQuiet(why?: string): void {
    assert.equal(this.did.join(), '', why);
  }
  effect<T extends Effect['type']>(type: T): Effect & { readonly type: T } {
    const found = this.effects.find((effect) => effect.type === type);
    assert.ok(found !== undefined, `no ${type} among ${this.did}`);
    return found as Effect & { readonly type: T };
  }
  sent<T extends Message['type']>(type: T): Of<T> {
    for (const effect of this.effects)
      if ((effect.type === 'send' || effect.type === 'sendSnapshot') && effect.message.type === type)
        return effect.message as Of<T>;
    return assert.fail(`no ${type} among ${this.did}`);
  }
  hear(link: number, ...messages: Message[]): readonly Effect[] {
    return this.feed(...messages.map((message): Input => ({ type: 'received', link, message })));
  }
  /** Of the election this member was in last. */
  round = 1;
  private storing: (Effect & { readonly type: 'storeEpochs' }) | undefined;
  /** The epochs asked for last are on the disk. */
  stored(): readonly Effect[] {
    assert.ok(this.storing !== undefined, 'no epochs are asked for');
    const { accepted, current } = this.storing;
    this.storing = undefined;
    return this.feed({ type: 'epochsStored', accepted, current });
  }
  persisted({ epoch, counter }: Mark): readonly Effect[] {
    return this.feed({ type: 'persisted', generation: this.peer.generation, upTo: { epoch, counter } });
  }

  voted(
    from: number,
    vote: Vote,
    state: Of<'VOTE'>['state'] = 'looking',
    round = this.round,
    incarnation = `i${from}`,
  ): Input {
    return {
      type: 'voted',
      from,
      // only who is empty itself votes for one that is
      message: {
        type: 'VOTE',
        state,
        round,
        vote,
        incarnation,
        config: null,
        lines: isSame(vote.last, ORIGIN) ? 'lines' : null,
      },
    };
  }
  /** The vote of a member with this log for itself. */
  static voteFor(sid: number, log: readonly Entry[], epoch = endOf(log).epoch): Vote {
    const { epoch: e, counter } = endOf(log);
    return { sid, incarnation: `i${sid}`, epoch, last: { epoch: e, counter } };
  }

  /** Everybody votes for `leader`, whose log is at least as long. */
  elect(leader: number, log: readonly Entry[] = this.log): readonly Effect[] {
    const vote = Hand.voteFor(leader, log);
    return this.feed(...[1, 2, 3].filter((sid) => sid !== this.sid).map((from) => this.voted(from, vote)));
  }
  /** A learner arrives on a link. */
  meet(link: number, sid: number, more: Partial<Of<'FOLLOWERINFO'>> = {}): readonly Effect[] {
    const info: Of<'FOLLOWERINFO'> = {
      type: 'FOLLOWERINFO',
      incarnation: `i${sid}`,
      tags: [`t${sid}`],
      acceptedEpoch: 1,
      voter: true,
      config: null,
      ...more,
    };
    return this.feed({ type: 'linked', sid, link, dialled: false }, { type: 'received', link, message: info });
  }
  ackEpoch(
    link: number,
    epoch: number,
    log: readonly Entry[],
    current: number | null = endOf(log).epoch,
  ): readonly Effect[] {
    const last = endOf(log);
    const ends = log.filter((entry, i) => log[i + 1]?.epoch !== entry.epoch).map(markOf);
    if (log.length === 0) ends.push(last);
    return this.hear(link, { type: 'ACKEPOCH', epoch, currentEpoch: current, last, ends: ends.reverse() });
  }
  ackNewLeader(link: number, epoch: number, upTo: Mark, incarnation: string): readonly Effect[] {
    return this.hear(link, { type: 'ACKNEWLEADER', epoch, incarnation, upTo });
  }
  /** Through election, promises and synchronisation: leads epoch 2 with server 1 on link 1, which has the same log. */
  leadWithOne(): void {
    this.elect(this.sid);
    this.meet(1, 1);
    this.stored();
    this.ackEpoch(1, 2, this.log);
    this.stored();
    this.ackNewLeader(1, 2, endOf(this.log), 'i1');
    assert.equal(this.peer.phase, 'broadcast');
  }
  propose(note?: Note, bytes = 0): Entry {
    const { leader } = this.peer;
    assert.ok(leader !== undefined);
    const entry = {
      ...entryAfter(this.end, leader.epoch, leader.propose(), note),
      bytes: new Uint8Array(bytes),
    };
    this.tail = markOf(entry);
    this.feed({ type: 'proposed', entries: [entry] });
    return entry;
  }
  private tail: Mark | undefined;
  /** The end of its log, with what it proposed. */
  get end(): Mark {
    return this.tail ?? endOf(this.log);
  }

  /** Follows server 3 in epoch 2 on link 1, up to the sending of its promise. */
  follow(log: readonly Entry[] = this.log): void {
    this.elect(3, log);
    this.effect('dial');
    this.feed({ type: 'linked', sid: 3, link: 1, dialled: true });
    this.hear(1, { type: 'LEADERINFO', epoch: 2, incarnation: 'i3', tags: ['t3'], config: null });
    this.stored();
  }
}
