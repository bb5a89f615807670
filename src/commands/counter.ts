import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { HeedingClient } from '../shell/heeding.ts';
import type { Output } from '../shell/output.ts';
import { STYLE_OPTION, styleOf, withFailures } from './recipe-support.ts';

/** A number that many change. */
export default command({
  name: 'counter',
  group: 'coordination',
  about: 'a whole number that many may change at once',
  risk: 'write',
  riskOf: ({ action }) => (action === 'get' ? 'read' : 'write'),
  dryRun: false,
  params: {
    action: { kind: 'enum', about: 'what to do', values: ['get', 'incr', 'decr', 'set'] },
    path: { kind: 'newPath', about: 'the counter; made with the first change' },
    n: {
      kind: 'text',
      isInteger: true,
      placeholder: 'N',
      about: 'incr, decr: by how much, 1 unless said; set: the value',
      optional: true,
      kindAfter: ([action = '']: readonly string[]) => (/^get$/i.test(action) ? 'nothing' : undefined),
    },
    style: STYLE_OPTION,
  },
  examples: [
    ['counter incr /app/builds', 'one more; prints the new value'],
    ['counter set /app/builds 0', 'whatever number it was'],
    ['counter decr /app/builds 5', 'five less'],
  ],
  exits: [6, 20],
  notes: [
    'A change is never made twice: when the connection breaks and it cannot be told whether it was made, the exit code is 6.',
    'A counter that is not there is 0.',
  ],
  async run({ action, path, n, style }, context): Promise<Output> {
    if (action === 'get' && n !== undefined) throw usage('counter get does not take a number');
    if (action === 'set' && n === undefined) throw usage('counter set: N is missing');
    if (n !== undefined && !/^[+-]?\d{1,80}$/.test(n)) throw usage(`counter: N is a whole number, not ${n}`);
    const { Counter } = await import('../recipes/index.ts');
    const counter = new Counter(new HeedingClient(await context.client(), context.signal), path, {
      style: styleOf(style),
    });
    const step = BigInt(n ?? 1);
    const work = {
      get: () => counter.get(),
      incr: () => counter.add(step),
      decr: () => counter.add(-step),
      set: () => counter.set(step),
    }[action as 'get' | 'incr' | 'decr' | 'set'];
    const value = await withFailures(work());
    return {
      type: 'value',
      value: Number.isSafeInteger(Number(value)) ? Number(value) : String(value),
      text: String(value),
    };
  },
});
