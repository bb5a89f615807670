/** The servers of an ensemble, asked one by one with four-letter words. */
import { parseConnectString, type Server, showServer } from '../client/connect-string.ts';
import { failureReason } from '../client/failure-reason.ts';
import { ADMIN_PORT, adminReply } from './admin-server.ts';
import type { CommandContext } from './command.ts';
import { Failure } from './failure.ts';

/** One server. `id` undefined: it is known from the connect string only. */
export interface Member {
  readonly id: string | undefined;
  readonly server: Server;
  readonly isObserver: boolean;
}

/**
 * From the dynamic configuration; of a server that stands alone, or where it says no client port, the connect string.
 * `opened`: the session, where it was asked for already and may have failed.
 */
export async function membersOf(context: CommandContext, opened = context.client()): Promise<readonly Member[]> {
  const { signal, session } = context;
  const client = await opened.catch(() => undefined); // first: what throws before it would leave its failure to nobody
  const named = parseConnectString(session.target).servers.map(
    (server): Member => ({ id: undefined, server, isObserver: false }),
  );
  const text = await client?.getConfig({ signal }).then(
    ({ data }) => data?.toString() ?? '',
    () => '',
  );
  const listed = (text ?? '').split('\n').flatMap((line) => memberOf(line) ?? []);
  return listed.length > 0 ? listed : named;
}

/** `server.1=host:2888:3888:participant;0.0.0.0:2181`; undefined without a client port. */
export function memberOf(line: string): Member | undefined {
  const [, id, spec = ''] = /^server\.(\d+)\s*=\s*(.*)$/.exec(line.trim()) ?? [];
  if (id === undefined) return undefined;
  const [quorum = '', client] = spec.split('|')[0]?.split(';') ?? [];
  if (client === undefined || client === '') return undefined;
  const host = /^(\[[^\]]*\]|[^:]*)/.exec(quorum)?.[1] ?? '';
  const [, own, port] = /^(?:(.*):)?(\d+)$/.exec(client.trim()) ?? [];
  if (port === undefined) return undefined;
  const isAny = own === undefined || /^(0\.0\.0\.0|\[?::\]?|\[?0:0:0:0:0:0:0:0\]?)$/.test(own);
  const name = (isAny ? host : own).replace(/^\[|\]$/g, '');
  return { id, server: { host: name, port: Number(port) }, isObserver: /:observer$/i.test(quorum) };
}

/** What a server says of itself; undefined fields: it does not say. */
export interface Report {
  readonly member: Member;
  readonly host: string;
  /** `leader`, `follower`, `observer`, `standalone`; undefined: it does not serve, and `fault` says why. */
  readonly role: string | undefined;
  readonly fault: string | undefined;
  readonly version?: string | undefined;
  readonly zxid?: bigint | undefined;
  /** ms since its statistics began */
  readonly latency?: { readonly min: number; readonly average: number; readonly max: number };
  readonly received?: number | undefined;
  readonly connections?: number | undefined;
  readonly outstanding?: number | undefined;
  readonly nodes?: number | undefined;
  readonly watches?: number | undefined;
  readonly dataBytes?: number | undefined;
  readonly uptimeMs?: number | undefined;
}

const WAITS = 'not serving: no quorum, or starting';
/** One that runs and has no quorum to serve with `waits`. */
export const stateOf = ({ role, fault }: Report): 'up' | 'waits' | 'DOWN' =>
  role !== undefined ? 'up' : fault === WAITS ? 'waits' : 'DOWN';

const ANSWER_MS = 3000;
export const isForbidden = (answer: string): boolean =>
  /is not executed because it is not in the whitelist/.test(answer);

/** The answer to a word; undefined when the server does not allow it. @throws Error when it does not answer */
export async function ask(word: string, server: Server, context: CommandContext): Promise<string | undefined> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(ANSWER_MS)]);
  const answer = await context.session.word(word, { ...server, signal });
  return isForbidden(answer) ? undefined : answer;
}

/** What every server says, in their order. Never rejects for one that does not answer. */
export const reportsOf = (members: readonly Member[], context: CommandContext): Promise<Report[]> =>
  Promise.all(members.map((member) => reportOf(member, context)));

async function reportOf(member: Member, context: CommandContext): Promise<Report> {
  const host = showServer(member.server);
  try {
    const [srvr, mntr] = await Promise.all([
      ask('srvr', member.server, context),
      ask('mntr', member.server, context).catch(() => undefined),
    ]);
    if (srvr === undefined)
      return { member, host, role: undefined, fault: 'does not allow srvr (4lw.commands.whitelist)' };
    if (!/^Mode: /m.test(srvr)) return { member, host, role: undefined, fault: WAITS };
    return { member, host, fault: undefined, ...statusIn(srvr, mntr ?? '') };
  } catch (error) {
    context.signal.throwIfAborted();
    const fault = (error as Error).name === 'TimeoutError' ? 'does not answer' : failureReason(error);
    return { member, host, role: undefined, fault };
  }
}

/** The answers to `srvr` and `mntr`. */
export function statusIn(srvr: string, mntr: string): Omit<Report, 'member' | 'host' | 'fault'> {
  const after = (name: string): string | undefined => new RegExp(`^${name}: *(.*)$`, 'm').exec(srvr)?.[1];
  const count = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  const metric = (name: string): number | undefined => count(new RegExp(`^${name}\\s+([\\d.]+)$`, 'm').exec(mntr)?.[1]);
  const [min = 0, average = 0, max = 0] = (after('Latency min/avg/max') ?? '').split('/').map(Number);
  const zxid = after('Zxid');
  return {
    role: after('Mode'),
    version: /^Zookeeper version: ([^\s,-]+)/m.exec(srvr)?.[1],
    zxid: zxid === undefined ? undefined : BigInt(zxid),
    latency: { min, average, max },
    received: count(after('Received')),
    connections: count(after('Connections')),
    outstanding: count(after('Outstanding')),
    nodes: count(after('Node count')),
    watches: metric('zk_watch_count'),
    dataBytes: metric('zk_approximate_data_size'),
    uptimeMs: metric('zk_uptime'),
  };
}

/** One connection as `cons` lists it. */
export interface Connection {
  readonly client: string;
  readonly session: bigint;
  readonly timeoutMs: number | undefined;
  /** ms since 1970 */
  readonly since: number | undefined;
  readonly server: string;
}

/** ` /127.0.0.1:51514[1](queued=0,recved=5,sent=5,sid=0x1000...,lop=PING,est=1690000000000,to=30000,...)` */
export function connectionsIn(cons: string, server: string): Connection[] {
  return cons.split('\n').flatMap((line) => {
    const [, client, fields = ''] = /^\s*\/?(\S+?)\[\d+\]\((.*)\)\s*$/.exec(line) ?? [];
    const field = (name: string): string | undefined => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(fields)?.[1];
    const sid = field('sid');
    if (client === undefined || sid === undefined) return [];
    const number = (name: string): number | undefined => {
      const value = Number(field(name));
      return Number.isNaN(value) ? undefined : value;
    };
    return [{ client, session: BigInt(sid), timeoutMs: number('to'), since: number('est'), server }];
  });
}

/** The same from the AdminServer's `connections`. */
function connectionsFrom(values: Readonly<Record<string, unknown>>, server: string): Connection[] {
  const all = [values.connections, values.secure_connections].flatMap((each) =>
    Array.isArray(each) ? (each as Readonly<Record<string, unknown>>[]) : [],
  );
  return all.flatMap((each) => {
    const id = /^-?\d+$/.exec(String(each.session_id));
    if (id === null) return [];
    const since = Date.parse(String(each.established));
    return [
      {
        client: String(each.remote_socket_address).replace(/^[^/]*\//, ''),
        session: BigInt(id[0]),
        timeoutMs: typeof each.session_timeout === 'number' ? each.session_timeout : undefined,
        since: typeof each.established === 'number' ? each.established : Number.isNaN(since) ? undefined : since,
        server,
      },
    ];
  });
}

/** The connections of all servers, from those that do not allow the word by way of the AdminServer. @throws Failure (21) when none of them tells */
export async function connectionsOf(
  members: readonly Member[],
  context: CommandContext,
  adminPort = ADMIN_PORT,
): Promise<Connection[]> {
  let told = 0;
  let forbidden: string | undefined;
  let wantsLogin = false;
  const all = await Promise.all(
    members.map(async ({ server }) => {
      const host = showServer(server);
      const answer = await ask('cons', server, context).catch(() => '');
      context.signal.throwIfAborted();
      const reply = answer === undefined ? await adminReply('cons', server, adminPort, context) : undefined;
      const values = reply === 'refused' ? undefined : reply?.values;
      if (reply === 'refused') wantsLogin = true;
      if (answer === undefined && values === undefined) forbidden = host;
      else told++;
      return values === undefined ? connectionsIn(answer ?? '', host) : connectionsFrom(values, host);
    }),
  );
  if (told === 0 && forbidden !== undefined)
    throw new Failure(21, 'NotWhitelisted', `${forbidden} does not allow cons, which tells who is connected`, {
      hint: `add cons to 4lw.commands.whitelist in its zoo.cfg${wantsLogin ? '; its AdminServer wants the login of an administrator' : ''}`,
    });
  if (forbidden !== undefined) context.warn(`${forbidden} does not allow cons: its connections are not known`);
  return all.flat();
}

/** Voters that serve are more than half of all. */
export const hasQuorum = (reports: readonly Report[]): boolean =>
  quorumOf(reports.map(({ member, role }) => ({ isObserver: member.isObserver, serves: role !== undefined })));

export function quorumOf(members: readonly { readonly isObserver: boolean; readonly serves: boolean }[]): boolean {
  const voters = members.filter(({ isObserver }) => !isObserver);
  return voters.filter(({ serves }) => serves).length * 2 > voters.length;
}
