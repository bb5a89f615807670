/**
 * Random programs against Debian's ZooKeeper and ours, side by side:
 *
 *   node dist/test/interop/differ/main.js [--programs 2000] [--from SEED] [--lies] [--table] [--all]
 *
 * Prints the shortest program that shows a difference, and ends with 1. `--table`: what came to which result; a cell that is
 * empty without a reason fails. `--lies`: a proxy before our server lies in many ways, and each must be found. `--all`: goes on after a difference, without shortening.
 */
import { parseArgs } from 'node:util';
import { printDifference } from './compare.ts';
import { Coverage } from './coverage.ts';
import { deceive } from './deceive.ts';
import { generate } from './generate.ts';
import { LIES } from './lies.ts';
import { minimise } from './minimise.ts';
import { print } from './program.ts';
import { OPS, REASONS, RESULTS } from './reasons.ts';
import { RULES } from './rules.ts';
import { apacheServer, ourServer } from './servers.ts';
import { socketDoor } from './talk.ts';
import { attempt, closePair, pairOf } from './try.ts';

const { values } = parseArgs({
  options: {
    programs: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    all: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
    lies: { type: 'boolean', default: false },
  },
});
const began = performance.now();
await using apache = await apacheServer();
await using ours = await ourServer();
const pair = await pairOf(socketDoor(apache.port), socketDoor(ours.port));
const coverage = new Coverage();
const excused = new Map<string, number>();
const seen = new Map<string, number>();
let different = 0;
const from = Number(values.from);
const programs = Number(values.programs);
for (let seed = from; seed < from + programs; seed++) {
  const program = generate(seed);
  const outcome = await attempt(pair, program, RULES).catch((fault) => {
    console.log(print(program));
    throw fault;
  });
  coverage.note(outcome.apache);
  for (const { op, field } of outcome.excused)
    excused.set(`${field} of ${op}`, (excused.get(`${field} of ${op}`) ?? 0) + 1);
  const [first] = outcome.differences;
  if (first === undefined) continue;
  different++;
  const what = `${first.field} of ${first.op}: ${first.apache.slice(0, 60)} / ${first.zoosh.slice(0, 60)}`;
  const known = seen.get(what) ?? 0;
  seen.set(what, known + 1);
  if (values.all && known > 0) continue;
  console.log(`seed ${seed}: ${printDifference(first)}`);
  const same = async (shorter: typeof program): Promise<boolean> => {
    const [found] = (await attempt(pair, shorter, RULES)).differences;
    return found !== undefined && found.op === first.op && found.field === first.field;
  };
  const shortest = await minimise(outcome.program, same, values.all ? 120 : 400);
  const [found] = (await attempt(pair, shortest, RULES)).differences;
  console.log(`${print(shortest)}\n${found === undefined ? 'it comes and goes' : printDifference(found)}`);
  if (!values.all) break;
}
if (values.lies) {
  const { found, faults } = await deceive(pair, from);
  console.log(`${found} of ${LIES.length} lies found`);
  for (const fault of faults) console.log(`lie: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
closePair(pair);
if (values.table) {
  console.log(coverage.table(OPS, RESULTS));
  const faults = coverage.faults(OPS, RESULTS, REASONS);
  for (const fault of faults) console.log(`table: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
for (const [what, count] of excused) console.log(`excused: ${what}: ${count}`);
if (values.all) for (const [what, count] of seen) console.log(`${count} x ${what}`);
console.log(`${programs} programs, ${different} different, ${Math.round((performance.now() - began) / 1000)} s`);
if (different > 0) process.exitCode = 1;
