/**
 * A whole ensemble of pure machines on one seed: network, disks and their faults are simulated, and after every step it is
 * checked that nothing which was committed anywhere is lost or contradicted.
 */
import assert from 'node:assert/strict';
import { type Random, seededRandom } from '../../src/base/random.ts';
import type { Founders } from '../../src/zab/founding.ts';
import { Peer } from '../../src/zab/peer.ts';
import {
  type Effect,
  type Entry,
  type Input,
  isBefore,
  type Message,
  markOf,
  type Note,
  ORIGIN,
  type Position,
} from '../../src/zab/types.ts';
import { IDENTITY, indexOf, LOG, SimDisk } from './sim-disk.ts';
import { Agenda, Link, Weather } from './sim-net.ts';
import { entryAfter, LIMITS, memberOf, Node } from './sim-node.ts';
import { Truth } from './truth.ts';

/** Units of the simulated clock. */
const TICK = 10;
/** A pause and then the silence after which a learner is dropped. */
export const MOST_UNNOTICED = 600;

const peerLeads = ({ peer }: Node): boolean => peer?.role === 'leading';

export interface Shape {
  readonly voters: number;
  readonly observers: number;
  /**
   * `founded`: all voters hold the ensemble's first record. `empty`: nobody holds anything. `short`: the same, and a majority
   * suffices to found (--bootstrap-with). `alone`: server 1 is an ensemble by itself, and its zoo.cfg lists all.
   */
  readonly birth: 'founded' | 'empty' | 'short' | 'alone';
}

export class Cluster {
  readonly random: Random;
  readonly agenda = new Agenda();
  readonly weather: Weather;
  readonly nodes: Node[] = [];
  readonly truth: Truth;
  private readonly founders: Founders;
  readonly birth: Shape['birth'];
  readonly marks = new Map<string, number>();
  private linkIds = 0;
  private syncIds = 0;
  private readonly syncsAsked = new Map<number, number>();
  slowDisk: number | undefined;
  /** When a directory was lost or harmed last. */
  harmedAt = Number.NEGATIVE_INFINITY;
  /** Members like to crash just after this effect or message. */
  ambush: string | undefined;

  constructor(seed: number, shape: Shape) {
    this.random = seededRandom(seed);
    this.weather = new Weather(this.random);
    const sids = Array.from({ length: shape.voters + shape.observers }, (_, i) => i + 1);
    const members = sids.map((sid) => memberOf(sid, `i${sid}`, sid > shape.voters ? 'observer' : 'participant'));
    const enough = shape.birth === 'short' ? (shape.voters >> 1) + 1 : undefined;
    this.birth = shape.birth;
    this.founders = { members, maxTxnBytes: 1000, lines: 'the same', enough };
    const first = shape.birth === 'alone' ? members.slice(0, 1) : members;
    const config = { members: first, maxTxnBytes: 1000 };
    const found = entryAfter(ORIGIN, 1, 1, { type: 'config', config });
    const log = shape.birth === 'founded' || shape.birth === 'alone' ? [found] : [];
    this.truth = new Truth(this.nodes, log);
    for (const sid of sids) {
      const node = new Node(sid, new SimDisk(`i${sid}`, shape.birth === 'alone' && sid > 1 ? [] : log));
      node.disk.changed = () => this.truth.diskChanged(node);
      this.nodes.push(node);
    }
  }

  mark(name: string): void {
    this.marks.set(name, (this.marks.get(name) ?? 0) + 1);
  }
  node(sid: number): Node {
    return this.nodes[sid - 1] as Node;
  }

  start(node: Node): void {
    if (node.peer !== undefined) return;
    const { disk, sid } = node;
    // now and then what is there now is kept, to be put back when later starts have been seen
    if (disk.damage === undefined && !disk.isOldCopy && this.random.below(3) === 0) node.copy = disk.copy();
    const tag = `${sid}.${++node.life}`;
    disk.tags.push(tag);
    const { recent, configs, seen } = disk.load();
    const past = {
      sid,
      incarnation: disk.incarnation,
      bootTag: tag,
      acceptedEpoch: disk.accepted,
      currentEpoch: disk.current,
      last: disk.last,
      committed: disk.committed,
      config: configs[configs.length - 1]?.config,
      seenTags: new Set<string>(),
      damage: disk.damage === undefined ? undefined : { mayHaveAcked: disk.damage.mayHaveAcked },
    };
    this.truth.isLoaded(node);
    node.peer = new Peer(past, node.life * 1000, undefined, {
      limits: LIMITS,
      tags: [...disk.tags],
      base: disk.base,
      recent,
      configs,
      seen,
      snapshot: disk.base,
      peers: this.nodes.map((each) => each.sid),
      founders: this.founders,
      lines: { stored: disk.lines, now: 'the same', members: this.founders.members, govern: true },
      remember: 8,
      rememberBytes: 1_000_000,
    });
    node.applied = indexOf(disk.log, disk.committed);
    node.writing = [false, false];
    node.gathered = false;
    node.serves = false;
    node.diskFails = false;
    node.pausedUntil = 0;
    node.held = [];
    this.step(node, { type: 'start' });
    const { life } = node;
    const tick = (): void => {
      if (node.life !== life || node.peer === undefined) return;
      this.step(node, { type: 'tick' });
      this.later(node, TICK - 1 + this.random.below(3), tick);
    };
    this.later(node, this.random.below(TICK), tick);
    for (const other of this.nodes)
      if (other !== node) this.post(other, 5 + this.random.below(30), { type: 'reached', sid, up: true });
  }

  crash(node: Node): void {
    if (node.peer === undefined) return;
    node.peer = undefined;
    node.life++;
    node.disk.crash(this.random);
    for (const link of [...node.links.values()]) this.sever(link);
    for (const other of this.nodes)
      if (other !== node) this.post(other, 1 + this.random.below(30), { type: 'reached', sid: node.sid, up: false });
  }

  /** Runs `act` in the present life of a node after a delay, and not while it is paused. */
  private later(node: Node, delay: number, act: () => void): void {
    const { life } = node;
    this.agenda.add(delay, () => {
      if (node.life !== life || node.peer === undefined) return;
      if (node.pausedUntil <= this.agenda.now && node.held.length === 0) return act();
      node.held.push(act);
      if (node.held.length === 1) this.wake(node, life);
    });
  }
  private wake(node: Node, life: number): void {
    this.agenda.at(Math.max(node.pausedUntil, this.agenda.now), () => {
      if (node.life !== life) return;
      if (node.pausedUntil > this.agenda.now) return this.wake(node, life);
      const { held } = node;
      for (let act = held[0]; act !== undefined && node.life === life; act = held[0]) {
        act();
        held.shift();
      }
    });
  }
  post(node: Node, delay: number, input: Input): void {
    this.later(node, delay, () => this.step(node, input));
  }

  step(node: Node, input: Input): void {
    const { peer } = node;
    if (peer === undefined) return;
    const proposals: (Note | undefined)[] = [];
    const effects = peer.step(input);
    for (const effect of effects) this.perform(node, effect, proposals);
    if (peer.role === 'stopped') this.end(node);
    if (effects.some((effect) => this.isAmbush(effect)) && this.random.below(3) === 0) {
      this.crash(node);
      this.agenda.add(this.random.below(150), () => this.start(node));
      return;
    }
    for (const note of proposals) this.propose(node, note);
    this.write(node);
  }

  /** The process ends, and comes back later. */
  private end(node: Node): void {
    const { life } = node;
    this.later(node, 5, () => {
      if (node.life === life) this.crash(node);
      this.agenda.add(100, () => this.start(node));
    });
  }
  /** The disk takes no more; what was asked of it stays undone. */
  failDisk(node: Node): void {
    if (node.peer === undefined || node.diskFails) return;
    this.mark('disk failed');
    node.diskFails = true;
    this.step(node, { type: 'diskFailed' });
  }

  private isAmbush(effect: Effect): boolean {
    if (this.weather.calm || this.ambush === undefined) return false;
    return effect.type === 'send' ? effect.message.type === this.ambush : effect.type === this.ambush;
  }
  private perform(node: Node, effect: Effect, proposals: (Note | undefined)[]): void {
    const { disk } = node;
    switch (effect.type) {
      case 'storeEpochs':
        return disk.storeEpochs(effect.accepted, effect.current, effect.install);
      case 'append':
        return disk.append(effect.generation, effect.entries, node.peer?.committed ?? ORIGIN);
      case 'truncate':
        this.mark('TRUNC');
        return disk.truncate(effect.generation, effect.to);
      case 'stageSnapshot':
        return disk.stage(effect.generation, node.snapshotIn, effect.at);
      case 'dropStaged':
        this.mark('staged files dropped');
        return disk.dropStaged(effect.generation);
      case 'installed':
        this.mark('SNAP installed');
        node.applied = indexOf(disk.log, effect.at);
        return;
      case 'takeSnapshot':
        return this.later(node, this.random.below(60), () => this.snapshot(node));
      case 'established':
        return this.isEstablished(node, effect.epoch);
      case 'commit':
        return this.truth.isCommitted(node, effect.upTo);
      case 'proposeSeen': {
        const { sid, incarnation, tag } = effect;
        proposals.push({ type: 'seen', sid, incarnation, tag });
        return;
      }
      case 'proposeNoop':
        proposals.push(undefined);
        return;
      case 'looking':
        node.gathered = false;
        node.serves = false;
        return this.mark(effect.reason.replace(/\d+/g, 'N'));
      case 'gather':
        if (node.gathered) this.mark('election of more than one round');
        node.gathered = true;
        for (const sid of effect.voters) {
          const up = this.node(sid).peer !== undefined && this.weather.reaches(node.sid, sid);
          this.post(node, 1 + this.random.below(20), { type: 'reached', sid, up });
        }
        return;
      case 'vote':
        return this.vote(node.sid, effect.to, effect.message);
      case 'dial':
        return this.dial(node, effect.to);
      case 'send':
        if (effect.message.type === 'DIFF' && isBefore(effect.message.from, node.tail)) this.mark('DIFF');
        if (effect.message.type === 'ASKSNAP') this.mark('ASKSNAP');
        return this.send(node, effect.link, effect.message);
      case 'sendSnapshot': {
        const { message, link } = effect;
        const state = disk.log.slice(0, indexOf(disk.log, message.at) + 1);
        this.mark('SNAP');
        return this.send(node, link, message, state);
      }
      case 'hangUp': {
        if (effect.reason === 'acknowledges nothing' || effect.reason === 'silent for too long')
          this.mark('learner lag');
        const link = node.links.get(effect.link);
        if (link !== undefined) this.finish(link, node);
        return;
      }
      case 'synced': {
        const upTo = this.syncsAsked.get(effect.id) ?? 0;
        assert.ok(node.applied + 1 >= upTo, 'a sync answered by a leader that misses what was committed before it');
        return this.mark('sync answered');
      }
      case 'handedOver':
        return this.mark('hand-over');
      case 'diverged':
        return assert.fail(`the log of server ${effect.sid} is not ours`);
      case 'rolledBack':
        assert.ok(disk.isOldCopy, 'a directory was taken for an old copy');
        this.mark('old copy found');
        disk.isOldCopy = false;
        disk.incarnation = `i${node.sid}.${node.life}`;
        return;
      case 'repaired':
        assert.equal(disk.damage, undefined, 'repaired and still damaged');
        return this.mark('repaired');
      case 'proposeConfig':
        this.mark(effect.reason);
        proposals.push({ type: 'config', config: effect.config });
        return;
      case 'reconfigRefused':
        return this.mark(`refused: ${effect.refusal}`);
      case 'configDone':
        this.mark('config done');
        this.truth.isDone(effect.at);
        return this.retire();
      case 'linesSettled':
        disk.lines = 'the same';
        return;
      case 'drain':
        node.serves = false;
        return;
      case 'undrain':
        this.mark('stays after all');
        node.serves = peerLeads(node);
        return;
      case 'otherLines':
      case 'foundsNothing':
        return assert.fail('all have the same lines');
      case 'serve':
        node.serves = peerLeads(node);
        return;
      case 'proposeFound':
        assert.ok(effect.config !== undefined);
        this.mark('founding');
        proposals.push({ type: 'config', config: effect.config });
        return;
    }
  }

  appliedAt(node: Node): Position {
    return node.disk.log[node.applied] ?? ORIGIN;
  }
  /** Log and identity record are written side by side, each in its order. */
  private write(node: Node): void {
    for (const file of [LOG, IDENTITY] as const) {
      if (node.writing[file] || node.diskFails || node.disk.pending(file) === 0) continue;
      node.writing[file] = true;
      let slow = this.slowDisk === node.sid && file === LOG ? 60 + this.random.below(200) : 0;
      if (!this.weather.calm && this.random.below(8) === 0) slow += this.random.below(80);
      this.later(node, 1 + this.random.below(6) + slow, () => {
        node.writing[file] = false;
        if (node.diskFails) return;
        const done = node.disk.finish(file);
        if (done !== undefined) this.step(node, done);
        this.write(node);
      });
    }
  }
  /** A change is done: who is not a member any more may lose its directory (foundations.md 13.7). */
  private retire(): void {
    if (this.weather.calm) return;
    const { members } = this.truth.config;
    for (const node of this.nodes) {
      if (members.some(({ sid }) => sid === node.sid) || this.random.below(2) > 0) continue;
      if (this.truth.isNeeded(node)) continue;
      this.crash(node);
      const { life } = node;
      // not before every leader has noticed that it is gone: it might list it as it was
      this.agenda.add(MOST_UNNOTICED, () => {
        if (node.life !== life) return;
        if (!this.truth.isNeeded(node)) {
          this.mark('retired');
          node.disk.wipe(`i${node.sid}.${++node.life}`);
        }
        this.start(node);
      });
    }
  }
  snapshot(node: Node): void {
    if (node.peer === undefined || node.applied < 0) return;
    const at = node.disk.takeSnapshot(this.appliedAt(node));
    this.step(node, { type: 'snapshotTaken', at });
  }

  /** What the leader's server does: number, write to the own log, tell the machine. */
  propose(node: Node, note?: Note): void {
    const { peer } = node;
    if (!node.leads || peer?.leader === undefined) return;
    const { leader } = peer;
    if (leader.exhausted) return;
    const entry = entryAfter(node.tail, leader.epoch, leader.propose(), note);
    node.tail = markOf(entry);
    if (note?.type === 'config') node.configAt = entry;
    node.disk.append(peer.generation, [entry], peer.committed);
    this.step(node, { type: 'proposed', entries: [entry] });
  }

  private vote(from: number, to: number, message: Message & { readonly type: 'VOTE' }): void {
    if (!this.weather.reaches(from, to) || this.weather.loses()) return;
    this.post(this.node(to), this.weather.delay(), { type: 'voted', from, message });
  }
  private dial(node: Node, to: number): void {
    const { sid } = node;
    const target = this.node(to);
    this.later(node, 1 + this.random.below(10), () => {
      if (target.peer === undefined || !this.weather.reaches(sid, to))
        return this.post(node, this.weather.delay(), { type: 'dialFailed', sid: to });
      const link = new Link(++this.linkIds, sid, to);
      node.links.set(link.id, link);
      target.links.set(link.id, link);
      this.deliver(link, target, { type: 'linked', sid, link: link.id, dialled: false });
      this.deliver(link, node, { type: 'linked', sid: to, link: link.id, dialled: true });
    });
  }
  private send(node: Node, id: number, message: Message, state?: readonly Entry[]): void {
    const link = node.links.get(id);
    if (link === undefined || link.broken) return;
    const to = link.other(node.sid);
    if (!this.weather.reaches(node.sid, to)) return this.sever(link);
    this.deliver(link, this.node(to), { type: 'received', link: id, message }, state);
  }
  private deliver(link: Link, to: Node, input: Input, state?: readonly Entry[]): void {
    const at = link.arrival(to.sid, this.agenda.now + this.weather.delay());
    this.later(to, at - this.agenda.now, () => {
      if (link.broken) return;
      if (state !== undefined) to.snapshotIn = state;
      this.step(to, input);
    });
  }
  /** One end closes: what it sent still arrives, then the other end sees the close. */
  private finish(link: Link, by: Node): void {
    const other = this.node(link.other(by.sid));
    by.links.delete(link.id);
    const at = link.arrival(other.sid, this.agenda.now + this.weather.delay());
    this.later(other, at - this.agenda.now, () => {
      if (link.broken) return;
      link.broken = true;
      other.links.delete(link.id);
      this.step(other, { type: 'closed', link: link.id });
    });
  }
  /** The connection is gone: what is under way is lost, and each end learns of it in its own time. */
  sever(link: Link): void {
    if (link.broken) return;
    link.broken = true;
    for (const sid of link.ends) {
      const node = this.node(sid);
      node.links.delete(link.id);
      this.post(node, 1 + this.random.below(this.weather.calm ? 10 : 80), { type: 'closed', link: link.id });
    }
  }
  sync(node: Node): void {
    if (!node.leads) return;
    const id = ++this.syncIds;
    this.syncsAsked.set(id, this.truth.committed.length);
    this.step(node, { type: 'sync', id });
  }

  private isEstablished(node: Node, epoch: number): void {
    this.truth.isEstablished(node, epoch);
    node.tail = markOf(node.disk.last);
    node.configAt = node.disk.log.findLast(({ note }) => note?.type === 'config') ?? ORIGIN;
    this.mark('established');
  }
  run(until: number): void {
    let events = 0;
    while (this.agenda.next(until)) assert.ok(++events < 1_000_000, 'the members never come to rest');
    this.agenda.now = until;
  }
}
