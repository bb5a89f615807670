import { assert } from '../base/assert.ts';
import type { Config } from '../records/txns.ts';
import type { Founders } from './founding.ts';
import { History } from './history.ts';
import type { Forwarded } from './learners.ts';
import { PendingLines } from './lines.ts';
import { counts, isSole, type Voice } from './quorum.ts';
import {
  type ConfigAt,
  type Effect,
  type Ensemble,
  earlier,
  isBefore,
  isSameMark,
  type Limits,
  type Mark,
  type Message,
  ORIGIN,
  type Past,
  type Position,
  type SeenAt,
} from './types.ts';
import type { Standing } from './vote.ts';
import { Witness } from './witness.ts';

/** How many times as many bytes are remembered while a snapshot is taken. One that takes longer is taken again. */
const WHILE_AWAITED = 8;

/** What outlives the roles of a member: who it is, its promises, its log, what the disk was asked for, and the effects. */
export class State {
  readonly self: Voice;
  readonly tags: readonly string[];
  private readonly startsUpTo: Position | undefined;
  readonly limits: Limits;
  acceptedEpoch: number;
  currentEpoch: number;
  history: History;
  /** A history that comes in beside the old one (foundations.md 13.4). */
  staged: History | undefined;
  /** True while the snapshot of {@link staged} is not durable. */
  staging = false;
  /** A cut is asked for and not yet on the disk. */
  cutting = false;
  /** Epochs are asked for and not yet on the disk; with `install` the staged history becomes the log. */
  storing: { readonly accepted: number; readonly current: number; readonly install: boolean } | undefined;
  snapshot: Mark;
  /** A snapshot was asked for that has to join on to what is remembered: more is remembered meanwhile. */
  awaitsSnapshot = false;
  /** {@link snapshot} could not be read whole for somebody: its file may be damaged. */
  private doubted = false;
  /** While the log is damaged: what it may have acknowledged. Only a snapshot makes it whole again (foundations.md 3). */
  damage: { readonly mayHaveAcked: Position } | undefined;
  readonly peers: readonly number[];
  readonly founders: Founders | undefined;
  /** Who counts while the log is empty. */
  provisional: Config | undefined;
  /** The highest promise heard of, of members that count; the next term goes above it (foundations.md 13.11). */
  heardEpoch = 0;
  readonly witness = new Witness();
  /** What was sent last of the history; who needs the same gets the same message. */
  forwarded: Forwarded | undefined;
  out: Effect[] = [];
  private generations: number;
  /** Up to where `commit` effects have gone. */
  applied: Position;
  private readonly remember: number;
  private readonly rememberBytes: number;
  readonly lines: PendingLines | undefined;
  /** The last config that {@link watchConfig} has seen in force for good. */
  private watched: Mark | null = null;

  constructor(past: Past, ensemble: Ensemble, generation: number) {
    assert(past.currentEpoch <= past.acceptedEpoch, 'currentEpoch is above acceptedEpoch');
    assert(past.last.epoch <= past.acceptedEpoch, 'the log holds an epoch that was never accepted');
    assert(ensemble.tags[ensemble.tags.length - 1] === past.bootTag, 'the present boot tag is not the last');
    this.self = { sid: past.sid, incarnation: past.incarnation };
    this.tags = ensemble.tags;
    this.startsUpTo = ensemble.startsUpTo;
    this.limits = ensemble.limits;
    this.remember = ensemble.remember;
    this.rememberBytes = ensemble.rememberBytes;
    this.damage = past.damage;
    assert(past.damage === undefined || !isBefore(past.damage.mayHaveAcked, past.last), 'intact beyond what was there');
    this.acceptedEpoch = past.acceptedEpoch;
    this.currentEpoch = past.currentEpoch;
    this.snapshot = ensemble.snapshot;
    this.peers = ensemble.peers;
    this.founders = ensemble.founders;
    this.generations = generation;
    const { base, configs, seen } = ensemble;
    const { committed, last } = past;
    this.history = new History({ base, configs, seen, committed, durable: last, generation }, ensemble.recent);
    assert(!isBefore(this.history.last, last) && !isBefore(last, this.history.last), 'the log ends elsewhere');
    this.applied = committed;
    const { lines } = ensemble;
    const [config] = this.history.configsInForce();
    this.lines = lines === undefined ? undefined : new PendingLines(lines, config, this.isAlone);
  }

  /** The log that incoming entries go to. */
  get incoming(): History {
    return this.staged ?? this.history;
  }
  get configs(): readonly Config[] {
    const configs = this.history.configsInForce();
    return configs.length > 0 || this.provisional === undefined ? configs : [this.provisional];
  }
  /** No config record is in the log: it is empty. */
  get unfounded(): boolean {
    return this.history.configsInForce().length === 0;
  }
  /** What a vote says of that: the hash of our server lines while the log is empty. One that is damaged is not empty. */
  get emptyLines(): string | null {
    return this.unfounded && this.damage === undefined ? (this.founders?.lines ?? '') : null;
  }
  /** True when this member is a voter by its own log. */
  get votes(): boolean {
    return counts(this.configs, this.self);
  }
  /** True when this member is a quorum without anybody else: the only voter of the only config in force, as far as it can tell. */
  get isAlone(): boolean {
    const configs = this.history.configsInForce();
    return this.damage === undefined && configs.length === 1 && isSole(configs[0] as Config, this.self);
  }
  /** A config later than ours that we never saw: nobody but us could commit one, so our directory is an old copy (13.10). */
  isOutdatedBy(config: Mark | null): boolean {
    const ours = this.history.lastConfig;
    if (config === null || ours === undefined || !this.isAlone) return false;
    return isBefore(ours.at, config);
  }
  /** What our acknowledgement of an epoch is compared by: the end of the log, or what was there before it was damaged. */
  get standing(): Standing {
    return { epoch: this.currentEpoch, last: this.damage?.mayHaveAcked ?? this.history.last };
  }
  /** Nothing that the disk was asked for is open. */
  get atRest(): boolean {
    return this.storing === undefined && !this.cutting && this.history.isDurable;
  }

  /** Servers that are empty like us and have other lines; each is told of once. */
  private readonly otherLines = new Set<number>();
  tellOtherLines(sid: number, lines: string): void {
    if (this.otherLines.has(sid)) return;
    this.otherLines.add(sid);
    this.out.push(lines === '' ? { type: 'foundsNothing', sid } : { type: 'otherLines', sid });
  }

  send(link: number, message: Message): void {
    this.out.push({ type: 'send', link, message });
  }
  /** Before our tags are told on a link: what stands for those that are kept no longer. */
  sendStarts(link: number): void {
    if (this.startsUpTo !== undefined) this.send(link, { type: 'STARTS', upTo: this.startsUpTo });
  }
  hangUp(link: number, reason: string): void {
    this.out.push({ type: 'hangUp', link, reason });
  }

  takeSnapshot(): void {
    if (this.awaitsSnapshot) return;
    this.awaitsSnapshot = true;
    this.out.push({ type: 'takeSnapshot', doubted: this.doubted ? this.snapshot : undefined });
  }
  /** A learner can be brought to the end of our history by our snapshot and what is remembered. */
  get snapshotFits(): boolean {
    const { history, snapshot } = this;
    return !this.doubted && history.has(snapshot) && !isBefore(history.committed, snapshot);
  }
  snapshotDoubted(at: Mark): void {
    if (isSameMark(at, this.snapshot)) this.doubted = true;
  }
  snapshotTaken(at: Mark): void {
    this.awaitsSnapshot = false;
    this.doubted = false;
    this.snapshot = at;
  }

  store(accepted: number, current: number): void {
    assert(this.storing === undefined, 'epochs are asked for twice');
    assert(accepted >= this.acceptedEpoch && current >= this.currentEpoch && current <= accepted, 'an epoch goes back');
    const staged = this.staged;
    this.storing = { accepted, current, install: staged !== undefined };
    this.out.push(
      staged === undefined
        ? { type: 'storeEpochs', accepted, current }
        : { type: 'storeEpochs', accepted, current, install: staged.generation },
    );
  }
  /** What {@link store} asked for is on the disk. */
  stored(): void {
    const { storing } = this;
    assert(storing !== undefined, 'epochs stored that nobody asked for');
    this.storing = undefined;
    this.acceptedEpoch = storing.accepted;
    this.currentEpoch = storing.current;
    if (!storing.install) return;
    assert(this.staged !== undefined, 'installed what was not staged');
    this.history = this.staged;
    this.staged = undefined;
    const at = this.history.base;
    this.snapshot = at;
    this.doubted = false;
    this.applied = at;
    this.out.push({ type: 'installed', at });
    if (this.damage === undefined) return;
    this.damage = undefined;
    this.out.push({ type: 'repaired' });
  }
  /** After each step: a config that is in force for good may settle the lines of our zoo.cfg. */
  watchConfig(): void {
    const at = this.history.committedConfig();
    if (this.lines === undefined || at === null || at === this.watched) return;
    this.watched = at;
    const { config } = this.history.configsAt(this.history.committed);
    if (config !== undefined && this.lines.inForce(config)) this.out.push({ type: 'linesSettled' });
  }

  cut(to: Mark): void {
    assert(this.damage === undefined, 'cut a damaged log');
    this.cutting = true;
    this.history.truncate(to, ++this.generations);
    this.history.durable = to; // the cut itself is waited for; what is appended behind it reports for itself
    this.out.push({ type: 'truncate', generation: this.history.generation, to });
  }
  stage(at: Mark, configs: readonly ConfigAt[], seen: readonly SeenAt[]): void {
    this.dropStaged();
    this.staging = true;
    const generation = ++this.generations;
    this.staged = new History({ base: at, configs, seen, committed: at, durable: ORIGIN, generation });
    this.out.push({ type: 'stageSnapshot', generation, at });
  }
  dropStaged(): void {
    if (this.staged === undefined) return;
    assert(this.storing?.install !== true, 'dropped what is being installed');
    this.out.push({ type: 'dropStaged', generation: this.staged.generation });
    this.staged = undefined;
    this.staging = false;
  }

  /** The disk reports; true when it is about the present log and news. */
  persisted(generation: number, upTo: Position): boolean {
    const { incoming } = this;
    if (generation !== incoming.generation) return false;
    assert(!isBefore(incoming.last, upTo), 'the log wrote what was never appended');
    if (this.staging || !isBefore(incoming.durable, upTo)) return false;
    incoming.durable = upTo;
    return true;
  }
  truncated(generation: number): boolean {
    if (generation !== this.history.generation || !this.cutting) return false;
    this.cutting = false;
    return true;
  }

  /** The staged snapshot is durable; entries appended behind it report later. */
  snapshotStaged(generation: number): boolean {
    const { staged } = this;
    if (staged === undefined || generation !== staged.generation || !this.staging) return false;
    this.staging = false;
    staged.durable = staged.base;
    return true;
  }

  /** Applies what is both committed and durable here: what this disk does not hold is not applied here. */
  apply(): void {
    const upTo = earlier(this.history.committed, this.history.durable);
    if (!isBefore(this.applied, upTo)) return;
    this.applied = { epoch: upTo.epoch, counter: upTo.counter };
    this.out.push({ type: 'commit', upTo: this.applied });
    const { awaitsSnapshot, remember, rememberBytes } = this;
    if (awaitsSnapshot) this.history.forget(Number.POSITIVE_INFINITY, rememberBytes * WHILE_AWAITED);
    else this.history.forget(remember, rememberBytes);
  }
}
