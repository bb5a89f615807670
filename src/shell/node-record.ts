/** Nodes as they are kept outside of a server: in exports, in the trash, between two servers. */
import { isDigestScheme } from '../base/digest-schemes.ts';
import { parentOf } from '../base/path.ts';
import type { Acl, CreateMode, Stat } from '../client/api.ts';
import { showAcl } from './acl-text.ts';
import { Failure } from './failure.ts';
import { quoteWord } from './paths.ts';

export type NodeKind = 'persistent' | 'ephemeral' | 'container' | 'ttl';

/** One node. `acl` undefined: not kept. Times in ms. */
export interface NodeRecord {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[] | undefined;
  readonly kind: NodeKind;
  /** Of a TTL node. Servers tell neither this nor that a node is a container; files written by hand may. */
  readonly ttlMs?: number | undefined;
  readonly stat?: RecordedStat | undefined;
}
/** What of a stat is of use later. A live node has all of it. */
export type RecordedStat = Pick<Stat, 'mtime' | 'version'> & Partial<Stat>;

export const recordOf = (
  node: { readonly path: string; readonly data: Uint8Array | null; readonly stat: Stat; readonly acl: readonly Acl[] },
  keepsAcl: boolean,
): NodeRecord => ({
  path: node.path,
  data: node.data,
  acl: keepsAcl ? node.acl : undefined,
  kind: node.stat.ephemeralOwner === 0n ? 'persistent' : 'ephemeral',
  stat: node.stat,
});

/**
 * A digest id that a server showed without its hash, since the reader lacks ADMIN: `user:x`. Written back it would lock
 * the owner out, as no password has that hash.
 */
export const isMasked = ({ scheme, id }: Pick<Acl, 'scheme' | 'id'>): boolean =>
  isDigestScheme(scheme) && /^[^:]*:x$/.test(id);
export const hasMasked = (acl: readonly Acl[] | undefined): boolean => acl?.some(isMasked) === true;

/** `way`: what goes on without it, for the hint. @throws Failure (15) */
export function refuseMasked(
  path: string,
  acl: readonly Acl[] | undefined,
  way = '--no-acl or --acl ACL goes on without it',
): void {
  const masked = acl?.find(isMasked);
  if (masked === undefined) return;
  throw new Failure(15, 'InvalidAcl', `the ACL of ${path} was read without its password hash: ${masked.id}`, {
    path,
    hint: `written back it would lock ${masked.id.split(':')[0]} out; ${way}`,
  });
}

/** Refuses an ACL that was typed as getAcl showed it. `where` it was typed. @throws Failure (15) */
export function refuseTyped(where: string, acl: readonly Acl[], allows?: string): void {
  const masked = acl.find(isMasked);
  if (masked === undefined) return;
  const [user] = masked.id.split(':');
  throw new Failure(
    15,
    'InvalidAcl',
    `${masked.scheme}:${masked.id} in ${where} has no password hash, and would lock ${user} out`,
    {
      hint: `${digestCommand(masked.scheme, user)} makes it${allows === undefined ? '' : `; ${allows} writes it as it is`}`,
    },
  );
}

const HASHES: Readonly<Record<string, RegExp>> = {
  digest: /^[^:]*:[A-Za-z0-9+/]{27}=$/,
  digest256: /^[^:]*:[A-Za-z0-9+/]{43}=$/,
};
const digestCommand = (scheme: string, user = ''): string =>
  `acl digest ${scheme === 'digest256' ? '--sha256 ' : ''}${user}`;
/** Warns of digest ids with something else where the hash (SHA-1, of digest256 SHA-256; base64) belongs, mostly the password itself: nobody can be them. */
export function warnOfPasswords(acl: readonly Acl[], warn: (line: string) => void): void {
  for (const { scheme, id } of acl)
    if (HASHES[scheme]?.test(id) === false && /^[^:]+:[^:]+$/.test(id) && !isMasked({ scheme, id })) {
      const [user = ''] = id.split(':');
      warn(
        `what follows ${scheme}:${user}: is not a password hash, so nobody can log in as it; ${digestCommand(scheme, user)} makes one`,
      );
    }
}

export const OPEN_ACL: readonly Acl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }];
export const isOpen = (acl: readonly Acl[]): boolean => {
  const [only, more] = acl;
  return more === undefined && only?.scheme === 'world' && only.id === 'anyone' && only.perms === 31;
};
/** World may read it, so that a copy of it tells nobody anything new. */
export const isWorldReadable = (acl: readonly Acl[]): boolean =>
  acl.some(({ scheme, id, perms }) => scheme === 'world' && id === 'anyone' && (perms & 1) !== 0);

/** The same entries, in whatever order. */
export function sameAcl(a: readonly Acl[], b: readonly Acl[]): boolean {
  if (a.length !== b.length) return false;
  if (showAcl(a) === showAcl(b)) return true;
  const sorted = (acl: readonly Acl[]): string =>
    acl
      .map((each) => showAcl([each]))
      .sort()
      .join();
  return sorted(a) === sorted(b);
}

/**
 * As far as it may be read: a digest entry without its hash may be any of the same user with the same permissions, so that
 * nobody can say whether two such ACLs are the same.
 */
export function compareAcls(a: readonly Acl[], b: readonly Acl[]): 'same' | 'different' | 'unknown' {
  if (!hasMasked(a) && !hasMasked(b)) return sameAcl(a, b) ? 'same' : 'different';
  const users = new Map<string, { a: number; b: number; maskedA: number; maskedB: number }>();
  const others = [...b];
  for (const entry of a) {
    const at = isMasked(entry) ? -1 : others.findIndex((each) => showAcl([each]) === showAcl([entry]));
    if (at >= 0) others.splice(at, 1);
    else tally(entry)[isMasked(entry) ? 'maskedA' : 'a']++;
  }
  for (const entry of others) tally(entry)[isMasked(entry) ? 'maskedB' : 'b']++;
  const fits = [...users.values()].every(
    (user) => user.a + user.maskedA === user.b + user.maskedB && user.a <= user.maskedB && user.b <= user.maskedA,
  );
  return fits ? 'unknown' : 'different';

  function tally(entry: Acl): { a: number; b: number; maskedA: number; maskedB: number } {
    const [user = ''] = entry.id.split(':');
    const who = `${entry.perms} ${entry.scheme}:${isDigestScheme(entry.scheme) ? user : entry.id}`;
    const known = users.get(who) ?? { a: 0, b: 0, maskedA: 0, maskedB: 0 };
    users.set(who, known);
    return known;
  }
}

/** Says which those are. */
export function unknownAcls(paths: readonly string[]): string {
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
  const some = paths.slice(0, 3).map(quoteWord).join(' ');
  return `password hashes may not be read, so nobody can say whether the ACLs are the same: ${some}${more}`;
}

/** Null differs from empty. */
export function sameData(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

const MODE: Readonly<Record<NodeKind, CreateMode>> = {
  persistent: 'persistent',
  ephemeral: 'ephemeral',
  container: 'container',
  ttl: 'ttl',
};
/** How a node of that kind is made again. */
export const modeOf = ({ kind, ttlMs }: Pick<NodeRecord, 'kind' | 'ttlMs'>): { mode: CreateMode; ttlMs?: number } => ({
  mode: MODE[kind],
  ...(kind === 'ttl' && ttlMs !== undefined && { ttlMs }),
});

/** `path` below `from`, as it is called below `to`. */
export function rebased(path: string, from: string, to: string): string {
  const rest = path === from ? '' : from === '/' ? path : path.slice(from.length);
  if (to === '/') return rest === '' ? '/' : rest;
  return to + rest;
}

/** Whether `path` is `root` or below it. */
export const isWithin = (path: string, root: string): boolean =>
  path === root || (root === '/' ? path.startsWith('/') : path.startsWith(`${root}/`));

/** It, or a node above it, is one of these. */
export function isUnder(path: string, tops: ReadonlySet<string>): boolean {
  for (let at = path; at !== '/'; at = parentOf(at) || '/') if (tops.has(at)) return true;
  return tops.has('/');
}

/** The order of exports: a node before what is below it, names by code unit. */
export function comparePaths(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === end) return a.length - b.length;
  // a slash ends a name, and what ends first comes first
  const x = a.charCodeAt(at) === 47 ? -1 : a.charCodeAt(at);
  const y = b.charCodeAt(at) === 47 ? -1 : b.charCodeAt(at);
  return x - y;
}
