/** The shortest program that still does it: steps and requests are taken out as long as it does. */
import { asksOf, type Program, type Step } from './program.ts';

/** All ways of taking out a run of steps, the longest first. */
function* withoutSteps({ seed, steps }: Program): Iterable<Program> {
  for (let length = Math.ceil(steps.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2))
    for (let from = steps.length - length; from >= 0; from -= length)
      yield { seed, steps: [...steps.slice(0, from), ...steps.slice(from + length)] };
}
/** All ways of taking out one request, one part of a multi, or of giving a step to session 0. */
function* smaller({ seed, steps }: Program): Iterable<Program> {
  for (let at = 0; at < steps.length; at++) {
    const step = steps[at] as Step;
    const put = (...instead: Step[]): Program => ({
      seed,
      steps: [...steps.slice(0, at), ...instead, ...steps.slice(at + 1)],
    });
    if (step.who !== 0) yield put({ ...step, who: 0 });
    if (step.kind === 'cut') continue;
    for (let i = 0; i < step.asks.length && step.asks.length > 1; i++)
      yield put({ ...step, asks: step.asks.filter((_, place) => place !== i) });
    for (const [i, ask] of step.asks.entries()) {
      if (!Array.isArray(ask.request)) continue;
      for (let part = 0; part < ask.request.length; part++) {
        const fewer = { ...ask, request: ask.request.filter((_, place) => place !== part) };
        yield put({ ...step, asks: step.asks.map((each, place) => (place === i ? fewer : each)) });
      }
    }
  }
}

/** `fails`: does it still? Asked at most `limit` times. */
export async function minimise(
  program: Program,
  fails: (program: Program) => Promise<boolean>,
  limit = 400,
): Promise<Program> {
  let best = program;
  let asked = 0;
  for (let changed = true; changed && asked < limit; ) {
    changed = false;
    for (const ways of [withoutSteps, smaller])
      for (const shorter of ways(best)) {
        if (++asked > limit) return best;
        if (!(await fails(shorter))) continue;
        best = shorter;
        changed = true;
        break;
      }
  }
  return best;
}
export const sizeOf = asksOf;
