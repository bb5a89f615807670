import { KeeperError } from '../base/errors.ts';
import type { Client } from '../client/api.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { connectionsOf, hasQuorum, membersOf, type Report, reportsOf } from '../shell/members.ts';
import type { Output } from '../shell/output.ts';
import { plural, showBytes, showCount } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import { percentiles } from './latency.ts';
import { share } from './quota.ts';
import { parseQuota, QUOTA_ROOT, statsPath } from './quota-text.ts';
import { inflightOf, skipsOwn } from './support.ts';

type Verdict = 'ok' | 'warn' | 'FAIL';
interface Finding {
  readonly verdict: Verdict;
  readonly what: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** Nodes looked at unless more is asked for. */
const LOOKED_AT = 100_000;
/** A listing of so many bytes is more than other tools take by default (jute.maxbuffer). */
const LISTING_BYTES = 1_000_000;
const BIG_BYTES = 800_000;
const SLOW_MS = 100;

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
  },
  examples: [
    ['doctor', 'servers and nodes'],
    ['doctor /app --limit 1000000', 'more of one subtree'],
  ],
  exits: [1, 3],
  notes: ['The exit code is 1 when something FAILs.'],
  async run({ path = '/', limit = LOOKED_AT }, context): Promise<Output> {
    const client = await context.client();
    const found: Finding[] = [];
    const members = await membersOf(context);
    const reports = await reportsOf(members, context);
    found.push(...serverFindings(reports));
    found.push(await latencyFinding(client, context));
    found.push(...(await sessionFindings(reports, context)));
    found.push(...(await quotaFindings(client, context)));
    found.push(...(await nodeFindings(client, path, limit, context)));
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

function serverFindings(reports: readonly Report[]): Finding[] {
  const found: Finding[] = [];
  const up = reports.filter(({ role }) => role !== undefined);
  const leader = up.find(({ role }) => role === 'leader');
  if (!hasQuorum(reports))
    found.push({ verdict: 'FAIL', what: `no quorum: ${up.length} of ${plural(reports.length, 'server')} serve` });
  else
    found.push({
      verdict: up.length === reports.length ? 'ok' : 'warn',
      what: `${up.length} of ${plural(reports.length, 'server')} serve${leader === undefined ? '' : `, leader ${leader.host}`}`,
    });
  for (const { host, role, fault } of reports)
    if (role === undefined) found.push({ verdict: 'FAIL', what: `${host}: ${fault}` });
  const versions = [...new Set(up.flatMap(({ version }) => version ?? []))];
  if (versions.length > 0)
    found.push(
      versions.length === 1
        ? { verdict: 'ok', what: `same version ${versions[0]} everywhere` }
        : { verdict: 'warn', what: `several versions: ${versions.join(', ')}`, fix: 'bring all servers to one' },
    );
  const voters = reports.filter(({ member }) => !member.isObserver).length;
  if (voters > 1 && voters % 2 === 0)
    found.push({
      verdict: 'warn',
      what: `${voters} voters bear no more failures than ${voters - 1}`,
      fix: 'an odd number of voters',
    });
  const zxids = up.flatMap(({ zxid }) => zxid ?? []);
  const sorted = [...zxids].sort((a, b) => (a < b ? -1 : 1));
  const lag = (sorted.at(-1) ?? 0n) - (sorted[0] ?? 0n);
  const epochs = new Set(zxids.map((zxid) => zxid >> 32n));
  if (epochs.size > 1)
    found.push({ verdict: 'FAIL', what: `servers in ${epochs.size} epochs: one of them is cut off` });
  else if (up.length > 1)
    found.push({ verdict: lag > 1000n ? 'warn' : 'ok', what: `the last server is ${lag} changes behind the first` });
  for (const { host, latency, outstanding = 0 } of up) {
    if (latency !== undefined && latency.average > SLOW_MS)
      found.push({
        verdict: 'FAIL',
        what: `${host} takes ${latency.average.toFixed(1)} ms on average`,
        fix: 'a disk of its own for the transaction log',
      });
    else if (latency !== undefined && latency.max > 1000)
      found.push({
        verdict: 'warn',
        what: `${host} took ${showCount(latency.max)} ms once since its start; average ${latency.average.toFixed(1)} ms`,
      });
    if (outstanding > 100)
      found.push({ verdict: 'warn', what: `${host} has ${showCount(outstanding)} requests waiting` });
  }
  for (const { host, uptimeMs } of up)
    if (uptimeMs !== undefined && uptimeMs < 60_000)
      found.push({ verdict: 'warn', what: `${host} was started less than a minute ago` });
  const silent = up.filter(({ uptimeMs }) => uptimeMs === undefined);
  if (silent.length > 0)
    found.push({
      verdict: 'warn',
      what: `${silent.map(({ host }) => host).join(' ')}: mntr is not allowed, so watches and data sizes are not known`,
      fix: '4lw.commands.whitelist=srvr,mntr,cons,ruok',
    });
  for (const { host, watches = 0 } of up)
    if (watches > 100_000) found.push({ verdict: 'warn', what: `${host} keeps ${showCount(watches)} watches` });
  return found;
}

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
    what: `a sync from here takes ${p50.toFixed(1)} ms, at most ${max.toFixed(1)} ms of 20`,
  };
}

async function sessionFindings(reports: readonly Report[], context: CommandContext): Promise<Finding[]> {
  const up = reports.filter(({ role }) => role !== undefined).map(({ member }) => member);
  if (up.length === 0) return [];
  const connections = await connectionsOf(up, context).catch(() => undefined);
  if (connections === undefined) return [];
  const perHost = new Map<string, number>();
  for (const { client } of connections) {
    const host = client.replace(/:\d+$/, '');
    perHost.set(host, (perHost.get(host) ?? 0) + 1);
  }
  const crowded = [...perHost].filter(([, count]) => count > 50);
  return [
    { verdict: 'ok', what: `${plural(connections.length, 'client')} connected, from ${plural(perHost.size, 'host')}` },
    ...crowded.map(
      ([host, count]): Finding => ({
        verdict: 'warn',
        what: `${host} has ${count} connections; servers allow 60 from one host by default`,
        fix: 'one client for each process, or maxClientCnxns',
      }),
    ),
  ];
}

async function quotaFindings(client: Client, context: CommandContext): Promise<Finding[]> {
  const found: Finding[] = [];
  const { signal } = context;
  try {
    for await (const { path, data } of walkNodes(client, QUOTA_ROOT, {
      signal,
      inflight: inflightOf(context),
      data: true,
    })) {
      if (!path.endsWith('/zookeeper_limits')) continue;
      const subtree = path.slice(QUOTA_ROOT.length, -'/zookeeper_limits'.length) || '/';
      const stats = await client.get(statsPath(subtree), { signal }).catch(() => undefined);
      const used = share(parseQuota(stats?.data?.toString() ?? ''), parseQuota(data?.toString() ?? ''));
      if (Number.parseInt(used, 10) >= 90)
        found.push({ verdict: 'warn', what: `${subtree} uses ${used} of its quota`, fix: `quota ls ${subtree}` });
    }
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error; // no quotas to be seen from here
  }
  return found;
}

async function nodeFindings(client: Client, root: string, limit: number, context: CommandContext): Promise<Finding[]> {
  const { signal } = context;
  const found: Finding[] = [];
  let [seen, bytes, denied] = [0, 0, 0];
  const wide: { path: string; children: number; bytes: number }[] = [];
  const big: { path: string; bytes: number }[] = [];
  const open: string[] = [];
  let names = { path: '', bytes: 0 };
  const above: string[] = [];
  using progress = context.progress(`looking at ${root}`);
  for await (const node of walkNodes(client, root, { signal, inflight: inflightOf(context), skip: skipsOwn(root) })) {
    const { path, depth, stat } = node;
    progress.update(++seen);
    bytes += stat.dataLength;
    if (node.denied) denied++;
    above.length = depth;
    const parent = above.at(-1) ?? '';
    if (parent === names.path) names.bytes += Buffer.byteLength(path) - Buffer.byteLength(parent) + 3;
    above.push(path);
    if (stat.numChildren > 10_000) {
      names = { path, bytes: 0 };
      wide.push({ path, children: stat.numChildren, bytes: 0 });
    }
    const last = wide.at(-1);
    if (last !== undefined && last.path === names.path) last.bytes = names.bytes;
    if (stat.dataLength > BIG_BYTES) big.push({ path, bytes: stat.dataLength });
    if (depth === 1 && root === '/') {
      const acl = await client.getAcl(path, { signal }).catch(() => undefined);
      if (acl?.acl.some(({ scheme, id, perms }) => scheme === 'world' && id === 'anyone' && (perms & 8) !== 0))
        open.push(path);
    }
    if (seen >= limit) break;
  }
  for (const { path, children, bytes: size } of wide.slice(0, 10))
    found.push(
      size > LISTING_BYTES
        ? {
            verdict: 'warn',
            what: `${path} has ${showCount(children)} children; listing it needs ${showBytes(size)}, and other tools take 1 MB`,
            fix: 'spread them over several nodes',
          }
        : { verdict: 'warn', what: `${path} has ${showCount(children)} children` },
    );
  for (const each of big.slice(0, 10))
    found.push({
      verdict: 'warn',
      what: `${each.path} holds ${showBytes(each.bytes)}; servers refuse more than 1 MB`,
      fix: 'keep large data elsewhere',
    });
  if (open.length > 0)
    found.push({
      verdict: 'FAIL',
      what: `${open.slice(0, 5).join(' ')}${open.length > 5 ? ` and ${open.length - 5} more` : ''}: anyone may delete what is below`,
      fix: `setAcl -R ${open[0]} auth::cdrwa`,
    });
  if (denied > 0)
    found.push({ verdict: 'warn', what: `${plural(denied, 'node')} may not be listed from here`, fix: 'addauth' });
  found.push({
    verdict: 'ok',
    what: `looked at ${plural(seen, 'node')}, ${showBytes(bytes)} of data${seen >= limit ? ` (stopped there: --limit ${limit})` : ''}`,
  });
  return found;
}
