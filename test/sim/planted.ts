/**
 * Tests the tests: mistakes are put into a copy of what was compiled, one by one, and must be found.
 *
 * `node dist/test/sim/planted.js [id ...] [--seeds 50] [--from 1] [--chaos MS]`: random seeds alone must find each planted
 * bug, by runs like those of the gate or with a chaos of so many ms.
 * `--histories [id ...]`: each named history must fail when what guards against it is taken away.
 * `--check`: only that every place is there. `--jobs N`: so many at a time.
 */
import { parseArgs } from 'node:util';
import { UNPROTECTED, type Unprotected } from './planted/histories.ts';
import { PLANTED, type Planted } from './planted/patches.ts';
import { Copy, patched } from './planted/plant.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    chaos: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    check: { type: 'boolean', default: false },
    histories: { type: 'boolean', default: false },
  },
});
/** What seeds of random runs, and of a history, may be needed. */
const SEEDS = 50;
const TELLINGS = 10;

const flat = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 150);
/** The first violation that a run told of. */
const ruleIn = (text: string): string | undefined => {
  const found = /^ {2}(\S+ at .*)/m.exec(text)?.[1];
  return found === undefined ? undefined : flat(found);
};

/** As long as in any other run, unless said. */
const chaos = values.chaos === undefined ? [] : ['--chaos', values.chaos];

/** Random seeds look for it; a line about how that went. */
async function lookFor(copy: Copy, bug: Planted): Promise<{ found: boolean; line: string }> {
  const began = performance.now();
  const seeds = values.seeds ?? String(SEEDS);
  const args = ['--seeds', seeds, '--from', values.from, '--jobs', '1', ...chaos];
  const { found, text } = await copy.look(bug, 'test/sim/main.js', args);
  const all = [...text.matchAll(/^seed (\d+) (threw .*|\S+)/gm)];
  const [, seed = '?', profile = '?'] = all.at(-1) ?? [];
  const what = ruleIn(text);
  const took = `${Math.round((performance.now() - began) / 1000)} s`;
  if (what !== undefined)
    return { found: true, line: `found  ${bug.id.padEnd(28)} seed ${seed} (${profile}), ${took}: ${what}` };
  const why = found ? `ended by itself: ${flat(text.slice(-300))}` : bug.about;
  return { found: false, line: `MISSED ${bug.id.padEnd(28)} ${all.length} seeds, ${took}: ${why}` };
}
/** The history is told until it fails. */
async function tell(copy: Copy, bug: Unprotected): Promise<{ found: boolean; line: string }> {
  const args = [bug.id, '--seeds', values.seeds ?? String(TELLINGS), '--from', values.from, '--until-bad'];
  const { found, text } = await copy.look(bug, 'test/sim/hist.js', args);
  const seed = [...text.matchAll(/ seed (\d+):/g)].at(-1)?.[1] ?? '?';
  const what = ruleIn(text);
  if (what !== undefined) return { found: true, line: `fails  hist/${bug.id.padEnd(18)} seed ${seed}: ${what}` };
  const why = found ? `ended by itself: ${flat(text.slice(-300))}` : bug.about;
  return { found: false, line: `PASSES hist/${bug.id.padEnd(18)} ${why}` };
}

const known: readonly (Planted | Unprotected)[] = values.histories ? UNPROTECTED : PLANTED;
const unknown = positionals.filter((id) => !known.some((bug) => bug.id === id));
if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}`);
const wanted = positionals.length === 0 ? known : positionals.flatMap((id) => known.filter((bug) => bug.id === id));
for (const bug of wanted) patched(bug);
if (values.check) {
  console.log(`${wanted.length} places found`);
  process.exit(0);
}
const left = [...wanted];
let found = 0;
async function work(): Promise<void> {
  using copy = new Copy();
  for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
    const answer = 'protection' in bug ? await tell(copy, bug) : await lookFor(copy, bug);
    if (answer.found) found++;
    console.log(answer.line);
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
console.log(`${found} of ${wanted.length} found`);
process.exit(found === wanted.length ? 0 : 1);
