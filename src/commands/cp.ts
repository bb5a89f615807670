import { KeeperError } from '../base/errors.ts';
import type { SessionId } from '../base/ids.ts';
import { nameOf, parentOf } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import type { Lack } from '../shell/archive-read.ts';
import { linesWriter } from '../shell/archive-write.ts';
import { batchesOf } from '../shell/batches.ts';
import { isElsewhere } from '../shell/bind.ts';
import { BulkCreator, creation } from '../shell/bulk-create.ts';
import { type CommandContext, command, type Progress } from '../shell/command.ts';
import { Failure, refused, usage } from '../shell/failure.ts';
import { narrowing } from '../shell/file-target.ts';
import { isWithin, type NodeRecord, rebased } from '../shell/node-record.ts';
import {
  ACL_OPTIONS,
  type AclPolicy,
  aclPolicy,
  aclUnder,
  clientAt,
  lostText,
  type NodeSource,
  notWhole,
  openSource,
  placeOf,
} from '../shell/node-source.ts';
import type { Output } from '../shell/output.ts';
import { stoppedAfter } from '../shell/part-done.ts';
import { quoteWord } from '../shell/paths.ts';
import { fileSink } from '../shell/sink.ts';
import { plural, showBytes, showCount } from '../shell/units.ts';
import { guardGiven } from './acl-guard.ts';
import { Conflicts, countText } from './conflicts.ts';
import { Denied, fileOf, inflightOf, makeAllParents, totalFrom, undoKeeps, withSuggestion } from './support.ts';

/** Nodes made again elsewhere. */
export default command({
  name: 'cp',
  group: 'bulk',
  about: 'copy nodes, also from and to other ensembles and files',
  risk: 'write',
  // a file is no node
  riskOf: ({ places }) => (fileOf(places.at(-1) ?? '') === undefined ? 'write' : 'read'),
  transaction: 'expanded',
  params: {
    places: {
      kind: 'place',
      about: 'what to copy, and last where to: PATH, @profile:PATH, file:F or snap:F:PATH (only from)',
      many: true,
      globs: true,
      endsInTarget: true,
      placeholder: 'SRC... DST',
    },
    recursive: { kind: 'flag', short: '-r', about: 'with all below' },
    force: { kind: 'flag', short: '-f', about: 'over nodes that are there' },
    keepAcl: { kind: 'flag', long: '--keep-acl', about: 'with their own ACLs, as without it', hidden: true },
    ...ACL_OPTIONS,
    noData: { kind: 'flag', long: '--no-data', about: 'only the nodes, without their data' },
    asPersistent: {
      kind: 'flag',
      long: '--as-persistent',
      about: 'ephemeral nodes as persistent ones; else they are left out',
    },
    atomic: { kind: 'flag', long: '--atomic', about: 'all in one transaction, or nothing' },
  },
  // --acl without an ACL behind it says what is so anyway
  legacy: (args) =>
    args.map((arg, at) => {
      const isBare = arg.quote === 'none' && arg.text === '--acl' && !isAcl(args[at + 1]?.text ?? '');
      return isBare ? { text: '--keep-acl', quote: 'none' } : arg;
    }),
  examples: [
    ['cp -r /app /backup/app', 'a subtree under another name'],
    ['cp -r /app/a /app/b /old/', 'several, into a node that is there'],
    ['cp -r @staging:/app @prod:/app', 'from one ensemble into another'],
    ['cp -r /app file:app.ndjson', 'into a file, as export does'],
  ],
  exits: [10, 11, 14, 15, 19, 30, 31, 44],
  notes: [
    'DST is the name of the copy; when it ends with a slash, or with several SRC, the copies go into it under their own names.',
    'ACLs are copied too; --acl ACL puts that one in their place. One that can only be read without password hashes is refused,',
    'but goes into a file, marked. A file is written over without a question, as export does it.',
    'Out of a file that was cut comes what it holds, and the exit code is 14; into another file it does not go (44).',
  ],
  async run(values, context): Promise<Output> {
    const { places, recursive, force, atomic } = values;
    const target = places.at(-1);
    const sources = places.slice(0, -1);
    if (values.keepAcl && (values.noAcl || values.acl !== undefined))
      throw usage('cp: --acl is given twice, or with --no-acl');
    if (target === undefined || sources.length === 0) throw usage('cp: say what to copy and where to: cp SRC... DST');
    const policy = aclPolicy('cp', values.noAcl, values.acl);
    const denied = new Denied();
    const counts: Counts = { created: 0, updated: 0, same: 0, skipped: 0 };
    const options = {
      signal: context.signal,
      inflight: inflightOf(context),
      acl: policy.way === 'keep',
      ...(!recursive && { depth: 0 }),
      denied: (path: string) => denied.add(path, fileOf(sources[0] as string)),
    };
    const lacks: string[] = [];
    const cutOf = (text: string) => ({ cut: (lack: Lack) => void lacks.push(notWhole(fileOf(text) ?? text, lack)) });
    const end = (where: string): Output => {
      denied.tell(context, 'read');
      for (const each of lacks) context.warn(each);
      return told(counts, where, denied.any || lacks.length > 0);
    };
    const to = placeOf(target);
    if (to.kind === 'snap') throw usage('cp: a snapshot is only read', 'snapshots are made by servers');
    if (to.kind === 'path') await guardGiven(policy, to.name, force && to.target === undefined, context);
    if (to.kind === 'file') {
      if (sources.length > 1) throw usage('cp: one source goes into a file');
      if (context.isDry || context.transaction.collects)
        throw refused('a dry run or a transaction does not write files', 'cp into a file on its own, without -n');
      const narrowed = narrowing(to.name); // what cannot be written is said before anything is read
      const unread: string[] = [];
      await using source = await openSource(sources[0] as string, context, {
        ...options,
        skipsOwn: true,
        denied: (path) => {
          denied.add(path, fileOf(sources[0] as string));
          unread.push(path);
        },
      });
      await toFile(
        { ...values, alone: !recursive, source, root: source.root, policy, counts },
        unread,
        to.name,
        context,
      );
      if (narrowed !== undefined) context.warn(narrowed);
      tellLost(sources[0] as string, source, context);
      return end(quoteWord(to.name));
    }
    await using there = await clientAt(to.target, context);
    const isInto = to.name.endsWith('/') || sources.length > 1;
    const copy = async (text: string): Promise<void> => {
      await using source = await openSource(text, context, { ...options, ...cutOf(text), skipsOwn: true });
      const folder = to.name.length > 1 ? to.name.replace(/\/$/, '') : '/';
      const root = isInto ? `${folder === '/' ? '' : folder}/${nameOf(source.root) || 'root'}` : folder;
      const isSameTree = placeOf(text).kind === 'path' && placeOf(text).target === to.target;
      if (isSameTree && recursive && isWithin(root, source.root))
        throw usage(`cp: ${root} lies within ${source.root}: the copy would copy itself`);
      if (isSameTree && root === source.root) throw usage(`cp: ${root} and ${source.root} are the same`);
      const job: Job = { ...values, source, client: there.client, target: to.target, root, policy, counts };
      await agree(job, force, context);
      await withSuggestion(source.root, context, () => (atomic ? atOnce(job, context) : inParts(job, force, context)));
      if (recursive) tellLost(text, source, context);
    };
    try {
      for (const text of sources) await copy(text);
    } catch (error) {
      const done = counts.created + counts.updated;
      const told = done === 0 ? undefined : `${plural(done, 'node')} copied`;
      throw stoppedAfter(error, told, context, { isElsewhere: to.target !== undefined });
    }
    return end(isElsewhere(target) ? target : quoteWord(target));
  },
});

function tellLost(text: string, { lost }: NodeSource, context: CommandContext): void {
  if (lost !== undefined) context.warn(lostText(fileOf(text) ?? text, lost));
}

function told(counts: Counts, target: string, isPart: boolean): Output {
  const what = Object.entries(counts)
    .filter(([name, count]) => count > 0 && name !== 'created')
    .map(([name, count]) => (name === 'skipped' ? `${showCount(count)} ephemeral left out` : countText(name, count)));
  return {
    ...(isPart && { exit: 14 }),
    type: 'counts',
    counts: { ...counts },
    text: `copied ${plural(counts.created, 'node')} to ${target}${what.length > 0 ? ` (${what.join(', ')})` : ''}`,
  };
}

/** `world:anyone:r`, `auth::cdrwa,...`: no path looks like it that anybody would type here. */
const isAcl = (text: string): boolean => /^(?!file:|snap:)\w+:(?!\/).*:(?:[cdrwa]+|all|ro)(?:,|$)/.test(text);

interface Counts {
  created: number;
  updated: number;
  same: number;
  skipped: number;
}
/** What is copied, and how. */
interface Work {
  readonly source: NodeSource;
  readonly root: string;
  readonly policy: AclPolicy;
  readonly recursive: boolean;
  readonly noData: boolean;
  readonly asPersistent: boolean;
  readonly counts: Counts;
}
interface Job extends Work {
  readonly client: Client;
  /** `@profile` of `root`; undefined: the session in use. */
  readonly target: string | undefined;
}

/** The parent must be there, and the place free unless it was said that it need not be. @throws Failure (10, 11, 31) */
async function agree({ client, target, root, source }: Job, force: boolean, context: CommandContext): Promise<void> {
  const { signal } = context;
  const parent = parentOf(root);
  const [there, above] = await Promise.all([client.exists(root, { signal }), client.exists(parent || '/', { signal })]);
  if (above === undefined)
    throw new Failure(10, 'NoNode', `the parent does not exist: ${parent}`, {
      path: root,
      hint: `mkdir -p ${quoteWord(parent)} makes it`,
    });
  const protects = context.session.isProtected(target);
  if (there === undefined) {
    // in the ensemble in use that was asked before
    if (target !== undefined && protects)
      await context.confirm({ what: `copy ${source.label} to ${target}:${root}`, path: root, protects });
    return;
  }
  if (!force)
    throw new Failure(11, 'NodeExists', `node already exists: ${root}`, {
      path: root,
      hint: '-f copies over it; DST/ copies into it',
    });
  const count = there.numChildren;
  await context.confirm({
    what: `copy ${source.label} over ${root}${count > 0 ? `, which has ${plural(count, 'child', 'children')}` : ''}`,
    path: root,
    count: count + 1,
    protects,
    keepsUndo: target === undefined && (await undoKeeps(client, [root], context)),
  });
}

/** The node as it is to be made; undefined: it is left out. @throws Failure (15) */
function wanted(record: NodeRecord, { source, root, policy, noData, asPersistent }: Work): NodeRecord | undefined {
  if (record.kind === 'ephemeral' && !asPersistent) return undefined;
  const kind = record.kind === 'ephemeral' ? 'persistent' : record.kind;
  const path = rebased(record.path, source.root, root);
  // its stat is of no use any more, and the largest part of it
  const { data, ttlMs } = record;
  return { path, kind, ttlMs, data: noData ? null : data, acl: aclUnder(policy, record) };
}

async function inParts(job: Job, force: boolean, context: CommandContext): Promise<void> {
  const { source, client, root, counts, noData } = job;
  const { signal } = context;
  const onConflict = force ? 'overwrite' : 'fail';
  const conflicts = new Conflicts(client, { signal, onConflict, root: force ? root : '', counts, keepsData: noData });
  using progress = context.progress(`copying ${source.label}`);
  const total = await totalOf(job, progress, context);
  const creator = new BulkCreator(client, {
    signal,
    batches: batchesOf(context),
    existing: (record) => conflicts.settle(record),
    created() {
      progress.update(++counts.created, total);
    },
    makeParents: (paths) => makeAllParents(client, paths, context),
  });
  try {
    for await (const record of nodesOf(job)) {
      const node = wanted(record, job);
      if (node === undefined) counts.skipped++;
      else await creator.add(node);
    }
    await creator.end();
  } catch (error) {
    await creator.settle();
    throw error;
  }
}

/** How many nodes there are to copy, where a server can tell. */
async function totalOf(
  { source: { client, root, label }, recursive }: Work,
  progress: Progress,
  context: CommandContext,
): Promise<number | undefined> {
  if (client === undefined || !recursive) return undefined;
  return totalFrom(client, root, progress, context, isElsewhere(label));
}

/** Files hold whole subtrees: of these only the root without -r. */
async function* nodesOf({ source, recursive }: Work): AsyncGenerator<NodeRecord> {
  for await (const record of source.nodes()) {
    yield record;
    if (!recursive) return;
  }
}

/** @throws Failure (19) before anything is sent, MultiError */
async function atOnce(job: Job, context: CommandContext): Promise<void> {
  const records: NodeRecord[] = [];
  using progress = context.progress(`reading ${job.source.label}`);
  const total = await totalOf(job, progress, context);
  for await (const record of nodesOf(job)) {
    const node = wanted(record, job);
    if (node === undefined) job.counts.skipped++;
    else progress.update(records.push(node), total);
  }
  const bytes = records.reduce((sum, { path, data }) => sum + path.length + (data?.length ?? 0) + 60, 0);
  if (bytes > 1_000_000)
    throw new Failure(
      19,
      'TooLarge',
      `${plural(records.length, 'node')} take ${showBytes(bytes)}, too much for one transaction`,
      {
        hint: 'leave out --atomic',
      },
    );
  await job.client.multi(records.map(creation), { signal: context.signal });
  job.counts.created += records.length;
}

/** The owner of what is not ephemeral. */
const NOBODY = 0n as SessionId;

/** As they are to be made by whoever reads the file: masked ACLs are marked there, as `export` does. */
async function toFile(
  work: Work & { readonly alone: boolean },
  unread: string[],
  file: string,
  context: CommandContext,
): Promise<void> {
  const { source, policy, counts, noData, asPersistent, alone } = work;
  const writer = await linesWriter(fileSink(file, context.signal), {
    root: source.root,
    acl: policy.way === 'fixed' || (policy.way === 'keep' && source.acl),
    stat: true,
    alone,
    isUnmarked: source.isUnmarked === true,
  });
  using progress = context.progress(`copying ${source.label}`);
  const total = await totalOf(work, progress, context);
  const noteUnread = async (): Promise<void> => {
    for (const path of unread.splice(0)) await writer.unread(path);
  };
  try {
    for await (const record of nodesOf(work)) {
      await noteUnread();
      if (record.kind === 'ephemeral' && !asPersistent) {
        counts.skipped++;
        continue;
      }
      await writer.node({
        ...record,
        kind: record.kind === 'ephemeral' ? 'persistent' : record.kind,
        ...(noData && { data: null }),
        // what is told of the node is so in the file, too
        ...(record.stat !== undefined && {
          stat: { ...record.stat, ...(asPersistent && { ephemeralOwner: NOBODY }), ...(noData && { dataLength: 0 }) },
        }),
        acl: policy.way === 'keep' ? record.acl : aclUnder(policy, record),
      });
      progress.update(++counts.created, total);
    }
    // a file that was there is not replaced by nothing
    if (counts.created === 0 && unread.includes(source.root)) throw new KeeperError('NoAuth', source.root);
    await noteUnread();
    await writer.end();
  } catch (error) {
    writer.abandon();
    if (error instanceof KeeperError && error.code === 'NoNode' && counts.created === 0)
      throw new Failure(10, 'NoNode', `node does not exist: ${source.root}`, { path: source.root, cause: error });
    throw error;
  }
}
