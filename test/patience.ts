/** Time in tests. A machine that is busy or stands still for seconds fails nobody; what the product itself is late does. */
import assert from 'node:assert/strict';

/** How long is waited for what is to come and nobody promised to be quick with, ms. Only a failing test waits so long. */
export const PATIENCE_MS = 60_000;

const TRIES = 3;

/**
 * A promise about time. `run` gives what was late as a sentence, or nothing; then it is done again, as often as two times more:
 * the machine is late now and then, what the product is late it is late every time. Whatever else fails, fails at once.
 */
export async function timely(
  run: (round: number) => Promise<string | undefined> | string | undefined,
  tries = TRIES,
): Promise<void> {
  const late: string[] = [];
  for (let round = 0; round < tries; round++) {
    const found = await run(round);
    if (found === undefined) return;
    late.push(found);
    console.log(`late, ${round + 1} of ${tries}: ${found}`);
  }
  assert.fail(late.join('\n'));
}

/** The sentence, where it is so. */
export const lateIf = (is: boolean, sentence: string): string | undefined => (is ? sentence : undefined);

/** Goes on with `more`, at most `bound` times, until `enough`: what chance brings about sooner or later is waited for. */
export async function goOnUntil(
  enough: () => boolean,
  bound: number,
  more: (at: number) => Promise<void> | void,
): Promise<void> {
  for (let at = 0; at < bound && !enough(); at++) await more(at);
}

/**
 * Of work that waits for nothing: how long it has taken so far, ms. Others may have had the processor meanwhile, and other
 * threads of this process may have worked beside it: the lesser of both times is nearer to its own.
 */
export function stopwatch(): () => number {
  const began = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return Math.min(performance.now() - began, (user + system) / 1000);
  };
}
