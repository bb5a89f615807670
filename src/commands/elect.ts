import type { Leader } from '../recipes/index.ts';
import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { hex } from '../shell/units.ts';
import { heldCommand, holdAndRun, holderOf } from './while-held.ts';

const HELD = heldCommand(
  {
    observe: {
      kind: 'flag',
      long: '--observe',
      about: 'do not stand as a candidate: print who leads, and every change',
    },
  },
  'the election; made when it is not there',
  'a program and its arguments, run while this candidate leads; none: lead until Ctrl-C',
);

/** One of many leads. */
export default command({
  name: 'elect',
  ...HELD,
  about: 'be a candidate and run a program while leading, or watch who leads',
  examples: [
    ['elect --id web1 /app/leader -- ./lead.sh', 'runs on one machine at a time'],
    ['elect --observe /app/leader', 'who leads, a line for each change'],
    ['elect --id web1 --wait 30s /app/leader -- ./lead.sh', 'or 124 when it does not lead in 30s'],
  ],
  notes: ['Losing leadership, environment and exit codes are as with lock.'],
  riskOf: ({ observe }) => (observe ? 'read' : 'write'),
  isEndless: ({ observe, words }) => observe || words.length === 0,
  async run(values, context): Promise<Output> {
    const client = await context.client();
    const { Election } = await import('../recipes/index.ts');
    const election = new Election(client, values.path, holderOf(values));
    if (values.observe) {
      if (values.words.length > 0) throw usage('elect: --observe takes no program');
      const { wait, signal, grace, onLost, id } = values;
      const given = Object.entries({
        '--wait': wait,
        '--signal': signal,
        '--grace': grace,
        '--on-lost': onLost,
        '--id': id,
      });
      const [option] = given.find(([, value]) => value !== undefined) ?? [];
      if (option !== undefined) throw usage(`elect: ${option} is for candidates, and --observe is none`);
      for await (const leader of election.observe(context.signal)) context.show(told(leader));
      context.signal.throwIfAborted();
      return { type: 'many', parts: [] };
    }
    const words = { what: 'leading', late: 'not elected' };
    return holdAndRun(client, values, (how) => election.campaign(how), words, context);
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
