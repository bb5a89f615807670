/** A snapshot that rots on the leader's disk, and a learner that needs it long before the next scrub. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Story, StoryOver } from './hist/story.ts';

/** A follower lost its directory; `harm` is done to the leader's newest snapshot. How often the follower was sent one. */
async function joins(
  harm: (story: Story, leader: number, newest: string) => void,
): Promise<{ story: Story; snaps: number }> {
  const story = new Story({ seed: 11, config: { scrubIntervalMs: 24 * 3600 * 1000 } });
  let snaps = 0;
  try {
    story.start();
    await story.serving();
    const client = story.clientOf();
    for (let i = 0; i < 60; i++) await story.write(client);
    await story.run(3000);
    story.crash(false);
    // what is remembered begins at each one's newest snapshot
    story.start();
    await story.serving();
    const leader = await story.leader();
    const [away = 0] = story.others(leader);
    const snapshots = story
      .member(leader)
      .disk.paths()
      .filter((path) => /\/snapshot\.[0-9a-f]+$/.test(path));
    harm(story, leader, snapshots.sort().at(-1) as string);
    story.wipe(away);
    const before = story.ensemble.acks.synchronised.SNAP;
    story.start(away);
    await story.serving(away);
    snaps = story.ensemble.acks.synchronised.SNAP - before;
    await story.admitted(away);
    await story.end();
  } catch (error) {
    if (!(error instanceof StoryOver)) throw error;
  }
  return { story, snaps };
}

test('one rotten bit in the newest snapshot of a leader: it is set aside, and the learner is given a new one', async () => {
  const { story, snaps } = await joins((story, leader, newest) => {
    const { disk } = story.member(leader);
    disk.flip(newest, Math.floor(disk.raw(newest).length / 2), 3);
  });
  using _over = story;
  assert.deepEqual(story.violations, []);
  assert.equal(snaps, 2, 'the one that rotted, and the new one');
});

test('a snapshot that the leader cannot read: the same', async () => {
  const { story, snaps } = await joins((story, leader, newest) => {
    const { disk } = story.member(leader);
    const heads = { left: 1 };
    // its head is read when it is offered
    disk.fault = (call, path) => (call === 'read' && path === newest && heads.left-- <= 0 ? 'EIO' : undefined);
  });
  using _over = story;
  assert.deepEqual(story.violations, []);
  assert.ok(snaps <= 3, `${snaps}`);
});
