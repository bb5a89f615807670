import { type SessionId, showSession } from '../../base/ids.ts';
import type { ClientConnection } from '../../server/connection.ts';
import type { TrackedSession } from '../../server/sessions.ts';
import type { Word, WordContext } from './context.ts';

/** What a connection did last, as `cons` names it. */
export const LAST_OP: Readonly<Record<number, string>> = {
  [-10]: 'SESS',
  11: 'PING',
  1: 'CREA',
  15: 'CREA',
  19: 'CREA',
  21: 'CREA',
  2: 'DELE',
  20: 'DELE',
  5: 'SETD',
  4: 'GETD',
  3: 'EXIS',
  8: 'GETC',
  12: 'GETC',
  104: 'GETACN',
  6: 'GETA',
  7: 'SETA',
  9: 'SYNC',
  13: 'CHEC',
  14: 'MULT',
  22: 'MLTR',
  16: 'RECO',
  [-11]: 'CLOS',
  101: 'SETW',
  105: 'STW2',
  106: 'ADDW',
  17: 'CHKW',
  18: 'REMW',
  103: 'GETE',
  107: 'HOMI',
};
/** Without a session a connection lives until the handshake is late, ms. */
const HANDSHAKE_MS = 10_000;

const hex = (hi: number, lo: number): string =>
  `0x${BigInt.asUintN(64, (BigInt(hi) << 32n) | BigInt(lo >>> 0)).toString(16)}`;

function connectionLine({ ip, port, outstanding, stats, state, session, timeoutMs }: ClientConnection): string {
  const counts = `queued=${outstanding},recved=${stats.received},sent=${stats.sent}`;
  const head = ` /${ip}:${port}[${state === 'new' ? 0 : 1}](${counts}`;
  if (session === 0n) return `${head})\n`;
  const mean = stats.answered === 0 ? 0 : Math.floor(stats.totalLatency / stats.answered);
  const fields = [
    `sid=${showSession(session)}`,
    `lop=${LAST_OP[stats.lastOp] ?? 'NA'}`,
    `est=${stats.established}`,
    `to=${timeoutMs}`,
    ...(stats.lastXid >= 0 ? [`lcxid=0x${stats.lastXid.toString(16)}`] : []),
    `lzxid=${hex(stats.lastZxidHi, stats.lastZxidLo)}`,
    `lresp=${Math.round(stats.lastResponse)}`,
    `llat=${stats.lastLatency}`,
    `minlat=${stats.answered === 0 ? 0 : stats.minLatency}`,
    `avglat=${mean}`,
    `maxlat=${stats.maxLatency}`,
  ];
  return `${head},${fields.join(',')})\n`;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** As Java prints a date: `Mon Nov 23 10:49:57 UTC 2026`. */
function javaDate(ms: number): string {
  const date = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())} ${time} UTC ${date.getUTCFullYear()}`;
}

/** `(buckets)/(entries):` and below each moment, soonest first, what expires then. */
function expiries(context: WordContext, entries: Iterable<readonly [deadline: number, line: string]>): string {
  const { server } = context;
  const buckets = new Map<number, string[]>();
  let count = 0;
  for (const [deadline, line] of entries) {
    count++;
    const lines = buckets.get(deadline);
    if (lines === undefined) buckets.set(deadline, [line]);
    else lines.push(line);
  }
  const parts = [...buckets]
    .sort(([a], [b]) => a - b)
    .map(([deadline, lines]) => {
      const at = javaDate(server.wall + deadline - server.now);
      return `${lines.length} expire at ${at}:\n${lines.map((line) => `\t${line}\n`).join('')}`;
    });
  return `(${buckets.size})/(${count}):\n${parts.join('')}`;
}

function* deadlines(sessions: Iterable<TrackedSession>): Iterable<readonly [number, string]> {
  for (const { id, deadline } of sessions) yield [deadline, showSession(id)];
}
/** Whoever learns does not know when sessions end: it tells their timeouts. */
function sessions(context: WordContext): string {
  const { tree, peer, tracker, locals } = context.server;
  const own =
    context.config.localSessions === undefined
      ? ''
      : `Local Session Sets ${expiries(context, deadlines(locals.all()))}`;
  if (!peer.isMember || peer.role === 'leading')
    return `${own}${own === '' ? '' : 'Global '}Session Sets ${expiries(context, deadlines(tracker.all()))}`;
  const lines = [...tree.sessions.all()].map(
    ({ id, timeoutMs }) => `${showSession(id as SessionId)}\t${timeoutMs}ms\n`,
  );
  return `${own}Global Sessions(${lines.length}):\n${lines.join('')}`;
}
function* connectionExpiries({ server, config, connections }: WordContext): Iterable<readonly [number, string]> {
  const tick = config.tickTimeMs;
  for (const { connection } of connections) {
    const fallback = (Math.floor((server.now + HANDSHAKE_MS) / tick) + 1) * tick;
    const line = `ip: /${connection.ip}:${connection.port} sessionId: ${showSession(connection.session)}`;
    yield [connection.tracked?.deadline ?? fallback, line];
  }
}
function ephemerals({ server: { tree } }: WordContext): string {
  const parts: string[] = [];
  for (const session of tree.sessions.all()) {
    if (session.ephemeralCount === 0) continue;
    const paths = tree.ephemeralsOf(session.id).map((path) => `\t${path}\n`);
    parts.push(`${showSession(session.id)}:\n${paths.join('')}`);
  }
  return `Sessions with Ephemerals (${parts.length}):\n${parts.join('')}`;
}

/** A heading with its lines, an empty line at the end. */
const grouped = (groups: ReadonlyMap<string, readonly string[]>): string =>
  `${[...groups].map(([head, lines]) => `${head}\n${lines.map((line) => `\t${line}\n`).join('')}`).join('')}\n`;

/** The words about single sessions, connections and watches. */
export const SESSION_WORDS: Readonly<Record<string, Word>> = {
  cons: ({ connections }) => `${[...connections].map(({ connection }) => connectionLine(connection)).join('')}\n`,
  crst: ({ connections }) => {
    for (const { connection } of connections) connection.resetStats();
    return 'Connection stats reset.\n';
  },
  dump: (context) =>
    `SessionTracker dump:\n${sessions(context)}` +
    `ephemeral nodes dump:\n${ephemerals(context)}` +
    `Connections dump:\nConnections Sets ${expiries(context, connectionExpiries(context))}`,
  wchs: ({ server }) => {
    const { connections, paths, watches } = server.watches.summary();
    return `${connections} connections watching ${paths} paths\nTotal watches:${watches}\n`;
  },
  wchc: ({ server }) => {
    const groups = new Map<string, string[]>();
    for (const [path, watchers] of server.watches.dataWatches())
      for (const { session } of watchers) {
        const head = showSession(session);
        const paths = groups.get(head);
        if (paths === undefined) groups.set(head, [path]);
        else paths.push(path);
      }
    return grouped(groups);
  },
  wchp: ({ server }) => {
    const groups = new Map<string, string[]>();
    for (const [path, watchers] of server.watches.dataWatches())
      groups.set(
        path,
        [...watchers].map(({ session }) => showSession(session)),
      );
    return grouped(groups);
  },
};
