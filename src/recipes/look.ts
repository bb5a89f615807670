import type { SessionId, Zxid } from '../base/ids.ts';
import { joinPath } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import { isCode, read } from './certain.ts';
import { inOrder } from './contest.ts';
import { styleOfSemaphore } from './semaphore.ts';
import { type Contender, contenders, type Role, type Style } from './styles.ts';

/** Somebody who holds or waits, as its node shows it. */
export interface Standing {
  readonly state: 'holding' | 'waiting';
  readonly style: Style;
  readonly role: Role;
  readonly node: string;
  /** What it says about itself: the data of its node. */
  readonly id: string;
  readonly session: SessionId;
  readonly token: Zxid;
  /** When it came, ms since 1970 by the leader's clock. */
  readonly since: number;
}

/**
 * Who holds and who waits at a lock, an election or a semaphore of any style, first come first.
 * @throws KeeperError NoNode
 */
export async function standings(client: Client, path: string): Promise<Standing[]> {
  const style = await styleOfSemaphore(client, path);
  if (style === 'kazoo') return kazooSemaphore(client, path);
  if (style === 'curator') return curatorSemaphore(client, path);
  const { children } = await read(client, () => client.getChildren(path));
  const limit = style === 'zoosh' ? await limitOf(client, path) : 1;
  const all = await inOrder(client, path, contenders(children));
  const found = await withNodes(
    client,
    path,
    all.map((each) => ({ ...each, state: 'waiting' })),
  );
  const byNode = new Map(all.map((each) => [joinPath(path, each.name), each]));
  const seen = found.map((each) => ({ ...(byNode.get(each.node) as Contender), session: each.session }));
  return found.map((each, at) => ({
    ...each,
    state: isIn(seen[at] as Placed, seen.slice(0, at), limit) ? 'holding' : 'waiting',
  }));
}

type Placed = Contender & { readonly session: SessionId };

/** Whether those before it leave it a place. A writer's session may read as well: by a node with the same number. */
function isIn({ naming, digits, session }: Placed, before: readonly Placed[], limit: number): boolean {
  const rivals = before.filter(
    (each) => each.naming.family === naming.family && !(each.digits === digits && each.session === session),
  );
  if (naming.role === 'read') return rivals.every((each) => each.naming.role === 'read');
  return rivals.length < limit;
}

const limitOf = async (client: Client, path: string): Promise<number> => {
  const { data } = await read(client, () => client.get(path));
  return /^\d+$/.test(data?.toString() ?? '') ? Number(data) : 1;
};

async function kazooSemaphore(client: Client, path: string): Promise<Standing[]> {
  const { children } = await read(client, () => client.getChildren(path));
  const leases = children.filter((name) => /^[0-9a-f]{32}$/.test(name));
  const holding = leases.map((name) => ({ name, state: 'holding', style: 'kazoo', role: 'lease' }) as const);
  return [...(await toStandings(client, path, holding)), ...(await waitingAt(client, `${path}-__lock__`))];
}

async function curatorSemaphore(client: Client, path: string): Promise<Standing[]> {
  const leases = joinPath(path, 'leases');
  const names = await childrenOf(client, leases);
  const holding = contenders(names).map((each) => ({ ...each, state: 'holding' as const }));
  return [...(await withNodes(client, leases, holding)), ...(await waitingAt(client, joinPath(path, 'locks')))];
}

const waitingAt = async (client: Client, path: string): Promise<Standing[]> =>
  withNodes(
    client,
    path,
    contenders(await childrenOf(client, path)).map((each) => ({ ...each, state: 'waiting' })),
  );

async function childrenOf(client: Client, path: string): Promise<string[]> {
  try {
    return (await read(client, () => client.getChildren(path))).children;
  } catch (error) {
    if (isCode(error, 'NoNode')) return [];
    throw error;
  }
}

type Seen = Pick<Standing, 'state' | 'style' | 'role'> & { readonly name: string };

const withNodes = (
  client: Client,
  path: string,
  all: readonly (Contender & { readonly state: Standing['state'] })[],
): Promise<Standing[]> =>
  toStandings(
    client,
    path,
    all.map(({ name, naming, state }) => ({ name, state, style: naming.style, role: naming.role })),
  );

/** One that went meanwhile is left out. */
async function toStandings(client: Client, path: string, all: readonly Seen[]): Promise<Standing[]> {
  const found = await Promise.all(
    all.map(async ({ name, state, style, role }): Promise<Standing | undefined> => {
      const node = joinPath(path, name);
      try {
        const { data, stat } = await read(client, () => client.get(node));
        const { ephemeralOwner: session, czxid: token, ctime: since } = stat;
        return { state, style, role, node, id: data?.toString() ?? '', session, token, since };
      } catch (error) {
        if (isCode(error, 'NoNode')) return undefined;
        throw error;
      }
    }),
  );
  return found.filter((each) => each !== undefined);
}
