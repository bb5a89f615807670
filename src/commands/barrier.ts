import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { plural } from '../shell/units.ts';
import { defaultId, ID_OPTION, withFailures } from './recipe-support.ts';

/** All or nobody. */
export default command({
  name: 'barrier',
  group: 'coordination',
  about: 'wait until as many as expected have come',
  risk: 'write',
  dryRun: false,
  isPassing: true,
  params: {
    members: {
      kind: 'number',
      short: '-n',
      about: 'how many are waited for, this one included',
      placeholder: 'N',
      required: true,
    },
    timeout: { kind: 'duration', long: '--timeout', about: 'give up after this' },
    id: ID_OPTION,
    path: { kind: 'newPath', about: 'the barrier; made when it is not there' },
  },
  examples: [
    ['barrier -n 3 --timeout 1m /jobs/start', 'when three have come, or 124 after a minute'],
    ['barrier -n 2 --id web1 /jobs/start', "under a name of one's own"],
    ['barrier -n 5 /jobs/start && echo go', 'on together, however long it takes'],
  ],
  exits: [5, 20, 124],
  notes: ['The barrier can be used again: who comes when a round is complete waits for the next.'],
  async run({ path, members, timeout, id }, context): Promise<Output> {
    if (members === undefined || members < 1) throw usage('barrier: -n N says how many are waited for, 1 or more');
    const client = await context.client();
    const { DoubleBarrier } = await import('../recipes/index.ts');
    const barrier = new DoubleBarrier(client, path, members, { id: id ?? defaultId() });
    const entered = barrier.enter({ signal: context.signal, waitMs: timeout });
    await withFailures(entered, { what: 'too few came', limitMs: timeout });
    await barrier.depart();
    return { type: 'done', text: `${plural(members, 'member')} came`, json: { path, members } };
  },
});
