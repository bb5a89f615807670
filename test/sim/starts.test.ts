/** More starts of one directory than its record keeps tags of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
