import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';

/** How long requests take. */
export default command({
  name: 'latency',
  group: 'admin',
  about: 'measure how long reads and syncs take from here',
  risk: 'read',
  params: {
    number: { kind: 'number', short: '-n', about: 'requests of each kind; default 100', placeholder: 'N' },
  },
  examples: [
    ['latency', 'reads and syncs, 100 of each'],
    ['latency -n 1000', 'a better picture'],
    ['latency -n 20 && status', 'of twenty requests, then what servers count'],
  ],
  exits: [3],
  notes: ['One request after the other, in ms. A read is answered by the server in use, a sync by way of the leader.'],
  async run({ number = 100 }, context): Promise<Output> {
    if (number < 1 || number > 1_000_000) throw usage('latency: -n is from 1 to 1000000');
    const client = await context.client();
    const { signal } = context;
    using progress = context.progress('measuring');
    const measure = async (what: string, work: () => Promise<unknown>) => {
      const times: number[] = [];
      for (let at = 0; at < number; at++) {
        signal.throwIfAborted();
        const began = performance.now();
        await work();
        times.push(performance.now() - began);
        progress.update(at + 1, number);
      }
      return { what, count: number, ...percentiles(times) };
    };
    const found = [
      await measure('read', () => client.exists('/', { signal })),
      await measure('sync', () => client.sync('/', { signal })),
    ];
    const ms = (value: number): string => value.toFixed(2);
    return {
      type: 'table',
      columns: [
        { name: 'request' },
        { name: 'count', right: true },
        { name: 'p50', right: true },
        { name: 'p95', right: true },
        { name: 'p99', right: true },
        { name: 'max', right: true },
      ],
      rows: found.map(({ what, count, p50, p95, p99, max }) => [
        what,
        String(count),
        ms(p50),
        ms(p95),
        ms(p99),
        ms(max),
      ]),
      json: found.map(({ what, count, ...times }) => ({
        what,
        count,
        ...Object.fromEntries(Object.entries(times).map(([name, value]) => [name, Number(value.toFixed(3))])),
      })),
      foot: [`ms, to ${client.server ?? 'the server'}`],
    };
  },
});

/** Of times in ms. */
export function percentiles(times: readonly number[]): Readonly<Record<'p50' | 'p95' | 'p99' | 'max', number>> {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
