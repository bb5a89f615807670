/** Tells some of the named histories in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Violation } from '../check/verdicts.ts';
import { TALES } from './index.ts';
import { type Named, tell } from './story.ts';

export interface TaleAnswer {
  readonly id: string;
  readonly violations: readonly Violation[];
  readonly transactions: number;
  readonly lines: readonly string[];
}

/** One id for each story: several histories may be told by one. */
export function talesOf(): [id: string, named: Named][] {
  const told = new Set<unknown>();
  return Object.entries(TALES).filter(([, { tale }]) => !told.has(tale) && told.add(tale));
}

async function all(ids: readonly string[], seed: number): Promise<TaleAnswer[]> {
  const answers: TaleAnswer[] = [];
  for (const id of ids) {
    using story = await tell(TALES[id] as Named, seed);
    const { violations, ensemble } = story;
    answers.push({ id, violations, transactions: ensemble.oracle.state.now, lines: ensemble.trace.latest(40) });
  }
  return answers;
}
if (parentPort !== null) {
  const { ids, seed } = workerData as { ids: string[]; seed: number };
  parentPort.postMessage(await all(ids, seed));
}
