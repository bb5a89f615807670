import type { RunResult } from './run.ts';
import type { SwarmLimits } from './swarm.ts';

/** A way to run one seed again, with some faults left out and other limits. */
export type Again = (mask: readonly string[], limits: SwarmLimits) => Promise<RunResult | undefined>;
export interface Shrunk {
  readonly mask: readonly string[];
  readonly limits: SwarmLimits;
  readonly result: RunResult;
  readonly runs: number;
}

/**
 * The least that still violates the same rule: first whole kinds of faults are left out, then halves and quarters of those
 * injected, then the chaos is cut short behind the violation (reliability.md 6.7).
 */
export async function shrink(first: RunResult, limits: SwarmLimits, budgetMs: number, again: Again): Promise<Shrunk> {
  const rule = first.violations[0]?.rule;
  const end = performance.now() + budgetMs;
  let best: Shrunk = { mask: [], limits, result: first, runs: 0 };
  let runs = 0;
  const tries = async (mask: readonly string[], own: SwarmLimits): Promise<boolean> => {
    if (performance.now() > end) return false;
    runs++;
    const result = await again(mask, own);
    if (result === undefined || result.violations[0]?.rule !== rule) return false;
    best = { mask, limits: own, result, runs };
    return true;
  };
  const isLeft = ({ name }: { readonly name: string }): boolean => !best.mask.includes(name);

  for (const { kind } of first.plan.faults)
    await tries(best.mask, { ...best.limits, without: [...(best.limits.without ?? []), kind] });
  for (let size = best.result.faults.length; size >= 1; size = Math.floor(size / 2))
    for (let at = 0; at < best.result.faults.length; ) {
      const names = best.result.faults
        .filter(isLeft)
        .slice(at, at + size)
        .map(({ name }) => name);
      if (names.length === 0 || performance.now() > end) break;
      if (!(await tries([...best.mask, ...names], best.limits))) at += size;
    }
  const at = best.result.violations[0]?.at ?? 0;
  await tries(best.mask, { ...best.limits, chaosMs: Math.ceil(at) });
  return { ...best, runs };
}
