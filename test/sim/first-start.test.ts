/** The first start of an ensemble loses power at each of its steps. ZOOSH_SEED: the seed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import type { FirstStartAnswer } from './first/job.ts';
import { Story } from './hist/story.ts';
import { inWorkers } from './workers.ts';

const seed = Number(process.env.ZOOSH_SEED ?? 1);

test('power fails at every step of a first start of three members: they always come up', async () => {
  const parts = [0, 1];
  const of = amount(2, 8);
  const answers = await inWorkers<FirstStartAnswer>(
    new URL('./first/job.js', import.meta.url),
    parts.map((part) => ({ seed, part, of })),
  );
  const cuts = answers.flatMap((each) => each.cuts);
  for (const { victim, call, faults } of cuts)
    assert.deepEqual(faults, [], `call ${call} of ${victim}, seed ${seed}\n${faults.join('\n')}`);
  const reached = cuts.filter((each) => each.reached).length;
  const again = cuts.filter((each) => each.again).length;
  const sum = (of: 'lostSectors' | 'lostNames'): number => cuts.reduce((all, each) => all + each[of], 0);
  console.log(
    `${cuts.length} first starts (${answers[0]?.calls.join(' + ')} calls to the disk), power cut at the call meant in ${reached}, a second time in ${again}; ` +
      `${sum('lostSectors')} sectors and ${sum('lostNames')} names were lost (seed ${seed})`,
  );
  assert.ok(cuts.length >= amount(250, 60) && reached >= 0.9 * cuts.length && again >= cuts.length / 4);
  assert.ok(sum('lostSectors') > 0 && sum('lostNames') > 0);
});

test('who serves for the first time has on its disk which ensemble it belongs to', async () => {
  const seen = new Map<number, boolean>();
  for (const from of [seed, seed + 1, seed + 2]) {
    using story = new Story({ seed: from });
    const { ensemble } = story;
    // a disk that is slow beside everything else
    for (const member of ensemble.members) member.diskMs = 20;
    story.start();
    seen.clear();
    await story.until('all serve', () => {
      for (const { sid, program, disk } of ensemble.members) {
        if (program?.serves !== true || seen.has(sid)) continue;
        const copies = disk.afterPowerCut('/data/zoosh-1/identity');
        const id = program.tree?.ensembleId ?? '';
        seen.set(sid, id !== '' && copies.every((bytes) => bytes?.includes(id) === true));
      }
      return seen.size === 3;
    });
    assert.deepEqual([...seen.values()], [true, true, true], `seed ${from}`);
  }
});
