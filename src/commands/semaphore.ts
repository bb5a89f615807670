import { command, type Param } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { runWhileHeld } from './held-program.ts';
import {
  defaultId,
  ID_OPTION,
  PROGRAM_OPTIONS,
  programAfterPath,
  STYLE_OPTION,
  styleOf,
  tellWaiting,
  WAIT_OPTION,
  withFailures,
} from './recipe-support.ts';

const PARAMS = {
  limit: { kind: 'number', short: '-n', about: 'how many may hold it at once; all say the same', placeholder: 'N' },
  wait: WAIT_OPTION,
  style: STYLE_OPTION,
  ...PROGRAM_OPTIONS,
  id: ID_OPTION,
  path: { kind: 'newPath', about: 'the semaphore; made when it is not there' },
  words: {
    kind: 'text',
    about: 'a program and its arguments; none: hold it until Ctrl-C',
    placeholder: 'CMD',
    many: true,
    optional: true,
  },
} as const satisfies Record<string, Param>;

/** A few at a time. */
export default command({
  name: 'semaphore',
  group: 'coordination',
  about: 'as lock, for at most N holders at a time',
  risk: 'write',
  dryRun: false,
  params: PARAMS,
  legacy: (args) => programAfterPath(PARAMS, args),
  examples: [
    ['semaphore -n 3 /jobs/copies -- ./copy.sh', 'at most three copies at a time'],
    ['semaphore -n 3 --wait 10s /jobs/copies -- ./copy.sh', 'or 124 when none is free in 10 s'],
    ['semaphore -n 1 /jobs/one', 'holds a place until Ctrl-C'],
  ],
  exits: [5, 20, 33, 124, 126, 127],
  notes: ['Another N than the one the semaphore was made with is refused (20). Everything else is as with lock.'],
  async run({ path, limit, wait, style, words, signal, grace, onLost, id }, context): Promise<Output> {
    if (limit === undefined || limit < 1) throw usage('semaphore: -n N says how many may hold it, 1 or more');
    const client = await context.client();
    const { Semaphore } = await import('../recipes/index.ts');
    const semaphore = new Semaphore(client, path, limit, { style: styleOf(style), id: id ?? defaultId() });
    using notice = tellWaiting(client, path, context);
    const hold = await withFailures(
      semaphore.acquire({ signal: context.signal, waitMs: wait }),
      'semaphore not acquired',
    );
    notice[Symbol.dispose]();
    return runWhileHeld(hold, client, { what: 'holding', words, signal, graceMs: grace, onLost }, context);
  },
});
