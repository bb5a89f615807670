/** Per cent of a limit from which on it is told that it comes near. */
const STEPS = [50, 80, 100] as const;
/** By so much it must fall below a step before that one may be told again. */
const EASE = 10;
/** Below it, per cent, nothing is remembered. */
export const FAR = STEPS[0] - EASE;
/** In front of a line that says how a znode is called: a bundle leaves it out. */
export const OF_ZNODE = 'limit: znode ';
/** Things whose step is remembered: what is told of more of them would bury the rest of the log. */
const MOST_KNOWN = 256;

/** Remembers of each thing that has a limit how near it was, so that coming nearer is told once and not with every look. */
export class LimitJudge {
  private readonly steps = new Map<string, number>();

  /** The step, per cent, that `have` has come to since it was judged last; undefined when there is nothing new. */
  judge(key: string, have: number, most: number): number | undefined {
    const { steps } = this;
    const known = steps.get(key) ?? 0;
    const reached = (step: number, ease: number): boolean => have * 100 >= most * (step - ease);
    const kept = STEPS.filter((step, i) => reached(step, i < known ? EASE : 0)).length;
    if (kept === 0) steps.delete(key);
    else if (steps.has(key) || steps.size < MOST_KNOWN) steps.set(key, kept);
    else return undefined;
    return kept > known ? STEPS[kept - 1] : undefined;
  }
  /** What is not among `keys` is no more, or far from its limit; only keys that begin with `kind` are looked at. */
  keepOnly(kind: string, keys: ReadonlySet<string>): void {
    for (const key of this.steps.keys()) if (key.startsWith(kind) && !keys.has(key)) this.steps.delete(key);
  }
}
