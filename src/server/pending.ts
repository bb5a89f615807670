import { type AclList, CONTAINER_OWNER } from '../records/txns.ts';

/** A node as it will be once everything proposed is applied. Replaced, never changed, so that a multi can be taken back. */
export interface PendingNode {
  readonly path: string;
  readonly exists: boolean;
  readonly version: number;
  readonly aversion: number;
  /** Creates below it, ever. */
  readonly creates: number;
  readonly children: number;
  /** 0n, a session, a container or a time to live, as stored. */
  readonly owner: bigint;
  readonly acl: AclList;
  /** Bytes of data, 0 for null. */
  readonly dataBytes: number;
  /** Number of the proposal that made it so. */
  readonly by: number;
}

/** Where the applied state comes from. */
export interface AppliedNodes {
  load(path: string): PendingNode | undefined;
}

/**
 * Decisions run ahead of what is applied: every write is decided against the tree plus all that was decided and is not
 * applied yet (semantics.md 4). Entries go when the proposal that made them is applied.
 */
export class PendingChanges {
  private readonly nodes = new Map<string, PendingNode>();
  private readonly applied: AppliedNodes;
  /** While a multi is decided: what its entries replaced. */
  private undo: [string, PendingNode | undefined][] | undefined;

  constructor(applied: AppliedNodes) {
    this.applied = applied;
  }
  get size(): number {
    return this.nodes.size;
  }
  /** The node as decided so far, or undefined when there is none. */
  get(path: string): PendingNode | undefined {
    const node = this.nodes.get(path);
    if (node !== undefined) return node.exists ? node : undefined;
    return this.applied.load(path);
  }
  /** What is decided of it differently from how it is applied, that it will not exist included; undefined: nothing. */
  entry(path: string): PendingNode | undefined {
    return this.nodes.get(path);
  }
  put(node: PendingNode): void {
    this.undo?.push([node.path, this.nodes.get(node.path)]);
    this.nodes.set(node.path, node);
  }
  begin(): void {
    this.undo = [];
  }
  keep(): void {
    this.undo = undefined;
  }
  /** Takes back everything since {@link begin}. */
  rollBack(): void {
    const undo = this.undo ?? [];
    this.undo = undefined;
    for (let i = undo.length - 1; i >= 0; i--) {
      const [path, before] = undo[i] as [string, PendingNode | undefined];
      if (before === undefined) this.nodes.delete(path);
      else this.nodes.set(path, before);
    }
  }
  /** Proposal `by` is applied: what it decided about `path` is now in the tree. */
  settle(path: string, by: number): void {
    const node = this.nodes.get(path);
    if (node !== undefined && node.by === by) this.nodes.delete(path);
  }
  /** Every node that is decided differently from how it is applied, those that will not exist included. */
  all(): Iterable<PendingNode> {
    return this.nodes.values();
  }
  clear(): void {
    this.nodes.clear();
  }
}

const TTL_BYTE = 0xffn;
/** True when the owner is a session: the node is ephemeral. */
export const isEphemeral = (owner: bigint): boolean =>
  owner !== 0n && owner !== CONTAINER_OWNER && BigInt.asUintN(64, owner) >> 56n !== TTL_BYTE;
