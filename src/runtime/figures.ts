import { readdirSync } from 'node:fs';
import type { Spread } from '../base/spread.ts';
import { mostDescriptors } from '../platform/descriptors.ts';
import type { Figure, SpreadFigure } from './figure.ts';
import { ownFigures } from './own-figures.ts';
import { COUNTED, type Counted, DETAILED, OF_MEMBERS, TIMED, type Timed } from './tally.ts';
import { mode, type WordContext } from './words/context.ts';

type Read = (context: WordContext) => number | undefined;
type Rows = Readonly<Record<string, readonly [help: string, read: Read]>>;

const isNear = (ip: string): boolean => ip.startsWith('127.') || ip === '0:0:0:0:0:0:0:1';
const nearCount = ({ connections }: WordContext, near: boolean): number => {
  let count = 0;
  for (const { connection } of connections) if (isNear(connection.ip) === near && !connection.isCertified) count++;
  return count;
};
/** Undefined where the system does not say. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

const GAUGES: Rows = {
  znode_count: ['znodes in the tree', ({ server }) => server.tree.nodeCount],
  watch_count: ['watches set', ({ server }) => server.watches.size],
  ephemerals_count: ['ephemeral znodes', ({ server }) => server.tree.ephemerals],
  approximate_data_size: ['bytes of paths and data', ({ server }) => server.tree.dataBytes],
  num_alive_connections: ['open connections', ({ connections }) => connections.size],
  outstanding_requests: ['writes accepted and not applied', ({ server }) => server.outstanding],
  global_sessions: ['sessions of the ensemble', ({ server }) => server.tracker.size],
  local_sessions: ['sessions of this member alone', ({ server }) => server.locals.size],
  min_latency: ['shortest time of a request, ms', ({ server }) => Math.max(0, server.outbox.counts.minLatency)],
  max_latency: ['longest time of a request, ms', ({ server }) => server.outbox.counts.maxLatency],
  packets_received: ['requests received', ({ server }) => server.outbox.counts.received],
  packets_sent: ['replies and events sent', ({ server }) => server.outbox.counts.sent],
  last_client_response_size: ['bytes of the last reply, -1 before it', ({ server }) => server.outbox.sizes.last],
  min_client_response_size: ['bytes of the shortest reply, -1 before it', ({ server }) => server.outbox.sizes.min],
  max_client_response_size: ['bytes of the longest reply, -1 before it', ({ server }) => server.outbox.sizes.max],
  auth_failed_count: ['credentials refused', ({ server }) => server.outbox.counts.authFailed],
  non_mtls_remote_conn_count: [
    'connections from other machines that no certificate proves',
    (context) => nearCount(context, false),
  ],
  non_mtls_local_conn_count: [
    'connections from this machine that no certificate proves',
    (context) => nearCount(context, true),
  ],
  outstanding_tls_handshake: ['TLS handshakes begun and not done', ({ handshakes }) => handshakes],
  connection_drop_probability: [
    'how likely a handshake is refused by the connection throttle',
    ({ traffic }) => traffic.dropChance,
  ],
  open_file_descriptor_count: ['open files and sockets', openFiles],
  max_file_descriptor_count: ['how many there may be', mostDescriptors],
  uptime: ['ms since the start', ({ server, started }) => Math.round(server.now - started)],
};
const COUNTERS: Rows = {
  bytes_received_count: ['bytes from clients', ({ traffic }) => traffic.bytesReceived],
  response_bytes: ['bytes of replies and events', ({ traffic }) => traffic.bytesSent],
  watch_bytes: ['of these, of events', ({ server }) => server.outbox.eventBytes],
  connection_request_count: ['connections that asked for a session', ({ traffic }) => traffic.requests],
  connection_rejected: ['connections turned away: too many', ({ traffic }) => traffic.rejected],
  connection_drop_count: ['connections that their client ended without a word', ({ traffic }) => traffic.dropped],
  sessionless_connections_expired: ['connections that asked for nothing in time', ({ traffic }) => traffic.sessionless],
  unsuccessful_handshake: [
    'TLS handshakes that failed, or showed a certificate that does not count',
    ({ traffic: { handshakes } }) => handshakes.failed + handshakes.refused,
  ],
  tls_handshake_exceeded: [
    'TLS handshakes given up: too slow, or too many at once',
    ({ traffic }) => traffic.handshakes.exceeded,
  ],
  connection_revalidate_count: ['sessions taken up again', ({ server }) => server.handshakes.resumed],
  large_requests_rejected: ['large requests for which there was no room', ({ traffic }) => traffic.largeRejected],
  stale_requests_dropped: ['requests dropped whose client had gone', ({ traffic }) => traffic.staleDropped],
  request_throttle_wait_count: ['how often the request throttle stalled', ({ traffic }) => traffic.stalls],
  snapshot_error_count: ['snapshots that came to nothing', ({ tally }) => tally.snapshots.failed],
  snapshot_rate_limited_count: ['snapshots that were asked for too soon', ({ tally }) => tally.snapshots.limited],
  insecure_admin_count: ['connections to the admin server without TLS', ({ tally }) => tally.plainAdmins],
  cnxn_closed_without_zk_server_running: [
    'connections that asked for a session while nobody was served',
    ({ server }) => server.handshakes.unserved,
  ],
  ttl_node_created_count: ['nodes with a time to live that were made', ({ server }) => server.ttlNodes.made],
  ttl_node_deleted_count: ['nodes with a time to live that are gone', ({ server }) => server.ttlNodes.gone],
  stale_sessions_expired: ['sessions ended since nothing was heard of them', ({ tally }) => tally.expired],
  memory_refused: [
    'sessions, writes and watches refused since memory is short',
    ({ server }) => server.pressure.refused,
  ],
  throttled_ops: ['requests refused since they had waited too long', ({ server }) => server.pressure.throttled],
  commit_count: ['transactions applied', ({ server }) => server.applied],
};

/** Operations by the names of `op_count_*`, and their numbers on the wire. */
const OPERATIONS: Readonly<Record<string, readonly number[]>> = {
  create: [1, 15, 19, 21],
  delete: [2, 20],
  exists: [3],
  get_data: [4],
  set_data: [5],
  get_acl: [6],
  set_acl: [7],
  get_children: [8, 12],
  sync: [9],
  ping: [11],
  check: [13],
  multi: [14],
  reconfig: [16],
  check_watches: [17],
  remove_watches: [18],
  multi_read: [22],
  set_watches: [101, 105],
  get_ephemerals: [103],
  get_all_children_number: [104],
  add_watch: [106],
  who_am_i: [107],
  close_session: [-11],
};

const put = (into: Figure[], kind: Figure['kind'], rows: Rows, context: WordContext): void => {
  for (const [name, [help, read]] of Object.entries(rows)) {
    const value = read(context);
    if (value !== undefined) into.push({ name, help, kind, value });
  }
};

/** Every single number; those of an ensemble are absent where they say nothing. */
export function figuresOf(context: WordContext): Figure[] {
  const { server, tally } = context;
  const { outbox, peer, tree, proposals, ledAt } = server;
  const { answered, totalLatency } = outbox.counts;
  const all: Figure[] = [];
  put(all, 'gauge', GAUGES, context);
  all.push(...ownFigures(context));
  put(all, 'counter', COUNTERS, context);
  const add = (kind: Figure['kind'], name: string, help: string, value: number): void =>
    void all.push({ name, help, kind, value });
  add('gauge', 'avg_latency', 'mean time of a request, ms', answered === 0 ? 0 : totalLatency / answered);
  let total = 0;
  for (const [name, codes] of Object.entries(OPERATIONS)) {
    const count = codes.reduce((sum, code) => sum + server.asked(code), 0);
    total += count;
    add('counter', `op_count_${name}`, `requests of ${name}`, count);
  }
  add('counter', 'op_count_total', 'requests of all these', total);
  for (const [name, help] of Object.entries(COUNTED))
    if (peer.isMember) add('counter', name, help, tally.counts[name as Counted]);
  if (!peer.isMember) return all;
  const voters = tree.config?.members.filter(({ role }) => role === 'participant').length ?? 0;
  add('gauge', 'quorum_size', 'voters', voters);
  add('counter', 'proposal_count', 'proposals of this life', proposals.count);
  if (mode(context) === 'observer' && peer.followed !== undefined)
    add('gauge', 'observer_master_id', 'whom this observer learns from', peer.followed);
  const { audience } = peer;
  if (audience === undefined) return all;
  add('gauge', 'learners', 'members connected to this leader', audience.learners);
  add('gauge', 'synced_followers', 'of these, voters that count', audience.followers);
  add('gauge', 'synced_non_voting_followers', 'voters that do not count yet', audience.nonVoting);
  add('gauge', 'synced_observers', 'observers in step', audience.observers);
  add('gauge', 'pending_syncs', 'syncs that wait for a quorum', audience.pendingSyncs);
  add('gauge', 'leader_uptime', 'ms since this member leads', Math.round(server.now - (ledAt ?? server.now)));
  add('gauge', 'last_proposal_size', 'bytes of the last proposal, -1 before it', proposals.last);
  add('gauge', 'min_proposal_size', 'bytes of the shortest proposal, -1 before it', proposals.min);
  add('gauge', 'max_proposal_size', 'bytes of the longest proposal, -1 before it', proposals.max);
  return all;
}

/** Everything that has a spread. */
export function spreadsOf({ server, tally, traffic }: WordContext): SpreadFigure[] {
  const { outbox, watched, propagation } = server;
  const own = Object.entries(TIMED)
    .filter(([name]) => server.peer.isMember || !OF_MEMBERS.has(name))
    .map(([name, help]) => ({ name, help, spread: tally.times[name as Timed], isDetailed: DETAILED.has(name) }));
  const fired = (name: string, what: string, spread: Spread): SpreadFigure => ({
    ...{ name, spread, isDetailed: false },
    help: `watches that ${what} fired`,
  });
  const acks = [...(server.peer.role === 'leading' ? tally.acks : [])].map(([sid, spread]) => ({
    ...{ name: 'ack_latency', key: String(sid), spread, isDetailed: true },
    help: 'until a member acknowledges a proposal, ms of wall clocks',
  }));
  return [
    ...own,
    ...acks,
    { name: 'readlatency', help: 'of reads, ms', spread: outbox.reads, isDetailed: true },
    { name: 'updatelatency', help: 'of writes, ms', spread: outbox.updates, isDetailed: true },
    {
      ...{ name: 'propagation_latency', spread: propagation, isDetailed: true },
      help: 'from the time that a leader gave a transaction until it is applied here, ms of wall clocks',
    },
    {
      ...{ name: 'connection_token_deficit', spread: traffic.tokenDeficit, isDetailed: false },
      help: 'tokens that the connection throttle lacked, at each handshake',
    },
    fired('node_created_watch_count', 'the making of a node', watched.created),
    fired('node_deleted_watch_count', 'the end of a node', watched.deleted),
    fired('node_changed_watch_count', 'a change of data', watched.changed),
    fired('node_children_watch_count', 'a change of children', watched.children),
  ];
}
