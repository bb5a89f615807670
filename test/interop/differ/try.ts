/** One program on both servers: what differs and is not excused. */
import { compare, type Difference, type Rule, ruleFor } from './compare.ts';
import { Admin, nextRoot, play, type Transcript } from './play.ts';
import type { Program, Step } from './program.ts';
import type { Door } from './talk.ts';

/** Requests of one program that may be left out, since what follows from them differs by a rule. */
const MOST_LEFT_OUT = 40;

export interface Pair {
  readonly doors: readonly [Door, Door];
  readonly admins: readonly [Admin, Admin];
  /** Wall clock, ms, as the servers have it. */
  readonly now: () => number;
  /** Called before each run of a program. */
  readonly before?: () => void;
}
export async function pairOf(apache: Door, zoosh: Door, now: () => number = Date.now): Promise<Pair> {
  return { doors: [apache, zoosh], admins: [await Admin.open(apache), await Admin.open(zoosh)], now };
}
export function closePair({ admins }: Pair): void {
  for (const admin of admins) admin.close();
}

export interface Outcome {
  /** The program without what was left out. */
  readonly program: Program;
  readonly differences: readonly Difference[];
  readonly excused: readonly Rule[];
  readonly apache: Transcript;
}

/** Without one request; a step that has none left goes on as nobody's. */
function without({ seed, steps }: Program, { step, ask }: Difference): Program {
  const out = steps.map((each, at): Step => {
    if (at !== step || each.kind !== 'ask') return each;
    return { ...each, asks: each.asks.filter((_, place) => place !== ask) };
  });
  return { seed, steps: out.filter((each) => each.kind === 'cut' || each.asks.length > 0) };
}

/** Runs it; leaves out what a rule excuses and runs it again, until nothing excused is in the way. */
export async function attempt(pair: Pair, program: Program, rules: readonly Rule[]): Promise<Outcome> {
  const excused: Rule[] = [];
  let now = program;
  for (let turn = 0; ; turn++) {
    pair.before?.();
    const root = nextRoot();
    const [apache, zoosh] = await Promise.all(
      pair.doors.map((door, at) => play(door, pair.admins[at] as Admin, now, root, pair.now)),
    );
    if (apache === undefined || zoosh === undefined) throw new Error('two servers are needed');
    const differences: Difference[] = [];
    let inTheWay: Difference | undefined;
    for (const difference of compare(apache, zoosh)) {
      const rule = ruleFor(rules, difference);
      if (rule === undefined) differences.push(difference);
      else {
        excused.push(rule);
        if (rule.harmless === true) continue;
        if (differences.length === 0 && difference.ask !== undefined) inTheWay = difference;
        else differences.push(difference);
      }
      break;
    }
    if (differences.length > 0 || inTheWay === undefined || turn === MOST_LEFT_OUT) {
      if (inTheWay !== undefined) differences.push(inTheWay);
      return { program: now, differences, excused, apache };
    }
    now = without(now, inTheWay);
  }
}
