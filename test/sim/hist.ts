/** Tells named histories: `node dist/test/sim/hist.js [id ...] [--seeds N] [--show]`; --until-bad stops at the first that fails. */
import { parseArgs } from 'node:util';
import { TALES } from './hist/index.ts';
import { tell } from './hist/story.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1' },
    from: { type: 'string', default: '1' },
    show: { type: 'boolean', default: false },
    'until-bad': { type: 'boolean', default: false },
  },
});
let bad = 0;
const told = new Set<unknown>();
for (const [id, named] of Object.entries(TALES)) {
  if (positionals.length > 0 ? !positionals.includes(id) : told.has(named.tale)) continue;
  told.add(named.tale);
  for (let i = 0; i < Number(values.seeds) && !(bad > 0 && values['until-bad']); i++) {
    const seed = Number(values.from) + i;
    const began = performance.now();
    using story = await tell(named, seed);
    const { violations, ensemble } = story;
    console.log(
      `hist/${id} seed ${seed}: ${ensemble.trace.hash}, ${ensemble.oracle.state.now} transactions, ${ensemble.observer.epochs.size} epochs, ${violations.length === 0 ? 'fine' : 'VIOLATED'} in ${Math.round(performance.now() - began)} ms`,
    );
    if (violations.length === 0) continue;
    bad++;
    for (const { rule, at, text } of violations.slice(0, 3)) console.log(`  ${rule} at ${at.toFixed(2)}: ${text}`);
    if (values.show) console.log(ensemble.trace.latest(80).join('\n'));
  }
}
process.exit(bad === 0 ? 0 : 1);
