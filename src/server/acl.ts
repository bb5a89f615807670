import { isDigestScheme } from '../base/digest-schemes.ts';
import { PERM } from '../protocol/data.ts';
import { MAX_ID, MAX_SCHEME } from '../records/limits.ts';
import { type AclEntry, type AclList, OPEN_ACL } from '../records/txns.ts';
import { isIpPattern, matchesIp } from './ip.ts';
import { isSubjectName } from './subject-text.ts';

/** Who a connection has proved to be under one scheme. */
export interface Identity {
  readonly scheme: string;
  readonly id: string;
}

/** Of one connection; the leader is told them with each request of a learner's client. */
const MOST_IDENTITIES = 256;
const MOST_IDENTITY_BYTES = 64 * 1024;

/** One connection may have them all: ZooKeeper sets no bound, but each request carries them, and each ACL is held against them. */
export function areCarried(identities: readonly Identity[]): boolean {
  let bytes = 0;
  for (const { scheme, id } of identities) {
    const length = Buffer.byteLength(id);
    if (length > MAX_ID || Buffer.byteLength(scheme) > MAX_SCHEME) return false;
    bytes += length;
  }
  return identities.length <= MOST_IDENTITIES && bytes <= MOST_IDENTITY_BYTES;
}
/** Bytes of an ACL in the log, at most. */
export const aclBytes = (acl: AclList): number =>
  acl === OPEN_ACL ? 1 : acl.reduce((sum, { scheme, id }) => sum + scheme.length + Buffer.byteLength(id) + 15, 5);

/** May these identities do `perm` (any of the bits) on a node with this list? An empty list lets everybody. */
export function isAllowed(acl: AclList, perm: number, identities: readonly Identity[]): boolean {
  if (acl === OPEN_ACL || acl.length === 0) return true;
  for (const identity of identities) if (identity.scheme === 'super') return true;
  for (const entry of acl) {
    if ((entry.perms & perm) === 0) continue;
    if (entry.scheme === 'world') {
      if (entry.id === 'anyone') return true;
      continue;
    }
    for (const identity of identities) if (identity.scheme === entry.scheme && matches(identity, entry.id)) return true;
  }
  return false;
}

function matches({ scheme, id }: Identity, pattern: string): boolean {
  if (scheme === 'ip') return matchesIp(id, pattern);
  // ZooKeeper lets the SASL user of this name through wherever a SASL user is named
  return id === pattern || (scheme === 'sasl' && id === 'super');
}

/** Schemes whose identities `auth` stands for. */
const AUTHENTICATED: ReadonlySet<string> = new Set(['digest', 'digest256', 'sasl', 'x509']);
/** Schemes that ACLs may name without a setting. */
const BUILT_IN: ReadonlySet<string> = new Set(['digest', 'ip']);
/** A name as Kerberos has them: what is behind an @ is a realm, and there is one at most. */
const PRINCIPAL = /^[^@]*$|^[^/@]*(\/[^/@]*)?@[^/@]*$/;

/** What a request said; null where jute allows it. */
export type RawAcl = readonly {
  readonly perms: number;
  readonly id: { readonly scheme: string | null; readonly id: string | null };
}[];

/**
 * The list as it will be stored: duplicates dropped, `auth` replaced by the connection's identities. Undefined when it is
 * not valid (semantics.md 8.2): null or empty, a scheme without provider, an id its scheme does not accept.
 */
export function expandAcl(
  raw: RawAcl | null,
  identities: readonly Identity[],
  providers: ReadonlySet<string> = BUILT_IN,
): AclList | undefined {
  if (raw === null || raw.length === 0) return undefined;
  if (raw.length === 1) {
    const only = raw[0] as RawAcl[number];
    if (only.perms === PERM.all && only.id.scheme === 'world' && only.id.id === 'anyone') return OPEN_ACL;
  }
  const seen = new Set<string>();
  const out: AclEntry[] = [];
  const add = (perms: number, scheme: string, id: string): void => {
    const key = `${perms} ${scheme} ${id}`;
    if (seen.has(key)) return;
    seen.add(key);
    out.push({ perms, scheme, id });
  };
  for (const { perms, id: who } of raw) {
    const { scheme } = who;
    // `auth` needs no id, and kazoo has null for an empty one
    const id = scheme === 'auth' ? '' : who.id;
    if (scheme === null || id === null) return undefined;
    if (scheme === 'auth') {
      const own = identities.filter((each) => AUTHENTICATED.has(each.scheme) && providers.has(each.scheme));
      if (own.length === 0) return undefined;
      for (const identity of own) add(perms, identity.scheme, identity.id);
    } else if (scheme === 'world') {
      if (id !== 'anyone') return undefined;
      add(perms, scheme, id);
    } else if (!providers.has(scheme)) return undefined;
    else if (isDigestScheme(scheme)) {
      const parts = id.split(':');
      if (parts.length !== 2 || parts[1] === '') return undefined;
      add(perms, scheme, id);
    } else if (scheme === 'ip') {
      if (!isIpPattern(id)) return undefined;
      add(perms, scheme, id);
    } else if (scheme === 'sasl') {
      if (!PRINCIPAL.test(id)) return undefined;
      add(perms, scheme, id);
    } else if (scheme === 'x509') {
      if (!isSubjectName(id)) return undefined;
      add(perms, scheme, id);
    } else return undefined;
  }
  return out.length === 1 && out[0]?.perms === PERM.all && out[0].scheme === 'world' ? OPEN_ACL : out;
}

/** What getACL shows to one without ADMIN: the hash of a digest id is hidden. */
export const maskDigests = (acl: AclList): AclList =>
  acl.map((entry) => {
    if (!isDigestScheme(entry.scheme)) return entry;
    const colon = entry.id.indexOf(':');
    return { ...entry, id: colon < 0 ? entry.id : `${entry.id.slice(0, colon)}:x` };
  });
