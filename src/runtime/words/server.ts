import { readdirSync, statSync } from 'node:fs';
import { hostname, release, type } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { zxid } from '../../base/ids.ts';
import { startedIn, userHere } from '../user-here.ts';
import { mean, mode, type Word, type WordContext } from './context.ts';
import { memberSettings, proposalSizes } from './member.ts';

export const average = ({ server: { outbox } }: WordContext): string =>
  mean(outbox.counts.totalLatency, outbox.counts.answered);
const figures = (context: WordContext): string => {
  const { server, connections } = context;
  const {
    outbox: { counts },
    tree,
  } = server;
  const last = (BigInt(tree.zxidHi) << 32n) | BigInt(tree.zxidLo >>> 0);
  return [
    `Latency min/avg/max: ${Math.max(0, counts.minLatency)}/${average(context)}/${counts.maxLatency}`,
    `Received: ${counts.received}`,
    `Sent: ${counts.sent}`,
    `Connections: ${connections.size}`,
    `Outstanding: ${server.outstanding}`,
    `Zxid: ${zxid.show(last)}`,
    `Mode: ${mode(context)}`,
    `Node count: ${tree.nodeCount}`,
    ...proposalSizes(context),
    '',
  ].join('\n');
};

const version = ({ version, server }: WordContext): string =>
  `Zookeeper version: ${version}\n${server.readOnly ? 'READ-ONLY mode; serving only read-only clients\n' : ''}`;

/** The words about the server as a whole. */
export const SERVER_WORDS: Readonly<Record<string, Word>> = {
  ruok: () => 'imok',
  isro: ({ server }) => (server.serving ? 'rw' : server.readOnly ? 'ro' : 'null'),
  srvr: (context) => `${version(context)}${figures(context)}`,
  stat: (context) => {
    const lines = [...context.connections].map(({ connection: { ip, port, outstanding, stats, state } }) => {
      return ` /${ip}:${port}[${state === 'new' ? 0 : 1}](queued=${outstanding},recved=${stats.received},sent=${stats.sent})\n`;
    });
    return `${version(context)}Clients:\n${lines.join('')}\n${figures(context)}`;
  },
  conf: (context) => {
    const { config } = context;
    return [
      `clientPort=${config.clientPort ?? -1}`,
      `secureClientPort=${config.secureClientPort ?? -1}`,
      `dataDir=${config.dataDir}/zoosh-1`,
      `dataDirSize=${bytesIn(config.dataDir)}`,
      `dataLogDir=${config.dataLogDir}/zoosh-1`,
      `dataLogSize=${bytesIn(config.dataLogDir)}`,
      `tickTime=${config.tickTimeMs}`,
      `maxClientCnxns=${config.maxClientCnxns}`,
      `minSessionTimeout=${config.minSessionTimeoutMs}`,
      `maxSessionTimeout=${config.maxSessionTimeoutMs}`,
      `clientPortListenBacklog=${config.listenBacklog ?? -1}`,
      `serverId=${config.serverId}`,
      ...(memberSettings(context) ?? ['']),
    ].join('\n');
  },
  dirs: ({ config }) => `datadir_size: ${bytesIn(config.dataDir)}\nlogdir_size: ${bytesIn(config.dataLogDir)}\n`,
  envi: (context) => ['Environment:', ...environment(context).map(([key, value]) => `${key}=${value}`), ''].join('\n'),
  gtmk: ({ tally }) => String(tally.traceMask),
  stmk: ({ tally }, argument) => {
    tally.traceMask = argument.readBigInt64BE(0);
    return String(tally.traceMask);
  },
  // Apache's list of digests, one each 128 transactions, is empty when its digest is switched off; ours chains the log instead
  hash: () => '',
  srst: ({ server }) => {
    server.outbox.resetCounts();
    server.proposals.reset();
    return 'Server stats reset.\n';
  },
};
const JAVA_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'aarch64', ia32: 'i386' };

/** What `envi` tells. */
export function environment({ version }: WordContext): [name: string, value: string][] {
  const { name, home } = userHere();
  const { total_heap_size: total, used_heap_size: used, heap_size_limit: max } = getHeapStatistics();
  const mb = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)}MB`;
  return [
    ['zookeeper.version', version],
    ['host.name', hostname()],
    ['node.version', process.versions.node],
    ['v8.version', process.versions.v8],
    ['os.name', type()],
    ['os.arch', JAVA_ARCH[process.arch] ?? process.arch],
    ['os.version', release()],
    ['user.name', name],
    ['user.home', home],
    ['user.dir', startedIn],
    ['os.memory.free', mb(total - used)],
    ['os.memory.max', mb(max)],
    ['os.memory.total', mb(total)],
  ];
}

/** Bytes of our files below an operator's directory; one that goes meanwhile counts nothing. */
export function bytesIn(root: string): number {
  let total = 0;
  try {
    for (const name of readdirSync(`${root}/zoosh-1`))
      total += statSync(`${root}/zoosh-1/${name}`, { throwIfNoEntry: false })?.size ?? 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return total;
}
