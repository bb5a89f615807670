import type { Hold, WaitOptions } from '../recipes/index.ts';
import { command } from '../shell/command.ts';
import type { Output } from '../shell/output.ts';
import { heldCommand, holdAndRun, holderOf } from './while-held.ts';

const HELD = heldCommand(
  {},
  'the lock; made when it is not there',
  'a program and its arguments, run while the lock is held; none: until Ctrl-C',
);

/** One at a time. */
export default command({
  name: 'lock',
  ...HELD,
  about: 'hold a lock, in the order of coming, while a program runs',
  examples: [
    ['lock --wait 10s /jobs/nightly -- ./nightly.sh', 'or 124 when it is not free within 10s'],
    ["lock /jobs/nightly sh -c 'echo $ZOOSH_LOCK_TOKEN'", 'a number that grows from holder to holder'],
    ['lock /jobs/nightly', 'hold it until Ctrl-C'],
  ],
  notes: [
    'The exit code is that of CMD. CMD finds ZOOSH_LOCK_PATH, ZOOSH_LOCK_TOKEN and ZOOSH_SERVER in its environment, and ZOOSH_LEASH,',
    'by which it is found, and ended, when zoosh is killed.',
    'When zoosh is told to end while CMD runs, CMD is told, too, and sent KILL after the grace. The exit code is that of the signal',
    'then, 143 for TERM and 130 for Ctrl-C, whatever CMD answers: who ended it is not told that all was done.',
    'When no server answers, CMD is sent TERM, then KILL, so early that it is dead before anybody else can hold the lock;',
    'the exit code is 33 then. A paused machine can still be late: what CMD changes should refuse a smaller token.',
  ],
  async run(values, context): Promise<Output> {
    const client = await context.client();
    const { Lock, RecipeError } = await import('../recipes/index.ts');
    const lock = new Lock(client, values.path, holderOf(values));
    const words = { what: 'holding', late: 'lock not acquired' };
    const atOnce = async ({ signal }: WaitOptions): Promise<Hold> => {
      const hold = await lock.tryAcquire({ signal });
      if (hold === undefined) throw new RecipeError('TimedOut', values.path, 'somebody else holds it');
      return hold;
    };
    const take = values.wait === 0 ? atOnce : (how: WaitOptions) => lock.acquire(how);
    return holdAndRun(client, values, take, words, context);
  },
});
