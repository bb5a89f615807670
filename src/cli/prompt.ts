import { visibleLine } from '../out/data.ts';
import { viewOf } from '../shell/own-nodes.ts';
import type { PROMPT_FIELDS } from '../shell/settings.ts';
import { hex } from '../shell/units.ts';
import type { Host } from './host.ts';

/** zkCli's own: `[zk: localhost:2181(CONNECTED) 3] `. */
const ZKCLI = '[zk: {target}({zkstate}) {n}] ';

/** The prompt from its template. */
export function promptOf(host: Host): string {
  const { shell, session, settings, presenter } = host;
  const { theme } = presenter;
  const { details, state, current } = session;
  const isReadOnly = state === 'connectedReadOnly' || details.readOnly === true || shell.ports.readOnly;
  const note =
    state === 'connecting'
      ? ' (connecting)'
      : state === 'suspended'
        ? ' (lost)'
        : state === 'closed'
          ? ' (closed)'
          : state === 'none' || state === 'authFailed'
            ? ' (not connected)'
            : isReadOnly
              ? ' (ro)'
              : '';
  const server = current?.server ?? session.target.split(/[,/]/, 1)[0] ?? '';
  const width = process.stdout.columns || 80;
  const fields: Readonly<Record<(typeof PROMPT_FIELDS)[number], string>> = {
    profile: visibleLine(session.profile ?? `${server}${viewOf({ session }).chroot}`),
    protect: details.protect === true ? '!' : '',
    cwd: shortened(visibleLine(shell.cwd), Math.max(12, Math.floor(width / 3)), theme.ascii ? '...' : '…'),
    state: shell.ports.dryRun ? `${note} (dry)` : note,
    txn: shell.changes.waiting === undefined ? '' : ` [txn ${shell.changes.waiting}]`,
    n: String(host.history.list().length + 1),
    role:
      state === 'connectedReadOnly'
        ? 'read-only'
        : state === 'connected'
          ? (session.knownFacts?.role ?? 'read-write')
          : state,
    host: current?.server ?? '',
    target: visibleLine(session.target),
    zkstate: ZK_STATES[state],
    session: hex(current?.sessionId ?? 0n),
    zxid: hex(current?.lastZxid ?? 0n),
    time: new Date().toTimeString().slice(0, 8),
    rtt: shell.rttMs === undefined ? '' : `${shell.rttMs < 10 ? shell.rttMs.toFixed(1) : Math.round(shell.rttMs)}ms`,
    watches: String(current?.watches().length ?? 0),
  };
  const said = settings.get('prompt');
  const template = said === 'zkcli' ? ZKCLI : said;
  const text = template.replace(/\{(\w+)\}/g, (whole, name) => fields[name as keyof typeof fields] ?? whole);
  if (details.protect === true || note === ' (lost)') return theme.bad(text);
  if (note === ' (connecting)' || note === ' (not connected)') return theme.attention(text);
  return theme.named(details.color)?.(text) ?? theme.path(text);
}

const ZK_STATES: Readonly<Record<Host['session']['state'], string>> = {
  none: 'CONNECTING',
  connecting: 'CONNECTING',
  connected: 'CONNECTED',
  connectedReadOnly: 'CONNECTEDREADONLY',
  suspended: 'CONNECTING',
  expired: 'CLOSED',
  authFailed: 'AUTH_FAILED',
  closed: 'CLOSED',
};

/** Long paths lose their middle. */
function shortened(path: string, width: number, middle: string): string {
  if (path.length <= width) return path;
  const half = Math.floor((width - middle.length) / 2);
  return path.slice(0, half) + middle + path.slice(path.length - half);
}
