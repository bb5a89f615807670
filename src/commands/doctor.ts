import { isDigestScheme } from '../base/digest-schemes.ts';
import type { Client } from '../client/api.ts';
import { ADMIN_PORT, adminPortOf } from '../shell/admin-server.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { type Connection, membersOf, type Report, reportsOf } from '../shell/members.ts';
import type { Output } from '../shell/output.ts';
import { plural } from '../shell/units.ts';
import { forbiddenOf, type Look, lookAt } from './doctor-look.ts';
import {
  accessFindings,
  clockFindings,
  diskFindings,
  type Finding,
  serverFindings,
  tlsFindings,
} from './doctor-members.ts';
import { heartbeatFindings, nodeFindings, type Owners, quotaFindings } from './doctor-nodes.ts';
import { percentiles } from './latency.ts';
import { withSuggestion } from './support.ts';

/** Nodes looked at unless more is asked for. */
const LOOKED_AT = 100_000;
const SLOW_MS = 100;
/** So many connections from one host are near what servers allow. */
const CROWD = 50;
const WORDS = ['mntr', 'cons', 'conf', 'dirs'];

/** What may be wrong. */
export default command({
  name: 'doctor',
  group: 'admin',
  about: 'look for what is wrong or soon will be, with advice',
  risk: 'read',
  params: {
    path: { kind: 'path', about: 'nodes to look at; default all', optional: true },
    limit: {
      kind: 'number',
      long: '--limit',
      about: `stop looking after so many nodes; default ${LOOKED_AT}`,
      placeholder: 'N',
    },
    adminPort: {
      kind: 'number',
      long: '--admin-port',
      about: `where AdminServers listen; default ${ADMIN_PORT}`,
      placeholder: 'PORT',
    },
  },
  examples: [
    ['doctor', 'servers and nodes'],
    ['doctor /app --limit 1000000', 'more of one subtree'],
    ['doctor --admin-port 8090', 'AdminServers are asked there'],
  ],
  exits: [1, 3, 10],
  notes: [
    'The exit code is 1 when something FAILs.',
    'Each server is asked with the words srvr, mntr, cons, conf and dirs, by its AdminServer, and for a session of its own; TLS is looked',
    'at where this session has it. Clocks are compared by when that session began. Free disk space is seen only on the machine itself.',
  ],
  async run({ path, limit = LOOKED_AT, adminPort }, context): Promise<Output> {
    if (limit < 1) throw usage('doctor: --limit is at least 1');
    const port = adminPortOf(adminPort);
    const opened = context.client();
    const session = await opened.then(
      (client) => ({ client }),
      (error: unknown) => ({ error }),
    );
    const reports = await reportsOf(await membersOf(context, opened), context);
    // a sick ensemble gives no session, and still has something to tell
    if ('error' in session && !reports.some(answers)) throw session.error;
    const looks = await Promise.all(reports.map((report) => lookAt(report, port, context)));
    const owners: Owners = new Map();
    const found = serverFindings(looks);
    try {
      const nodes =
        'client' in session ? await treeFindings(session.client, path, limit, owners, context) : [NO_SESSION];
      found.push(
        ...(await memberFindings(looks, port, 'client' in session ? session.client : undefined, owners, context)),
        ...nodes,
      );
    } finally {
      await Promise.all(looks.map((look) => look[Symbol.asyncDispose]()));
    }
    const fails = found.filter(({ verdict }) => verdict === 'FAIL').length;
    const warns = found.filter(({ verdict }) => verdict === 'warn').length;
    return {
      ...(fails > 0 && { exit: 1 }),
      type: 'findings',
      findings: found,
      summary: `${plural(fails, 'failure')}, ${plural(warns, 'warning')}`,
    };
  },
});

const NO_SESSION: Finding = { verdict: 'FAIL', what: 'no session can be had, so the nodes were not looked at' };
const answers = ({ role, fault = '' }: Report): boolean =>
  role !== undefined || /^(not serving|does not allow)/.test(fault);

async function treeFindings(
  client: Client,
  path = '/',
  limit: number,
  owners: Owners,
  context: CommandContext,
): Promise<Finding[]> {
  return [
    ...(await quotaFindings(client, context)),
    ...(await withSuggestion(path, context, () => nodeFindings(client, path, limit, owners, context))),
  ];
}

/** What is asked of the servers after the walk, so that who owns a node was connected before. */
async function memberFindings(
  looks: readonly Look[],
  port: number,
  client: Client | undefined,
  owners: Owners,
  context: CommandContext,
): Promise<Finding[]> {
  const { tls, credentials } = context.session;
  const now = Date.now();
  const [told, forbidden] = await Promise.all([
    Promise.all(looks.map((look) => (isMute(look) ? undefined : look.connections()))),
    Promise.all(looks.map((look) => (isMute(look) ? [] : forbiddenOf(WORDS, look.report, context)))),
  ]);
  const connections = told.flatMap((each) => each?.others ?? []);
  // a server we cannot ask may be the one that its client talks to
  const isWhole = told.every((each) => each !== undefined);
  return [
    ...tlsFindings(looks, {
      wanted: tls !== undefined,
      insecure: tls?.insecure === true,
      secrets: credentials.some(({ scheme }) => isDigestScheme(scheme)),
      now,
    }),
    ...accessFindings(looks, forbidden, port),
    ...clockFindings(
      looks,
      looks.map((look, at) => told[at]?.skew ?? look.skew),
      forbidden,
    ),
    ...diskFindings(looks, now),
    ...(client === undefined ? [] : [await latencyFinding(client, context)]),
    ...(told.some((each) => each !== undefined) ? clientFindings(connections, client) : []),
    ...(isWhole && client !== undefined
      ? await heartbeatFindings(client, owners, connectedIn(connections, client), context)
      : []),
  ];
}
const isMute = ({ report: { fault } }: Look): boolean => fault !== undefined && !/^does not allow/.test(fault);

const idOf = (session: bigint): bigint => BigInt.asUintN(64, session);
const connectedIn = (connections: readonly Connection[], client: Client): ReadonlySet<bigint> =>
  new Set([...connections.map(({ session }) => idOf(session)), idOf(client.sessionId)]);

async function latencyFinding(client: Client, { signal }: CommandContext): Promise<Finding> {
  const times: number[] = [];
  for (let at = 0; at < 20; at++) {
    const began = performance.now();
    await client.sync('/', { signal });
    times.push(performance.now() - began);
  }
  const { p50, max } = percentiles(times);
  return {
    verdict: p50 > SLOW_MS ? 'warn' : 'ok',
    what: `a sync from here takes ${p50.toFixed(1)}ms, at most ${max.toFixed(1)}ms in 20 tries`,
  };
}

/** Who is connected besides this shell. */
function clientFindings(connections: readonly Connection[], client: Client | undefined): Finding[] {
  const own = client === undefined ? undefined : idOf(client.sessionId);
  const others = connections.filter(({ session }) => idOf(session) !== own);
  const perHost = new Map<string, number>();
  for (const each of others) {
    const host = each.client.replace(/:\d+$/, '');
    perHost.set(host, (perHost.get(host) ?? 0) + 1);
  }
  return [
    { verdict: 'ok', what: `${plural(others.length, 'other client')} connected, from ${plural(perHost.size, 'host')}` },
    ...[...perHost].flatMap(([host, count]): Finding[] =>
      count <= CROWD
        ? []
        : [
            {
              verdict: 'warn',
              what: `${host} has ${count} connections; servers allow 60 from one host by default`,
              fix: 'one client for each process, or maxClientCnxns',
            },
          ],
    ),
  ];
}
