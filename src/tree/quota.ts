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

interface Quota {
  readonly path: string;
  readonly limits: Limits;
  count: number;
  bytes: number;
  /** The stats node is there; usage is written into it. */
  shown: boolean;
}

/** Which subtrees have a quota, and what they use (semantics.md 12). Costs nothing while there is none. */
export class QuotaBook {
  private readonly quotas = new Map<string, Quota>();
  private readonly tree: DataTree;
  constructor(tree: DataTree) {
    this.tree = tree;
  }
  get size(): number {
    return this.quotas.size;
  }
  /** The nearest quota at or above `path`. */
  private nearest(path: string): Quota | undefined {
    if (this.quotas.size === 0) return undefined;
    for (let at = path; at.length > 1; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
      const quota = this.quotas.get(at);
      if (quota !== undefined) return quota;
    }
    return undefined;
  }
  /** Would these changes pass a hard limit of the nearest quota? A difference of zero is not looked at. */
  exceeds(path: string, countDelta: number, bytesDelta: number): boolean {
    const quota = this.nearest(path);
    if (quota === undefined) return false;
    const { countHard, bytesHard } = quota.limits;
    if (countDelta !== 0 && countHard > -1 && quota.count + countDelta > countHard) return true;
    return bytesDelta !== 0 && bytesHard > -1 && quota.bytes + bytesDelta > bytesHard;
  }
  /**
   * A node at `path` came (+1), went (-1) or changed its size. Every quota at or above it counts that, not the nearest alone as
   * in ZooKeeper: what is counted is then what a member finds that measures after a start, and all members show the same.
   */
  used(path: string, countDelta: number, bytesDelta: number): void {
    if (this.quotas.size === 0 || path.startsWith(`${ROOT}/`)) return;
    for (let at = path; at.length > 1; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
      const quota = this.quotas.get(at);
      if (quota === undefined) continue;
      quota.count += countDelta;
      quota.bytes += bytesDelta;
      if (quota.shown) this.show(quota);
    }
  }
  /** A node below /zookeeper/quota came, changed or went: it may be a limit or a statistic. */
  noticed(path: string, row: number): void {
    if (!path.startsWith(`${ROOT}/`)) return;
    if (path.endsWith(LIMITS)) {
      const subject = path.slice(ROOT.length, -LIMITS.length);
      if (subject === '' || subject === OWN || subject.startsWith(`${OWN}/`)) return;
      if (row === 0) this.quotas.delete(subject);
      else {
        const limits = parseLimits(this.tree.data(row)?.toString('utf8') ?? '');
        const shown = this.tree.find(`${ROOT}${subject}${STATS}`) !== 0;
        // measured once: whoever may write here could make every member walk the subtree again and again
        const { count, bytes } = this.quotas.get(subject) ?? this.measure(subject);
        this.quotas.set(subject, { path: subject, limits, count, bytes, shown });
      }
    } else if (path.endsWith(STATS)) {
      const quota = this.quotas.get(path.slice(ROOT.length, -STATS.length));
      if (quota === undefined) return;
      quota.shown = row !== 0;
      if (quota.shown) this.show(quota);
    }
  }
  private measure(path: string): { count: number; bytes: number } {
    const { tree } = this;
    const top = tree.find(path);
    if (top === 0) return { count: 0, bytes: 0 };
    let count = 0;
    let bytes = 0;
    const stack = [top];
    for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
      count++;
      bytes += Math.max(0, tree.dataLength(row));
      for (let child = tree.firstChild(row); child !== 0; child = tree.nextSibling(child)) stack.push(child);
    }
    return { count, bytes };
  }
  private show(quota: Quota): void {
    const row = this.tree.find(`${ROOT}${quota.path}${STATS}`);
    if (row === 0) return;
    this.tree.guard(row);
    this.tree.putData(row, Buffer.from(`count=${quota.count},bytes=${quota.bytes}`));
  }
  /** After a snapshot was loaded: every limit is read again and usage counted. */
  rebuild(): void {
    const { tree } = this;
    this.quotas.clear();
    const top = tree.find(ROOT);
    const stack = top === 0 ? [] : [top];
    for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
      const path = tree.pathOf(row);
      if (path.endsWith(LIMITS)) this.noticed(path, row);
      for (let child = tree.firstChild(row); child !== 0; child = tree.nextSibling(child)) stack.push(child);
    }
  }
}
