import type { ClientConnection } from '../../server/connection.ts';
import type { WordContext } from '../words/context.ts';
import { LAST_OP } from '../words/sessions.ts';
import { type Command, CommandError, fields } from './command.ts';
import type { Json, JsonObject } from './json.ts';
import { statistics } from './server-commands.ts';

/** The first five fields, which `stats` has. */
const short = ({ ip, port, state, outstanding, stats }: ClientConnection): JsonObject => ({
  remote_socket_address: `${ip}:${port}`,
  interest_ops: state === 'new' ? 0 : 1,
  outstanding_requests: outstanding,
  packets_received: stats.received,
  packets_sent: stats.sent,
});
const whole = (connection: ClientConnection): JsonObject => {
  const { session, stats, timeoutMs } = connection;
  if (session === 0n) return short(connection);
  const { answered, lastZxidHi, lastZxidLo } = stats;
  return {
    ...short(connection),
    session_id: BigInt.asIntN(64, session),
    last_operation: LAST_OP[stats.lastOp] ?? 'NA',
    established: stats.established,
    session_timeout: timeoutMs,
    last_cxid: stats.lastXid,
    last_zxid: BigInt.asIntN(64, (BigInt(lastZxidHi) << 32n) | BigInt(lastZxidLo >>> 0)),
    last_response_time: Math.round(stats.lastResponse),
    last_latency: stats.lastLatency,
    min_latency: answered === 0 ? 0 : stats.minLatency,
    avg_latency: answered === 0 ? 0 : Math.floor(stats.totalLatency / answered),
    max_latency: stats.maxLatency,
  };
};
const connections = (context: WordContext, show: (connection: ClientConnection) => JsonObject): JsonObject => ({
  connections: listOf(context, false, show),
  secure_connections: listOf(context, true, show),
});
const listOf = (
  { connections }: WordContext,
  secure: boolean,
  show: (connection: ClientConnection) => JsonObject,
): JsonObject[] =>
  [...connections].flatMap(({ connection }) => (connection.secure === secure ? [show(connection)] : []));

/** Names to lists, in the order of their first element. */
function grouped<T extends Json>(pairs: Iterable<readonly [name: string, value: T]>): JsonObject {
  const groups = new Map<string, T[]>();
  for (const [name, value] of pairs) {
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [value]);
    else group.push(value);
  }
  return Object.fromEntries(groups);
}
function* watches({ server }: WordContext): Iterable<readonly [path: string, session: bigint]> {
  for (const [path, watchers] of server.watches.dataWatches())
    for (const { session } of watchers) yield [path, BigInt.asIntN(64, session)];
}
function* ephemerals({ server: { tree } }: WordContext): Iterable<readonly [session: string, path: string]> {
  for (const { id, ephemeralCount } of tree.sessions.all())
    if (ephemeralCount > 0) for (const path of tree.ephemeralsOf(id)) yield [String(BigInt.asIntN(64, id)), path];
}
function* expiries({ server }: WordContext): Iterable<readonly [deadline: string, session: bigint]> {
  for (const { id, deadline } of server.locals.all()) yield [String(Math.round(deadline)), BigInt.asIntN(64, id)];
  // whoever learns does not know when sessions end
  if (server.peer.isMember && server.peer.role !== 'leading') return;
  for (const { id, deadline } of server.tracker.all()) yield [String(Math.round(deadline)), BigInt.asIntN(64, id)];
}

/** How many of a hundred are asked for. @throws CommandError */
function percentageIn(body: Buffer): number {
  let asked: unknown;
  try {
    asked = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new CommandError(400, `Invalid JSON or failed to read request body: ${(error as Error).message}`);
  }
  const percentage =
    typeof asked === 'object' && asked !== null ? (asked as { percentage?: unknown }).percentage : undefined;
  if (percentage === undefined) throw new CommandError(400, 'Missing required field: percentage');
  if (typeof percentage !== 'number' || !Number.isInteger(percentage) || percentage < 0 || percentage > 100)
    throw new CommandError(400, 'Percentage must be between 0 and 100');
  return percentage;
}

/** The commands about single sessions, connections and watches. */
export const SESSION_COMMANDS: readonly Command[] = [
  {
    names: ['connections', 'cons'],
    for: 'admins',
    method: 'GET',
    run: (context) => fields(connections(context, whole)),
  },
  {
    names: ['stats', 'stat'],
    for: 'admins',
    method: 'GET',
    run: (context) => fields({ ...statistics(context), ...connections(context, short) }),
  },
  {
    names: ['connection_stat_reset', 'crst'],
    for: 'admins',
    method: 'GET',
    changes: true,
    run: (context) => {
      for (const { connection } of context.connections) connection.resetStats();
      return fields({});
    },
  },
  {
    names: ['dump'],
    for: 'admins',
    method: 'GET',
    run: (context) =>
      fields({
        expiry_time_to_session_ids: grouped(expiries(context)),
        session_id_to_ephemeral_paths: grouped(ephemerals(context)),
      }),
  },
  {
    names: ['watches', 'wchc'],
    for: 'admins',
    method: 'GET',
    run: (context) =>
      fields({
        session_id_to_watched_paths: grouped(
          [...watches(context)].map(([path, session]) => [String(session), path] as const),
        ),
      }),
  },
  {
    names: ['watches_by_path', 'wchp'],
    for: 'admins',
    method: 'GET',
    run: (context) => fields({ path_to_session_ids: grouped(watches(context)) }),
  },
  {
    names: ['watch_summary', 'wchs'],
    for: 'admins',
    method: 'GET',
    run: ({ server }) => {
      const { connections: count, paths, watches: total } = server.watches.summary();
      return fields({ num_connections: count, num_paths: paths, num_total_watches: total });
    },
  },
  {
    names: ['shed_connections', 'shed'],
    for: 'admins',
    method: 'POST',
    changes: true,
    run: ({ body, connections: all, server, turn }) => {
      const percentage = percentageIn(body);
      const open = [...all].map(({ connection }) => connection).filter(({ state }) => state === 'open');
      const count = Math.floor((open.length * percentage) / 100);
      for (let shed = 0; shed < count; shed++) {
        const at = Math.floor(Math.random() * open.length);
        const [connection] = open.splice(at, 1);
        if (connection !== undefined) server.end(connection);
      }
      turn();
      return fields({ connections_shed: count, percentage_requested: percentage });
    },
  },
];
