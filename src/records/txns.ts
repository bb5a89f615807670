import { hash64, lanes } from '../base/hash.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import { knownFormat, type PackReader, type PackWriter, pack, RecordError, unpack } from './pack.ts';

/** One entry of an ACL list. `perms`: READ 1, WRITE 2, CREATE 4, DELETE 8, ADMIN 16. */
export interface AclEntry {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}
export type AclList = readonly AclEntry[];
/** Everything, for everyone: the list nearly every node has. Compared by identity where speed matters. */
export const OPEN_ACL: AclList = Object.freeze([Object.freeze({ perms: 31, scheme: 'world', id: 'anyone' })]);
/** READ for everyone: the list of `/zookeeper/config`. */
export const READ_ACL: AclList = Object.freeze([Object.freeze({ perms: 1, scheme: 'world', id: 'anyone' })]);

/** Kinds of transaction, as numbered in the log. Numbers are for ever. */
export const KIND = {
  create: 1,
  delete: 2,
  setData: 3,
  setAcl: 4,
  check: 5,
  multi: 6,
  error: 7,
  multiError: 8,
  createSession: 9,
  closeSession: 10,
  reap: 11,
  noop: 12,
  found: 20,
  config: 21,
  seen: 22,
} as const;

/** `owner` of a node that lives until its last child is gone. */
export const CONTAINER_OWNER = -0x8000_0000_0000_0000n;
/** `owner` of a node with a time to live, in ms, 1 to 2^40 - 1: 0xff in the top byte. */
export const ttlOwner = (ttlMs: number): bigint => BigInt.asIntN(64, 0xff00_0000_0000_0000n | BigInt(ttlMs));

/** A node comes to be. `path` is final, sequence number included; `creates` is the parent's counter afterwards. */
export interface CreateTxn {
  readonly kind: typeof KIND.create;
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: AclList;
  /** Session id, CONTAINER_OWNER, ttlOwner(ms) or 0. */
  readonly owner: bigint;
  readonly creates: number;
}
export interface DeleteTxn {
  readonly kind: typeof KIND.delete;
  readonly path: string;
}
/** A container or a node past its time to live goes, found by the leader's reaper. */
export interface ReapTxn {
  readonly kind: typeof KIND.reap;
  readonly path: string;
}
/** `version` is the one after the change. */
export interface SetDataTxn {
  readonly kind: typeof KIND.setData;
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly version: number;
}
/** `aversion` is the one after the change. */
export interface SetAclTxn {
  readonly kind: typeof KIND.setAcl;
  readonly path: string;
  readonly acl: AclList;
  readonly aversion: number;
}
/** Part of a multi only; changes nothing. */
export interface CheckTxn {
  readonly kind: typeof KIND.check;
  readonly path: string;
  readonly version: number;
}
export type PartTxn = CreateTxn | DeleteTxn | SetDataTxn | CheckTxn;
/** Parts that happen together, all with the zxid and the time of the whole. */
export interface MultiTxn {
  readonly kind: typeof KIND.multi;
  readonly parts: readonly PartTxn[];
}
/** A request that failed when it was decided; `code` is ZooKeeper's number. */
export interface ErrorTxn {
  readonly kind: typeof KIND.error;
  readonly code: number;
}
/** A multi that failed: a code per part. */
export interface MultiErrorTxn {
  readonly kind: typeof KIND.multiError;
  readonly codes: readonly number[];
}
/** `secret`: SHA-256 of the session's password, cut to 16 bytes. */
export interface CreateSessionTxn {
  readonly kind: typeof KIND.createSession;
  readonly id: SessionId;
  readonly timeoutMs: number;
  readonly secret: Uint8Array;
}
/**
 * The session ends and its ephemerals go; apply knows which (foundations.md 10). It takes them as the tree has them and not in
 * byte order of path: no state depends on that.
 */
export interface CloseSessionTxn {
  readonly kind: typeof KIND.closeSession;
  readonly id: SessionId;
}
/** A no-op: commits what came before it. */
export interface NoopTxn {
  readonly kind: typeof KIND.noop;
}
/** A member as the log knows it. `incarnation` is hexadecimal text, or null when none is known. */
export interface Member {
  readonly sid: number;
  readonly role: 'participant' | 'observer';
  readonly incarnation: string | null;
  /** `host:quorumPort:electionPort` forms; empty for a server on its own. */
  readonly addresses: readonly string[];
  /** What stands behind the first semicolon of its line: `host:port`, `host:port;host:port` or `;host:port`, the second for TLS. */
  readonly client: string | null;
  /** Hierarchical quorums: the group a voter belongs to, and its weight there (1 when absent; 0 never leads). */
  readonly group?: number;
  readonly weight?: number;
}
/** Who counts. `version` in `/zookeeper/config` is the zxid of the record that carries it. */
export interface Config {
  readonly members: readonly Member[];
  /** The largest transaction any member may be asked to store, bytes; one for the ensemble. */
  readonly maxTxnBytes: number;
}
/** The first transaction of every ensemble. `ensembleId` is hexadecimal text. */
export interface FoundTxn {
  readonly kind: typeof KIND.found;
  readonly ensembleId: string;
  readonly config: Config;
}
export interface ConfigTxn {
  readonly kind: typeof KIND.config;
  readonly config: Config;
}
/** A voter runs under a boot tag the log did not know. */
export interface SeenTxn {
  readonly kind: typeof KIND.seen;
  readonly sid: number;
  readonly incarnation: string;
  readonly tag: string;
}
export type Txn =
  | CreateTxn
  | DeleteTxn
  | ReapTxn
  | SetDataTxn
  | SetAclTxn
  | CheckTxn
  | MultiTxn
  | ErrorTxn
  | MultiErrorTxn
  | CreateSessionTxn
  | CloseSessionTxn
  | NoopTxn
  | FoundTxn
  | ConfigTxn
  | SeenTxn;

export function writeAcl(to: PackWriter, acl: AclList): void {
  if (acl === OPEN_ACL) {
    to.int(0);
    return;
  }
  to.array(acl.length * 3);
  for (const entry of acl) {
    to.int(entry.perms);
    to.text(entry.scheme);
    to.text(entry.id);
  }
}

export function readAcl(from: PackReader): AclList {
  const tag = from.bytes[from.at];
  if (tag === 0 && from.at < from.end) {
    from.at++;
    return OPEN_ACL;
  }
  const fields = from.array();
  if (fields % 3 !== 0) throw new RecordError(`an ACL of ${fields} fields`);
  const acl: AclEntry[] = [];
  for (let i = 0; i < fields; i += 3) acl.push({ perms: from.int(), scheme: from.text(), id: from.text() });
  return acl;
}

/** Writes the body of a transaction as one MessagePack array; hot kinds by hand. */
export function writeTxn(to: PackWriter, txn: Txn): void {
  switch (txn.kind) {
    case KIND.create:
      to.array(5);
      to.text(txn.path);
      to.binOrNil(txn.data);
      writeAcl(to, txn.acl);
      if (txn.owner === 0n) to.int64(0, 0);
      else to.big(txn.owner);
      to.int(txn.creates);
      return;
    case KIND.setData:
      to.array(3);
      to.text(txn.path);
      to.binOrNil(txn.data);
      to.int(txn.version);
      return;
    case KIND.delete:
    case KIND.reap:
      to.array(1);
      to.text(txn.path);
      return;
    case KIND.setAcl:
      to.array(3);
      to.text(txn.path);
      writeAcl(to, txn.acl);
      to.int(txn.aversion);
      return;
    case KIND.check:
      to.array(2);
      to.text(txn.path);
      to.int(txn.version);
      return;
    case KIND.multi:
      to.array(txn.parts.length * 2);
      for (const part of txn.parts) {
        to.int(part.kind);
        writeTxn(to, part);
      }
      return;
    case KIND.error:
      to.array(1);
      to.int(txn.code);
      return;
    case KIND.multiError:
      to.array(txn.codes.length);
      for (const code of txn.codes) to.int(code);
      return;
    case KIND.createSession:
      to.array(3);
      to.big(txn.id);
      to.int(txn.timeoutMs);
      to.bin(txn.secret);
      return;
    case KIND.closeSession:
      to.array(1);
      to.big(txn.id);
      return;
    case KIND.noop:
      to.array(0);
      return;
    case KIND.found:
      to.array(2);
      to.text(txn.ensembleId);
      to.bin(pack(txn.config));
      return;
    case KIND.config:
      to.array(1);
      to.bin(pack(txn.config));
      return;
    case KIND.seen:
      to.array(3);
      to.int(txn.sid);
      to.text(txn.incarnation);
      to.text(txn.tag);
      return;
  }
}

const isShare = (v: unknown): v is number | undefined =>
  v === undefined || (typeof v === 'number' && Number.isSafeInteger(v) && v >= 0);
const isText = (v: unknown): v is string => typeof v === 'string';

/** Checks what {@link unpack} gave for a config, field by field. */
export function readConfig(bytes: Uint8Array): Config {
  const raw = unpack(bytes) as { members?: unknown; maxTxnBytes?: unknown } | null;
  if (raw === null || typeof raw !== 'object' || !Array.isArray(raw.members) || typeof raw.maxTxnBytes !== 'number')
    throw new RecordError('not a config');
  const members = raw.members.map((m: Record<string, unknown>): Member => {
    const { sid, role, incarnation, addresses, client, group, weight } = m ?? {};
    if (
      typeof sid !== 'number' ||
      (role !== 'participant' && role !== 'observer') ||
      !(incarnation === null || isText(incarnation)) ||
      !Array.isArray(addresses) ||
      !addresses.every(isText) ||
      !(client === null || isText(client)) ||
      !isShare(group) ||
      !isShare(weight)
    )
      throw new RecordError('not a member of a config');
    return {
      ...{ sid, role, incarnation, addresses, client },
      ...(group === undefined ? {} : { group }),
      ...(weight === undefined ? {} : { weight }),
    };
  });
  return { members, maxTxnBytes: raw.maxTxnBytes };
}

/** Reads a body of the given kind. `data` and `secret` are views on the bytes read. */
export function readTxn(from: PackReader, kind: number): Txn {
  switch (kind) {
    case KIND.create: {
      from.tuple(5);
      const path = from.text();
      const data = from.binOrNil();
      const acl = readAcl(from);
      from.int64();
      const owner = from.hi === 0 && from.lo === 0 ? 0n : (BigInt(from.hi) << 32n) | BigInt(from.lo >>> 0);
      return { kind, path, data, acl, owner, creates: from.int() };
    }
    case KIND.setData:
      from.tuple(3);
      return { kind, path: from.text(), data: from.binOrNil(), version: from.int() };
    case KIND.delete:
    case KIND.reap:
      from.tuple(1);
      return { kind, path: from.text() };
    case KIND.setAcl:
      from.tuple(3);
      return { kind, path: from.text(), acl: readAcl(from), aversion: from.int() };
    case KIND.check:
      from.tuple(2);
      return { kind, path: from.text(), version: from.int() };
    case KIND.multi: {
      const fields = from.array();
      if (fields % 2 !== 0) throw new RecordError(`a multi of ${fields} fields`);
      const parts: PartTxn[] = [];
      for (let i = 0; i < fields; i += 2) {
        const partKind = from.int();
        if (
          partKind !== KIND.create &&
          partKind !== KIND.delete &&
          partKind !== KIND.setData &&
          partKind !== KIND.check
        )
          throw new RecordError(`kind ${partKind} inside a multi`);
        parts.push(readTxn(from, partKind) as PartTxn);
      }
      return { kind, parts };
    }
    case KIND.error:
      from.tuple(1);
      return { kind, code: from.int() };
    case KIND.multiError: {
      const count = from.array();
      const codes: number[] = [];
      for (let i = 0; i < count; i++) codes.push(from.int());
      return { kind, codes };
    }
    case KIND.createSession:
      from.tuple(3);
      return { kind, id: from.big() as SessionId, timeoutMs: from.int(), secret: from.bin() };
    case KIND.closeSession:
      from.tuple(1);
      return { kind, id: from.big() as SessionId };
    case KIND.noop:
      from.tuple(0);
      return { kind };
    case KIND.found:
      from.tuple(2);
      return { kind, ensembleId: from.text(), config: readConfig(from.bin()) };
    case KIND.config:
      from.tuple(1);
      return { kind, config: readConfig(from.bin()) };
    case KIND.seen:
      from.tuple(3);
      return { kind, sid: from.int(), incarnation: from.text(), tag: from.text() };
    default:
      throw new RecordError(`unknown kind of transaction ${kind}`);
  }
}

/** The format of the envelope and the feature level that wrote it. */
export const FORMAT = 1;
export const FEATURE_LEVEL = 1;
/** Bytes of the chain at the end of an envelope: bin8 head (2) and 8 of hash. */
const CHAIN_BYTES = 10;

/** What every member holds of a transaction, byte for byte equal on all of them. */
export interface Envelope {
  readonly zxidHi: number;
  readonly zxidLo: number;
  readonly kind: number;
  /** ms since 1970, the leader's, never going back. */
  readonly time: number;
  /** The session that asked, 0n when nobody did, and its xid. */
  readonly session: SessionId;
  readonly xid: number;
  readonly chainHi: number;
  readonly chainLo: number;
  readonly txn: Txn;
}
export const zxidOf = (e: { zxidHi: number; zxidLo: number }): Zxid =>
  ((BigInt(e.zxidHi) << 32n) | BigInt(e.zxidLo >>> 0)) as Zxid;

/**
 * Writes a whole envelope after the one whose chain is (`prevHi`, `prevLo`); the new chain is left in `lanes` of
 * base/hash. MessagePack: [format, level, zxid, kind, time, session, xid, body, chain].
 */
export function writeEnvelope(
  to: PackWriter,
  zxidHi: number,
  zxidLo: number,
  time: number,
  session: bigint,
  xid: number,
  txn: Txn,
  prevHi: number,
  prevLo: number,
): void {
  const start = to.at;
  to.array(9);
  to.int(FORMAT);
  to.int(FEATURE_LEVEL);
  to.int64(zxidHi, zxidLo);
  to.int(txn.kind);
  to.millis(time);
  to.big(session);
  to.int(xid);
  writeTxn(to, txn);
  to.room(CHAIN_BYTES);
  hash64(to.bytes, start, to.at, prevHi, prevLo);
  to.bytes[to.at++] = 0xc4;
  to.bytes[to.at++] = 8;
  to.word(lanes[0] as number);
  to.word(lanes[1] as number);
}

/**
 * Reads one envelope from `from.at` to `from.end` exactly and verifies its chain against the one before it. Pass
 * undefined to leave the chain unverified (a packet whose predecessor is not at hand).
 */
export function readEnvelope(from: PackReader, prev: { hi: number; lo: number } | undefined): Envelope {
  const start = from.at;
  from.tuple(9);
  const format = from.int();
  knownFormat('record format', format, FORMAT);
  const level = from.int();
  if (level > FEATURE_LEVEL) knownFormat('feature level', level, FEATURE_LEVEL);
  from.int64();
  const zxidHi = from.hi;
  const zxidLo = from.lo;
  const kind = from.int();
  const time = from.millis();
  const session = from.big() as SessionId;
  const xid = from.int();
  const txn = readTxn(from, kind);
  const chained = from.at;
  const chain = from.bin();
  if (chain.length !== 8) throw new RecordError(`a chain of ${chain.length} bytes`);
  const chainHi = chain.readInt32BE(0);
  const chainLo = chain.readInt32BE(4);
  from.done();
  if (prev !== undefined) {
    hash64(from.bytes, start, chained, prev.hi, prev.lo);
    if (lanes[0] !== chainHi || lanes[1] !== chainLo)
      throw new RecordError('the chain does not follow the record before');
  }
  return { zxidHi, zxidLo, kind, time, session, xid, chainHi, chainLo, txn };
}
