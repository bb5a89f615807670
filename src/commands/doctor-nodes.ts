/** What may be wrong with the nodes: too many, too large, open to everyone, without an owner, near their quota. */
import { KeeperError } from '../base/errors.ts';
import type { Client, Stat } from '../client/api.ts';
import type { CommandContext } from '../shell/command.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { quoteWord } from '../shell/paths.ts';
import { hex, plural, showBytes, showCount } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import type { Finding } from './doctor-members.ts';
import { share } from './quota.ts';
import { parseQuota, QUOTA_ROOT, statsPath } from './quota-text.ts';
import { inflightOf } from './support.ts';

/** A listing of so many bytes is more than other tools take by default (jute.maxbuffer). */
const LISTING_BYTES = 1_000_000;
const BIG_BYTES = 800_000;
const DELETE = 8;

export async function quotaFindings(client: Client, context: CommandContext): Promise<Finding[]> {
  const found: Finding[] = [];
  if (client.chroot !== '') return found; // they are not to be seen from here
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
        found.push({
          verdict: 'warn',
          what: `${quoteWord(subtree)} uses ${used} of its quota`,
          fix: `quota ls ${quoteWord(subtree)}`,
        });
    }
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error; // no quotas to be seen from here
  }
  return found;
}

/** Sessions that own ephemeral nodes, each with one of them and how many. */
export type Owners = Map<bigint, { readonly path: string; count: number }>;

/** The biggest of each kind, of nodes that come in the order of a walk; ties go to the first. */
class Largest {
  readonly #root: string;
  readonly #data = { path: '', most: 0 };
  readonly #children = { path: '', most: 0 };
  readonly #family = { path: '', most: 0 };
  #at = { path: '', below: 0 };
  constructor(root: string) {
    this.#root = root;
  }
  look(path: string, depth: number, { dataLength, numChildren }: Pick<Stat, 'dataLength' | 'numChildren'>): void {
    more(this.#data, path, dataLength);
    more(this.#children, path, numChildren);
    if (depth === 1) this.#at = { path, below: 0 };
    else if (depth > 1) more(this.#family, this.#at.path, ++this.#at.below);
  }
  text(): string {
    const [data, children, family] = [this.#data, this.#children, this.#family];
    return [
      `most children ${quoteWord(children.path || this.#root)} (${showCount(children.most)})`,
      ...(family.most > 0 ? [`largest family ${quoteWord(family.path)} (${plural(family.most, 'node')} below)`] : []),
      ...(data.most > 0 ? [`largest data ${quoteWord(data.path)} (${showBytes(data.most)})`] : []),
    ].join(', ');
  }
}
function more(known: { path: string; most: number }, path: string, value: number): void {
  if (value <= known.most) return;
  known.path = path;
  known.most = value;
}

/** Walks the nodes below `root`, `limit` of them; the owners of ephemeral nodes go into `owners`. */
export async function nodeFindings(
  client: Client,
  root: string,
  limit: number,
  owners: Owners,
  context: CommandContext,
): Promise<Finding[]> {
  const { signal } = context;
  const found: Finding[] = [];
  let [seen, bytes, denied] = [0, 0, 0];
  const wide: { path: string; children: number; bytes: number }[] = [];
  const big: { path: string; bytes: number }[] = [];
  const open: string[] = [];
  const largest = new Largest(root);
  let names = { path: '', bytes: 0 };
  const above: string[] = [];
  using progress = context.progress(`looking at ${root}`);
  for await (const node of walkNodes(client, root, {
    signal,
    inflight: inflightOf(context),
    skip: skipsOwn(client, root),
  })) {
    const { path, depth, stat } = node;
    progress.update(++seen);
    bytes += stat.dataLength;
    largest.look(path, depth, stat);
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
    if (stat.ephemeralOwner !== 0n) {
      const owner = BigInt.asUintN(64, stat.ephemeralOwner);
      const known = owners.get(owner);
      if (known === undefined) owners.set(owner, { path, count: 1 });
      else known.count++;
    }
    // an ephemeral node has nothing below it, and the root of all is open wherever nobody closed it
    const isTop = depth === 0 ? client.chroot !== '' || root !== '/' : depth === 1 && root === '/';
    if (isTop && stat.ephemeralOwner === 0n) {
      const acl = await client.getAcl(path, { signal }).catch(() => undefined);
      if (acl?.acl.some(({ scheme, id, perms }) => scheme === 'world' && id === 'anyone' && (perms & DELETE) !== 0))
        open.push(path);
    }
    if (seen >= limit) break;
  }
  for (const { path, children, bytes: size } of wide.slice(0, 10))
    found.push(
      size > LISTING_BYTES
        ? {
            verdict: 'warn',
            what: `${quoteWord(path)} has ${showCount(children)} children; listing it needs ${showBytes(size)}, and other tools take 1 MiB`,
            fix: 'spread them over several nodes',
          }
        : {
            verdict: 'warn',
            what: `${quoteWord(path)} has ${showCount(children)} children`,
            fix: 'spread them over several nodes',
          },
    );
  for (const each of big.slice(0, 10))
    found.push({
      verdict: 'warn',
      what: `${quoteWord(each.path)} holds ${showBytes(each.bytes)}; servers refuse more than 1 MiB`,
      fix: 'keep large data elsewhere',
    });
  if (open.length > 0)
    found.push({
      verdict: 'FAIL',
      what: `${open.slice(0, 5).map(quoteWord).join(', ')}${open.length > 5 ? ` and ${open.length - 5} more` : ''}: anyone may delete what is below`,
      fix: `addauth, then setAcl -R ${open.length > 1 ? 'PATH' : quoteWord(open[0] as string)} auth::cdrwa`,
    });
  if (denied > 0)
    found.push({ verdict: 'warn', what: `${plural(denied, 'node')} may not be listed from here`, fix: 'addauth' });
  if (seen > 1) found.push({ verdict: 'ok', what: largest.text() });
  found.push({
    verdict: 'ok',
    what: `looked at ${plural(seen, 'node')}, ${showBytes(bytes)} of data${seen >= limit ? ` (stopped there: --limit ${limit})` : ''}`,
  });
  return found;
}

/** Ephemeral nodes whose session no server hears of; `connected` are all that are connected anywhere. */
export async function heartbeatFindings(
  client: Client,
  owners: Owners,
  connected: ReadonlySet<bigint>,
  { signal }: CommandContext,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const [owner, { path, count }] of owners) {
    if (connected.has(owner)) continue;
    const stat = await client.exists(path, { signal });
    if (stat === undefined || BigInt.asUintN(64, stat.ephemeralOwner) !== owner) continue; // gone since
    found.push({
      verdict: 'warn',
      what: `${quoteWord(path)}${count > 1 ? ` and ${count - 1} more` : ''}: session ${hex(owner)} is not connected`,
      fix: 'ephemeral nodes go when their session times out',
    });
  }
  if (found.length <= 10) return found;
  return [
    ...found.slice(0, 10),
    { verdict: 'warn', what: `${plural(found.length - 10, 'more session')} with ephemeral nodes not connected` },
  ];
}
