import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { HeedingClient } from '../shell/heeding.ts';
import type { Output } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';
import { DATA_FORMS, dataSaid } from './data-options.ts';
import { STYLE_OPTION, styleOf, withFailures } from './recipe-support.ts';

/** First in, first out. */
export default command({
  name: 'queue',
  group: 'coordination',
  about: 'put items into a queue and take them out',
  risk: 'write',
  riskOf: ({ action }) => (action === 'peek' || action === 'len' ? 'read' : 'write'),
  dryRun: false,
  params: {
    action: { kind: 'enum', about: 'what to do', values: ['put', 'take', 'peek', 'len'] },
    path: { kind: 'newPath', about: 'the queue; put makes it' },
    data: {
      kind: 'data',
      about: 'put: the item, as with set',
      optional: true,
      kindAfter: ([action = '']: readonly string[]) => (/^put$/i.test(action) ? undefined : 'nothing'),
    },
    wait: { kind: 'flag', long: '--wait', about: 'take: wait for an item' },
    timeout: { kind: 'duration', long: '--timeout', about: 'take: wait for an item, but not longer than this' },
    priority: { kind: 'number', long: '--priority', about: 'put: 0 (first) to 999, default 100', placeholder: 'P' },
    style: STYLE_OPTION,
    // not --force-size: what a server hangs up on would be sent again and again, since an item is put in any case
    ...DATA_FORMS,
  },
  examples: [
    ['queue put /jobs/todo "resize 17"', 'at the end'],
    ['queue take --timeout 30s /jobs/todo', 'the first one out, or 124 after 30s'],
    ['queue len /jobs/todo', 'how many'],
  ],
  exits: [1, 6, 20, 124],
  notes: [
    'An item is put once and taken by one, also when the connection breaks. take and peek answer no (1) when it is empty.',
  ],
  async run(values, context): Promise<Output> {
    const { action, path, data, wait, timeout, priority, style } = values;
    const { signal } = context;
    const { base64, hex, text, file, stdin, noData } = values;
    const hasData = [data, text, file].some((each) => each !== undefined) || base64 || hex || stdin || noData;
    for (const [option, given, fits] of [
      ['DATA', hasData, action === 'put'],
      ['--priority', priority !== undefined, action === 'put'],
      ['--wait', wait, action === 'take'],
      ['--timeout', timeout !== undefined, action === 'take'],
    ] as const)
      if (given && !fits)
        throw usage(
          `queue ${action} does not take ${option}`,
          option === 'DATA' && wait ? '--timeout DUR says how long it waits' : undefined,
        );
    const item = action === 'put' ? dataSaid('queue put', path, values, context) : undefined;
    if (action === 'put' && item === undefined) throw usage('queue: DATA is missing', '"" is an empty item');
    if (priority !== undefined && (priority < 0 || priority > 999)) throw usage('queue: --priority is from 0 to 999');
    const { Queue } = await import('../recipes/index.ts');
    const queue = new Queue(new HeedingClient(await context.client(), signal), path, { style: styleOf(style) });
    if (action === 'put') {
      await withFailures(queue.put(item ?? null, { priority }));
      return { type: 'done', text: `put into ${quoteWord(path)}`, json: { path } };
    }
    if (action === 'len') {
      const length = await withFailures(queue.length());
      return { type: 'value', value: length, text: String(length) };
    }
    const waits = wait || timeout !== undefined;
    const taken = await withFailures(
      action === 'peek' ? queue.peek() : waits ? queue.take({ signal, waitMs: timeout }) : queue.tryTake(),
      { what: 'no item came', limitMs: timeout },
    );
    if (taken === undefined) return { type: 'many', parts: [], exit: 1 };
    return { type: 'node', path: taken.path, data: taken.data, stat: taken.stat, showStat: false, form: 'text' };
  },
});
