/** What is true of a simulated ensemble as a whole, and what must always hold. */
import assert from 'node:assert/strict';
import type { Config, Member } from '../../src/records/txns.ts';
import { type Entry, isBefore, isSame, isSameMark, type Position } from '../../src/zab/types.ts';
import { indexOf } from './sim-disk.ts';
import type { Node } from './sim-node.ts';

export class Truth {
  private readonly nodes: readonly Node[];
  /** Everything that is committed somewhere, in order. */
  readonly committed: Entry[];
  /** The epoch in which each of them was committed first. */
  private readonly terms: number[];
  private readonly established = new Map<number, number>();

  constructor(nodes: readonly Node[], log: readonly Entry[]) {
    this.nodes = nodes;
    this.committed = [...log];
    this.terms = log.map(({ epoch }) => epoch);
  }
  /** What the leader of an epoch held when it took the epoch over: the history that all who are in that epoch hold. */
  private readonly histories = new Map<number, { index: number; last: Entry }>();

  /** Called after every change of a disk. */
  diskChanged(node: Node): void {
    const { disk } = node;
    if (disk.current !== node.currentEpoch && disk.current > 0) {
      node.currentEpoch = disk.current;
      const history = this.histories.get(disk.current);
      const index = disk.log.length - 1;
      // its leader is the first: nobody is synchronised before that is durable (I5)
      if (history === undefined) this.histories.set(disk.current, { index, last: disk.log[index] as Entry });
      else
        assert.ok(
          history.index < 0 || disk.holds(history.last, history.index),
          `server ${node.sid} is in an epoch without its history`,
        );
    }
    this.nothingLost();
  }
  private node(sid: number): Node {
    return this.nodes[sid - 1] as Node;
  }
  /** The config committed last, anywhere. */
  get config(): Config {
    const entry = this.committed.findLast(({ note }) => note?.type === 'config');
    return entry?.note?.type === 'config' ? entry.note.config : { members: [], maxTxnBytes: 0 };
  }
  /** It holds the config committed last: who joins is a learner first, and the last change has arrived at all voters. */
  isSynchronised({ disk }: Node): boolean {
    const index = this.committed.findLastIndex(({ note }) => note?.type === 'config');
    return disk.holds(this.committed[index] as Entry, index);
  }
  /** A voter whose directory is not the one that the config lists. */
  get lost(): Member | undefined {
    return this.config.members.find(
      ({ sid, role, incarnation }) => role === 'participant' && this.node(sid).disk.incarnation !== incarnation,
    );
  }
  /** What a disk says is committed is: a start applies it. */
  isLoaded(node: Node): void {
    const index = indexOf(node.disk.log, node.disk.committed);
    this.isApplied(node, 0, index);
  }
  /** A quorum of the config at this place has it on the disk that it is committed (foundations.md 13.7). */
  isDone(at: Position): void {
    const index = indexOf(this.committed, at);
    const entry = this.committed[index];
    assert.ok(entry?.note?.type === 'config' && isSame(entry, at), 'no config is done');
    const voters = entry.note.config.members.filter(({ role }) => role === 'participant');
    const sure = voters.filter(({ sid, incarnation }) => {
      const { disk } = this.node(sid);
      return disk.incarnation === incarnation && disk.holds(entry, index) && !isBefore(disk.committed, at);
    });
    assert.ok(sure.length * 2 > voters.length, `the config is done and ${sure.length} of ${voters.length} know it`);
  }
  /** A member of the last config, or perhaps of one that is under way. */
  isNeeded({ sid }: Node): boolean {
    if (this.config.members.some((each) => each.sid === sid)) return true;
    const last = this.committed.findLast(({ note }) => note?.type === 'config') as Entry;
    return this.nodes.some(({ disk, leads, configAt }) => {
      const newest = disk.log.findLast(({ note }) => note?.type === 'config');
      return (newest !== undefined && isBefore(last, newest)) || (leads && isBefore(last, configAt));
    });
  }
  isEstablished(node: Node, epoch: number): void {
    const other = this.established.get(epoch);
    assert.equal(other, undefined, `two leaders in epoch ${epoch}: ${other} and ${node.sid}`);
    this.established.set(epoch, node.sid);
    // one that was stopped for long may still establish its epoch when a later one has committed more
    const last = this.terms.findLastIndex((term) => term < epoch);
    const entry = this.committed[last];
    assert.ok(entry === undefined || node.disk.holds(entry, last), 'a leader without everything committed before it');
  }

  isCommitted(node: Node, upTo: Position): void {
    const { log } = node.disk;
    const index = indexOf(log, upTo);
    assert.ok(index >= 0 && isSame(log[index] as Entry, upTo), 'applied what its own disk does not hold');
    assert.ok(index > node.applied, 'applied backwards');
    this.isApplied(node, node.applied + 1, index);
    node.applied = index;
  }
  /** These entries of its log are applied at a member: nothing else is anywhere, and what is new is not lost. */
  private isApplied({ disk, peer }: Node, from: number, to: number): void {
    const { committed } = this;
    const known = committed.length;
    for (let i = from; i <= to; i++) {
      const entry = disk.log[i] as Entry;
      const other = committed[i];
      if (other === undefined) {
        committed.push(entry);
        this.terms.push(disk.current);
      }
      assert.ok(other === undefined || isSameMark(entry, other), `two histories at ${entry.epoch}:${entry.counter}`);
    }
    // what a member learns of before its epoch is established was committed in an earlier one
    if (committed.length > known) this.nothingLost(peer?.phase === 'broadcast' ? disk.current : undefined);
  }

  /** A quorum of the config in force holds everything committed, in directories that took over its epoch. */
  nothingLost(epoch?: number): void {
    const last = this.committed.length - 1;
    const entry = this.committed[last];
    if (entry === undefined) return;
    let voters = 0;
    let holders = 0;
    assert.ok(
      this.nodes.some(({ disk }) => disk.holds(entry, last)),
      `${entry.epoch}:${entry.counter} is committed and nobody holds it`,
    );
    for (const { sid, role, incarnation } of this.config.members) {
      if (role !== 'participant') continue;
      voters++;
      const { disk } = this.node(sid);
      // one that is damaged votes for nobody who lacks what it held
      const held = disk.damage === undefined ? disk.holds(entry, last) : isHeldBy(disk.damage.was, entry, last);
      if (disk.incarnation === incarnation && held && disk.current >= (epoch ?? entry.epoch)) holders++;
      // a wiped or old directory may have held it; its vote is silent, so every quorum still meets the other holders
      else if (disk.incarnation !== incarnation || disk.isOldCopy) holders++;
    }
    assert.ok(
      holders * 2 > voters,
      `${entry.epoch}:${entry.counter} is committed and only ${holders} of ${voters} hold it`,
    );
  }

  /** One leader, everybody with it, and everything applied everywhere. */
  get isWhole(): boolean {
    const leaders = this.nodes.filter((node) => node.leads);
    return (
      leaders.length === 1 &&
      this.committed.length > 0 &&
      this.lost === undefined &&
      this.nodes.every(({ disk }) => disk.damage === undefined && !disk.isOldCopy) &&
      this.nodes.every(
        ({ peer, applied }) =>
          peer?.phase === 'broadcast' && peer.role !== 'looking' && applied === this.committed.length - 1,
      )
    );
  }
  /** Where everybody is, for a failing seed. */
  describe(): string {
    const members = this.config.members.map(({ sid, role, incarnation }) => `${sid}=${incarnation} ${role}`);
    const lines = this.nodes.map(({ sid, peer, disk, applied }) => {
      const { epoch, counter } = disk.last;
      const epochs = `accepted ${disk.accepted} current ${disk.current}`;
      const acked = disk.damage?.mayHaveAcked;
      const harm = acked === undefined ? '' : `, damaged beyond, may have acknowledged ${acked.epoch}:${acked.counter}`;
      return `${sid} (${disk.incarnation}): ${peer?.role} ${peer?.phase}, ${epochs}, log ${epoch}:${counter}, applied ${applied}${harm}`;
    });
    return [`${this.committed.length} committed; ${members.join(', ')}`, ...lines].join('\n');
  }
}

const isHeldBy = (log: readonly Entry[], entry: Entry, index: number): boolean =>
  log[index] !== undefined && isSameMark(log[index] as Entry, entry);
