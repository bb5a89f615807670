import { KeeperError } from '../base/errors.ts';
import { joinPath } from '../base/path.ts';
import type { Acl, Client, Stat } from '../client/api.ts';
import { type NameQueue, NO_NAMES, queueOf } from './names.ts';

/** One node as a walk meets it. */
export interface WalkedNode {
  readonly path: string;
  /** 0 for the root of the walk. */
  readonly depth: number;
  readonly stat: Stat;
  /** Read only when wanted. */
  readonly data: Buffer | null;
  readonly acl: readonly Acl[];
  /** The ACL hides its data and children; the walk goes on without them. */
  readonly denied: boolean;
  /** It hides the stat, too, which is all zeros then. */
  readonly hidden?: boolean;
  /** No sibling is known to come; told only when wanted. */
  readonly isLast?: boolean;
}

export interface WalkOptions {
  readonly signal: AbortSignal;
  /** Nodes read ahead of the one that is looked at. */
  readonly inflight: number;
  /** Levels below the root; default all. */
  readonly depth?: number | undefined;
  /** Nodes to leave out with all below. */
  readonly skip?: ((path: string) => boolean) | undefined;
  readonly data?: boolean;
  readonly acl?: boolean;
  readonly lasts?: boolean;
  /** Children of these nodes are not entered, however deep the walk may go. */
  readonly leave?: (node: WalkedNode) => boolean;
}

/** More names than this are listed when their turn comes, not ahead of it: they wait in memory. */
const LISTED_AHEAD = 2000;
/** Names that may wait in listings read ahead. */
const NAMES_AHEAD = 200_000;
/** Data that may. */
const BYTES_AHEAD = 16 * 1024 * 1024;
/** A node that changes all the time is read so often to have its data and its ACL of one moment. */
const READS = 5;

interface Found extends Omit<WalkedNode, 'path' | 'depth'> {
  /** Undefined: not asked for yet. */
  readonly names: NameQueue | undefined;
}

/** Children of one node, and how far they are. */
interface Frame {
  readonly parent: string;
  readonly depth: number;
  readonly names: NameQueue;
  /** How many were looked at. */
  at: number;
  /** How many are being read or were. */
  ahead: number;
  /**
   * What is being read, the `n`th at `n` modulo its length. Not a Map: each time one grows anew it leaves its old table,
   * and with it all that was in there, to the next full collection of garbage.
   */
  readonly reading: (Reading | undefined)[];
}
interface Reading {
  readonly path: string;
  readonly found: Promise<Found | undefined>;
}

/**
 * The nodes from `root` down, each before its children and these by name: what every recursive command goes along. Nodes
 * are read ahead, `inflight` of them; memory holds the names along the way, never the tree. A node that vanishes meanwhile
 * is left out. Data and ACL of a node are of one moment.
 * @throws KeeperError NoNode for the root, what breaks the connection
 */
export async function* walkNodes(client: Client, root: string, options: WalkOptions): AsyncGenerator<WalkedNode> {
  const { signal, inflight, depth: deepest = Number.POSITIVE_INFINITY, skip, leave, lasts = false } = options;
  const frames: Frame[] = [];
  // requests on their way; what was read and waits for its turn is bounded by each frame, and by the two below
  let reading = 0;
  let namesAhead = 0;
  let bytesAhead = 0;

  const start = (path: string, depth: number): Promise<Found | undefined> => {
    reading++;
    const found = read(client, path, depth < deepest, options)
      .finally(() => reading--)
      .then((node) => {
        bytesAhead += node?.data?.length ?? 0;
        const count = node?.names?.left ?? 0;
        // too much to wait in memory: it is listed again when its turn comes
        if (node !== undefined && namesAhead > 0 && namesAhead + count > NAMES_AHEAD)
          return { ...node, names: undefined };
        namesAhead += count;
        return node;
      });
    found.catch(() => {}); // heard when its turn comes
    return found;
  };
  /** Begins to read the next child; false when there is none. Those that are skipped are as if they were not there. */
  const advance = (frame: Frame): boolean => {
    for (let name = frame.names.take(); name !== undefined; name = frame.names.take()) {
      const path = joinPath(frame.parent, name);
      if (skip?.(path) === true) continue;
      frame.reading[frame.ahead++ % frame.reading.length] = { path, found: start(path, frame.depth) };
      return true;
    }
    return false;
  };
  const fillAhead = (): void => {
    for (let level = frames.length - 1; level >= 0; level--) {
      const frame = frames[level] as Frame;
      do {
        if (reading >= inflight || namesAhead > NAMES_AHEAD || bytesAhead > BYTES_AHEAD) return;
      } while (frame.ahead - frame.at < inflight && advance(frame));
    }
  };
  const isEntered = (node: WalkedNode): boolean =>
    node.depth < deepest && !node.denied && node.stat.numChildren > 0 && leave?.(node) !== true;
  const enter = (parent: string, depth: number, names: NameQueue): void => {
    if (names.left === 0) return;
    const ring = new Array<undefined>(Math.min(names.left, inflight)).fill(undefined);
    frames.push({ parent, depth, names, at: 0, ahead: 0, reading: ring });
  };

  // neighbours mostly have the same one, and whoever keeps nodes for a while keeps one ACL then
  let last = NO_ACL;
  const shared = (acl: readonly Acl[]): readonly Acl[] => {
    if (!isSame(acl, last)) last = acl;
    return last;
  };

  const top = await start(root, 0);
  [namesAhead, bytesAhead] = [0, 0];
  if (top === undefined) throw new KeeperError('NoNode', root);
  const { names: topNames, ...topNode } = top;
  const first: WalkedNode = { path: root, depth: 0, ...topNode };
  yield first;
  if (isEntered(first)) enter(root, 1, topNames ?? (await childrenOf(client, root, signal)));
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    signal.throwIfAborted();
    fillAhead();
    // no room to read ahead: the one whose turn it is goes all the same
    if (frame.at === frame.ahead && !advance(frame)) {
      frames.pop();
      continue;
    }
    const place = frame.at++ % frame.reading.length;
    const { path, found } = frame.reading[place] as Reading;
    frame.reading[place] = undefined;
    const isLast = lasts && frame.at === frame.ahead && !advance(frame);
    const seen = await found;
    if (seen === undefined) continue;
    const { names, ...rest } = seen;
    namesAhead -= names?.left ?? 0;
    bytesAhead -= rest.data?.length ?? 0;
    const node: WalkedNode = { path, depth: frame.depth, ...rest, acl: shared(rest.acl), ...(lasts && { isLast }) };
    yield node;
    if (isEntered(node)) enter(path, frame.depth + 1, names ?? (await childrenOf(client, path, signal)));
  }
}

/** One node; undefined when it is gone. */
async function read(client: Client, path: string, listed: boolean, options: WalkOptions): Promise<Found | undefined> {
  const { signal, data: wantsData = false, acl: wantsAcl = false } = options;
  try {
    if (!wantsData && !wantsAcl) {
      if (!listed) {
        const stat = await client.exists(path, { signal });
        return stat && { stat, data: null, acl: NO_ACL, denied: false, names: NO_NAMES };
      }
      const { children, stat } = await client.getChildren(path, { signal });
      return { stat, data: null, acl: NO_ACL, denied: false, names: await queueOf(children) };
    }
    const { data, stat, acl } = wantsData
      ? await dataAndAcl(client, path, wantsAcl, signal)
      : await onlyAcl(client, path, listed, signal);
    const few = listed && stat.numChildren > 0 && stat.numChildren <= LISTED_AHEAD;
    const names = stat.numChildren === 0 ? NO_NAMES : few ? await childrenOf(client, path, signal) : undefined;
    return { stat, data, acl, denied: false, names };
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error;
    if (error.code === 'NoNode') return undefined;
    if (error.code !== 'NoAuth') throw error;
    return hiddenNode(client, path, signal);
  }
}

/** A node that may not be read; some servers do not even say that it exists. */
async function hiddenNode(client: Client, path: string, signal: AbortSignal): Promise<Found | undefined> {
  const nothing = { data: null, acl: NO_ACL, denied: true, names: NO_NAMES };
  try {
    const stat = await client.exists(path, { signal });
    return stat && { ...nothing, stat };
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'NoAuth') throw error;
    return { ...nothing, stat: NO_STAT, hidden: true };
  }
}
/** Of a node that nobody looked at. */
export const NO_STAT: Stat = {
  czxid: 0n as Stat['czxid'],
  mzxid: 0n as Stat['mzxid'],
  pzxid: 0n as Stat['pzxid'],
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n as Stat['ephemeralOwner'],
  dataLength: 0,
  numChildren: 0,
};

/**
 * Not a literal where it is needed: V8 comes to allocate lists that are made for every node, and once outlived the young
 * generation, in the old one from the start, and a million of them wait there for a full collection of garbage.
 */
const NO_ACL: readonly Acl[] = [];

const isSame = (a: readonly Acl[], b: readonly Acl[]): boolean =>
  a.length === b.length &&
  a.every(({ perms, scheme, id }, at) => perms === b[at]?.perms && scheme === b[at].scheme && id === b[at].id);

/** Both of one moment: read again while somebody changes the node in between. */
async function dataAndAcl(
  client: Client,
  path: string,
  wantsAcl: boolean,
  signal: AbortSignal,
): Promise<{ data: Buffer | null; stat: Stat; acl: readonly Acl[] }> {
  if (!wantsAcl) {
    const { data, stat } = await client.get(path, { signal });
    return { data, stat, acl: NO_ACL };
  }
  for (let round = 1; ; round++) {
    const asked = client.getAcl(path, { signal });
    asked.catch(() => {}); // heard below, unless the other one fails first
    const { data, stat } = await client.get(path, { signal });
    const { acl, stat: later } = await asked;
    const isOne = stat.czxid === later.czxid && stat.version === later.version && stat.aversion === later.aversion;
    if (isOne || round >= READS) return { data, stat, acl };
  }
}

/** Who may not read a node may see its ACL all the same, but not what is below. @throws KeeperError NoAuth where that is asked for later */
async function onlyAcl(
  client: Client,
  path: string,
  listed: boolean,
  signal: AbortSignal,
): Promise<{ data: null; stat: Stat; acl: readonly Acl[] }> {
  const { acl, stat } = await client.getAcl(path, { signal });
  if (listed && stat.numChildren > LISTED_AHEAD) await client.get(path, { signal });
  return { data: null, stat, acl };
}

async function childrenOf(client: Client, path: string, signal: AbortSignal): Promise<NameQueue> {
  try {
    return await queueOf((await client.getChildren(path, { signal })).children);
  } catch (error) {
    if (error instanceof KeeperError && error.code === 'NoNode') return NO_NAMES;
    throw error;
  }
}

/**
 * Runs `work` for every item, at most `inflight` at a time; the first failure ends it. It ends when all that was begun has
 * ended: what is changed after a command has failed would be in no undo of it.
 */
export async function eachOf<T>(
  items: readonly T[],
  inflight: number,
  signal: AbortSignal,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    try {
      while (failed === undefined && next < items.length) {
        signal.throwIfAborted();
        const index = next++;
        await work(items[index] as T, index);
      }
    } catch (error) {
      failed ??= { error };
    }
  };
  await Promise.all(Array.from({ length: Math.min(inflight, items.length) }, worker));
  if (failed !== undefined) throw (failed as { readonly error: unknown }).error;
}
