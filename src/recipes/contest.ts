/** Contending for a place: first come, first served, by sequential ephemeral nodes. */
import type { Zxid } from '../base/ids.ts';
import { joinPath, nameOf } from '../base/path.ts';
import type { Acl, Client } from '../client/api.ts';
import { codeOf, createUnique, type Made, read, removeLater } from './certain.ts';
import { RecipeError } from './errors.ts';
import { type Contender, contenders, freshName, type Part, type Style } from './styles.ts';
import { bell, orAborted } from './waiting.ts';

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
  /** Names that are no obstacle: the session's own. */
  readonly ignored: ReadonlySet<string>;
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
}

/**
 * Waits until there is a place. Takes back what it did when `signal` aborts.
 * @throws RecipeError StyleConflict, Busy; KeeperError when the session ends; the signal's reason
 */
export async function contest(client: Client, rules: Rules, signal: AbortSignal): Promise<Place> {
  for (;;) {
    const part = choose(await list(client, rules.path, signal), rules);
    const making = createUnique(client, {
      parent: rules.path,
      name: freshName(client, part.naming),
      data: rules.data,
      mode: 'ephemeralSequential',
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
      const place = await wait(client, rules, part, made, signal);
      if (place !== undefined) return place;
    } catch (error) {
      removeLater(client, made.path);
      throw error;
    }
  }
}

const list = async (client: Client, path: string, signal: AbortSignal): Promise<Contender[]> => {
  try {
    return contenders((await read(client, () => client.getChildren(path, { signal }), signal)).children);
  } catch (error) {
    if (codeOf(error) === 'NoNode') return [];
    throw error;
  }
};

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

/** Asks the leader whether session and node are there; when that was asked, monotonic ms. @throws KeeperError NoNode, ... */
export const checkNode = async (client: Client, node: string): Promise<number> => {
  const sentAt = client.clock.monotonic();
  await client.multi([{ op: 'check', path: node, version: -1 }]);
  return sentAt;
};

/**
 * When node and session were there, not long ago; undefined when the node is not. What was waited for is proven by a
 * transaction: what showed that the place is free may have been an old state, in which our node outlives our session.
 */
export async function prove(client: Client, { path, sentAt }: Made, signal: AbortSignal): Promise<number | undefined> {
  let provenAt = sentAt;
  try {
    while (client.clock.monotonic() >= provenAt + client.negotiatedTimeoutMs * FRESH)
      provenAt = await orAborted(
        read(client, () => checkNode(client, path), signal),
        signal,
      );
    return provenAt;
  } catch (error) {
    if (codeOf(error) === 'NoNode') return undefined;
    throw error;
  }
}

/** Undefined: begin anew, since the node went, or those in front turned out to be of another style that fits. */
async function wait(
  client: Client,
  rules: Rules,
  part: Part,
  made: Made,
  signal: AbortSignal,
): Promise<Place | undefined> {
  if (made.czxid === undefined) return undefined;
  const own = nameOf(made.path);
  for (;;) {
    using heard = bell(client);
    const all = await read(
      client,
      () => client.getChildren(rules.path, rules.places > 1 ? { signal, watch: heard.ring } : { signal }),
      signal,
    ).then(
      ({ children }) => contenders(children),
      (error) => {
        if (codeOf(error) === 'NoNode') return [];
        throw error;
      },
    );
    const at = all.findIndex(({ name }) => name === own);
    if (at < 0) return undefined;
    const before = all.slice(0, at);
    const stranger = before.find(({ naming }) => naming.family !== part.naming.family);
    if (stranger !== undefined) {
      choose([stranger], rules);
      removeLater(client, made.path);
      return undefined;
    }
    const blockers = before.filter(
      ({ name, naming }) => part.blockedBy.includes(naming.role) && !rules.ignored.has(name),
    );
    if (blockers.length < rules.places) {
      const provenAt = await prove(client, made, signal);
      return provenAt === undefined ? undefined : { node: made.path, token: made.czxid as Zxid, provenAt, part };
    }
    if (rules.immediate) throw new RecipeError('Busy', rules.path, 'somebody else is in');
    if (rules.places === 1) {
      // only the last of those in front: when it goes, nobody else is woken
      const last = joinPath(rules.path, (blockers.at(-1) as Contender).name);
      if ((await read(client, () => client.exists(last, { signal, watch: heard.ring }), signal)) === undefined)
        continue;
    }
    await orAborted(heard.heard, signal);
  }
}
