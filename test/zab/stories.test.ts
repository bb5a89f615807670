/** Whole stories on simulated members, in calm weather: what the issue promises of lost, damaged and old directories. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, type Shape } from './cluster.ts';
import { rollBack } from './operator.ts';
import type { Node } from './sim-node.ts';

const LONG = 1500;
class Story {
  readonly cluster: Cluster;
  constructor(seed: number, birth: Shape['birth'] = 'founded', voters = 3) {
    this.cluster = new Cluster(seed, { voters, observers: 0, birth });
    this.cluster.weather.calm = true;
  }
  get nodes(): readonly Node[] {
    return this.cluster.nodes;
  }
  node(sid: number): Node {
    return this.cluster.node(sid);
  }
  start(...sids: number[]): void {
    for (const sid of sids) this.cluster.start(this.node(sid));
  }
  crash(...sids: number[]): void {
    for (const sid of sids) this.cluster.crash(this.node(sid));
  }
  /** Until this holds, or it takes too long. */
  until(what: string, holds: () => boolean): void {
    const { cluster } = this;
    const end = cluster.agenda.now + LONG;
    while (!holds()) {
      assert.ok(cluster.agenda.now < end, `never: ${what}\n${cluster.truth.describe()}`);
      cluster.run(cluster.agenda.now + 10);
    }
  }
  get leader(): Node | undefined {
    return this.nodes.find((node) => node.serves && node.leads);
  }
  /** Somebody leads and these are in step with everything committed. */
  untilInStep(...sids: number[]): void {
    this.until(`${sids} in step`, () => {
      const last = this.cluster.truth.committed.length - 1;
      return (
        this.leader !== undefined &&
        sids.every((sid) => this.node(sid).peer?.phase === 'broadcast' && this.node(sid).applied === last)
      );
    });
  }
  write(): void {
    const before = this.cluster.truth.committed.length;
    assert.ok(this.leader !== undefined);
    this.cluster.propose(this.leader);
    this.until('the write is committed', () => this.cluster.truth.committed.length > before);
  }
  /** Every voter of the config counts again, everywhere the same. */
  untilWhole(): void {
    this.until('all is whole', () => this.cluster.truth.isWhole);
  }
  mark(name: string): number {
    return this.cluster.marks.get(name) ?? 0;
  }
}
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const told = (name: string, tell: (seed: number) => void): void =>
  void test(name, () => {
    for (const seed of SEEDS)
      try {
        tell(seed);
      } catch (error) {
        console.error(`seed ${seed}`);
        throw error;
      }
  });

for (const intact of ['nothing', 'a part'])
  told(`D5: one healthy and one damaged server of three, ${intact} of it intact, are a quorum and mend it`, (seed) => {
    const story = new Story(seed);
    story.start(1, 2, 3);
    story.untilInStep(1, 2, 3);
    for (let i = 0; i < 12; i++) story.write();
    story.untilInStep(1, 2, 3);
    story.crash(1, 2, 3);
    const { disk } = story.node(1);
    disk.harm(intact === 'nothing' ? 0 : disk.log.length >> 1);
    story.start(1, 2);
    story.untilInStep(1, 2);
    assert.equal(disk.damage, undefined);
    assert.equal(story.leader?.sid, 2);
    story.write();
    story.start(3);
    story.untilWhole();
  });

told('a damaged server that held a write the other lacks waits for the third', (seed) => {
  const story = new Story(seed);
  story.start(1, 2, 3);
  story.untilInStep(1, 2, 3);
  story.crash(2);
  story.until('they notice', () => story.leader !== undefined && story.leader.sid !== 2);
  story.write();
  story.untilInStep(1, 3);
  story.crash(1, 3);
  const { disk } = story.node(1);
  disk.harm(disk.log.length - 1);
  story.start(1, 2);
  const before = story.cluster.agenda.now;
  story.cluster.run(before + LONG);
  assert.equal(story.leader, undefined, 'only server 3 has the write now');
  story.start(3);
  story.untilWhole();
  assert.equal(story.mark('repaired'), 1);
});

told('hist/amnesiac-promise: a wiped voter does not lose a write, and votes again without an operator', (seed) => {
  const story = new Story(seed);
  story.start(1, 2, 3);
  story.untilInStep(1, 2, 3);
  story.crash(2);
  story.until('they notice', () => story.leader !== undefined && story.leader.sid !== 2);
  story.write();
  story.untilInStep(1, 3);
  story.crash(1, 3);
  story.node(1).disk.wipe('i1.new');
  story.start(1, 2);
  story.cluster.run(story.cluster.agenda.now + LONG);
  assert.equal(story.leader, undefined, 'server 2 and an empty server 1 are no quorum');
  story.start(3);
  story.untilWhole();
  assert.equal(story.mark('admit'), 1);
  story.crash(3);
  story.until('1 and 2 go on alone', () => story.leader !== undefined && story.leader.sid !== 3);
  story.write();
});

told('13.9: the same with a voter whose directory was put back as it was', (seed) => {
  const story = new Story(seed);
  story.start(1, 2, 3);
  story.untilInStep(1, 2, 3);
  story.node(1).copy = story.node(1).disk.copy();
  story.crash(1);
  story.until('another leads', () => story.leader !== undefined && story.leader.sid !== 1);
  story.start(1);
  story.untilInStep(1, 2, 3);
  story.write();
  story.untilInStep(1, 2, 3);
  rollBack(story.cluster, story.node(1));
  assert.ok(story.node(1).disk.isOldCopy, 'it was put back');
  story.crash(2);
  story.start(1);
  story.cluster.run(story.cluster.agenda.now + LONG);
  story.start(1, 2, 3);
  story.untilWhole();
  assert.equal(story.mark('old copy found'), 1);
  assert.equal(story.mark('admit'), 1);
});

told('13.13: two of three found an ensemble, and the third is taken in when it comes', (seed) => {
  const story = new Story(seed, 'short');
  story.start(1, 3);
  story.untilInStep(1, 3);
  story.write();
  story.start(2);
  story.untilWhole();
  assert.equal(story.mark('admit'), 1);
  story.crash(1);
  story.until('2 and 3 go on', () => story.leader !== undefined && story.leader.sid !== 1);
  story.write();
});

told('4: from one server to three, and back to one', (seed) => {
  const story = new Story(seed, 'alone');
  story.start(1);
  story.untilInStep(1);
  story.write();
  story.start(2, 3);
  story.until('all three vote', () => story.cluster.truth.config.members.length === 3);
  story.untilWhole();
  story.crash(1);
  story.until('2 or 3 leads', () => story.leader !== undefined && story.leader.sid !== 1);
  story.write();
  story.start(1);
  story.untilWhole();
  const { leader, cluster } = story;
  story.until('the growth is done', () => story.mark('config done') > 0);
  const done = story.mark('config done');
  assert.ok(leader !== undefined);
  const [one] = cluster.truth.config.members;
  assert.ok(one !== undefined);
  cluster.step(leader, { type: 'reconfigure', config: { ...cluster.truth.config, members: [one] } });
  story.until('the change is done', () => story.mark('config done') > done);
  assert.equal(cluster.truth.config.members.length, 1);
  story.crash(2, 3);
  story.untilInStep(1);
  story.write();
});

told('D10: a leader whose disk is full hands over, and comes back', (seed) => {
  const story = new Story(seed);
  story.start(1, 2, 3);
  story.untilInStep(1, 2, 3);
  const full = story.leader;
  assert.ok(full !== undefined);
  story.cluster.propose(full);
  story.cluster.failDisk(full);
  story.until('another leads', () => story.leader !== undefined && story.leader !== full);
  assert.equal(story.mark('handed over') + story.mark('the disk fails'), 1);
  story.write();
  story.untilWhole();
});
