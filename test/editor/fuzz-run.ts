/**
 * The editor under random keys, cut into random chunks, with events, resizes and completions that come late or never:
 * after each sequence an emulator that is not ours must show the line, the cursor in it, what was printed above, and
 * nothing else. `ZOOSH_SEED=N` runs one session alone.
 */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Foreign } from './alphabet.ts';
import { type Plan, plan, type Step } from './fuzz-steps.ts';
import { counted, World } from './fuzz-world.ts';

const PER_SESSION = 40;
const ALONE = process.env.ZOOSH_SEED;

let world: World | undefined;

/** What is wrong with the screen in this session, if anything. */
async function run(session: Plan): Promise<Error | undefined> {
  try {
    using here = new World(session);
    world = here;
    for (const step of session.steps) {
      const more = here.step(step);
      if (more !== undefined) await more;
    }
    here.finish();
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    world = undefined;
  }
}

/** The same failure with as few steps as can be found in `tries` runs. */
async function shrunk(session: Plan, tries: number): Promise<Plan> {
  let steps = [...session.steps];
  let left = tries;
  for (let size = steps.length >> 1; size > 0; size = size > 1 ? size >> 1 : 0)
    for (let at = 0; at < steps.length && left > 0; left--) {
      const fewer: Step[] = [...steps.slice(0, at), ...steps.slice(at + size)];
      const error = await run({ ...session, steps: [...fewer, { type: 'judge' }] });
      if (error !== undefined && !(error instanceof Foreign)) steps = fewer;
      else at += size;
    }
  return { ...session, steps: [...steps, { type: 'judge' }] };
}

/** A test of so many sequences in sessions of the seeds from `first` on. */
export function fuzz(first: number, sequences: number): void {
  test(`${sequences} random key sequences from seed ${first} on: the screen is what it must be`, async (t) => {
    const kill = mock.method(process, 'kill', () => {
      world?.suspend();
      return true;
    });
    t.after(() => kill.mock.restore());
    const seeds =
      ALONE === undefined ? Array.from({ length: sequences / PER_SESSION }, (_, at) => first + at) : [Number(ALONE)];
    const cpu = process.cpuUsage();
    for (const seed of seeds) {
      const session = plan(seededRandom(seed), PER_SESSION);
      const error = await run(session);
      if (error === undefined) continue;
      const small = await shrunk(session, 2000);
      const again = (await run(small)) ?? error;
      const { steps, ...rest } = small;
      assert.fail(
        `ZOOSH_SEED=${seed}: ${again.message}\n${JSON.stringify(rest)}\n${steps.map((step) => JSON.stringify(step)).join('\n')}`,
      );
    }
    const { user, system } = process.cpuUsage(cpu);
    const { resizes, disputed, tooFar, tooNear } = counted;
    console.log(`${seeds.length * PER_SESSION} sequences, ${((user + system) / 1e6).toFixed(1)} s of CPU`);
    console.log(
      `${resizes} resizes, ${disputed} wrapped rows of disputed width: the line taken for too high in ${tooFar}, too low in ${tooNear}`,
    );
  });
}
