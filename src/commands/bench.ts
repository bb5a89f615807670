import { command } from '../shell/command.ts';
import { checkSize } from '../shell/data.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { type Phase, phaseLine, runPhases } from './bench-phases.ts';
import {
  checkTimeout,
  clusterOf,
  onTestGround,
  placesOf,
  serversOption,
  TEST_OPTIONS,
  targetOf,
} from './test-ground.ts';

const ROOT = '/zk-latencies';
const TIMEOUT_MS = 5000;
const SIZE = 25;
const COUNT = 10_000;
const NAME = 'znode-';

/** How fast servers are, by the phases of zk-latencies.py. */
export default command({
  name: 'bench',
  group: 'admin',
  about: 'measure how fast servers create, set, read, delete and watch nodes',
  risk: 'write',
  dryRun: false,
  removesOwn: true,
  params: {
    servers: serversOption('servers tried one after the other; default those of the session'),
    cluster: { kind: 'text', long: '--cluster', about: 'servers tried as one, by one session', placeholder: 'LIST' },
    timeout: { kind: 'duration', long: '--timeout', about: 'session timeout asked for; default 5s' },
    root: {
      kind: 'newPath',
      long: '--root_znode',
      about: `made for the test, and removed; default ${ROOT}`,
      placeholder: 'PATH',
    },
    size: { kind: 'size', long: '--znode_size', about: `bytes in each node; default ${SIZE}`, placeholder: 'SIZE' },
    count: { kind: 'number', long: '--znode_count', about: `nodes in each phase; default ${COUNT}`, placeholder: 'N' },
    multiple: { kind: 'number', long: '--watch_multiple', about: 'watches on each node; default 1', placeholder: 'N' },
    force: { kind: 'flag', long: '--force', about: 'also when the root exists: in a node of its own below it' },
    synchronous: { kind: 'flag', long: '--synchronous', about: 'one request after the other; default many at once' },
    ...TEST_OPTIONS,
  },
  examples: [
    ['bench', 'each server of the session, 10,000 nodes in each phase'],
    ['bench --znode_count 500 --synchronous -v', 'how long one request takes, with percentiles'],
    ['bench --root_znode /app/bench --znode_size 1k', 'elsewhere, and with more in each node'],
  ],
  exits: [3, 5, 11, 14, 19, 44, 124],
  notes: [
    'The phases, options and lines are those of zk-latencies.py: create, set, get and delete permanent nodes, create ephemeral ones, watch them,',
    'delete them, and wait for the events. Of many requests at once at most 1,000 are on their way; the time of one includes its turn in that queue.',
    'What is made is removed again, also after a failure and on Ctrl-C; a second Ctrl-C ends it at once. A root that was there stays as it was.',
  ],
  async run(values, context): Promise<Output> {
    const { servers, cluster, timeout, root = ROOT, size = SIZE, count = COUNT, multiple = 1 } = values;
    const { force, synchronous, quiet, verbose } = values;
    if (servers !== undefined && cluster !== undefined)
      throw usage('bench: --servers and --cluster exclude each other');
    if (quiet && verbose) throw usage('bench: -q and -v exclude each other');
    if (count < 1 || count > 1_000_000) throw usage('bench: --znode_count is from 1 to 1000000');
    if (multiple < 1 || multiple > 100) throw usage('bench: --watch_multiple is from 1 to 100');
    const timeoutMs = checkTimeout('bench', timeout, TIMEOUT_MS);
    const data = Buffer.alloc(size, 'x');
    checkSize(`${root}/${NAME}`, data);
    const target = await targetOf(context);
    const places = cluster === undefined ? placesOf(servers, target) : [clusterOf(cluster, target)];
    const calls = synchronous ? 'synchronous' : 'asynchronous';
    const tried: { server: string; phases: unknown[] }[] = [];
    const say = (lines: readonly string[], entries: readonly unknown[] = []): void =>
      context.show({ type: 'steps', lines: quiet ? [] : lines, entries });
    const options = {
      places,
      timeoutMs,
      root,
      existing: force ? 'below' : 'refuse',
      isOwn: (name: string) => name.startsWith(NAME),
    } as const;
    await onTestGround(options, context, async (ground) => {
      const phases = {
        count,
        data,
        multiple,
        isSynchronous: synchronous,
        pathOf: (at: number) => ground.pathOf(NAME + at),
      };
      for (const { server, client } of ground.sessions) {
        const found: unknown[] = [];
        tried.push({ server, phases: found });
        say([`Testing latencies on server ${server} using ${calls} calls`]);
        await runPhases(server, client, phases, context, (phase) => {
          const json = phaseJson(phase);
          found.push(json);
          say([phaseLine(phase), ...(verbose ? spread(phase) : [])], [{ server, calls, ...json }]);
        });
      }
    });
    const json = { test: 'latency', complete: true, calls };
    return { type: 'steps', lines: ['Latency test complete'], entries: [json], json: { ...json, servers: tried } };
  },
});

const digits = (value: number): number => Number(value.toFixed(3));
const phaseJson = ({ phase, count, ms, percentiles }: Phase) => ({
  phase,
  count,
  ms: digits(ms),
  msPerOp: Number((ms / count).toFixed(6)),
  perSecond: ms === 0 ? null : digits(count / (ms / 1000)),
  ...Object.fromEntries(Object.entries(percentiles ?? {}).map(([name, value]) => [name, digits(value)])),
});
const spread = ({ percentiles }: Phase): string[] =>
  percentiles === undefined
    ? []
    : [
        `        ${Object.entries(percentiles)
          .map(([name, value]) => `${name} ${value.toFixed(3)}`)
          .join('  ')}  ms`,
      ];
