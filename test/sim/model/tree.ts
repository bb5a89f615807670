/**
 * What a tree of znodes is, after semantics.md 2 and 3, kept with all its past: every question is asked as of a moment.
 * Moments are places in the committed history, counted from 1; 0 is the fresh tree.
 */

/** `perms` for everyone, which is all that simulated clients use of ACLs. */
export interface ModelAcl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}
export const OPEN: readonly ModelAcl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }];
const READ_ONLY: readonly ModelAcl[] = [{ perms: 1, scheme: 'world', id: 'anyone' }];

/** A node as it is stored. Numbers named zxid are places in the history until they are shown. */
export interface ModelNode {
  readonly data: Buffer | null;
  readonly acl: readonly ModelAcl[];
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly pzxid: bigint;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  /** Creates of children, ever. */
  readonly creates: number;
  readonly aversion: number;
  /** 0n; the session of an ephemeral; the encoded kind of a container or a node with a time to live. */
  readonly owner: bigint;
  readonly children: number;
}
export const CONTAINER = -0x8000_0000_0000_0000n;
/** The longest that a node may be told to live, ms. */
export const MOST_TTL = 0xff_ffff_ffffn;
export const ownerOfTtl = (ttl: bigint): bigint => BigInt.asIntN(64, (0xffn << 56n) | ttl);
/** ms to live; undefined for every other kind of node. */
export const ttlOf = (owner: bigint): number | undefined =>
  BigInt.asUintN(64, owner) >> 56n === 0xffn ? Number(BigInt.asUintN(40, owner)) : undefined;
export const isEphemeral = (owner: bigint): boolean =>
  owner !== 0n && owner !== CONTAINER && ttlOf(owner) === undefined;
/** A container that nothing was ever below goes after this, ms. */
const NEVER_USED = 300_000;
/** Whether a container or a node with a time to live may go at that time, and why not. */
export function keeps(node: ModelNode, time: number): string | undefined {
  if (node.owner === 0n || isEphemeral(node.owner)) return 'neither a container nor a node with a time to live';
  if (node.children > 0) return 'it has children';
  if (node.owner === CONTAINER && node.creates > 0) return undefined;
  const ms = ttlOf(node.owner) ?? NEVER_USED;
  return time - node.mtime > ms ? undefined : `it was changed ${time - node.mtime} ms before, and has ${ms}`;
}

interface State {
  readonly from: number;
  readonly node: ModelNode | undefined;
}
interface Child {
  readonly name: string;
  readonly born: number;
  died: number;
}
const ALWAYS = Number.POSITIVE_INFINITY;

export const parent = (path: string): string => {
  const slash = path.lastIndexOf('/');
  return slash === 0 ? '/' : path.slice(0, slash);
};
export const name = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export class ModelTree {
  private readonly states = new Map<string, State[]>();
  private readonly childLists = new Map<string, Child[]>();
  /** The present moment. */
  now = 0;

  constructor() {
    const fresh = (acl: readonly ModelAcl[], children: number, aversion: number): ModelNode => ({
      data: Buffer.alloc(0),
      acl,
      ...{ czxid: 0n, mzxid: 0n, pzxid: 0n, ctime: 0, mtime: 0, version: 0, creates: 0, owner: 0n },
      children,
      aversion,
    });
    this.put('/', fresh(OPEN, 1, 0));
    this.put('/zookeeper', fresh(OPEN, 2, 0));
    this.put('/zookeeper/quota', fresh(OPEN, 0, 0));
    this.put('/zookeeper/config', fresh(READ_ONLY, 0, -1));
    for (const path of ['/zookeeper', '/zookeeper/quota', '/zookeeper/config']) this.born(path);
  }
  /** The node as it is now, or was at a moment. */
  get(path: string, moment = ALWAYS): ModelNode | undefined {
    const states = this.states.get(path === '' ? '/' : path);
    if (states === undefined) return undefined;
    let low = 0;
    let high = states.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((states[middle] as State).from <= moment) low = middle + 1;
      else high = middle;
    }
    return states[low - 1]?.node;
  }
  put(path: string, node: ModelNode | undefined): void {
    const states = this.states.get(path);
    if (states === undefined) this.states.set(path, [{ from: this.now, node }]);
    else if (states.at(-1)?.from === this.now) states[states.length - 1] = { from: this.now, node };
    else states.push({ from: this.now, node });
  }
  born(path: string): void {
    const list = this.childLists.get(parent(path));
    const child = { name: name(path), born: this.now, died: ALWAYS };
    if (list === undefined) this.childLists.set(parent(path), [child]);
    else list.push(child);
  }
  died(path: string): void {
    const list = this.childLists.get(parent(path)) ?? [];
    const own = name(path);
    for (let i = list.length - 1; i >= 0; i--) {
      const child = list[i] as Child;
      if (child.name !== own || child.died !== ALWAYS) continue;
      child.died = this.now;
      return;
    }
  }
  /** Names, sorted. */
  children(path: string, moment = this.now): string[] {
    const list = this.childLists.get(path === '' ? '/' : path) ?? [];
    return list
      .filter(({ born, died }) => born <= moment && died > moment)
      .map((child) => child.name)
      .sort();
  }
  /** Nodes below, at any depth. */
  descendants(path: string, moment = this.now): number {
    let count = 0;
    for (const each of this.children(path, moment))
      count += 1 + this.descendants(path === '/' || path === '' ? `/${each}` : `${path}/${each}`, moment);
    return count;
  }
  /** Every path there is at a moment. */
  paths(moment = this.now): string[] {
    return [...this.states.keys()].filter((path) => this.get(path, moment) !== undefined).sort();
  }
}

/** The Stat that clients are shown (semantics.md 3). */
export const shownStat = (node: ModelNode) => ({
  czxid: node.czxid,
  mzxid: node.mzxid,
  ctime: node.ctime,
  mtime: node.mtime,
  version: node.version,
  cversion: (2 * node.creates - node.children) | 0,
  aversion: node.aversion,
  ephemeralOwner: isEphemeral(node.owner) ? node.owner : 0n,
  dataLength: node.data?.length ?? 0,
  numChildren: node.children,
  pzxid: node.pzxid,
});
export type ShownStat = ReturnType<typeof shownStat>;
