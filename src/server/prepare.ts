import { KEEPER_CODES } from '../base/errors.ts';
import type { SessionId } from '../base/ids.ts';
import { isValidPath, PROTECTED, parentOf, sequenceSuffix } from '../base/path.ts';
import { PERM } from '../protocol/data.ts';
import { CREATE_FLAG } from '../protocol/operations.ts';
import { type AclList, CONTAINER_OWNER, KIND, OPEN_ACL, type PartTxn, ttlOwner } from '../records/txns.ts';
import { aclBytes, expandAcl, type Identity, isAllowed, type RawAcl } from './acl.ts';
import { isEphemeral, type PendingChanges, type PendingNode } from './pending.ts';

/** Opcodes of the create family; the kind of node follows from them (wire-protocol.md 6). */
const OP_CREATE_CONTAINER = 19;
const OP_CREATE_TTL = 21;
const MAX_TTL_MS = 0xff_ffff_ffff;
/** Bytes that ACLs with `auth` in one request may come to: with the largest request that is still a transaction (A7). */
const MOST_EXPANDED = 8 * 1024 * 1024;

export interface PrepareOptions {
  /** TTL nodes are allowed. */
  readonly extendedTypes: boolean;
  readonly enforceQuota: boolean;
  /** See {@link expandAcl}. */
  readonly auth: { readonly providers?: ReadonlySet<string> | undefined };
}
/** Answers whether a hard quota would be broken. */
export type QuotaCheck = (path: string, countDelta: number, bytesDelta: number) => boolean;

/** Who asks. */
export interface Requester {
  readonly session: SessionId;
  readonly identities: readonly Identity[];
  /** The session is a member's own: it cannot own an ephemeral. */
  readonly local?: boolean | undefined;
}

/** A decision: what will happen, or ZooKeeper's number of why not. */
export type Decision = PartTxn | number;

const after = (version: number): number => {
  const next = (version + 1) | 0;
  return next === -1 ? 0 : next; // -1 would mean "any" (ZOOKEEPER-4743)
};

/**
 * Decides requests one at a time, against everything decided before. The order of checks is the order in which errors win
 * (semantics.md 5). `by` is the number the proposal will get.
 */
export class Decider {
  private readonly pending: PendingChanges;
  private readonly options: PrepareOptions;
  private readonly overQuota: QuotaCheck;
  /** Paths the decision in hand touched, to be settled when it is applied. */
  touched: string[] = [];
  /** Bytes of the ACLs of the request in hand that name `auth`. */
  private expanded = 0;

  constructor(pending: PendingChanges, options: PrepareOptions, overQuota: QuotaCheck) {
    this.pending = pending;
    this.options = options;
    this.overQuota = overQuota;
  }

  /** A request begins. */
  begin(): void {
    this.touched = [];
    this.expanded = 0;
  }
  /** The list as it will be stored, or why not. */
  private expand(raw: RawAcl | null, identities: readonly Identity[]): AclList | number {
    const acl = expandAcl(raw, identities, this.options.auth.providers);
    if (acl === undefined) return KEEPER_CODES.InvalidAcl;
    if (acl === OPEN_ACL || raw?.some(({ id }) => id.scheme === 'auth') !== true) return acl;
    // what `auth` stands for makes a transaction larger than its request (ZOOKEEPER-3496)
    this.expanded += aclBytes(acl);
    return this.expanded > MOST_EXPANDED ? KEEPER_CODES.MarshallingError : acl;
  }
  private put(node: PendingNode): void {
    this.pending.put(node);
    this.touched.push(node.path);
  }

  create(
    who: Requester,
    by: number,
    opcode: number,
    path: string | null,
    data: Uint8Array | null,
    rawAcl: RawAcl | null,
    flags: number,
    ttl: bigint,
  ): Decision {
    if (flags < 0 || flags > CREATE_FLAG.ttlSequential) return KEEPER_CODES.BadArguments;
    const timed = flags === CREATE_FLAG.ttl || flags === CREATE_FLAG.ttlSequential;
    if (timed && !this.options.extendedTypes) return KEEPER_CODES.Unimplemented;
    if (timed ? opcode !== OP_CREATE_TTL || ttl <= 0n || ttl > BigInt(MAX_TTL_MS) : ttl >= 0n)
      return KEEPER_CODES.BadArguments;
    const ephemeral = flags === CREATE_FLAG.ephemeral || flags === CREATE_FLAG.ephemeralSequential;
    if (ephemeral && who.local === true) return KEEPER_CODES.EphemeralOnLocalSession;
    if (path === null) return KEEPER_CODES.MarshallingError;
    if (!path.includes('/') || path.includes('\0')) return KEEPER_CODES.BadArguments;
    const acl = this.expand(rawAcl, who.identities);
    if (typeof acl === 'number') return acl;
    const sequential =
      flags === CREATE_FLAG.persistentSequential ||
      flags === CREATE_FLAG.ephemeralSequential ||
      flags === CREATE_FLAG.ttlSequential;
    if (path === '/' && !sequential) return KEEPER_CODES.NodeExists;
    const parentPath = path === '/' ? path : parentOf(path);
    const parent = parentPath === '' ? undefined : this.pending.get(parentPath);
    if (parent === undefined) return KEEPER_CODES.NoNode;
    if (!isAllowed(parent.acl, PERM.create, who.identities)) return KEEPER_CODES.NoAuth;
    const final = sequential ? path + sequenceSuffix(parent.creates) : path;
    if (!isValidPath(final)) return KEEPER_CODES.BadArguments;
    if (this.pending.get(final) !== undefined) return KEEPER_CODES.NodeExists;
    if (isEphemeral(parent.owner)) return KEEPER_CODES.NoChildrenForEphemerals;
    // whatever else is wrong is told first
    if (opcode === OP_CREATE_TTL && !timed) return KEEPER_CODES.BadArguments;
    const bytes = data?.length ?? 0;
    if (this.options.enforceQuota && this.overQuota(final, 1, bytes)) return KEEPER_CODES.QuotaExceeded;
    const owner =
      opcode === OP_CREATE_CONTAINER
        ? CONTAINER_OWNER
        : timed
          ? ttlOwner(Number(ttl))
          : ephemeral
            ? (who.session as bigint)
            : 0n;
    // at the end of the counter it stays: the next sequential create is a duplicate, never a second node
    const creates = parent.creates === 0x7fff_ffff ? parent.creates : parent.creates + 1;
    this.put({ ...parent, creates, children: parent.children + 1, by });
    this.put({
      path: final,
      exists: true,
      version: 0,
      aversion: 0,
      creates: 0,
      children: 0,
      owner,
      acl,
      dataBytes: bytes,
      by,
    });
    return { kind: KIND.create, path: final, data, acl, owner, creates };
  }

  delete(who: Requester, by: number, path: string | null, version: number): Decision {
    if (path === null) return KEEPER_CODES.MarshallingError;
    if (!path.includes('/') || path.includes('\0') || PROTECTED.has(path)) return KEEPER_CODES.BadArguments;
    const parentPath = parentOf(path);
    const parent = parentPath === '' ? undefined : this.pending.get(parentPath);
    if (parent === undefined) return KEEPER_CODES.NoNode;
    if (!isAllowed(parent.acl, PERM.delete, who.identities)) return KEEPER_CODES.NoAuth;
    const node = this.pending.get(path);
    if (node === undefined) return KEEPER_CODES.NoNode;
    if (version !== -1 && version !== node.version) return KEEPER_CODES.BadVersion;
    if (node.children > 0) return KEEPER_CODES.NotEmpty;
    this.remove(parent, node, by);
    return { kind: KIND.delete, path };
  }

  private remove(parent: PendingNode, node: PendingNode, by: number): void {
    this.put({ ...parent, children: parent.children - 1, by });
    this.put({ ...node, exists: false, by });
  }

  setData(who: Requester, by: number, path: string | null, data: Uint8Array | null, version: number): Decision {
    if (path === null || !isValidPath(path)) return KEEPER_CODES.BadArguments;
    const node = this.pending.get(path);
    if (node === undefined) return KEEPER_CODES.NoNode;
    if (!isAllowed(node.acl, PERM.write, who.identities)) return KEEPER_CODES.NoAuth;
    // its text is what config records say; reconfig changes them
    if (path === '/zookeeper/config') return KEEPER_CODES.BadArguments;
    const bytes = data?.length ?? 0;
    if (this.options.enforceQuota && bytes !== node.dataBytes && this.overQuota(path, 0, bytes - node.dataBytes))
      return KEEPER_CODES.QuotaExceeded;
    if (version !== -1 && version !== node.version) return KEEPER_CODES.BadVersion;
    const next = after(node.version);
    this.put({ ...node, version: next, dataBytes: bytes, by });
    return { kind: KIND.setData, path, data, version: next };
  }

  check(who: Requester, path: string | null, version: number): Decision {
    if (path === null || !isValidPath(path)) return KEEPER_CODES.BadArguments;
    const node = this.pending.get(path);
    if (node === undefined) return KEEPER_CODES.NoNode;
    if (!isAllowed(node.acl, PERM.read, who.identities)) return KEEPER_CODES.NoAuth;
    if (version !== -1 && version !== node.version) return KEEPER_CODES.BadVersion;
    return { kind: KIND.check, path, version: node.version };
  }

  /** Not a part of a multi, hence with an answer of its own. */
  setAcl(who: Requester, by: number, path: string | null, rawAcl: RawAcl | null, version: number) {
    if (path === null || !isValidPath(path)) return KEEPER_CODES.BadArguments;
    const acl = this.expand(rawAcl, who.identities);
    if (typeof acl === 'number') return acl;
    const node = this.pending.get(path);
    if (node === undefined) return KEEPER_CODES.NoNode;
    if (!isAllowed(node.acl, PERM.admin, who.identities)) return KEEPER_CODES.NoAuth;
    if (version !== -1 && version !== node.aversion) return KEEPER_CODES.BadVersion;
    const aversion = after(node.aversion);
    this.put({ ...node, acl, aversion, by });
    return { kind: KIND.setAcl, path, acl, aversion } as const;
  }

  /**
   * The reaper's: no ACL, no session. It looked at what is applied: where a change is under way, as one that begins the time of the
   * node anew or puts another in its place, the next round looks again.
   */
  reap(by: number, path: string) {
    if (PROTECTED.has(path)) return KEEPER_CODES.BadArguments;
    if (this.pending.entry(path) !== undefined) return KEEPER_CODES.BadVersion;
    const node = this.pending.get(path);
    const parent = this.pending.get(parentOf(path));
    if (node === undefined || parent === undefined) return KEEPER_CODES.NoNode;
    if (node.owner === 0n || isEphemeral(node.owner)) return KEEPER_CODES.BadVersion;
    if (node.children > 0) return KEEPER_CODES.NotEmpty;
    this.remove(parent, node, by);
    return { kind: KIND.reap, path } as const;
  }
}
