/** What judges batches, and what knows who votes: tests of what tests. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Config, KIND, type Txn } from '../../src/records/txns.ts';
import { type Committed, Ledger } from './check/ledger.ts';
import { Verdicts } from './check/verdicts.ts';
import { Configs } from './run/configs.ts';
import { Coverage, FAULT_KINDS } from './run/coverage.ts';
import { addTo, GATE, lacks, MARKS, noSums, tableOf } from './run/gate.ts';
import { appendRecord, firstSeed, programOf, readRecords, type SeedRecord } from './run/record.ts';
import { decide, type Shares } from './run/shares.ts';

const RECORD: SeedRecord = {
  ...{
    commit: '0123456789ab',
    program: 'ab',
    seed: 7,
    profile: 'swarm',
    operations: 5000,
    chaosOperations: 4000,
    changes: 10,
  },
  ...{ events: 100_000, chaosMs: 20_000, simulatedMs: 40_000, realMs: 2000, violations: [] },
  coverage: { injected: {}, effective: {}, marks: {} },
};
/** A batch that lacks nothing. */
function full(): { sums: ReturnType<typeof noSums>; coverage: Coverage } {
  const sums = noSums();
  const coverage = new Coverage();
  for (let seed = 0; seed < GATE.seeds; seed++) addTo(sums, coverage, { ...RECORD, seed });
  for (const kind of FAULT_KINDS) coverage.tell(kind, GATE.effective);
  for (const mark of MARKS) coverage.reach(mark);
  return { sums, coverage };
}

test('a batch passes the gate only when every floor is reached', () => {
  const { sums, coverage } = full();
  assert.deepEqual(lacks(sums, coverage, GATE), []);
  for (const key of ['seeds', 'operations', 'changes', 'chaosOperations'] as const) {
    const less = { ...sums, [key]: Math.floor(sums[key] / (key === 'chaosOperations' ? 10 : 2)) };
    assert.equal(lacks(less, coverage, GATE).length, 1, key);
  }
  for (const kind of FAULT_KINDS) {
    const { coverage: each } = full();
    each.effective.set(kind, GATE.effective - 1);
    assert.deepEqual(lacks(sums, each, GATE), [`${kind} effective: 99, at least 100 are wanted`]);
  }
  coverage.marks.delete(MARKS[0]);
  assert.equal(lacks(sums, coverage, GATE).length, 1);
  assert.match(
    tableOf(sums, coverage, 400).at(-1) ?? '',
    /^200 seeds, 0 with violations, 1000000 operations.*2500 checked/,
  );
});

test('a file of records outlives a line that was cut, and a violation stays in it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-sim-'));
  try {
    const file = join(folder, 'records');
    assert.deepEqual(readRecords(file), []);
    appendRecord(file, RECORD);
    appendRecord(file, { ...RECORD, seed: 8, violations: ['I3: lost'] });
    appendFileSync(file, JSON.stringify(RECORD).slice(0, 40));
    const records = readRecords(file);
    assert.deepEqual(
      records.map(({ seed }) => seed),
      [7, 8],
    );
    const sums = noSums();
    for (const record of records) addTo(sums, new Coverage(), record);
    assert.equal(sums.bad, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('each program has seeds of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-seeds-'));
  try {
    const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
    write('a.js', "import { one } from './b.js';\nimport 'node:fs';\nawait import('./c.js');");
    write('b.js', "export {\n  two,\n} from './d.js';");
    write('d.js', 'two');
    const entry = join(folder, 'a.js');
    const before = programOf(entry);
    write('c.js', 'nobody imports it at once');
    assert.equal(programOf(entry), before);
    write('d.js', 'three');
    assert.notEqual(programOf(entry), before);
    assert.ok(Number.isSafeInteger(firstSeed()) && firstSeed() > 0);
    assert.notEqual(firstSeed('00000010ab'), firstSeed('00000020ab'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const configOf = (...voters: number[]): Config => ({
  maxTxnBytes: 1000,
  members: voters.map((sid) => ({ sid, role: 'participant', incarnation: `i${sid}`, addresses: [], client: null })),
});
const rolesOf = (...voters: number[]): Map<number, 'participant'> => new Map(voters.map((sid) => [sid, 'participant']));

class Rig {
  readonly verdicts = new Verdicts(() => 0);
  readonly ledger = new Ledger(
    this.verdicts,
    () => 0,
    () => true,
  );
  readonly configs = new Configs(this.ledger, this.verdicts, [1, 2, 3]);
  /** Commits it; these have it on their disks. */
  commit(txn: Txn, ...holders: number[]): bigint {
    const zxid = BigInt(this.ledger.history.length + 1);
    const chain = `0:${zxid}`;
    for (const sid of holders) this.ledger.holdingsOf(sid).durable.add(chain);
    const committed = { envelope: { txn }, zxid, chain } as unknown as Committed;
    this.ledger.history.push(committed);
    this.configs.take(committed);
    return zxid;
  }
}

test('a config record needs the voters before and after it, what follows only those after', () => {
  const rig = new Rig();
  rig.commit({ kind: KIND.found, ensembleId: 'x', config: configOf(1, 2, 3) });
  rig.configs.ask(rolesOf(3, 4, 5));
  const change = rig.commit({ kind: KIND.config, config: configOf(3, 4, 5) });
  const { configs } = rig;
  assert.equal(configs.isQuorum([4, 5], change), false);
  assert.equal(configs.isQuorum([1, 2], change), false);
  assert.equal(configs.isQuorum([2, 3, 4], change), true);
  assert.equal(configs.isQuorum([4, 5], change + 1n), true);
  assert.equal(configs.isQuorum([4, 5], change - 1n), false);
  assert.equal(configs.changes, 1);
  assert.deepEqual(rig.verdicts.violations, []);
});

test('the voters before a change count until a quorum of those after it knows', () => {
  const rig = new Rig();
  rig.commit({ kind: KIND.found, ensembleId: 'x', config: configOf(1, 2, 3) });
  const asked = rig.configs.ask(rolesOf(3, 4, 5));
  assert.deepEqual(rig.configs.possible(), [
    [1, 2, 3],
    [3, 4, 5],
  ]);
  rig.configs.refused(asked);
  assert.deepEqual(rig.configs.possible(), [[1, 2, 3]]);
  rig.configs.ask(rolesOf(3, 4, 5));
  rig.commit({ kind: KIND.config, config: configOf(3, 4, 5) }, 2, 3, 4);
  assert.equal(rig.configs.possible().length, 2);
  rig.commit({ kind: KIND.noop }, 3);
  assert.equal(rig.configs.possible().length, 2);
  rig.commit({ kind: KIND.noop }, 3, 4);
  assert.deepEqual(rig.configs.possible(), [[3, 4, 5]]);
  // with the disk of 4 that knowledge would go again: 5 and the voters before may not have heard of the change
  const without = (sid: number): boolean => sid !== 4;
  assert.equal(rig.configs.possible(without).length, 2);
  rig.ledger.lose(4);
  assert.equal(rig.configs.possible().length, 2);
});

test('before its admission is known to be committed a new directory does not count by the config before', () => {
  const rig = new Rig();
  const config = configOf(1, 2, 3, 4);
  rig.commit({ kind: KIND.found, ensembleId: 'x', config });
  const members = config.members.map((each) => (each.sid === 2 ? { ...each, incarnation: 'ff' } : each));
  rig.commit({ kind: KIND.config, config: { ...config, members } }, 1, 3, 4);
  assert.deepEqual(rig.configs.possible(), [
    [1, 2, 3, 4],
    [1, -2, 3, 4],
  ]);
  rig.commit({ kind: KIND.noop }, 1, 3, 4);
  assert.deepEqual(rig.configs.possible(), [[1, 2, 3, 4]]);
});

test('members that nobody asked for are a violation; another directory of a voter is none', () => {
  const rig = new Rig();
  rig.commit({ kind: KIND.found, ensembleId: 'x', config: configOf(1, 2, 3) });
  const { members } = configOf(1, 2, 3);
  const admitted = members.map((each) => (each.sid === 3 ? { ...each, incarnation: 'other' } : each));
  rig.commit({ kind: KIND.config, config: { maxTxnBytes: 1000, members: admitted } });
  assert.deepEqual(rig.verdicts.violations, []);
  assert.equal(rig.configs.admissions, 1);
  // asked for, but of the config before the last
  rig.commit({ kind: KIND.config, config: configOf(1, 2) });
  assert.equal(rig.verdicts.violations.length, 1);
});

test('half is no quorum, of servers, of weight or of groups', () => {
  const four = [1, 2, 3, 4];
  assert.equal(
    decide(four, (sid) => sid < 3),
    false,
  );
  assert.equal(
    decide(four, (sid) => sid < 4),
    true,
  );
  const heavy = new Map(four.map((sid) => [sid, { group: 1, weight: sid === 1 ? 3 : 1 }]));
  const quorums = (shares: Shares, of: readonly number[]): boolean => decide(of, (sid) => sid < 3, shares);
  assert.equal(quorums(heavy, four), true);
  assert.equal(quorums(heavy, [2, 3, 4]), false);
  // groups of 1 and 4, 2 and 5, 3 and 6; in the last nobody has a say
  const six = [1, 2, 3, 4, 5, 6];
  const grouped = (weights: readonly number[]): Shares =>
    new Map(six.map((sid) => [sid, { group: sid % 3, weight: weights[sid - 1] as number }]));
  assert.equal(quorums(grouped([1, 1, 1, 1, 1, 1]), six), false, 'half of each of two groups');
  assert.equal(quorums(grouped([2, 2, 1, 1, 1, 1]), six), true, 'two of three groups');
  assert.equal(quorums(grouped([2, 1, 1, 1, 1, 1]), six), false, 'one of three');
  assert.equal(quorums(grouped([2, 1, 0, 1, 1, 0]), six), false, 'one of the two that count');
});
