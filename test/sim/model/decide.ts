/** How a write comes out, after semantics.md 5 and 9: decided against one state, with nothing but that at hand. */
import { CONTAINER, isEphemeral, MOST_TTL, type ModelAcl, type ModelNode, name, ownerOfTtl, parent } from './tree.ts';

/** One request as a client sent it. */
export type ModelWrite =
  | {
      readonly op: 'create';
      readonly path: string;
      readonly data: Buffer | null;
      readonly acl: readonly ModelAcl[] | null;
      readonly flags: number;
      readonly container: boolean;
      /** ms; -1 where the request has none. */
      readonly ttl: bigint;
    }
  | { readonly op: 'delete'; readonly path: string; readonly version: number }
  | { readonly op: 'set'; readonly path: string; readonly data: Buffer | null; readonly version: number }
  | { readonly op: 'setAcl'; readonly path: string; readonly acl: readonly ModelAcl[] | null; readonly version: number }
  | { readonly op: 'check'; readonly path: string; readonly version: number };

/** What happens: absolute, so that nothing is left to decide when it is done. */
export type ModelEffect =
  | {
      readonly effect: 'create';
      readonly path: string;
      readonly data: Buffer | null;
      readonly acl: readonly ModelAcl[];
      readonly owner: bigint;
      readonly creates: number;
    }
  | { readonly effect: 'delete'; readonly path: string }
  | { readonly effect: 'set'; readonly path: string; readonly data: Buffer | null; readonly version: number }
  | { readonly effect: 'setAcl'; readonly path: string; readonly acl: readonly ModelAcl[]; readonly aversion: number }
  | { readonly effect: 'check'; readonly path: string };

/** ZooKeeper's numbers of what goes wrong. */
export const WRONG = {
  runtimeInconsistency: -2,
  badArguments: -8,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidAcl: -114,
  notReadOnly: -119,
  ephemeralOnLocalSession: -120,
} as const;

const PERM = { read: 1, write: 2, create: 4, delete: 8, admin: 16 } as const;
const KEPT = new Set(['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']);
const FLAG = { ephemeral: 1, sequential: 2, ephemeralSequential: 3, ttl: 5, ttlSequential: 6, most: 6 } as const;

/** A state that is read, and changed by what was decided so far. */
export interface Deciding {
  get(path: string): ModelNode | undefined;
}

const may = (acl: readonly ModelAcl[], perm: number): boolean =>
  acl.some((entry) => entry.scheme === 'world' && entry.id === 'anyone' && (entry.perms & perm) !== 0);

function knownAcl(acl: readonly ModelAcl[] | null): readonly ModelAcl[] | undefined {
  if (acl === null || acl.length === 0) return undefined;
  const kept: ModelAcl[] = [];
  for (const entry of acl) {
    if (entry.scheme !== 'world' || entry.id !== 'anyone') return undefined;
    if (!kept.some(({ perms }) => perms === entry.perms)) kept.push(entry);
  }
  return kept;
}
const next = (version: number): number => (version === 0x7fff_ffff ? -0x8000_0000 : version === -2 ? 0 : version + 1);
const pad = (counter: number): string =>
  counter < 0 ? `-${String(-counter).padStart(9, '0')}` : String(counter).padStart(10, '0');
/** Only what simulated clients send: printable names without a slash at the end. */
const isGoodPath = (path: string): boolean => path === '/' || /^(\/(?!\.{1,2}(\/|$))[ -.0-~]+)+$/.test(path);

/** `isLocal`: one member alone knows the session. */
export function decide(state: Deciding, session: bigint, write: ModelWrite, isLocal = false): ModelEffect | number {
  switch (write.op) {
    case 'create':
      return create(state, session, write, isLocal);
    case 'delete':
      return remove(state, write);
    case 'set': {
      if (!isGoodPath(write.path)) return WRONG.badArguments;
      const node = state.get(write.path);
      if (node === undefined) return WRONG.noNode;
      if (!may(node.acl, PERM.write)) return WRONG.noAuth;
      if (write.version !== -1 && write.version !== node.version) return WRONG.badVersion;
      return { effect: 'set', path: write.path, data: write.data, version: next(node.version) };
    }
    case 'setAcl': {
      if (!isGoodPath(write.path)) return WRONG.badArguments;
      const acl = knownAcl(write.acl);
      if (acl === undefined) return WRONG.invalidAcl;
      const node = state.get(write.path);
      if (node === undefined) return WRONG.noNode;
      if (!may(node.acl, PERM.admin)) return WRONG.noAuth;
      if (write.version !== -1 && write.version !== node.aversion) return WRONG.badVersion;
      return { effect: 'setAcl', path: write.path, acl, aversion: next(node.aversion) };
    }
    case 'check': {
      if (!isGoodPath(write.path)) return WRONG.badArguments;
      const node = state.get(write.path);
      if (node === undefined) return WRONG.noNode;
      if (!may(node.acl, PERM.read)) return WRONG.noAuth;
      if (write.version !== -1 && write.version !== node.version) return WRONG.badVersion;
      return { effect: 'check', path: write.path };
    }
  }
}

function create(
  state: Deciding,
  session: bigint,
  write: ModelWrite & { op: 'create' },
  isLocal: boolean,
): ModelEffect | number {
  const { path, data, flags, container, ttl } = write;
  if (flags < 0 || flags > FLAG.most) return WRONG.badArguments;
  const isTimed = flags === FLAG.ttl || flags === FLAG.ttlSequential;
  if (isTimed ? ttl <= 0n || ttl > MOST_TTL : ttl >= 0n) return WRONG.badArguments;
  const isOwned = flags === FLAG.ephemeral || flags === FLAG.ephemeralSequential;
  if (isOwned && isLocal) return WRONG.ephemeralOnLocalSession;
  if (!path.includes('/')) return WRONG.badArguments;
  const acl = knownAcl(write.acl);
  if (acl === undefined) return WRONG.invalidAcl;
  const isSequential = flags === FLAG.sequential || flags === FLAG.ephemeralSequential || flags === FLAG.ttlSequential;
  if (path === '/' && !isSequential) return WRONG.nodeExists;
  const above = path.lastIndexOf('/') === 0 ? '/' : parent(path);
  const holder = state.get(above);
  if (holder === undefined) return WRONG.noNode;
  if (!may(holder.acl, PERM.create)) return WRONG.noAuth;
  const final = isSequential ? path + pad(holder.creates) : path;
  if (!isGoodPath(final) || name(final) === '') return WRONG.badArguments;
  if (state.get(final) !== undefined) return WRONG.nodeExists;
  if (isEphemeral(holder.owner)) return WRONG.noChildrenForEphemerals;
  const owner = container ? CONTAINER : isTimed ? ownerOfTtl(ttl) : isOwned ? session : 0n;
  const creates = Math.min(0x7fff_ffff, holder.creates + 1);
  return { effect: 'create', path: final, data, acl, owner, creates };
}

function remove(state: Deciding, { path, version }: ModelWrite & { op: 'delete' }): ModelEffect | number {
  if (!path.includes('/') || KEPT.has(path)) return WRONG.badArguments;
  const holder = state.get(parent(path));
  if (holder === undefined) return WRONG.noNode;
  if (!may(holder.acl, PERM.delete)) return WRONG.noAuth;
  const node = state.get(path);
  if (node === undefined) return WRONG.noNode;
  if (version !== -1 && version !== node.version) return WRONG.badVersion;
  if (node.children > 0) return WRONG.notEmpty;
  return { effect: 'delete', path };
}
