/** Contending for a place: first come, first served, by sequential ephemeral nodes. */
import { KeeperError } from '../base/errors.ts';
import type { Zxid } from '../base/ids.ts';
import { joinPath, nameOf, parentOf } from '../base/path.ts';
import type { Acl, Client, WatchListener } from '../client/api.ts';
import { codeOf, createUnique, type Made, read, removeLater } from './certain.ts';
import { RecipeError } from './errors.ts';
import { type Contender, contenders, freshName, LAST_SEQUENCE, type Part, type Style } from './styles.ts';
import { type Bell, bell, orAborted } from './waiting.ts';

export interface Rules {
  readonly path: string;
  /** What the recipe may be; which of them the path decides, or `style`. */
  readonly parts: readonly Part[];
  readonly style: Style | undefined;
  /** For those who look at the node: who this is. */
  readonly data: string;
  readonly acl: readonly Acl[] | undefined;
  /** How many may be in at once. */
  readonly places: number;
  /**
   * For who reads: the session's own writer, which is no obstacle. The reader's node gets the number of the writer's, so that it is
   * in front of all who wait for that one, and stays there when it goes.
   */
  readonly under: { readonly node: string; readonly token: Zxid } | undefined;
  /** Busy, unless there is a place at once. */
  readonly immediate: boolean;
}

/** Being in. */
export interface Place {
  readonly node: string;
  /** Zxid of the node's creation: later holders have greater ones. */
  readonly token: Zxid;
  /** The session was alive, and the node there, at this time: monotonic ms of the client's clock. */
  readonly provenAt: number;
  readonly part: Part;
  /** The next holder's node will have the same name; the token is the czxid of ours. */
  readonly hasCommonName?: boolean;
}

/**
 * Waits until there is a place. Takes back what it did when `signal` aborts.
 * @throws RecipeError StyleConflict, Busy; KeeperError when the session ends; the signal's reason
 */
export async function contest(client: Client, rules: Rules, signal: AbortSignal): Promise<Place> {
  for (;;) {
    const present = await standing(client, rules.path, undefined, signal);
    const under = present.find(({ name }) => rules.under !== undefined && name === nameOf(rules.under.node));
    const part = choose(under === undefined ? present : [under], rules);
    const name = freshName(client, part.naming);
    const making = createUnique(client, {
      parent: rules.path,
      name: under === undefined ? name : name + under.digits,
      data: rules.data,
      mode: under === undefined ? 'ephemeralSequential' : 'ephemeral',
      acl: rules.acl,
    });
    let made: Made;
    try {
      made = await orAborted(making, signal);
    } catch (error) {
      making.then(({ path }) => removeLater(client, path)).catch(() => {});
      throw error;
    }
    try {
      const place = await wait(client, { rules, part, made, under }, signal);
      if (place !== undefined) return place;
    } catch (error) {
      removeLater(client, made.path);
      throw error;
    }
  }
}

/** What to be beside those who are there. @throws RecipeError StyleConflict */
function choose(present: readonly Contender[], { parts, style, path }: Rules): Part {
  const open = style === undefined ? parts : parts.filter(({ naming }) => naming.style === style);
  const there = present[0]?.naming;
  if (there === undefined) {
    if (open[0] === undefined)
      throw new RecipeError('StyleConflict', path, `there is no such recipe in style ${style}`);
    return open[0];
  }
  const fitting = open.find(({ naming }) => naming.family === there.family);
  if (fitting === undefined)
    throw new RecipeError(
      'StyleConflict',
      path,
      `nodes of ${there.family} are there${style === undefined ? '' : `, which style ${style} would not respect`}`,
    );
  return fitting;
}

/** Of the timeout: what was proven longer ago than this is proven again. */
export const FRESH = 0.2;
/** Of the timeout: an answer that comes later than this after it was asked for leaves too little of it. */
const LATE = 0.5;

/**
 * Asks the leader whether session and node are there; when that was asked, monotonic ms. `czxid`: of ours, where others give
 * theirs the same name. @throws KeeperError NoNode, ...
 */
export async function checkNode(client: Client, node: string, czxid?: bigint): Promise<number> {
  const sentAt = client.clock.monotonic();
  const checked = client.multi([{ op: 'check', path: node, version: -1 }]);
  if (czxid !== undefined) {
    // answered after the check, so a node that is ours now was ours then
    const [stat] = await Promise.all([client.exists(node), checked]);
    if (stat?.czxid !== czxid) throw new KeeperError('NoNode', node);
  } else await checked;
  return sentAt;
}

/**
 * When node and session were there, not long ago; undefined when the node is not. What was waited for is proven by a
 * transaction: what showed that the place is free may have been an old state, in which our node outlives our session.
 */
export async function prove(
  client: Client,
  { path, czxid, sentAt }: Made,
  signal: AbortSignal,
  hasCommonName = false,
): Promise<number | undefined> {
  let provenAt = sentAt;
  try {
    // by a server that takes its time nothing is ever fresh
    for (let most = FRESH; client.clock.monotonic() >= provenAt + client.negotiatedTimeoutMs * most; most = LATE)
      provenAt = await orAborted(
        read(client, () => checkNode(client, path, hasCommonName ? czxid : undefined), signal),
        signal,
      );
    return provenAt;
  } catch (error) {
    if (codeOf(error) === 'NoNode') return undefined;
    throw error;
  }
}

/** One that contends. */
interface Entrant {
  readonly rules: Rules;
  readonly part: Part;
  readonly made: Made;
  /** The session's own writer, whose number it has. */
  readonly under: Contender | undefined;
}

/** Undefined: begin anew, since the node went, or those in front turned out to be of another style that fits. */
async function wait(
  client: Client,
  { rules, part, made, under }: Entrant,
  signal: AbortSignal,
): Promise<Place | undefined> {
  if (made.czxid === undefined) return undefined;
  const own = nameOf(made.path);
  for (;;) {
    using heard = bell(client);
    const all = await standing(client, rules.path, rules.places > 1 ? heard.at(rules.path) : undefined, signal);
    const at = all.findIndex(({ name }) => name === own);
    if (at < 0) return undefined;
    if (under !== undefined && !all.some(({ name }) => name === under.name)) {
      // others may be in since the writer's node went, and have not seen ours
      removeLater(client, made.path);
      return undefined;
    }
    const before = all.slice(0, at);
    const stranger = before.find(({ naming }) => naming.family !== part.naming.family);
    if (stranger !== undefined) {
      choose([stranger], rules);
      removeLater(client, made.path);
      return undefined;
    }
    const blockers = before.filter(({ name, naming }) => part.blockedBy.includes(naming.role) && name !== under?.name);
    if (blockers.length < rules.places) {
      const provenAt = await prove(client, made, signal);
      if (provenAt === undefined) return undefined;
      // what is read under a write has the token of the write: the next writer's node may be older than the reader's
      const token = under === undefined ? (made.czxid as Zxid) : (rules.under?.token as Zxid);
      return { node: made.path, token, provenAt, part };
    }
    if (rules.immediate) throw new RecipeError('Busy', rules.path, 'somebody else is in');
    if (rules.places === 1) {
      // only the last of those in front: when it goes, nobody else is woken
      const last = joinPath(rules.path, (blockers.at(-1) as Contender).name);
      if (!(await isWatched(client, last, heard, signal))) continue;
    }
    await orAborted(heard.heard, signal);
  }
}

/** Those who contend, in their order; nobody when the path is gone. */
async function standing(
  client: Client,
  path: string,
  watch: WatchListener | undefined,
  signal: AbortSignal,
): Promise<Contender[]> {
  const options = watch === undefined ? { signal } : { signal, watch };
  let names: readonly string[];
  try {
    names = (await read(client, () => client.getChildren(path, options), signal)).children;
  } catch (error) {
    if (codeOf(error) === 'NoNode') return [];
    throw error;
  }
  return inOrder(client, path, contenders(names), signal);
}

/**
 * A folder that has given away its last number gives it to all who come then, so those are told apart by when they came. What went
 * meanwhile is left out.
 */
export async function inOrder(
  client: Client,
  path: string,
  all: readonly Contender[],
  signal?: AbortSignal,
): Promise<Contender[]> {
  if (!all.some(({ sequence }) => sequence === LAST_SEQUENCE || sequence < 0)) return [...all];
  const looks = all.map(({ name }) => read(client, () => client.exists(joinPath(path, name))));
  const stats = await orAborted(Promise.all(looks), signal);
  return all
    .flatMap((each, at) => {
      const czxid = stats[at]?.czxid;
      return czxid === undefined ? [] : [{ each, czxid }];
    })
    .sort((a, b) => (a.czxid < b.czxid ? -1 : 1))
    .map(({ each }) => each);
}

/**
 * Watches a node that is there; false when it is not. `exists` would leave a watch on a node that never comes again, and where the
 * node may not be read servers differ in it: its folder is watched there.
 */
async function isWatched(client: Client, path: string, heard: Bell, signal: AbortSignal): Promise<boolean> {
  try {
    await read(client, () => client.get(path, { signal, watch: heard.at(path) }), signal);
    return true;
  } catch (error) {
    if (codeOf(error) === 'NoNode') return false;
    if (codeOf(error) !== 'NoAuth') throw error;
    const folder = parentOf(path);
    return (await standing(client, folder, heard.at(folder), signal)).some(({ name }) => name === nameOf(path));
  }
}
