import { KeeperError } from '../base/errors.ts';
import { nameOf, parentOf } from '../base/path.ts';
import { type Client, MultiError, type MultiOp } from '../client/api.ts';
import { BulkCreator, creation } from '../shell/bulk-create.ts';
import { deleteTree } from '../shell/bulk-delete.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { Failure, refused, usage } from '../shell/failure.ts';
import { isWithin, type NodeRecord, rebased } from '../shell/node-record.ts';
import { ACL_OPTIONS, type AclPolicy, aclPolicy, aclUnder, liveSource } from '../shell/node-source.ts';
import type { Output } from '../shell/output.ts';
import { viewOf } from '../shell/own-nodes.ts';
import { quoteWord } from '../shell/paths.ts';
import { differenceOf, pairs } from '../shell/tree-plan.ts';
import { plural, showBytes } from '../shell/units.ts';
import { guardGiven } from './acl-guard.ts';
import { Conflicts } from './conflicts.ts';
import { refuseProtected } from './deleteall.ts';
import { QUOTA_ROOT } from './quota-text.ts';
import { inflightOf, makeParents, withSuggestion } from './support.ts';

/** What one transaction may hold; servers take a million bytes. */
const ONE_BYTES = 700_000;
const ONE_OPS = 4000;
const ROUNDS = 3;

/** A subtree under another name. */
export default command({
  name: 'mv',
  group: 'bulk',
  about: 'move a node with all below it to another path',
  risk: 'bulk',
  transaction: 'expanded',
  params: {
    from: { kind: 'path', about: 'the node' },
    to: { kind: 'newPath', about: 'its new path; with a slash at its end, the node it goes into', trailingSlash: true },
    force: {
      kind: 'flag',
      short: '-f',
      about: 'into nodes that are there: their data is replaced, others stay; so a move that broke off goes on',
    },
    ...ACL_OPTIONS,
  },
  examples: [
    ['mv /app/old /app/new', 'another name'],
    ['mv /app/a /archive/', 'into a node, under its own name'],
    ['mv -f /app/new /app/current', 'into what is there'],
  ],
  exits: [10, 11, 12, 14, 15, 30, 31],
  notes: [
    'What fits into one request moves in one transaction: nobody sees half of it. More is copied, compared, then deleted.',
    'Versions and times begin anew. Ephemeral nodes belong to their sessions and cannot move. Quotas stay where they are.',
  ],
  async run({ from, to: said, force, noAcl, acl }, context): Promise<Output> {
    refuseProtected(viewOf(context), from);
    const to = said.endsWith('/') && said !== '/' ? said + nameOf(from) : said === '/' ? `/${nameOf(from)}` : said;
    if (isWithin(to, from)) throw usage(`mv: ${to} lies within ${from}`);
    const policy = aclPolicy('mv', noAcl, acl);
    await guardGiven(policy, to, true, context);
    const client = await context.client();
    const { signal } = context;
    const parent = parentOf(to);
    const [there, above] = await Promise.all([client.exists(to, { signal }), client.exists(parent || '/', { signal })]);
    if (above === undefined && isElsewhere(to)) throw elsewhere(to);
    if (isElsewhere(from) && (await client.exists(from, { signal })) === undefined) throw elsewhere(from);
    if (above === undefined)
      throw new Failure(10, 'NoNode', `the parent does not exist: ${parent}`, {
        path: to,
        hint: `mkdir -p ${parent} makes it`,
      });
    if (there !== undefined && !force)
      throw new Failure(11, 'NodeExists', `node already exists: ${to}`, {
        path: to,
        hint: 'TO/ moves into it; -f moves over it, as after a move that broke off',
      });
    for (let round = 1; ; round++) {
      const seen = await withSuggestion(from, context, () => look(client, from, policy, context));
      await agree(from, to, seen, round, context);
      if (there !== undefined || seen.records === undefined) {
        const moved = await inParts(client, from, to, policy, context);
        await tellLimits(client, from, context);
        return moved;
      }
      try {
        await client.multi(moveOf(seen.records, from, to), { signal });
        await tellLimits(client, from, context);
        return answer(from, to, seen.count);
      } catch (error) {
        const code = error instanceof MultiError ? error.code : undefined;
        const moved = code === 'BadVersion' || code === 'NotEmpty' || code === 'NoNode';
        if (!moved || round >= ROUNDS) throw error;
        // somebody changed it meanwhile: look again
      }
    }
  },
});

/** It looks like a place that is no path of this session; a node may be called so, too. */
const isElsewhere = (path: string): boolean => /\/(?:@[\w.-]+|file|snap):/.test(path);
const elsewhere = (path: string): Failure =>
  usage(
    `mv works within one ensemble, where there is no ${path}`,
    'cp -r takes @profile:PATH and file:F; deleteall then removes what was copied',
  );

/** Quotas are kept by path, not with the nodes: those of the old one go on counting there. */
async function tellLimits(client: Client, from: string, context: CommandContext): Promise<void> {
  if (context.isDry || from === '/') return;
  // it is only a word behind a change that was made: whoever may not see it does without
  const limits = await client.exists(QUOTA_ROOT + from, { signal: context.signal }).catch(() => undefined);
  if (limits !== undefined)
    context.warn(`quota limits at ${quoteWord(from)} or below stay behind: quota ls shows them, delquota removes them`);
}

interface Seen {
  readonly count: number;
  /** Of data. */
  readonly bytes: number;
  /** Undefined: too much for one transaction. */
  readonly records: readonly NodeRecord[] | undefined;
}

/** @throws Failure (15, 30) for what cannot move */
async function look(client: Client, from: string, policy: AclPolicy, context: CommandContext): Promise<Seen> {
  const { signal } = context;
  let records: NodeRecord[] | undefined = [];
  let [count, bytes, size] = [0, 0, 0];
  using progress = context.progress(`looking at ${from}`);
  const source = liveSource(client, from, from, {
    signal,
    inflight: inflightOf(context),
    acl: policy.way === 'keep',
    denied: (path) => {
      throw new KeeperError('NoAuth', path);
    },
  });
  for await (const record of source.nodes()) {
    progress.update(++count);
    if (record.kind === 'ephemeral')
      throw refused(
        `${record.path} is ephemeral and belongs to a session: it cannot move`,
        'cp --as-persistent copies it as a persistent node',
        record.path,
      );
    const acl = aclUnder(policy, record);
    bytes += record.data?.length ?? 0;
    size += 3 * record.path.length + (record.data?.length ?? 0) + 150;
    if (size > ONE_BYTES || count > ONE_OPS) records = undefined;
    records?.push({ ...record, acl });
  }
  return { count, bytes, records };
}

async function agree(
  from: string,
  to: string,
  { count, bytes, records }: Seen,
  round: number,
  context: CommandContext,
): Promise<void> {
  if (round > 1) return;
  await context.confirm({
    what: `move ${plural(count, 'node')} from ${from} to ${to}`,
    path: from,
    count,
    keepsUndo: context.keepsUndo,
    details: [
      `${plural(count, 'node')}, ${showBytes(bytes)} from ${from} to ${to}`,
      records === undefined ? '  too much for one transaction: copied, compared, then deleted' : '  in one transaction',
    ],
  });
}

/** Made there, gone here, each as it was seen. */
const moveOf = (records: readonly NodeRecord[], from: string, to: string): MultiOp[] => [
  ...records.map((record) => creation({ ...record, path: rebased(record.path, from, to) })),
  ...[...records].reverse().map(({ path, stat }): MultiOp => ({ op: 'delete', path, version: stat?.version ?? -1 })),
];

const answer = (from: string, to: string, count: number): Output => ({
  type: 'counts',
  counts: { moved: count },
  text: `moved ${plural(count, 'node')} from ${quoteWord(from)} to ${quoteWord(to)}`,
});

async function inParts(
  client: Client,
  from: string,
  to: string,
  policy: AclPolicy,
  context: CommandContext,
): Promise<Output> {
  const { signal } = context;
  const options = { signal, inflight: inflightOf(context), acl: policy.way === 'keep', denied: refuse };
  const counts = { created: 0, updated: 0, same: 0, skipped: 0 };
  const conflicts = new Conflicts(client, { signal, onConflict: 'overwrite', root: to, counts });
  using progress = context.progress(`copying ${from}`);
  const creator = new BulkCreator(client, {
    signal,
    existing: (record) => conflicts.settle(record),
    created() {
      progress.update(++counts.created);
    },
    makeParents: (path) => makeParents(parentOf(path), context),
  });
  const note = `nothing is deleted yet; mv -f ${from} ${to} goes on with it`;
  try {
    for await (const record of liveSource(client, from, from, options).nodes()) {
      if (record.kind === 'ephemeral') throw refused(`${record.path} is ephemeral: it cannot move`, note, record.path);
      await creator.add({ ...record, path: rebased(record.path, from, to), acl: aclUnder(policy, record) });
    }
    await creator.end();
    const left = liveSource(client, from, from, options);
    for await (const pair of pairs(left, liveSource(client, to, to, options))) {
      if (pair.left === undefined) continue; // what was there before
      const aspects = { data: true, acl: policy.way === 'keep' };
      if (pair.right === undefined || differenceOf(pair, aspects) !== undefined)
        throw new Failure(12, 'BadVersion', `${pair.path} changed while it was copied`, {
          path: pair.path,
          hint: note,
        });
    }
  } catch (error) {
    if (signal.aborted) context.warn(`copied ${plural(counts.created, 'node')}; ${note}`);
    throw error;
  }
  let count = 0;
  await deleteTree(client, from, {
    signal,
    inflight: inflightOf(context),
    batch: 1000,
    keepRoot: false,
    skip: () => false,
    deleted(paths) {
      count += paths.length;
    },
  });
  return answer(from, to, count);
}

const refuse = (path: string): never => {
  throw new KeeperError('NoAuth', path);
};
