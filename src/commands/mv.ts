import { KeeperError } from '../base/errors.ts';
import type { Zxid } from '../base/ids.ts';
import { joinPath, nameOf, parentOf } from '../base/path.ts';
import { type Client, MultiError, type MultiOp } from '../client/api.ts';
import { batchesOf } from '../shell/batches.ts';
import { BulkCreator, creation } from '../shell/bulk-create.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { Failure, refused, usage } from '../shell/failure.ts';
import { isWithin, type NodeRecord, rebased, recordOf } from '../shell/node-record.ts';
import { ACL_OPTIONS, type AclPolicy, aclPolicy, aclUnder, liveSource, type NodeSource } from '../shell/node-source.ts';
import type { Output } from '../shell/output.ts';
import { viewOf } from '../shell/own-nodes.ts';
import { stoppedAfter } from '../shell/part-done.ts';
import { quoteWord } from '../shell/paths.ts';
import { type KeptFor, SelectiveDelete } from '../shell/selective-delete.ts';
import { type Aspects, differenceOf, hasUnknownAcl, type Pair, pairs } from '../shell/tree-plan.ts';
import { plural, showBytes } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import { guardGiven } from './acl-guard.ts';
import { type ConflictOptions, Conflicts } from './conflicts.ts';
import { refuseProtected } from './deleteall.ts';
import { QUOTA_ROOT } from './quota-text.ts';
import { inflightOf, makeAllParents, withSuggestion } from './support.ts';

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
    'Of the latter only what was compared goes: what others change or make meanwhile stays, is named, and the exit code is 12. mv -f then goes on, as after whatever else ended it.',
    'Versions and times begin anew. Ephemeral nodes belong to their sessions and cannot move. Quotas stay where they are.',
  ],
  async run({ from, to: said, force, noAcl, acl }, context): Promise<Output> {
    refuseProtected(viewOf(context), from);
    const to = said.endsWith('/') && said !== '/' ? said + nameOf(from) : said === '/' ? `/${nameOf(from)}` : said;
    if (isWithin(to, from)) throw usage(`mv: ${to} lies within ${from}`);
    const policy = aclPolicy('mv', noAcl, acl);
    await guardGiven(policy, to, 'moved', context);
    const client = await context.client();
    const { signal } = context;
    const parent = parentOf(to);
    const [there, above] = await Promise.all([client.exists(to, { signal }), client.exists(parent || '/', { signal })]);
    if (above === undefined && isElsewhere(to)) throw elsewhere(to);
    if (isElsewhere(from) && (await client.exists(from, { signal })) === undefined) throw elsewhere(from);
    if (above === undefined)
      throw new Failure(10, 'NoNode', `the parent does not exist: ${parent}`, {
        path: to,
        hint: `mkdir -p ${quoteWord(parent)} makes it`,
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

/** Copied, compared, then deleted. Whatever ends it, it is said how far it came, and that it can go on. */
async function inParts(
  client: Client,
  from: string,
  to: string,
  policy: AclPolicy,
  context: CommandContext,
): Promise<Output> {
  const job: Job = { client, from, to, policy, context };
  const again = `mv -f ${quoteWord(from)} ${quoteWord(to)} goes on with it`;
  const counts = { created: 0, updated: 0, same: 0, skipped: 0 };
  let upTo: Zxid;
  try {
    await copy(job, counts);
    await client.sync(from, { signal: context.signal });
    upTo = client.lastZxid;
    await compare(job);
  } catch (error) {
    const done = `${plural(counts.created + counts.updated, 'node')} copied`;
    const newer = error instanceof Failure ? error.hint : undefined;
    throw stoppedAfter(error, done, context, { hint: `nothing is deleted yet; ${newer ?? again}` });
  }
  const gone = new Originals(job, upTo);
  try {
    await gone.delete();
  } catch (error) {
    const done = `${plural(gone.count, 'node')} deleted at ${quoteWord(from)}`;
    const next = gone.hasNewerCopies ? overNewer(to) : again;
    throw stoppedAfter(error, done, context, { hint: `${quoteWord(to)} has all of it; ${next}` });
  }
  const moved = answer(from, to, gone.count);
  if (gone.exit === 0) return moved;
  await gone.tell();
  context.warn(`${quoteWord(to)} has all that was copied; ${gone.hasNewerCopies ? overNewer(to) : again}`);
  return { ...moved, exit: gone.exit };
}

/** Somebody writes at the new place already: to go on would put what was before over it. */
const overNewer = (to: string): string => `what others wrote at ${quoteWord(to)} is newer, and mv -f would undo it`;

interface Job {
  readonly client: Client;
  readonly from: string;
  readonly to: string;
  readonly policy: AclPolicy;
  readonly context: CommandContext;
}

const refuse = (path: string): never => {
  throw new KeeperError('NoAuth', path);
};
const sourceOptions = ({ policy, context }: Job) => ({
  signal: context.signal,
  inflight: inflightOf(context),
  acl: policy.way === 'keep',
  denied: refuse,
});

async function copy(job: Job, counts: ConflictOptions['counts']): Promise<void> {
  const { client, from, to, policy, context } = job;
  const { signal } = context;
  const conflicts = new Conflicts(client, { signal, onConflict: 'overwrite', root: to, counts });
  using progress = context.progress(`copying ${from}`);
  const creator = new BulkCreator(client, {
    signal,
    batches: batchesOf(context),
    existing: (record) => conflicts.settle(record),
    created() {
      progress.update(++counts.created);
    },
    makeParents: (paths) => makeAllParents(client, paths, context),
  });
  try {
    for await (const record of liveSource(client, from, from, sourceOptions(job)).nodes()) {
      if (record.kind === 'ephemeral')
        throw refused(`${record.path} is ephemeral: it cannot move`, 'it goes with its session', record.path);
      await creator.add({ ...record, path: rebased(record.path, from, to), acl: aclUnder(policy, record) });
    }
    await creator.end();
  } catch (error) {
    await creator.settle();
    throw error;
  }
}

/** For sure: what may not be read whole is not what was copied. */
const isSame = (pair: Pair, aspects: Aspects): boolean =>
  differenceOf(pair, aspects) === undefined && !(aspects.acl && hasUnknownAcl(pair));

/** @throws Failure (12) before anything is deleted */
async function compare(job: Job): Promise<void> {
  const { client, from, to, policy } = job;
  const options = sourceOptions(job);
  for await (const pair of pairs(liveSource(client, from, from, options), liveSource(client, to, to, options))) {
    if (pair.left === undefined) continue; // what was there before
    const aspects = { data: true, acl: policy.way === 'keep' };
    if (pair.right !== undefined && isSame(pair, aspects)) continue;
    // a copy is younger than what it was made of, unless that was changed since
    const isNewer = (pair.right?.stat?.mzxid ?? 0n) > (pair.left.stat?.mzxid ?? 0n);
    const copy = rebased(pair.path, from, to);
    if (!isNewer || differenceOf(pair, { data: true, acl: false }) === undefined)
      throw new Failure(12, 'BadVersion', `${pair.path} changed while it was copied`, { path: pair.path });
    throw new Failure(12, 'BadVersion', `${copy} was changed by others after it was copied`, {
      path: copy,
      hint: overNewer(to),
    });
  }
}

const NAMED = 5;
const CHANGED = 'it, or its copy, changed since they were compared';
const NEWER = 'its copy was changed by others since';
const WHY = {
  changed: CHANGED,
  newer: NEWER,
  BadVersion: CHANGED,
  came: 'it came since',
  NoAuth: 'not permitted',
} as const;

/**
 * The nodes that were copied and found the same: they go, each only as it was compared. What others changed or made since
 * is theirs and stays, with what is above it.
 */
class Originals {
  /** Of what is gone. */
  count = 0;
  exit = 0;
  /** Others have written at the new place. */
  hasNewerCopies = false;
  readonly #job: Job;
  readonly #upTo: Zxid;
  readonly #stayed: { readonly path: string; readonly why: string }[] = [];
  #more = 0;
  /** Nodes that only have those below them. */
  readonly #above: string[] = [];

  /** `upTo`: of the last change before all was compared. */
  constructor(job: Job, upTo: Zxid) {
    this.#job = job;
    this.#upTo = upTo;
  }

  async delete(): Promise<void> {
    const { client, from, to, policy, context } = this.#job;
    const { signal } = context;
    const remover = new SelectiveDelete(client, {
      signal,
      batches: batchesOf(context),
      deleted: async (paths) => {
        this.count += paths.length;
        progress.update(this.count);
      },
      kept: (path, why) => this.#keep(path, why),
    });
    using progress = context.progress(`deleting ${from}`);
    try {
      // data is not read once more: what has an older change is what was compared
      for await (const pair of pairs(this.#stats(from), this.#stats(to))) {
        const { left } = pair;
        if (left === undefined) continue;
        const why = this.#changeOf(pair, policy);
        if (why !== undefined) this.#keep(left.path, why);
        await remover.node(left.path, depthOf(left.path) - depthOf(from), why === undefined, left.stat?.version);
      }
      await remover.end();
    } catch (error) {
      await remover.settle();
      throw error;
    }
  }

  #stats(root: string): NodeSource {
    const { client } = this.#job;
    const options = sourceOptions(this.#job);
    const live = liveSource(client, root, root, options);
    return {
      ...live,
      async *nodes() {
        for await (const node of walkNodes(client, root, options))
          if (node.denied) refuse(node.path);
          else yield recordOf(node, options.acl);
      },
    };
  }

  /** Why a node is not the one that was compared with its copy. */
  #changeOf(pair: Pair, { way }: AclPolicy): 'changed' | 'newer' | 'came' | undefined {
    const { left, right } = pair;
    const isSince = (zxid: Zxid | undefined): boolean => zxid !== undefined && zxid > this.#upTo;
    if (isSince(left?.stat?.czxid)) return 'came';
    if (isSince(right?.stat?.mzxid)) return 'newer';
    const isCopy =
      right !== undefined && !isSince(left?.stat?.mzxid) && isSame(pair, { data: false, acl: way === 'keep' });
    return isCopy ? undefined : 'changed';
  }

  #keep(path: string, why: KeptFor | 'changed' | 'newer' | 'came'): void {
    if (why === 'newer') this.hasNewerCopies = true;
    this.exit = Math.max(this.exit, why === 'NoAuth' ? 14 : 12);
    if (why === 'NotEmpty') this.#above.push(path);
    else if (this.#stayed.length < NAMED) this.#stayed.push({ path, why: WHY[why] });
    else this.#more++;
  }

  /** Names what stays. What came into a node whose children were read before is looked for where it must be. */
  async tell(): Promise<void> {
    const { client, context } = this.#job;
    const { signal } = context;
    const known = this.#stayed.map(({ path }) => path);
    if (this.#more === 0)
      for (const above of this.#above.slice(0, NAMED)) {
        const { children } = await client.getChildren(above, { signal }).catch(() => ({ children: [] as string[] }));
        for (const path of children.map((name) => joinPath(above, name)))
          if (!known.some((each) => isWithin(each, path)) && !this.#above.includes(path)) this.#keep(path, 'came');
      }
    for (const { path, why } of this.#stayed) context.warn(`${quoteWord(path)} stays: ${why}`);
    if (this.#more > 0) context.warn(`... and ${plural(this.#more, 'other')} stay`);
    const [top] = this.#above;
    if (this.#stayed.length === 0 && top !== undefined) context.warn(`${quoteWord(top)} stays: it has children`);
  }
}

const depthOf = (path: string): number => (path === '/' ? 0 : path.split('/').length - 1);
