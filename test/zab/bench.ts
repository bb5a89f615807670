/**
 * What agreement itself costs: three machines in one process, every disk and network instant. Run by hand:
 * `node dist/test/zab/bench.js [entries a turn] [turns] [remembered]`. The leader's turns are timed, the slowest told.
 */
import assert from 'node:assert/strict';
import { Peer } from '../../src/zab/peer.ts';
import { type Effect, type Entry, type Input, markOf, ORIGIN, type Position } from '../../src/zab/types.ts';
import { configOf } from './hand.ts';
import { entryAfter, LIMITS } from './sim-node.ts';

const [, , perTurnText, turnsText, rememberText] = process.argv;
const perTurn = Number(perTurnText ?? 32);
const turns = Number(turnsText ?? 20_000);
const remember = Number(rememberText ?? 100_000);

const found = entryAfter(ORIGIN, 1, 1, { type: 'config', config: configOf(1, 2, 3) });
const peers = [1, 2, 3].map((sid) => {
  const last = { epoch: 1, counter: 1 };
  const past = { sid, incarnation: `i${sid}`, bootTag: `t${sid}`, acceptedEpoch: 1, currentEpoch: 1, last };
  return new Peer({ ...past, committed: last, config: configOf(1, 2, 3), seenTags: new Set<string>() }, 1, undefined, {
    limits: LIMITS,
    tags: [`t${sid}`],
    base: ORIGIN,
    recent: [found],
    configs: [{ at: markOf(found), config: configOf(1, 2, 3) }],
    seen: [],
    snapshot: ORIGIN,
    peers: [1, 2, 3],
    founders: undefined,
    remember,
    rememberBytes: 256 * 1024 * 1024,
  });
});
const work: [sid: number, input: Input][] = [];
const ends = new Map<number, [number, number]>();
let links = 0;
let committed: Position = ORIGIN;
/** By member: time spent in its steps, ms. */
const spent = [0, 0, 0];

function perform(sid: number, effect: Effect): void {
  switch (effect.type) {
    case 'storeEpochs':
      work.push([sid, { ...effect, type: 'epochsStored' }]);
      return;
    case 'append': {
      const { epoch, counter } = effect.entries[effect.entries.length - 1] as Entry;
      work.push([sid, { type: 'persisted', generation: effect.generation, upTo: { epoch, counter } }]);
      return;
    }
    case 'vote':
      work.push([effect.to, { type: 'voted', from: sid, message: effect.message }]);
      return;
    case 'gather':
      for (const other of effect.voters) work.push([sid, { type: 'reached', sid: other, up: true }]);
      return;
    case 'dial':
      ends.set(++links, [sid, effect.to]);
      work.push([effect.to, { type: 'linked', sid, link: links, dialled: false }]);
      work.push([sid, { type: 'linked', sid: effect.to, link: links, dialled: true }]);
      return;
    case 'send': {
      const [a, b] = ends.get(effect.link) as [number, number];
      work.push([a === sid ? b : a, { type: 'received', link: effect.link, message: effect.message }]);
      return;
    }
    case 'commit':
      if (peers[sid - 1]?.role === 'leading') committed = effect.upTo;
      return;
    case 'hangUp':
      return assert.fail(effect.reason);
  }
}
let slowest = 0;
function run(): void {
  for (let next = work.shift(); next !== undefined; next = work.shift()) {
    const [sid, input] = next;
    const start = performance.now();
    const effects = (peers[sid - 1] as Peer).step(input);
    const took = performance.now() - start;
    spent[sid - 1] = (spent[sid - 1] as number) + took;
    slowest = Math.max(slowest, took);
    for (const effect of effects) perform(sid, effect);
  }
}
for (const { sid } of [{ sid: 1 }, { sid: 2 }, { sid: 3 }]) work.push([sid, { type: 'start' }]);
run();
for (let i = 0; i < 10 && !peers.some(({ leader }) => leader !== undefined); i++) {
  for (const sid of [1, 2, 3]) work.push([sid, { type: 'tick' }]);
  run();
}
const at = peers.findIndex(({ leader }) => leader !== undefined);
const leading = peers[at] as Peer;
const { leader } = leading;
assert.ok(leader !== undefined);
let tail = markOf(found);
const bytes = new Uint8Array(100);
spent.fill(0);
slowest = 0;
const begin = performance.now();
const cpu = process.cpuUsage();
for (let turn = 0; turn < turns; turn++) {
  const entries: Entry[] = [];
  for (let i = 0; i < perTurn; i++) {
    const { epoch, counter, chainHi, chainLo } = entryAfter(tail, leader.epoch, leader.propose());
    const entry: Entry = { epoch, counter, chainHi, chainLo, bytes, note: undefined };
    entries.push(entry);
    tail = entry;
  }
  work.push([at + 1, { type: 'proposed', entries }]);
  work.push([at + 1, { type: 'persisted', generation: leading.generation, upTo: tail }]);
  run();
  if (turn % 100 === 0) for (const sid of [1, 2, 3]) work.push([sid, { type: 'tick' }]);
}
const took = performance.now() - begin;
const { user, system } = process.cpuUsage(cpu);
assert.deepEqual(committed, { epoch: tail.epoch, counter: tail.counter });
const count = turns * perTurn;
const perEntry = (ms: number): string => `${((ms * 1000) / count).toFixed(3)} µs`;
console.log(
  `${count} proposals, ${perTurn} a turn: ${Math.round((count / took) * 1000)} a second for all three together; ` +
    `${perEntry((user + system) / 1000)} of CPU a proposal, making it included; ` +
    `by the clock: leader ${perEntry(spent[at] as number)} a proposal, a follower ${perEntry(spent[(at + 1) % 3] as number)}; slowest step ${slowest.toFixed(2)} ms`,
);
