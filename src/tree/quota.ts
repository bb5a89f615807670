import type { DataTree } from './data-tree.ts';

/** Has no quotas: what is below it changes by what is not a change of its nodes. */
const OWN = '/zookeeper';
const ROOT = `${OWN}/quota`;
const LIMITS = '/zookeeper_limits';
const STATS = '/zookeeper_stats';

/** Limits of a subtree; -1: none. */
export interface Limits {
  readonly count: number;
  readonly bytes: number;
  readonly countHard: number;
  readonly bytesHard: number;
}

/** Reads `count=1,bytes=2=;byteHardLimit=3;countHardLimit=4`; what is missing or odd is no limit. */
export function parseLimits(text: string): Limits {
  const figure = (key: string): number => {
    const found = new RegExp(`(?:^|[,;=])${key}=(-?\\d{1,15})(?=$|[,;=])`).exec(text);
    return found === null ? -1 : Number(found[1]);
  };
  return {
    count: figure('count'),
    bytes: figure('bytes'),
    countHard: figure('countHardLimit'),
    bytesHard: figure('byteHardLimit'),
  };
}

/** What is known of a subtree that has a quota, or had one. */
interface Subtree {
  readonly path: string;
  /** Undefined while there is no quota: what it uses is known on, so that who takes a quota away and sets it again has nothing counted anew. */
  limits: Limits | undefined;
  /** Nodes, the one at `path` among them, and bytes of their data: always what is there. */
  count: number;
  bytes: number;
  /** The stats node is there; usage is written into it. */
  shown: boolean;
}
/** Of subtrees without a quota so many are known on. */
const MOST_WITHOUT = 1000;
/** Quotas themselves count nowhere. */
const isQuota = (path: string): boolean => path.startsWith(`${ROOT}/`);

/**
 * Which subtrees have a quota, and what they use (semantics.md 12). A subtree is counted once, when its first quota comes to be,
 * and kept from there on; so what is known at any time is what is there, whoever counted it when: the members agree, and whoever
 * begins from a snapshot agrees with them. Costs nothing while there never was one.
 */
export class QuotaBook {
  private readonly subtrees = new Map<string, Subtree>();
  /** The paths of those that have no quota. */
  private readonly without = new Set<string>();
  private readonly tree: DataTree;
  constructor(tree: DataTree) {
    this.tree = tree;
  }
  /** Subtrees that are known. */
  get size(): number {
    return this.subtrees.size;
  }
  /** Those at or above `path`, the nearest first, until one is taken. */
  private find(path: string, take: (subtree: Subtree) => boolean): Subtree | undefined {
    if (this.subtrees.size === 0) return undefined;
    for (let at = path; at.length > 1; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
      const subtree = this.subtrees.get(at);
      if (subtree !== undefined && take(subtree)) return subtree;
    }
    return undefined;
  }
  /** Would these changes pass a hard limit of the nearest quota? A difference of zero is not looked at. */
  exceeds(path: string, countDelta: number, bytesDelta: number): boolean {
    const quota = this.find(path, ({ limits }) => limits !== undefined);
    if (quota?.limits === undefined) return false;
    const { countHard, bytesHard } = quota.limits;
    if (countDelta !== 0 && countHard > -1 && quota.count + countDelta > countHard) return true;
    return bytesDelta !== 0 && bytesHard > -1 && quota.bytes + bytesDelta > bytesHard;
  }
  /**
   * A node at `path` came (+1), went (-1) or changed its size. Every quota at or above it counts that, not the nearest alone as
   * in ZooKeeper: what is counted is then what a member finds that measures after a start, and all members show the same.
   */
  used(path: string, countDelta: number, bytesDelta: number): void {
    if (this.subtrees.size === 0 || isQuota(path)) return;
    this.find(path, (subtree) => {
      subtree.count += countDelta;
      subtree.bytes += bytesDelta;
      this.show(subtree);
      return false;
    });
  }
  /** A node below /zookeeper/quota came, changed or went: it may be a limit or a statistic. */
  noticed(path: string, row: number): void {
    if (!isQuota(path)) return;
    if (path.endsWith(LIMITS)) this.limited(path.slice(ROOT.length, -LIMITS.length), row);
    else if (path.endsWith(STATS)) {
      const quota = this.subtrees.get(path.slice(ROOT.length, -STATS.length));
      if (quota === undefined) return;
      quota.shown = row !== 0;
      this.show(quota); // whatever a client wrote there
    }
  }
  private limited(subject: string, row: number): void {
    if (subject === '' || subject === OWN || subject.startsWith(`${OWN}/`)) return;
    const known = this.subtrees.get(subject);
    if (row === 0) {
      if (known?.limits === undefined) return;
      known.limits = undefined;
      this.without.add(subject);
      const [first = subject] = this.without;
      if (this.without.size <= MOST_WITHOUT) return;
      // it may be counted again: nobody sees whether it is known
      this.without.delete(first);
      this.subtrees.delete(first);
      return;
    }
    const limits = parseLimits(this.tree.data(row)?.toString('utf8') ?? '');
    if (known === undefined) {
      const shown = this.tree.find(`${ROOT}${subject}${STATS}`) !== 0;
      this.subtrees.set(subject, { path: subject, limits, ...this.measure(subject), shown });
      return;
    }
    this.without.delete(subject);
    known.limits = limits;
  }
  private measure(path: string): { count: number; bytes: number } {
    const { tree } = this;
    const top = tree.find(path);
    if (top === 0) return { count: 0, bytes: 0 };
    let count = 0;
    let bytes = 0;
    for (let row = top; ; ) {
      count++;
      bytes += Math.max(0, tree.dataLength(row));
      let next = tree.firstChild(row);
      for (; next === 0; row = tree.parent(row)) {
        if (row === top) return { count, bytes };
        next = tree.nextSibling(row);
        if (next !== 0) break;
      }
      row = next;
    }
  }
  private show({ path, limits, shown, count, bytes }: Subtree): void {
    if (limits === undefined || !shown) return;
    const row = this.tree.find(`${ROOT}${path}${STATS}`);
    if (row === 0) return;
    this.tree.guard(row);
    this.tree.putData(row, Buffer.from(`count=${count},bytes=${bytes}`));
  }
  /** After a snapshot was loaded: every limit is read again and usage counted. */
  rebuild(): void {
    const { tree } = this;
    this.subtrees.clear();
    this.without.clear();
    const top = tree.find(ROOT);
    const stack = top === 0 ? [] : [top];
    for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
      const path = tree.pathOf(row);
      if (path.endsWith(LIMITS)) this.noticed(path, row);
      for (let child = tree.firstChild(row); child !== 0; child = tree.nextSibling(child)) stack.push(child);
    }
  }
}
