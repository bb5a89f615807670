import { setTimeout as pause } from 'node:timers/promises';
import { command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import { membersOf, type Report, reportsOf, stateOf } from '../shell/members.ts';
import type { Output } from '../shell/output.ts';
import { showCount, showDuration } from '../shell/units.ts';

/** The load of each server, again and again. */
export default command({
  name: 'top',
  group: 'admin',
  about: 'watch the load of every server: requests, latency, connections, changes',
  risk: 'read',
  params: {
    interval: { kind: 'duration', short: '-i', about: 'time between two looks; default 1s', placeholder: 'DUR' },
    number: { kind: 'number', short: '-n', about: 'so many looks; default until q or Ctrl-C', placeholder: 'N' },
  },
  examples: [
    ['top', 'until q or Ctrl-C'],
    ['top -i 5s -n 3', 'three looks, five seconds apart'],
    ['top -i 500ms', 'twice a second'],
  ],
  exits: [3],
  notes: [
    'Rates are since the look before. Latency is what servers count since their start or the last srst.',
    'With -o json each look is a document of its own, with -o ndjson a line for each server of each look.',
  ],
  isEndless: ({ number }) => number === undefined,
  async run({ interval = 1000, number }, context): Promise<Output | undefined> {
    if (interval < 100) throw usage('top: -i is at least 100ms');
    if (number !== undefined && number < 1) throw usage('top: -n is at least 1');
    const members = await membersOf(context);
    const { signal } = context;
    let before = await reportsOf(members, context);
    if (before.every((report) => stateOf(report) === 'DOWN'))
      throw new Failure(3, 'ConnectFailed', 'no server answers', {
        lines: before.map(({ host, fault }) => `${host}: ${fault}`),
        hint: 'are they started, and is the address right? status HOST:PORT asks one of them',
      });
    if (context.asks) context.warn(`the first look takes ${showDuration(interval)}`);
    let at = performance.now();
    for (let round = 1; ; round++) {
      await pause(interval, undefined, { signal });
      const now = await reportsOf(members, context);
      const later = performance.now();
      context.redraw(rates(before, now, later - at));
      await context.drained();
      if (round === number) return undefined;
      before = now;
      at = later;
    }
  },
});

function rates(before: readonly Report[], now: readonly Report[], ms: number): Output {
  const perSecond = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined || b < a ? undefined : Math.round(((b - a) * 1000) / ms);
  const json = now.map((report, at) => {
    const was = before[at];
    const changes = was?.zxid === undefined || report.zxid === undefined ? undefined : Number(report.zxid - was.zxid);
    return {
      host: report.host,
      role: report.role ?? null,
      ...(report.fault !== undefined && { fault: report.fault }),
      requestsPerSecond: perSecond(was?.received, report.received) ?? null,
      // the counter of an epoch begins anew with each leader
      changesPerSecond:
        changes === undefined || changes < 0 || changes > 0xffff_ffff ? null : Math.round((changes * 1000) / ms),
      latencyMs: report.latency ?? null,
      connections: report.connections ?? null,
      outstanding: report.outstanding ?? null,
    };
  });
  const show = (value: number | null): string => (value === null ? '-' : showCount(value));
  const states = now.map(stateOf);
  const row = (each: (typeof json)[number], at: number, count: (value: number | null) => string): string[] => [
    each.host,
    each.role ?? states[at] ?? '-',
    count(each.requestsPerSecond),
    count(each.changesPerSecond),
    each.latencyMs === null ? '-' : `${Math.round(each.latencyMs.average * 10) / 10}/${each.latencyMs.max}`,
    count(each.connections),
    count(each.outstanding),
  ];
  return {
    type: 'table',
    foot: now.flatMap(({ role, host, fault }) => (role === undefined ? [`${host}: ${fault ?? 'no answer'}`] : [])),
    columns: [
      { name: 'host' },
      { name: 'role' },
      { name: 'req/s', right: true },
      { name: 'changes/s', right: true, drop: 4 },
      { name: 'ms avg/max', right: true, drop: 3 },
      { name: 'conns', right: true, drop: 2 },
      { name: 'queue', right: true, drop: 1 },
    ],
    rows: json.map((each, at) => row(each, at, (value) => String(value ?? '-'))),
    humanRows: json.map((each, at) => row(each, at, show)),
    json,
  };
}
