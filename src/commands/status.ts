import { setTimeout as pause } from 'node:timers/promises';
import { parseConnectString } from '../client/connect-string.ts';
import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { hasQuorum, type Member, membersOf, type Report, reportsOf, stateOf } from '../shell/members.ts';
import type { Output } from '../shell/output.ts';
import { hex, plural, showCount } from '../shell/units.ts';

/** The servers of the ensemble. */
export default command({
  name: 'status',
  group: 'admin',
  about: 'show every server of the ensemble: role, lag, latency, load',
  risk: 'read',
  params: {
    hosts: {
      kind: 'text',
      about: 'host:port of servers; default those of the ensemble',
      many: true,
      optional: true,
      placeholder: 'HOST',
    },
    watch: {
      kind: 'duration',
      long: '--watch',
      about: 'again and again, so often, until q or Ctrl-C',
      placeholder: 'DUR',
    },
  },
  examples: [
    ['status', 'of all servers'],
    ['status --watch 2s', 'every two seconds'],
    ['status zk1:2181 zk2:2181', 'only of these'],
  ],
  exits: [1],
  notes: [
    'Servers are asked with the words srvr and mntr; without mntr allowed there is no uptime.',
    'One that waits runs and has no quorum. The exit code is 1 when a server is down or there is no quorum.',
  ],
  isEndless: ({ watch }) => watch !== undefined,
  async run({ hosts, watch }, context): Promise<Output> {
    const vague = hosts.find((host) => !/:\d+$/.test(host));
    if (vague !== undefined) throw usage(`status: a server is HOST:PORT, not ${vague}`);
    if (watch !== undefined && watch < LEAST_MS) throw usage('status: --watch is at least 100ms');
    const named = hosts.flatMap((host) => parseConnectString(host).servers);
    const members: readonly Member[] =
      named.length > 0
        ? named.map((server) => ({ id: undefined, server, isObserver: false }))
        : await membersOf(context);
    if (watch === undefined) return statusOf(await reportsOf(members, context));
    for (;;) {
      context.redraw(statusOf(await reportsOf(members, context)));
      await pause(watch, undefined, { signal: context.signal });
    }
  },
});

/** Every server is asked each time. */
const LEAST_MS = 100;

/** `3d2h`, `4m10s`. */
export function showUptime(ms: number | undefined): string {
  if (ms === undefined) return '-';
  const seconds = Math.floor(ms / 1000);
  const [d, h, m, s] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  if (d > 0) return `${d}d${h}h`;
  if (h > 0) return `${h}h${m}m`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}

function statusOf(reports: readonly Report[]): Output {
  const highest = reports.reduce((most, { zxid }) => (zxid !== undefined && zxid > most ? zxid : most), 0n);
  const lag = ({ zxid }: Report): string => (zxid === undefined ? '-' : String(highest - zxid));
  const show = (value: number | undefined): string => (value === undefined ? '-' : String(value));
  const down = reports.filter(({ role }) => role === undefined);
  const quorum = hasQuorum(reports);
  const row = (report: Report, count: (value: number | undefined) => string): string[] => [
    report.member.id ?? '-',
    report.host,
    report.role ?? (report.member.isObserver ? 'observer' : '-'),
    stateOf(report),
    report.zxid === undefined ? '-' : hex(report.zxid),
    lag(report),
    report.latency === undefined ? '-' : `${Math.round(report.latency.average * 10) / 10}/${report.latency.max}`,
    count(report.connections),
    count(report.outstanding),
    count(report.nodes),
    report.version ?? '-',
    showUptime(report.uptimeMs),
  ];
  return {
    ...((down.length > 0 || !quorum) && { exit: 1 }),
    type: 'table',
    columns: [
      { name: 'id', right: true },
      { name: 'host' },
      { name: 'role' },
      { name: 'state' },
      { name: 'zxid', drop: 3 },
      { name: 'lag', right: true, drop: 8 },
      { name: 'ms avg/max', right: true, drop: 7 },
      { name: 'conns', right: true, drop: 6 },
      { name: 'queue', right: true, drop: 4 },
      { name: 'nodes', right: true, drop: 5 },
      { name: 'version', drop: 2 },
      { name: 'uptime', right: true, drop: 1 },
    ],
    rows: reports.map((report) => row(report, show)),
    humanRows: reports.map((report) => row(report, (value) => (value === undefined ? '-' : showCount(value)))),
    json: reports.map((report) => ({
      id: report.member.id ?? null,
      host: report.host,
      observer: report.member.isObserver,
      role: report.role ?? null,
      up: report.role !== undefined,
      ...(report.fault !== undefined && { fault: report.fault }),
      ...(report.zxid !== undefined && { zxid: hex(report.zxid), lag: Number(highest - report.zxid) }),
      ...(report.latency !== undefined && { latency: report.latency }),
      connections: report.connections ?? null,
      outstanding: report.outstanding ?? null,
      nodes: report.nodes ?? null,
      version: report.version ?? null,
      uptimeMs: report.uptimeMs ?? null,
    })),
    foot: [
      ...down.map(({ host, fault }) => `${host}: ${fault}`),
      reports.length === 1 && quorum
        ? 'serving'
        : `quorum: ${quorum ? 'yes' : 'NO'} (${reports.length - down.length} of ${plural(reports.length, 'server')} up)`,
    ],
  };
}
