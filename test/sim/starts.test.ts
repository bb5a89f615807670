/** More starts of one directory than its record keeps tags of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeIdentity, encodeIdentity } from '../../src/storage/identity.ts';
import { MAX_BOOT_TAGS } from '../../src/storage/starts.ts';
import { amount } from '../amount.ts';
import { Story, StoryOver } from './hist/story.ts';

test('members that were started more often than tags are kept, while none found another, are no old copies', async () => {
  using story = new Story({ seed: 5 });
  try {
    story.start();
    await story.serving();
    const written = await story.write(story.clientOf());
    await story.run(2000);
    story.crash(false);
    // that of one is told apart as well as those of all are, of whom none would lead again
    const restarted = amount(3, 1);
    for (let i = 0; i <= MAX_BOOT_TAGS; i++) {
      const sids = story.sids.slice(0, restarted);
      story.start(...sids);
      await story.until('they have read their directories', () =>
        sids.every((sid) => story.member(sid).program?.bootTag !== undefined),
      );
      story.crash(false);
    }
    const incarnations = story.sids.map((sid) => story.ensemble.configs.incarnationOf(sid));
    story.start();
    await story.serving();
    assert.deepEqual(
      story.sids.map((sid) => story.member(sid).program?.incarnation),
      incarnations,
    );
    assert.ok((story.member(1).program?.tree?.find(written ?? '') ?? 0) > 0, 'what was acknowledged is there');
    await story.end();
  } catch (error) {
    if (!(error instanceof StoryOver)) throw error;
  }
  assert.deepEqual(story.violations, []);
});

test('a member that was away while the others were started more often than tags are kept takes them for no old copies', async () => {
  using story = new Story({ seed: 6 });
  try {
    story.start();
    await story.serving();
    const client = story.clientOf();
    await story.write(client);
    const [away = 0, ...others] = story
      .others(await story.leader())
      .slice(0, 1)
      .concat(story.sids);
    const left = others.filter((sid) => sid !== away);
    story.crash(false, away);
    for (let i = 0; i < 2; i++) {
      story.crash(false, ...left);
      story.start(...left);
      await story.serving(...left);
      await story.run(2000);
    }
    story.crash(false, ...left);
    const incarnations = story.sids.map((sid) => story.ensemble.configs.incarnationOf(sid));
    // as if there had been so many starts in between that the tags which it knows were dropped
    for (const sid of left)
      for (const path of ['/data/zoosh-1/identity', '/log/zoosh-1/identity']) {
        const { disk } = story.member(sid);
        const record = decodeIdentity(disk.raw(path));
        assert.ok(record.bootTags.length >= 3);
        // the last that its own log knows committed is one of these two: such a tag is never dropped
        const last = record.bootTags.slice(-2);
        const between = Array.from({ length: MAX_BOOT_TAGS - 2 }, (_, i) => i.toString(16).padStart(16, '0'));
        disk.put(path, encodeIdentity({ ...record, bootTags: [...between, ...last] }));
      }
    story.start(...left);
    await story.serving(...left);
    story.start(away);
    await story.serving();
    assert.deepEqual(
      story.sids.map((sid) => story.member(sid).program?.incarnation),
      incarnations,
    );
    for (const sid of left) {
      const { startsUpTo } = decodeIdentity(story.member(sid).disk.raw('/data/zoosh-1/identity'));
      assert.notEqual(startsUpTo, null, `server ${sid} dropped tags`);
    }
    await story.end();
  } catch (error) {
    if (!(error instanceof StoryOver)) throw error;
  }
  assert.deepEqual(story.violations, []);
});
