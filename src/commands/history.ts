import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';

/** Lines typed before. */
export default command({
  name: 'history',
  group: 'shell',
  about: 'list the lines typed before',
  risk: 'read',
  params: {
    count: { kind: 'number', about: 'how many; default 10', optional: true },
    grep: { kind: 'text', short: '-g', about: 'only lines with this text', placeholder: 'TEXT' },
    all: { kind: 'flag', long: '--all', about: 'every line remembered' },
    clear: { kind: 'flag', long: '--clear', about: 'forget them all' },
  },
  examples: [
    ['history', 'the last ten'],
    ['history -g create', 'those with create'],
    ['history 50 -g set', 'with set, of the last fifty'],
  ],
  keeps: ({ clear }) => (clear ? 'history --clear' : undefined),
  async run({ count = 10, grep, all, clear }, context): Promise<Output> {
    if (count < 0) throw usage('history: COUNT must not be negative');
    if (clear) {
      context.history.clear();
      return { type: 'done', text: 'history cleared', json: { cleared: true } };
    }
    const lines = context.history.list().filter(({ text }) => grep === undefined || text.includes(grep));
    const shown = all ? lines : count === 0 ? [] : lines.slice(-count);
    return { type: 'fields', fields: shown.map(({ number, text }) => [String(number), text] as const), json: shown };
  },
});
