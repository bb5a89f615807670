import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { heldCommand, holdAndRun, holderOf } from './while-held.ts';

const HELD = heldCommand(
  {
    limit: {
      kind: 'number',
      short: '-n',
      about: 'how many may hold it at once; all say the same',
      placeholder: 'N',
      required: true,
    },
  },
  'the semaphore; made when it is not there',
  'a program and its arguments; none: hold it until Ctrl-C',
);

/** A few at a time. */
export default command({
  name: 'semaphore',
  ...HELD,
  about: 'as lock, for at most N holders at a time',
  examples: [
    ['semaphore -n 3 /jobs/copies -- ./copy.sh', 'at most three copies at a time'],
    ['semaphore -n 3 --wait 10s /jobs/copies -- ./copy.sh', 'or 124 when none is free in 10s'],
    ['semaphore -n 1 /jobs/one', 'holds a place until Ctrl-C'],
  ],
  notes: ['Another N than the one the semaphore was made with is refused (20). Everything else is as with lock.'],
  async run(values, context): Promise<Output> {
    const { limit } = values;
    if (limit === undefined || limit < 1) throw usage('semaphore: -n N says how many may hold it, 1 or more');
    const client = await context.client();
    const { Semaphore } = await import('../recipes/index.ts');
    const semaphore = new Semaphore(client, values.path, limit, holderOf(values));
    const words = { what: 'holding', late: 'semaphore not acquired' };
    return holdAndRun(client, values, (how) => semaphore.acquire(how), words, context);
  },
});
