/** A snapshot on a narrow link, and all that may happen meanwhile: what arrives is whole, and nothing else of it stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Story } from './hist/story.ts';
import { nameOfServer } from './run/member.ts';

const NODES = 3;
const NODE_BYTES = 900_000;
/** Bytes a ms: the random runs hold states that fit into one message, and go on with none. */
const RATE = 900;
const EVENTS = 12;
const SEEDS = 8;

/** The learner of each seed is a voter or an observer; what happens is drawn. Returns how often each thing did. */
async function harm(seed: number, done: Map<string, number>): Promise<void> {
  const random = seededRandom(seed);
  const observers = random.below(2);
  using it = new Story({ seed, plan: { observers, commitLogCount: 10, snapCount: 10 } });
  const away = observers > 0 ? 4 : 1;
  const learner = it.member(away);
  it.start();
  await it.serving();
  await it.write(it.clientOf(3));
  it.crash(false, away);
  await it.leader();
  for (let i = 0; i < NODES; i++) assert.ok(await it.write(it.clientOf(3), 'x'.repeat(NODE_BYTES)));
  for (let i = 0; i < 24; i++) await it.write(it.clientOf(3));
  await it.run(2000);
  it.crash(false); // what is remembered after a start does not reach back
  for (const sid of it.others(away)) it.ensemble.network.links.cap(nameOfServer(sid), nameOfServer(away), RATE);
  it.start();
  const staged = (): string | undefined => learner.disk.paths().find((name) => name.endsWith('.staged'));
  const breaks = (): boolean => {
    const { streams } = it.ensemble.network;
    const its = [...streams].filter(
      ({ channel, ends }) => channel === 'quorum' && ends.some(({ host }) => host.name === nameOfServer(away)),
    );
    for (const stream of its) stream.break(2);
    return its.length > 0;
  };
  const events: Record<string, () => boolean | Promise<boolean>> = {
    'break 1': breaks,
    'break 2': breaks,
    'break 3': breaks,
    'break 4': breaks,
    leader: async () => {
      const sid = it.ensemble.leader?.sid;
      if (sid === undefined || sid === away) return false;
      it.crash(random.below(2) === 0, sid);
      await it.run(random.below(500));
      it.start(sid);
      return true;
    },
    crash: () => {
      it.crash(random.below(2) === 0, away);
      it.start(away);
      return true;
    },
    rot: () => {
      const path = staged();
      if (path === undefined) return false;
      learner.disk.flip(path, random.below((NODES * NODE_BYTES) / 2), random.below(8)); // or beyond its end
      return true;
    },
    full: async () => {
      if (staged() === undefined) return false;
      learner.disk.fault = (call, path) => (call === 'write' && path.endsWith('.staged') ? 'ENOSPC' : undefined);
      await it.run(100 + random.below(300));
      learner.disk.fault = () => undefined;
      return true;
    },
    slow: () => {
      learner.diskMs = random.below(2) === 0 ? 40 : it.plan.diskMs;
      return true;
    },
    write: () => {
      void it.write(it.clientOf(...it.others(away)), 'y');
      return true;
    },
  };
  const kinds = Object.keys(events);
  for (let i = 0; i < EVENTS; i++) {
    await it.run(1 + random.below(random.below(3) === 0 ? 3000 : 600));
    const kind = kinds[random.below(kinds.length)] as string;
    const [name] = kind.split(' ') as [string];
    if (await events[kind]?.()) done.set(name, (done.get(name) ?? 0) + 1);
  }
  learner.diskMs = it.plan.diskMs;
  await it.run(1000);
  breaks(); // the last link goes on behind another, where there is anything to go on with
  it.calm();
  await it.serving(away);
  await it.end();
  assert.deepEqual(it.violations, [], `seed ${seed}`);
  assert.equal(staged(), undefined, `seed ${seed}`);
}

test('slow_link: links that break, leaders that change, rot, a full disk and crashes while a snapshot comes in', async () => {
  const done = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) await harm(seed, done);
  for (const kind of ['break', 'leader', 'crash', 'rot', 'full', 'slow', 'write'])
    assert.ok((done.get(kind) ?? 0) > 0, kind);
});
