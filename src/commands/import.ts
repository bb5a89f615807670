import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import { type Client, MultiError } from '../client/api.ts';
import { type Archive, type Lack, openArchive, readArchive } from '../shell/archive-read.ts';
import { batchesOf } from '../shell/batches.ts';
import { BulkCreator, creation } from '../shell/bulk-create.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { isStdin } from '../shell/data.ts';
import { Failure, failureOf, usage } from '../shell/failure.ts';
import { fileHolds, isReadOnce } from '../shell/file-scan.ts';
import { comparePaths, isWithin, type NodeRecord, rebased, unknownAcls } from '../shell/node-record.ts';
import { ACL_OPTIONS, type AclPolicy, aclPolicy, aclUnder, lostText, notWhole } from '../shell/node-source.ts';
import type { Output } from '../shell/output.ts';
import { isOwn } from '../shell/own-nodes.ts';
import { stoppedAfter } from '../shell/part-done.ts';
import { quoteWord } from '../shell/paths.ts';
import { plural, showBytes } from '../shell/units.ts';
import { guardGiven } from './acl-guard.ts';
import { Conflicts, countText, type OnConflict } from './conflicts.ts';
import { refuseOwn, tellOwn } from './refuse-own.ts';
import { Denied, inflightOf, makeAllParents } from './support.ts';

/** A file of nodes into the tree. */
export default command({
  name: 'import',
  group: 'bulk',
  about: 'make the nodes that a file holds',
  risk: 'bulk',
  params: {
    file: {
      kind: 'file',
      about:
        'what export wrote, a JSON backup of zk_shell, lines of PATH=VALUE; - for standard input, or what a pipe gives',
    },
    root: {
      kind: 'path',
      long: '--root',
      about: 'the path that its top node gets; default the one it came from',
      placeholder: 'PATH',
    },
    onConflict: {
      kind: 'enum',
      long: '--on-conflict',
      about:
        'of a node that is there and differs: fail stops (default), skip leaves it, overwrite replaces it, newer does that when it is older',
      values: ['fail', 'skip', 'overwrite', 'newer'],
      placeholder: 'HOW',
    },
    ...ACL_OPTIONS,
    asPersistent: {
      kind: 'flag',
      long: '--as-persistent',
      about: 'ephemeral nodes as persistent ones; else they are left out',
    },
    atomic: { kind: 'flag', long: '--atomic', about: 'all in one transaction, or nothing' },
  },
  examples: [
    ['import app.ndjson', 'back to where it was'],
    ['import --root /copy app.ndjson', 'under another name'],
    ['import --on-conflict overwrite config.ndjson', 'also over what is there'],
  ],
  exits: [11, 12, 14, 15, 19, 30, 31, 44],
  notes: [
    'A node that is there with the same data and ACL is no conflict: an import that broke off can be repeated. Where password hashes may not be read that is told, and the exit code is 14.',
    'A file that was cut is refused (44) with --atomic; else it is used, with a warning, and the exit code is 14.',
    'Below a node whose ACL denies it, it stops (14); with -k before the command the others are made, and those that may not be are named.',
    'A node may be added to a folder by hand, as a folder with its data in __data__, and one may be taken out; take its line out of __nodes__ then, or it is told as lost.',
    'In a folder, folders whose names begin with a dot are not nodes (.git); of a node such a name begins with %2E.',
    'The root of the subtree may be there when it has neither data nor children.',
    'zxids, times, versions and counters of sequential nodes cannot be restored.',
    'A backup of zk_shell whose contents are all base64 is taken for one of its later versions, which write base64.',
  ],
  async run(values, context): Promise<Output> {
    const { atomic, root } = values;
    const file = isStdin(values.file) ? '-' : values.file;
    const isOnce = file === '-' || isReadOnce(file);
    const onConflict = (values.onConflict ?? 'fail') as OnConflict;
    const policy = aclPolicy('import', values.noAcl, values.acl);
    if (atomic && onConflict !== 'fail') throw usage('import: --atomic stops at any conflict: leave out --on-conflict');
    const unread = new Denied();
    const onUnread = (path: string): void => unread.add(path, file);
    let lack: Lack | undefined;
    // all or nothing means all of a whole file
    const onCut = atomic ? undefined : (what: Lack): void => void (lack = what);
    const open = (): Promise<Archive> =>
      file === '-'
        ? readArchive(context.input(), 'standard input', onUnread, onCut)
        : openArchive(file, context.signal, onUnread, onCut);
    if (!isOnce) await refuseEarly(file, policy, open, context.signal);
    const client = await context.client();
    await guardGiven(policy, root ?? 'what is imported', onConflict === 'overwrite' || onConflict === 'newer', context);
    if (context.asks && !isOnce) await agree(client, file, open, () => lack, root, onConflict, context);
    unread.clear();
    const archive = await open();
    try {
      const to = root ?? archive.root;
      refuseOwn(client, to);
      if (!context.asks || isOnce) await context.confirm({ what: `import ${file}`, path: to });
      const plan: Plan = { client, archive, to, policy, asPersistent: values.asPersistent, onConflict };
      const answer = await (atomic ? atOnce(plan, context) : inParts(plan, context));
      unread.tell(context, 'read');
      if (lack !== undefined) context.warn(notWhole(file === '-' ? 'standard input' : file, lack));
      if (archive.lost !== undefined) context.warn(lostText(file, archive.lost));
      return unread.any || lack !== undefined ? { ...answer, exit: 14 } : answer;
    } finally {
      await archive.close();
    }
  },
});

interface Plan {
  readonly client: Client;
  readonly archive: Archive;
  readonly to: string;
  readonly policy: AclPolicy;
  readonly asPersistent: boolean;
  readonly onConflict: OnConflict;
}

/** A file that holds an ACL without its hash is refused before anything of it is made. @throws Failure (15) */
async function refuseEarly(
  file: string,
  policy: AclPolicy,
  open: () => Promise<Archive>,
  signal: AbortSignal,
): Promise<void> {
  if (policy.way !== 'keep' || !(await fileHolds(file, ':x', signal))) return;
  const archive = await open();
  try {
    for await (const record of archive.nodes) {
      signal.throwIfAborted();
      aclUnder(policy, record);
    }
  } finally {
    await archive.close();
  }
}

/** Shows what it is about and asks. */
async function agree(
  client: Client,
  file: string,
  open: () => Promise<Archive>,
  lackOf: () => Lack | undefined,
  root: string | undefined,
  onConflict: OnConflict,
  context: CommandContext,
): Promise<void> {
  const { signal } = context;
  const archive = await open();
  const to = root ?? archive.root;
  refuseOwn(client, to);
  let [count, bytes, there] = [0, 0, 0];
  const asked = new Set<Promise<void>>();
  using progress = context.progress(`looking at ${file}`);
  for await (const { path, data } of archive.nodes) {
    progress.update(++count);
    bytes += data?.length ?? 0;
    const look = client.exists(rebased(path, archive.root, to), { signal }).then((stat) => {
      if (stat !== undefined) there++;
    });
    asked.add(look);
    void look.finally(() => asked.delete(look)).catch(() => {});
    if (asked.size >= inflightOf(context)) await Promise.race(asked);
  }
  await Promise.all(asked);
  await archive.close();
  const lack = lackOf();
  const how = { fail: 'stops there', skip: 'left alone', overwrite: 'replaced', newer: 'replaced when older' };
  await context.confirm({
    what: `import ${plural(count, 'node')} into ${to}`,
    path: to,
    count,
    keepsUndo: context.keepsUndo,
    details: [
      ...(lack === undefined ? [] : [notWhole(file, lack)]),
      `${plural(count, 'node')}, ${showBytes(bytes)} of data from ${file} into ${to}`,
      ...(there > 0 ? [`  ${plural(there, 'node')} there already; what is not the same: ${how[onConflict]}`] : []),
    ],
  });
}

/** The node as it is to be made; undefined: it is left out. @throws Failure (2, 15) */
function wanted(record: NodeRecord, { client, archive, to, policy, asPersistent }: Plan): NodeRecord | undefined {
  if (!isWithin(record.path, archive.root))
    throw usage(`${record.path} is not below the root of the file, ${archive.root}`);
  const path = rebased(record.path, archive.root, to);
  if (isOwn(client, path)) return undefined;
  if (record.kind === 'ephemeral' && !asPersistent) return undefined;
  const kind = record.kind === 'ephemeral' ? 'persistent' : record.kind;
  return { ...record, path, kind, acl: aclUnder(policy, record) };
}

async function inParts(plan: Plan, context: CommandContext): Promise<Output> {
  const { client, archive, to, onConflict } = plan;
  const { signal } = context;
  const counts = { created: 0, updated: 0, same: 0, skipped: 0 };
  using progress = context.progress(`importing into ${to}`);
  const conflicts = new Conflicts(client, { signal, onConflict, root: to, counts });
  const denied = new Denied();
  let refusals = 0;
  const creator = new BulkCreator(client, {
    signal,
    batches: batchesOf(context),
    ...(context.keepGoing && {
      denied: ({ path }: NodeRecord) => {
        denied.add(path);
        refusals++;
      },
    }),
    existing: (record) => conflicts.settle(record),
    created() {
      counts.created++;
    },
    makeParents: (paths) => makeAllParents(client, paths, context),
  });
  let [seen, own] = [0, 0];
  try {
    for await (const record of archive.nodes) {
      signal.throwIfAborted();
      const node = wanted(record, plan);
      if (node === undefined) {
        counts.skipped++;
        if (isOwn(client, rebased(record.path, archive.root, to))) own++;
      } else if (node.path === '/') await conflicts.settle(node);
      else await creator.add(node);
      progress.update(++seen);
    }
    await creator.end();
  } catch (error) {
    await creator.settle();
    const done = counts.created + counts.updated;
    const hint =
      isDenial(error) && !context.keepGoing
        ? '-k before the command goes on without what may not be written'
        : undefined;
    if (done > 0) throw stoppedAfter(error, `${plural(done, 'node')} written`, context, { hint });
    if (hint === undefined) throw error;
    const { message, path } = failureOf(error);
    throw new Failure(14, 'NoAuth', message, { path, hint, cause: error });
  }
  denied.tell(context, 'write');
  tellOwn(own, context);
  const { unknown } = conflicts;
  if (unknown.length > 0) context.warn(unknownAcls(unknown));
  if (denied.any) return { ...answer({ ...counts, denied: refusals }, to), exit: 14 };
  return { ...answer(counts, to), ...(unknown.length > 0 && { exit: 14 }) };
}

const isDenial = (error: unknown): boolean =>
  (error instanceof KeeperError || error instanceof MultiError) && error.code === 'NoAuth';

const answer = (counts: Readonly<Record<string, number>>, to: string): Output => ({
  type: 'counts',
  counts,
  text: `imported into ${quoteWord(to)}: ${Object.entries(counts)
    .filter(([name, count]) => count > 0 || name === 'created')
    .map(([name, count]) => countText(name, count))
    .join(', ')}`,
});

/** All of it or nothing. @throws Failure (19) before anything is sent */
async function atOnce(plan: Plan, context: CommandContext): Promise<Output> {
  const records: NodeRecord[] = [];
  let skipped = 0;
  for await (const record of plan.archive.nodes) {
    const node = wanted(record, plan);
    if (node === undefined || node.path === '/') skipped++;
    else records.push(node);
  }
  // a list of paths and values may name what is below a node before that
  records.sort((a, b) => comparePaths(a.path, b.path));
  const size = records.reduce((sum, { path, data }) => sum + path.length + (data?.length ?? 0) + 60, 0);
  if (size > 1_000_000)
    throw new Failure(
      19,
      'TooLarge',
      `${plural(records.length, 'node')} take ${showBytes(size)}, too much for one transaction`,
      {
        hint: 'leave out --atomic',
      },
    );
  const levels = await levelsAbove(plan.client, records, context.signal);
  await plan.client.multi(records.flatMap((record) => [...(levels.get(record.path) ?? []), record]).map(creation), {
    signal: context.signal,
  });
  return answer({ created: records.length, updated: 0, same: 0, skipped }, plan.to);
}

/**
 * What is missing above them and not among them, with the one before which it is made. It is a part of the transaction: made
 * on its own it would be there also when the rest is refused.
 */
async function levelsAbove(
  client: Client,
  records: readonly NodeRecord[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly NodeRecord[]>> {
  const reached = new Set(records.map(({ path }) => path));
  const levels = new Map<string, NodeRecord[]>();
  for (const { path } of records) {
    const above: string[] = [];
    for (let at = parentOf(path); at !== '/' && at !== '' && !reached.has(at); at = parentOf(at)) above.unshift(at);
    for (const each of above) reached.add(each);
    const there = await Promise.all(above.map((each) => client.exists(each, { signal })));
    const missing = above.filter((_, at) => there[at] === undefined);
    if (missing.length > 0)
      levels.set(
        path,
        missing.map((each): NodeRecord => ({ path: each, data: null, acl: undefined, kind: 'persistent' })),
      );
  }
  return levels;
}
