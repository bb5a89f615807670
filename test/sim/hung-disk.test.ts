/** A log write of one server hangs for good while everything else goes on: what clients ask the others, and it, comes to an end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Story } from './hist/story.ts';

/** As long as a leader needs to go, a follower to be dropped, and others to be led; far from the time of a session. */
const ENDS_MS = 6000;

test('disk.slow: whoever it is whose log hangs, writes and syncs at the others go on, and its own clients are told', async () => {
  for (const which of ['leader', 'follower', 'observer'] as const) {
    using story = new Story({ seed: 3, plan: { observers: 1 } });
    story.start();
    await story.serving();
    const leader = await story.leader();
    const [one = 1, two = 2] = story.others(leader, 4);
    const sid = { leader, follower: two, observer: 4 }[which];
    const healthy = await story.clientOf(one).get();
    const own = await story.clientOf(sid).get();
    await story.settled(healthy.create('/before', 'x'));
    story.member(sid).hang();
    const ended = new Set<string>();
    const ask = (name: string, asked: Promise<unknown>): void => {
      const end = (): void => void ended.add(name);
      asked.then(end, end);
    };
    ask('a write', healthy.create('/while', 'x'));
    await story.run(300);
    ask('a sync', healthy.sync('/'));
    ask('a write of its own client', own.create('/own', 'x'));
    await story.until(
      `all is answered while the log of the ${which} hangs: ${[...ended]}`,
      () => ended.size === 3,
      ENDS_MS,
    );
    assert.notEqual(story.ensemble.leader?.sid, which === 'leader' ? leader : sid, which);
    // a second leader is not asked to go for what the first one's disk does
    const now = await story.leader(sid);
    await story.run(60 * story.plan.tickMs);
    assert.equal(story.ensemble.leader?.sid, now);
    story.member(sid).letGo();
    await story.serving();
    await story.end();
    assert.deepEqual(story.violations, [], which);
  }
});

test('disk.slow: a leader whose disk answers before anybody could take over leads on, and decides what it held back', async () => {
  using story = new Story({ seed: 3 });
  story.start();
  await story.serving();
  const sid = await story.leader();
  const leader = story.member(sid);
  const epoch = leader.program?.leads;
  const client = await story.clientOf(...story.others(sid)).get();
  await story.settled(client.create('/before', 'x'));
  leader.hang();
  await story.settled(client.create('/while', 'x'));
  await story.run(2 * story.plan.tickMs);
  // nobody has all that was proposed, so nobody takes over
  for (const other of story.others(sid)) story.member(other).hang();
  let answered = 0;
  const ask = (path: string): void => {
    client.create(path, 'x').then(
      () => answered++,
      () => undefined,
    );
  };
  ask('/open');
  const isHeld = (): boolean => (leader.program?.term as { readonly holds: boolean } | undefined)?.holds === true;
  await story.until('it is about to go', isHeld, ENDS_MS);
  ask('/held');
  await story.run(story.plan.tickMs / 2);
  leader.letGo();
  await story.run(story.plan.tickMs / 2);
  for (const other of story.others(sid)) story.member(other).letGo();
  await story.until('all is answered', () => answered === 2, ENDS_MS);
  await story.run(10 * story.plan.tickMs);
  assert.equal(leader.program?.leads, epoch, 'it went, though it is well');
  await story.end();
  assert.deepEqual(story.violations, []);
});
