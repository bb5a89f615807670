import { type Named, Story, StoryOver } from '../hist/story.ts';

/** Nothing here needs a snapshot or a load; what is asked is that three empty directories become an ensemble. */
const OPTIONS: Named['options'] = { voters: 3 };
/** Calls at which power may fail a second time, while the members start again. */
const SECOND_AT_MOST = 60;

export interface FirstStart {
  /** Calls to the disk of each member until all served. */
  readonly calls: readonly number[];
}

/** A first start that nothing disturbs: how many steps there are. */
export async function undisturbed(seed: number): Promise<FirstStart> {
  using story = new Story({ seed, ...OPTIONS });
  story.start();
  await story.serving();
  return { calls: story.ensemble.members.map(({ disk }) => disk.calls) };
}

export interface Cut {
  readonly seed: number;
  readonly victim: number;
  /** The call of the victim's disk at which power fails, for all; the first is 1. */
  readonly call: number;
}
export interface CutAnswer extends Cut {
  /** What is wrong, with the end of the trace. */
  readonly faults: readonly string[];
  /** Whether the victim came as far as that call. */
  readonly reached: boolean;
  /** The same for the second power cut. */
  readonly again: boolean;
  readonly lostSectors: number;
  readonly lostNames: number;
}

/** Power fails for all members when one of them does its `call`-th step on the disk; true: it came to that. */
async function powerFails(story: Story, victim: number, call: number): Promise<boolean> {
  const { ensemble } = story;
  const { disk } = story.member(victim);
  ensemble.member(victim).crashAtCall(call, true);
  const lives = story.member(victim).lives;
  story.start();
  await story.until('a power cut, or all serve', () => {
    const { isUp } = story.member(victim);
    return (!isUp && story.member(victim).lives > lives) || ensemble.members.every(({ program }) => program?.serves);
  });
  const reached = !story.member(victim).isUp;
  disk.cutAt = Number.POSITIVE_INFINITY;
  story.crash(true);
  return reached;
}

/**
 * All members are started on empty directories, lose power together at one step, and again at a random step of the start
 * after it; then they have to come up by themselves and keep what a client writes.
 */
export async function cutAt({ seed, victim, call }: Cut): Promise<CutAnswer> {
  using story = new Story({ seed: seed * 1_000_003 + victim * 10_007 + call, ...OPTIONS });
  const { ensemble } = story;
  const random = ensemble.chance.stream('second');
  let reached = false;
  let again = false;
  try {
    reached = await powerFails(story, victim, call);
    again = await powerFails(story, 1 + random.below(3), 1 + random.below(SECOND_AT_MOST));
    story.start();
    await story.serving();
    await story.write(story.clientOf());
    await story.end();
  } catch (error) {
    if (!(error instanceof StoryOver)) throw error;
  }
  const { violations } = story;
  const faults = violations.map(({ rule, text }) => `${rule}: ${text}`);
  if (faults.length > 0) faults.push(...ensemble.trace.latest(60));
  const lost = ensemble.members.map(({ disk }) => disk.lost);
  return {
    seed,
    victim,
    call,
    faults,
    reached,
    again,
    lostSectors: lost.reduce((sum, { sectors }) => sum + sectors, 0),
    lostNames: lost.reduce((sum, { names }) => sum + names, 0),
  };
}
