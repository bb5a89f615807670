import type { Leader } from '../recipes/index.ts';
import { command, type Param } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { hex } from '../shell/units.ts';
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
  observe: { kind: 'flag', long: '--observe', about: 'be no candidate: print who leads, and every change' },
  id: ID_OPTION,
  wait: WAIT_OPTION,
  style: STYLE_OPTION,
  ...PROGRAM_OPTIONS,
  path: { kind: 'newPath', about: 'the election; made when it is not there' },
  words: {
    kind: 'text',
    about: 'a program and its arguments, run while this candidate leads; none: lead until Ctrl-C',
    placeholder: 'CMD',
    many: true,
    optional: true,
  },
} as const satisfies Record<string, Param>;

/** One of many leads. */
export default command({
  name: 'elect',
  group: 'coordination',
  about: 'be a candidate and run a program while leading, or watch who leads',
  risk: 'write',
  dryRun: false,
  params: PARAMS,
  legacy: (args) => programAfterPath(PARAMS, args),
  examples: [
    ['elect --id web1 /app/leader -- ./lead.sh', 'runs on one machine at a time'],
    ['elect --observe /app/leader', 'who leads, a line for each change'],
    ['elect --id web1 --wait 30s /app/leader -- ./lead.sh', 'or 124 when it does not lead in 30 s'],
  ],
  exits: [5, 20, 33, 124, 126, 127],
  notes: ['Losing leadership, environment and exit codes are as with lock.'],
  async run({ path, observe, wait, style, words, signal, grace, onLost, id }, context): Promise<Output> {
    const client = await context.client();
    const { Election } = await import('../recipes/index.ts');
    const election = new Election(client, path, { style: styleOf(style), id: id ?? defaultId() });
    if (observe) {
      if (words.length > 0) throw usage('elect: --observe takes no program');
      for await (const leader of election.observe(context.signal)) context.show(told(leader));
      context.signal.throwIfAborted();
      return { type: 'many', parts: [] };
    }
    using notice = tellWaiting(client, path, context);
    const hold = await withFailures(election.campaign({ signal: context.signal, waitMs: wait }), 'not elected');
    notice[Symbol.dispose]();
    return runWhileHeld(hold, client, { what: 'leading', words, signal, graceMs: grace, onLost }, context);
  },
});

const told = (leader: Leader | undefined): Output => {
  if (leader === undefined) return { type: 'value', value: null, text: '-' };
  const { id, node, token, session } = leader;
  return {
    type: 'value',
    value: { id, node, token: String(token), session: hex(session) },
    text: [id || '-', hex(session), node].join('\t'),
  };
};
