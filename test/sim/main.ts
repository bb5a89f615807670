/** `npm run sim`: one seed in full, many at once, or the gate. */
import { parseArgs } from 'node:util';
import { many, one, shrunk, totals, type Wish } from './run/batch.ts';
import { FAULT_KINDS, type FaultKind } from './run/coverage.ts';
import { PROFILES, type Profile } from './run/swarm.ts';

const USAGE = `npm run sim -- --seed S             one seed, its time line, its trace hash
npm run sim -- --seed S --shrink    the least that still violates the same rule
npm run sim -- --seeds N [--from S] N seeds on two threads
npm run sim -- --gate [--from S]    as many as a change must pass, and what they must reach; the program says the first
npm run sim -- --totals FILE        what the seeds in a file of records come to
  --profile P     one of ${PROFILES.join(', ')}
  --faults K,K    only kinds of faults that begin so
  --without K,K   leave these kinds out, change nothing else
  --mask F,F      leave these faults out (names as the time line gives them)
  --voters N      so many voters in each
  --chaos MS      so long a chaos
  --jobs N        threads, default 2
  --record FILE   a line for each seed; the seeds that stand there are not run again with the same program
  --minutes M     no seed is begun after so many
  --plan          with --seed: what the seed drew
  --quiet         with --seed: no time line
  --keep-going    do not stop at the first violation`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    gate: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    from: { type: 'string' },
    profile: { type: 'string' },
    faults: { type: 'string' },
    without: { type: 'string', default: '' },
    voters: { type: 'string' },
    chaos: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    record: { type: 'string' },
    totals: { type: 'string' },
    minutes: { type: 'string', default: 'Infinity' },
    mask: { type: 'string', default: '' },
    quiet: { type: 'boolean', default: false },
    plan: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const list = (text: string): string[] => (text === '' ? [] : text.split(','));
const kinds = (text: string): FaultKind[] =>
  FAULT_KINDS.filter((kind) => list(text).some((each) => kind.startsWith(each)));

const wish: Wish = {
  limits: {
    without: kinds(values.without),
    ...(values.profile === undefined ? {} : { profile: values.profile as Profile }),
    ...(values.voters === undefined ? {} : { voters: Number(values.voters) }),
    ...(values.chaos === undefined ? {} : { chaosMs: Number(values.chaos) }),
    ...(values.faults === undefined ? {} : { allowed: kinds(values.faults) }),
  },
  mask: list(values.mask),
  from: values.from === undefined ? undefined : Number(values.from),
  jobs: Number(values.jobs),
  record: values.record,
  minutes: Number(values.minutes),
  keepGoing: values['keep-going'],
  timeLine: !values.quiet,
  plan: values.plan,
};

async function main(): Promise<boolean> {
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  if (values.totals !== undefined) {
    totals(values.totals);
    return true;
  }
  if (values.seed !== undefined)
    return values.shrink ? shrunk(Number(values.seed), wish) : one(Number(values.seed), wish);
  return values.gate ? many('gate', wish) : many(Number(values.seeds ?? 10), wish);
}
process.exit((await main()) ? 0 : 1);
