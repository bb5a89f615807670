/** How one subtree differs from another, and what makes them equal. */
import { parentOf } from '../base/path.ts';
import type { Acl, Stat } from '../client/api.ts';
import { showAcl } from './acl-text.ts';
import { Failure } from './failure.ts';
import {
  compareAcls,
  comparePaths,
  isOpen,
  isUnder,
  isWithin,
  type NodeRecord,
  rebased,
  sameAcl,
  sameData,
} from './node-record.ts';
import { type AclPolicy, aclUnder, type NodeSource } from './node-source.ts';
import type { Difference } from './output.ts';
import { showBytes, showCount } from './units.ts';

/** One place in two trees; `path` as it is called in the first. */
export interface Pair {
  readonly path: string;
  readonly left: NodeRecord | undefined;
  readonly right: NodeRecord | undefined;
}

/** Both trees side by side, in their common order, a node at a time. */
export async function* pairs(left: NodeSource, right: NodeSource): AsyncGenerator<Pair> {
  const a = left.nodes()[Symbol.asyncIterator]();
  const b = right.nodes()[Symbol.asyncIterator]();
  const next = async (of: AsyncIterator<NodeRecord>): Promise<NodeRecord | undefined> => {
    const { value, done } = await of.next();
    return done === true ? undefined : value;
  };
  try {
    let [x, y] = await Promise.all([next(a), next(b)]);
    while (x !== undefined || y !== undefined) {
      const there = y === undefined ? undefined : rebased(y.path, right.root, left.root);
      const order = x === undefined ? 1 : there === undefined ? -1 : comparePaths(x.path, there);
      const path = order <= 0 ? (x as NodeRecord).path : (there as string);
      yield { path, left: order <= 0 ? x : undefined, right: order >= 0 ? y : undefined };
      [x, y] = await Promise.all([order <= 0 ? next(a) : x, order >= 0 ? next(b) : y]);
    }
  } finally {
    await Promise.all([a.return?.(), b.return?.()]);
  }
}

export interface Aspects {
  readonly data: boolean;
  readonly acl: boolean;
  readonly stat?: boolean;
}

/** Whether their ACLs are the same nobody can say, since password hashes may not be read. */
export const hasUnknownAcl = ({ left, right }: Pair): boolean =>
  left?.acl !== undefined && right?.acl !== undefined && compareAcls(left.acl, right.acl) === 'unknown';

/** How a pair differs, as it is told; undefined: not at all, as far as their ACLs may be read. */
export function differenceOf({ path, left, right }: Pair, aspects: Aspects): Difference | undefined {
  if (left === undefined || right === undefined) {
    const node = (left ?? right) as NodeRecord;
    const notes = [
      ...(node.kind === 'persistent' ? [] : [node.kind]),
      ...(aspects.acl && node.acl !== undefined && !isOpen(node.acl) ? [`acl ${showAcl(node.acl)}`] : []),
    ];
    return left === undefined
      ? { sign: '+', path, after: node.data, notes }
      : { sign: '-', path, version: node.stat?.version, before: node.data, notes };
  }
  const notes: string[] = [];
  if (left.kind !== right.kind) notes.push(`kind ${left.kind} -> ${right.kind}`);
  else if (left.ttlMs !== right.ttlMs) notes.push(`ttl ${left.ttlMs ?? 'none'} -> ${right.ttlMs ?? 'none'}`);
  if (
    aspects.acl &&
    left.acl !== undefined &&
    right.acl !== undefined &&
    compareAcls(left.acl, right.acl) === 'different'
  )
    notes.push(`acl ${showAcl(left.acl)} -> ${showAcl(right.acl)}`);
  if (aspects.stat === true && left.stat?.version !== right.stat?.version)
    notes.push(`version ${left.stat?.version ?? '?'} -> ${right.stat?.version ?? '?'}`);
  const isSame = !aspects.data || sameData(left.data, right.data);
  if (isSame && notes.length === 0) return undefined;
  return {
    sign: '~',
    path,
    version: left.stat?.version,
    ...(!isSame && { before: left.data, after: right.data }),
    notes,
  };
}

/** One change that makes a node as it should be. Versions are those the node has now. */
export interface Change {
  readonly difference: Difference;
  /** What is made; undefined for what goes. */
  readonly record?: NodeRecord;
  readonly setsData?: boolean;
  readonly acl?: readonly Acl[] | undefined;
  /** Of the node as it is; undefined: there is none. */
  readonly stat?: Pick<Stat, 'version' | 'aversion'> | undefined;
}

/** A plan is shown before it is carried out, and so in memory as a whole: so many changes, and so much data in them. */
export const MOST_CHANGES = 200_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** The changes of a plan, as many as memory may hold. */
class Changes {
  readonly list: Change[] = [];
  #bytes = 0;
  readonly #root: string;
  constructor(root: string) {
    this.#root = root;
  }
  /** @throws Failure (19) */
  add(change: Change): void {
    const { before, after } = change.difference;
    this.#bytes += (before?.length ?? 0) + (after?.length ?? change.record?.data?.length ?? 0);
    this.list.push(change);
    if (this.list.length <= MOST_CHANGES && this.#bytes <= MOST_BYTES) return;
    const what = `more than ${showCount(MOST_CHANGES)} changes or ${showBytes(MOST_BYTES)} of data under ${this.#root}`;
    throw new Failure(19, 'TooLarge', `${what}: too much for one plan; nothing was changed`, {
      path: this.#root,
      hint: 'do its subtrees one by one, or begin with import --on-conflict overwrite or cp -r -f, which plan nothing',
    });
  }
}

export interface PlanOptions {
  /** What is not in the file goes. */
  readonly prune: boolean;
  readonly acl: AclPolicy;
  /** Nodes that are left alone. */
  readonly skip?: ((path: string) => boolean) | undefined;
  /** Nodes of the tree that may not be read, known when the walk is past them. What is wanted at or below one is refused. */
  readonly hidden?: ReadonlySet<string>;
  /** What is missing above the root of `live`, the topmost first. */
  readonly above?: readonly string[];
  /** Told how many nodes were compared. */
  readonly seen?: (count: number) => void;
}

export interface Plan {
  readonly changes: readonly Change[];
  readonly same: number;
  /** Nodes that would go with `prune`. */
  readonly extra: number;
  /** Ephemeral nodes, on either side: not ours to make or take away. */
  readonly ephemerals: number;
  /** Nodes wanted that are left alone all the same. */
  readonly own: number;
}

/** A level of a tree that is there, or will be by then; `goes`: the change that takes it away. */
interface Level {
  readonly path: string;
  readonly goes?: Change;
}

/**
 * The way down to where a plan is. A file may hold a node and not those above it, as a list of paths and values does: they
 * are made, empty, as import makes them, and stay.
 */
class Levels {
  readonly #root: string;
  readonly #above: readonly string[];
  #there: Level[] = [];
  constructor(root: string, above: readonly string[]) {
    this.#root = root;
    this.#above = above;
  }
  /** Goes on to a path; those come in order. */
  reach(path: string): void {
    while (this.#there.length > 0 && !isWithin(path, (this.#there.at(-1) as Level).path)) this.#there.pop();
  }
  add(level: Level): void {
    this.#there.push(level);
  }
  /** What must be made above a node that is made, the topmost first. */
  missing(path: string): string[] {
    const top = this.#there.at(-1)?.path;
    const end = top ?? parentOf(this.#root);
    const levels: string[] = [];
    for (let at = parentOf(path); at !== end; at = parentOf(at)) levels.unshift(at);
    for (const each of levels) this.add({ path: each });
    return top === undefined ? [...this.#above, ...levels] : levels;
  }
  /** Something here stays, and so does all above it: the changes that are not to be made. */
  keep(): Change[] {
    const kept = this.#there.flatMap(({ goes }) => goes ?? []);
    if (kept.length > 0) this.#there = this.#there.map(({ path }) => ({ path }));
    return kept;
  }
}

/** `hint` for whoever can do without. */
export const unreadable = (path: string, hint = 'addauth presents a credential'): Failure =>
  new Failure(14, 'NoAuth', `${path} may not be read, so nobody can say how it differs`, { path, hint });

/** What makes `live` equal to `wanted`. Memory holds the changes. @throws Failure (14, 15, 19) */
export async function planOf(live: NodeSource, wanted: NodeSource, options: PlanOptions): Promise<Plan> {
  const changes = new Changes(live.root);
  const levels = new Levels(live.root, options.above ?? []);
  const kept = new Set<Change>();
  const keep = (): void => {
    for (const change of levels.keep()) kept.add(change);
  };
  let [same, extra, ephemerals, own, seen] = [0, 0, 0, 0, 0];
  for await (const pair of pairs(live, wanted)) {
    const { path, left, right } = pair;
    options.seen?.(++seen);
    if (options.skip?.(path) === true) {
      if (right !== undefined) own++;
      continue;
    }
    if (right !== undefined && options.hidden !== undefined && isUnder(path, options.hidden)) throw unreadable(path);
    levels.reach(path);
    if (left?.kind === 'ephemeral' || right?.kind === 'ephemeral') {
      ephemerals++;
      if (left === undefined) continue;
      keep();
      levels.add({ path });
      continue;
    }
    if (right === undefined) {
      if (!options.prune || path === live.root) {
        extra++;
        levels.add({ path });
        continue;
      }
      const difference = differenceOf(pair, { data: true, acl: false }) as Difference;
      const goes: Change = { difference, stat: versionsOf(left) };
      changes.add(goes);
      levels.add({ path, goes });
      continue;
    }
    keep();
    if (left === undefined) for (const each of levels.missing(path)) changes.add(emptyLevel(each));
    levels.add({ path });
    const change = changeOf(path, left, right, options.acl);
    if (change === undefined) same++;
    else changes.add(change);
  }
  const made = kept.size === 0 ? changes.list : changes.list.filter((each) => !kept.has(each));
  return { changes: made, same, extra: extra + kept.size, ephemerals, own };
}

/** A node that only has others below it. */
const emptyLevel = (path: string): Change => ({
  difference: { sign: '+', path, after: null, notes: [] },
  record: { path, data: null, acl: undefined, kind: 'persistent', stat: undefined },
});

/** What makes one node as `wanted`; undefined: it is. @throws Failure (14, 15) */
export function changeOf(
  path: string,
  now: NodeRecord | undefined,
  wanted: NodeRecord,
  policy: AclPolicy,
): Change | undefined {
  const acl = aclUnder(policy, wanted);
  const record: NodeRecord = { ...wanted, path, acl, stat: undefined };
  // a kind cannot be changed, and servers do not tell containers and TTL nodes apart from others
  const left = now && { ...now, kind: record.kind, ttlMs: record.ttlMs };
  if (hasUnknownAcl({ path, left, right: record }))
    // nor would it be taken from who may not read the hash
    throw new Failure(
      14,
      'NoAuth',
      `a password hash in the ACL of ${path} may not be read, so nobody can say how it differs`,
      {
        path,
        hint: 'addauth as one who has a presents a credential; --no-acl leaves ACLs out',
      },
    );
  const difference = differenceOf({ path, left, right: record }, { data: true, acl: acl !== undefined });
  if (difference === undefined) return undefined;
  const setsAcl = now?.acl !== undefined && acl !== undefined && !sameAcl(now.acl, acl);
  return {
    difference,
    record,
    setsData: now !== undefined && !sameData(now.data, wanted.data),
    acl: setsAcl ? acl : undefined,
    stat: versionsOf(now),
  };
}

/** What changes are bound to; the rest of a stat would be most of what a plan takes. */
function versionsOf(node: NodeRecord | undefined): Change['stat'] {
  if (node?.stat === undefined) return undefined;
  const { version, aversion = 0 } = node.stat;
  return { version, aversion };
}
