/** Every lie must be found: one about an answer in the program in which it is told, one about requests in the first in which one is done. */
import { generate } from './generate.ts';
import { LIES } from './lies.ts';
import { lyingDoor } from './proxy.ts';
import { RULES } from './rules.ts';
import { attempt, type Pair } from './try.ts';

const MOST_PROGRAMS = 60;

/** What was told of each lie: the seed it was found with, or what is wrong. */
export async function deceive(pair: Pair, from: number, rules = RULES): Promise<{ found: number; faults: string[] }> {
  const faults: string[] = [];
  let found = 0;
  for (const lie of LIES) {
    const told = { done: false };
    const [apache, ours] = pair.doors;
    // told again when a program is run again without what a rule excuses
    const before = (): void => {
      told.done = false;
    };
    const lied = { ...pair, before, doors: [apache, lyingDoor(ours, lie, told)] as const };
    let differs = false;
    const goesOn = (): boolean => !differs && (lie.request !== undefined || !told.done);
    for (let seed = from; seed < from + MOST_PROGRAMS && goesOn(); seed++)
      differs = (await attempt(lied, generate(seed), rules)).differences.length > 0;
    if (!told.done) faults.push(`${lie.name}: never told`);
    else if (!differs) faults.push(`${lie.name}: not found`);
    else found++;
  }
  return { found, faults };
}
