import { mean, mode, type WordContext } from '../words/context.ts';
import { rowsOf } from '../words/mntr.ts';
import { bytesIn, environment } from '../words/server.ts';
import { type Command, CommandError, fields } from './command.ts';
import { type JsonObject, NumberText } from './json.ts';

const MASK = /^[+-]?\d{1,19}$/;
const LONG = 1n << 63n;

export const zxidOf = ({ server: { tree } }: WordContext): bigint =>
  (BigInt(tree.zxidHi) << 32n) | BigInt(tree.zxidLo >>> 0);
const sizes = ({ last, min, max }: { last: number; min: number; max: number }): JsonObject => ({
  last_buffer_size: last,
  min_buffer_size: min,
  max_buffer_size: max,
});

/** What `server_stats` and `stats` have in common. */
export function statistics(context: WordContext): JsonObject {
  const { server, config, connections, version, started, tally } = context;
  const { counts, sizes: responses } = server.outbox;
  const answers = sizes(responses);
  return {
    version,
    read_only: server.readOnly,
    server_stats: {
      packets_sent: counts.sent,
      packets_received: counts.received,
      fsync_threshold_exceed_count: tally.slowWrites,
      client_response_stats: answers,
      data_dir_size: bytesIn(config.dataDir),
      log_dir_size: bytesIn(config.dataLogDir),
      provider_null: false,
      last_processed_zxid: zxidOf(context),
      server_state: mode(context),
      outstanding_requests: server.outstanding,
      min_latency: Math.max(0, counts.minLatency),
      avg_latency: new NumberText(mean(counts.totalLatency, counts.answered)),
      max_latency: counts.maxLatency,
      num_alive_client_connections: connections.size,
      auth_failed_count: counts.authFailed,
      non_mtlsremote_conn_count: uncertified(context, false),
      non_mtlslocal_conn_count: uncertified(context, true),
      uptime: Math.round(server.now - started),
    },
    client_response: answers,
    ...(mode(context) === 'leader' && { proposal_stats: sizes(server.proposals) }),
    node_count: server.tree.nodeCount,
  };
}
/** Clients whose connection no certificate proves, of this machine or of others. */
const uncertified = ({ connections }: WordContext, near: boolean): number =>
  [...connections].filter(({ connection }) => !connection.isCertified && isNear(connection.ip) === near).length;
const isNear = (ip: string): boolean => ip.startsWith('127.') || ip === '0:0:0:0:0:0:0:1';

/** A mask of Java's, 64 bits with a sign. @throws CommandError */
function maskOf(query: URLSearchParams): bigint {
  const text = query.get('traceMask');
  const mask = text !== null && MASK.test(text) ? BigInt(text) : undefined;
  if (mask !== undefined && mask >= -LONG && mask < LONG) return mask;
  throw new CommandError(200, 'setTraceMask requires long traceMask argument');
}

/** The commands about the server as a whole. */
export const SERVER_COMMANDS: readonly Command[] = [
  { names: ['ruok'], for: 'everybody', method: 'GET', run: () => fields({}) },
  {
    names: ['is_read_only', 'isro'],
    for: 'everybody',
    method: 'GET',
    run: ({ server }) => fields({ read_only: server.readOnly }),
  },
  {
    names: ['monitor', 'mntr'],
    for: 'everybody',
    method: 'GET',
    run: (context) =>
      fields(
        Object.fromEntries(
          rowsOf(context).map(([key, value]) => [
            key,
            typeof value === 'string' && /^-?\d+\.\d+$/.test(value) ? new NumberText(value) : value,
          ]),
        ),
      ),
  },
  {
    names: ['server_stats', 'srvr'],
    for: 'everybody',
    method: 'GET',
    run: (context) => fields(statistics(context)),
  },
  {
    names: ['configuration', 'conf', 'config'],
    for: 'admins',
    method: 'GET',
    run: ({ config }) =>
      fields({
        client_port: config.clientPort ?? -1,
        data_dir: `${config.dataDir}/zoosh-1`,
        data_log_dir: `${config.dataLogDir}/zoosh-1`,
        tick_time: config.tickTimeMs,
        max_client_cnxns: config.maxClientCnxns,
        min_session_timeout: config.minSessionTimeoutMs,
        max_session_timeout: config.maxSessionTimeoutMs,
        server_id: config.serverId,
        client_port_listen_backlog: config.listenBacklog ?? -1,
      }),
  },
  {
    names: ['dirs'],
    for: 'admins',
    method: 'GET',
    run: ({ config }) => fields({ datadir_size: bytesIn(config.dataDir), logdir_size: bytesIn(config.dataLogDir) }),
  },
  {
    names: ['environment', 'env', 'envi'],
    for: 'admins',
    method: 'GET',
    always: true,
    run: (context) => fields(Object.fromEntries(environment(context))),
  },
  {
    names: ['get_trace_mask', 'gtmk'],
    for: 'admins',
    method: 'GET',
    always: true,
    run: ({ tally }) => fields({ tracemask: tally.traceMask }),
  },
  {
    names: ['set_trace_mask', 'stmk'],
    for: 'admins',
    method: 'GET',
    changes: true,
    always: true,
    run: ({ tally, query }) => {
      tally.traceMask = maskOf(query);
      return fields({ tracemask: tally.traceMask });
    },
  },
  // Apache's list of digests, one each 128 transactions, is empty when its digest is switched off; ours chains the log instead
  { names: ['hash'], for: 'admins', method: 'GET', run: () => fields({ digests: [] }) },
  {
    names: ['initial_configuration', 'icfg'],
    for: 'admins',
    method: 'GET',
    run: ({ config }) => {
      const lines = config.inForce.flatMap(({ key, value, from }) =>
        from === undefined || !('file' in from) ? [] : [`${key}=${value}\n`],
      );
      return fields({ initial_configuration: lines.length === 0 ? null : lines.join('') });
    },
  },
  {
    names: ['system_properties', 'sysp'],
    for: 'admins',
    method: 'GET',
    always: true,
    run: ({ config }) =>
      fields(Object.fromEntries(config.inForce.map(({ key, value }) => [`zookeeper.${key}`, value]))),
  },
  {
    names: ['last_snapshot', 'lsnp'],
    for: 'admins',
    method: 'GET',
    run: ({ tally: { lastSnapshot } }) =>
      fields({
        zxid: lastSnapshot === undefined ? '-1' : lastSnapshot.zxid.toString(16),
        timestamp: lastSnapshot?.seconds ?? -1,
      }),
  },
  {
    names: ['stat_reset', 'srst'],
    for: 'admins',
    method: 'GET',
    changes: true,
    run: ({ server }) => {
      server.outbox.resetCounts();
      server.proposals.reset();
      return fields({});
    },
  },
  {
    names: ['snapshot', 'snap'],
    for: 'admins',
    method: 'GET',
    changes: true,
    run: async ({ snapshot, query, config }) => {
      if (!config.admin.snapshotEnabled) throw new CommandError(503, 'snapshot command is disabled');
      const { zxid, path, bytes } = await snapshot();
      const headers = { last_zxid: `0x${zxid.toString(16)}`, snapshot_size: String(bytes) };
      const isStreamed = query.get('streaming') !== 'false';
      return { headers, fields: isStreamed ? { file: path } : {} };
    },
  },
  {
    names: ['restore', 'rest'],
    for: 'admins',
    method: 'POST',
    changes: true,
    run: () => {
      throw new CommandError(
        503,
        'a running ensemble is not given another state: stop every member, run zoosh restore for one of them, and start the others with empty directories',
      );
    },
  },
];
