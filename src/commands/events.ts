import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { matcher } from '../shell/glob.ts';
import type { EventLine, Output } from '../shell/output.ts';

/** What the watches told. */
export default command({
  name: 'events',
  group: 'watch',
  about: 'show the latest events of the watches',
  risk: 'read',
  params: {
    number: { kind: 'number', short: '-n', about: 'how many; default 20', placeholder: 'N' },
    glob: { kind: 'text', short: '-g', about: 'of paths that match', placeholder: 'GLOB' },
    since: { kind: 'duration', long: '--since', about: 'of the last 5m, 1h, ...', isSpan: true },
    follow: { kind: 'flag', short: '-f', about: 'go on as they come, until Ctrl-C' },
    clear: { kind: 'flag', long: '--clear', about: 'forget them' },
  },
  examples: [
    ['events', 'the last 20'],
    ['events -n 100 -g "/app/*" --since 5m', 'of some paths, in five minutes'],
    ['events -f', 'as they come'],
  ],
  notes: [
    '10,000 are kept, also while printwatches is off. Watches belong to a session: this is of use at the prompt.',
  ],
  isEndless: ({ follow }) => follow,
  async run({ number = 20, glob, since, follow, clear }, context): Promise<Output> {
    if (number < 0) throw usage('events: -n is how many to show');
    const { events, signal } = context;
    if (clear) {
      events.clear();
      return { type: 'done', text: 'events forgotten', json: { cleared: true } };
    }
    const matches = glob === undefined ? () => true : matcher(glob.includes('/') ? glob : `*${glob}`);
    const from = since === undefined ? 0 : Date.now() - since;
    const wanted = (after: number): EventLine[] =>
      events
        .list()
        .filter(({ at, event }) => at >= after && matches(event.path))
        .map(({ at, event }) => ({ at, event }));
    const found = wanted(from);
    const first = number === 0 ? [] : found.slice(-number);
    if (!follow) return { type: 'events', events: first };
    if (!context.interactive && (await context.session.watches()).length === 0)
      throw usage('events -f: nothing is watched in this session, so nothing would come', 'watch -f PATH does both');
    context.show({ type: 'events', events: first });
    let shown = events.total;
    for (;;) {
      await events.next(signal);
      const fresh = events.list().slice(-(events.total - shown));
      shown = events.total;
      context.show({ type: 'events', events: fresh.filter(({ event }) => matches(event.path)) });
      await context.drained();
    }
  },
});
