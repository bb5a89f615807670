import { command, type Param } from '../shell/command.ts';
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
  wait: WAIT_OPTION,
  style: STYLE_OPTION,
  ...PROGRAM_OPTIONS,
  id: ID_OPTION,
  path: { kind: 'newPath', about: 'the lock; made when it is not there' },
  words: {
    kind: 'text',
    about: 'a program and its arguments, run while the lock is held; none: until Ctrl-C',
    placeholder: 'CMD',
    many: true,
    optional: true,
  },
} as const satisfies Record<string, Param>;

/** One at a time. */
export default command({
  name: 'lock',
  group: 'coordination',
  about: 'hold a lock, in the order of coming, while a program runs',
  risk: 'write',
  dryRun: false,
  params: PARAMS,
  legacy: (args) => programAfterPath(PARAMS, args),
  examples: [
    ['lock --wait 10s /jobs/nightly -- ./nightly.sh', 'or 124 when it is not free within 10 s'],
    ["lock /jobs/nightly sh -c 'echo $ZOOSH_LOCK_TOKEN'", 'a number that grows from holder to holder'],
    ['lock /jobs/nightly', 'hold it until Ctrl-C'],
  ],
  exits: [5, 20, 33, 124, 126, 127],
  notes: [
    'The exit code is that of CMD. CMD finds ZOOSH_LOCK_PATH, ZOOSH_LOCK_TOKEN and ZOOSH_SERVER in its environment.',
    'When no server answers, CMD is sent TERM, then KILL, so early that it is dead before anybody else can hold the lock;',
    'the exit code is 33 then. A paused machine can still be late: what CMD changes should refuse a smaller token.',
  ],
  async run({ path, wait, style, words, signal, grace, onLost, id }, context): Promise<Output> {
    const client = await context.client();
    const { Lock } = await import('../recipes/index.ts');
    const lock = new Lock(client, path, { style: styleOf(style), id: id ?? defaultId() });
    using notice = tellWaiting(client, path, context);
    const hold = await withFailures(lock.acquire({ signal: context.signal, waitMs: wait }), 'lock not acquired');
    notice[Symbol.dispose]();
    return runWhileHeld(hold, client, { what: 'holding', words, signal, graceMs: grace, onLost }, context);
  },
});
