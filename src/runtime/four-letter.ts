import { zxid } from '../base/ids.ts';
import type { ServerConfig } from '../server/config.ts';
import type { ClientConnection } from '../server/connection.ts';
import type { Server } from '../server/server.ts';

/** What the words tell besides the server's own figures. */
export interface WordContext {
  readonly server: Server;
  readonly config: ServerConfig;
  readonly connections: ReadonlySet<{ readonly connection: ClientConnection }>;
  readonly version: string;
  readonly started: number;
}
type Word = (context: WordContext) => string;

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests\n';

const average = ({ server }: WordContext): string => {
  const { totalLatency, answered } = server.counts;
  const value = answered === 0 ? 0 : totalLatency / answered;
  return Number.isInteger(value) ? `${value}.0` : String(Number(value.toFixed(4)));
};
const figures = (context: WordContext): string => {
  const { server, connections } = context;
  const { counts, tree } = server;
  const last = (BigInt(tree.zxidHi) << 32n) | BigInt(tree.zxidLo >>> 0);
  return [
    `Latency min/avg/max: ${Math.max(0, counts.minLatency)}/${average(context)}/${counts.maxLatency}`,
    `Received: ${counts.received}`,
    `Sent: ${counts.sent}`,
    `Connections: ${connections.size}`,
    `Outstanding: ${server.outstanding}`,
    `Zxid: ${zxid.show(last)}`,
    'Mode: standalone',
    `Node count: ${tree.nodeCount}`,
    '',
  ].join('\n');
};

const WORDS: Readonly<Record<string, Word>> = {
  ruok: () => 'imok',
  isro: ({ server }) => (server.serving ? 'rw' : 'null'),
  srvr: (context) => `Zookeeper version: ${context.version}\n${figures(context)}`,
  stat: (context) => {
    const lines = [...context.connections].map(({ connection: { ip, port, outstanding, stats, state } }) => {
      return ` /${ip}:${port}[${state === 'new' ? 0 : 1}](queued=${outstanding},recved=${stats.received},sent=${stats.sent})\n`;
    });
    return `Zookeeper version: ${context.version}\nClients:\n${lines.join('')}\n${figures(context)}`;
  },
  conf: ({ config }) =>
    [
      `clientPort=${config.clientPort ?? -1}`,
      'secureClientPort=-1',
      `dataDir=${config.dataDir}/zoosh-1`,
      `dataLogDir=${config.dataLogDir}/zoosh-1`,
      `tickTime=${config.tickTimeMs}`,
      `maxClientCnxns=${config.maxClientCnxns}`,
      `minSessionTimeout=${config.minSessionTimeoutMs}`,
      `maxSessionTimeout=${config.maxSessionTimeoutMs}`,
      `clientPortListenBacklog=${config.listenBacklog ?? -1}`,
      `serverId=${config.serverId}`,
      '',
    ].join('\n'),
  mntr: (context) => {
    const { server, connections, version, started } = context;
    const { counts, tree, watches } = server;
    const rows: [string, string | number][] = [
      ['version', version],
      ['server_state', 'standalone'],
      ['avg_latency', average(context)],
      ['max_latency', counts.maxLatency],
      ['min_latency', Math.max(0, counts.minLatency)],
      ['packets_received', counts.received],
      ['packets_sent', counts.sent],
      ['num_alive_connections', connections.size],
      ['outstanding_requests', server.outstanding],
      ['znode_count', tree.nodeCount],
      ['watch_count', watches.size],
      ['ephemerals_count', tree.ephemerals],
      ['approximate_data_size', tree.dataBytes],
      ['global_sessions', server.tracker.size],
      ['auth_failed_count', counts.authFailed],
      ['uptime', Math.round(server.now - started)],
    ];
    return rows.map(([key, value]) => `zk_${key}\t${value}\n`).join('');
  },
  wchs: ({ server }) => {
    const { connections, paths, watches } = server.watches.summary();
    return `${connections} connections watching ${paths} paths\nTotal watches:${watches}\n`;
  },
};
/** Words that answer also while the server does not serve. */
const ALWAYS: ReadonlySet<string> = new Set(['ruok', 'isro', 'conf']);
/** Words ZooKeeper has and this version does not answer yet: named as such instead of being taken for a frame length. */
const LATER: ReadonlySet<string> = new Set('cons dump envi wchc wchp crst srst dirs hash gtmk stmk'.split(' '));

export const isFourLetter = (word: string): boolean => Object.hasOwn(WORDS, word) || LATER.has(word);

/** The whole answer to a word, to be sent in one write. */
export function answerWord(word: string, context: WordContext): string {
  const { fourLetterWords } = context.config;
  if (fourLetterWords !== 'all' && !fourLetterWords.has(word))
    return `${word} is not executed because it is not in the whitelist.\n`;
  const run = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (run === undefined) return `${word} is not answered by this version of zoosh yet\n`;
  if (!context.server.serving && !ALWAYS.has(word)) return NOT_SERVING;
  return run(context);
}
