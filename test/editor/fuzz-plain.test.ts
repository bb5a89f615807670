/** The editor of dumb terminals under random keys, events, resizes and answers that come late. `ZOOSH_SEED=N` runs one session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { plainList } from '../../src/editor/plain.ts';
import { amount } from '../amount.ts';
import { PlainWorld, SIMPLE } from './fuzz-plain.ts';
import { type Plan, plan } from './fuzz-steps.ts';

const PER_SESSION = 40;
const FIRST = 20_261_130;
const SEQUENCES = amount(20_000, 1_000);
const ALONE = process.env.ZOOSH_SEED;

async function run({ steps, ...rest }: Plan): Promise<Error | undefined> {
  try {
    using world = new PlainWorld({ ...rest, steps });
    for (const step of steps) await world.step(step);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** The same failure with fewer steps. */
async function shrunk(session: Plan): Promise<Plan> {
  let steps = [...session.steps];
  for (let size = steps.length >> 1; size > 0; size >>= 1)
    for (let at = 0; at < steps.length; ) {
      const fewer = [...steps.slice(0, at), ...steps.slice(at + size)];
      if ((await run({ ...session, steps: [...fewer, { type: 'judge' }] })) !== undefined) steps = fewer;
      else at += size;
    }
  return { ...session, steps: [...steps, { type: 'judge' }] };
}

test(`${SEQUENCES} random key sequences at a dumb terminal: the last line is the buffer`, async () => {
  const seeds =
    ALONE === undefined ? Array.from({ length: SEQUENCES / PER_SESSION }, (_, at) => FIRST + at) : [Number(ALONE)];
  for (const seed of seeds) {
    const session = plan(seededRandom(seed), PER_SESSION, SIMPLE);
    const error = await run(session);
    if (error === undefined) continue;
    const { steps, ...rest } = await shrunk(session);
    const again = (await run({ ...rest, steps })) ?? error;
    assert.fail(
      `ZOOSH_SEED=${seed}: ${again.message}\n${JSON.stringify(rest)}\n${steps.map((step) => JSON.stringify(step)).join('\n')}`,
    );
  }
});

test('a name with control characters does not steer a dumb terminal when it is listed', () => {
  assert.equal(plainList(['a\x1b[2J', 'b\n日'], 40), 'a^[[2J  b^J日\r\n');
});
