import { assert, unreachable } from '../base/assert.ts';
import { parentOf } from '../base/path.ts';
import { configText } from '../records/member-text.ts';
import { type AclList, type Config, type CreateTxn, KIND, type SetDataTxn, type Txn } from '../records/txns.ts';
import type { DataTree } from './data-tree.ts';
import { AT, F } from './rows.ts';

/** Told of each change in the order in which watches must fire (semantics.md 7.2). */
export interface ChangeSink {
  created(path: string, row: number, parentPath: string, parent: number): void;
  changed(path: string, row: number): void;
  /** `acl`: the one the node had. */
  deleted(path: string, acl: AclList, parentPath: string, parent: number): void;
}
/** For replay: nobody watches. */
export const NO_SINK: ChangeSink = { created() {}, changed() {}, deleted() {} };

/**
 * Applies one transaction; `tree.chained` follows. Nothing is decided here; one that does not fit is our own bug.
 * Deterministic.
 */
export function apply(tree: DataTree, zxidHi: number, zxidLo: number, time: number, txn: Txn, sink: ChangeSink): void {
  assert(zxidHi > tree.zxidHi || (zxidHi === tree.zxidHi && zxidLo >>> 0 > tree.zxidLo >>> 0), 'a zxid went back');
  applyPart(tree, zxidHi, zxidLo, time, txn, sink);
  tree.tidy();
  tree.zxidHi = zxidHi;
  tree.zxidLo = zxidLo;
  tree.time = time;
}

function applyPart(tree: DataTree, hi: number, lo: number, time: number, txn: Txn, sink: ChangeSink): void {
  switch (txn.kind) {
    case KIND.create:
      create(tree, hi, lo, time, txn, sink);
      return;
    case KIND.setData:
      setData(tree, hi, lo, time, txn, sink);
      return;
    case KIND.delete:
    case KIND.reap:
      remove(tree, hi, lo, txn.path, sink);
      return;
    case KIND.setAcl: {
      const row = existing(tree, txn.path);
      tree.guard(row);
      const before = tree.aclId(row);
      tree.rows.set(row, F.acl, tree.acls.intern(txn.acl));
      tree.acls.release(before);
      tree.rows.setStat(row, AT.aversion, txn.aversion);
      return;
    }
    case KIND.multi:
      for (const part of txn.parts) applyPart(tree, hi, lo, time, part, sink);
      return;
    case KIND.createSession:
      tree.sessions.add(txn.id, txn.timeoutMs, txn.secret);
      return;
    case KIND.closeSession:
      removeEphemerals(tree, hi, lo, txn.id, Number.POSITIVE_INFINITY, sink);
      tree.sessions.remove(txn.id);
      return;
    case KIND.found:
      tree.ensembleId = txn.ensembleId;
      configure(tree, hi, lo, time, txn.config, sink);
      return;
    case KIND.config:
      configure(tree, hi, lo, time, txn.config, sink);
      return;
    case KIND.seen: {
      const { sid, incarnation, tag } = txn;
      tree.members.note({ at: { epoch: hi, counter: lo >>> 0 }, sid, incarnation, tag });
      return;
    }
    case KIND.check:
    case KIND.error:
    case KIND.multiError:
    case KIND.noop:
      return;
    default:
      unreachable(txn);
  }
}

function existing(tree: DataTree, path: string): number {
  const row = tree.find(path);
  assert(row !== 0, 'a transaction about a node that is not there');
  return row;
}

/** A parent's counters are only ever raised (semantics.md 20). */
function raisePzxid(tree: DataTree, parent: number, hi: number, lo: number): void {
  tree.rows.setStat64(parent, AT.pzxid, hi, lo);
}

function create(tree: DataTree, hi: number, lo: number, time: number, txn: CreateTxn, sink: ChangeSink): void {
  const { rows } = tree;
  const parentPath = parentOf(txn.path);
  const parent = existing(tree, parentPath);
  const { bytes, length } = tree.encoded(txn.path);
  assert(tree.findBytes(bytes, 0, length) === 0, 'a node was created twice');
  tree.guard(parent);
  const { owner } = txn;
  const ownerHi = owner === 0n ? 0 : Number(BigInt.asIntN(32, owner >> 32n));
  const ownerLo = owner === 0n ? 0 : Number(BigInt.asIntN(32, owner));
  const row = tree.addRow(bytes, length, parent, txn.data, txn.acl, ownerHi, ownerLo);
  rows.setStat64(row, AT.czxid, hi, lo);
  rows.setStat64(row, AT.mzxid, hi, lo);
  rows.setStat64(row, AT.pzxid, hi, lo);
  const timeHi = Math.floor(time / 0x1_0000_0000);
  rows.setStat64(row, AT.ctime, timeHi, time >>> 0);
  rows.setStat64(row, AT.mtime, timeHi, time >>> 0);
  if (txn.creates > rows.get(parent, F.creates)) rows.set(parent, F.creates, txn.creates);
  raisePzxid(tree, parent, hi, lo);
  tree.showCversion(parent);
  if (tree.quotas.size > 0) tree.quotas.used(txn.path, 1, txn.data?.length ?? 0);
  if (parentPath.startsWith('/zookeeper/quota')) tree.quotas.noticed(txn.path, row);
  sink.created(txn.path, row, parentPath, parent);
}

function setData(tree: DataTree, hi: number, lo: number, time: number, txn: SetDataTxn, sink: ChangeSink): void {
  const { rows } = tree;
  const row = existing(tree, txn.path);
  tree.guard(row);
  const before = Math.max(0, tree.dataLength(row));
  tree.putData(row, txn.data);
  rows.setStat64(row, AT.mzxid, hi, lo);
  rows.setStat64(row, AT.mtime, Math.floor(time / 0x1_0000_0000), time >>> 0);
  rows.setStat(row, AT.version, txn.version);
  if (tree.quotas.size > 0) tree.quotas.used(txn.path, 0, (txn.data?.length ?? 0) - before);
  if (txn.path.startsWith('/zookeeper/quota/')) tree.quotas.noticed(txn.path, row);
  sink.changed(txn.path, row);
}

/** A config record: /zookeeper/config shows it, under a version that stays -1. A server alone shows nothing. */
function configure(tree: DataTree, hi: number, lo: number, time: number, config: Config, sink: ChangeSink): void {
  tree.config = config;
  tree.members.configAt = { epoch: hi, counter: lo >>> 0, chainHi: 0, chainLo: 0 };
  const text = configText(config, hi, lo);
  if (text === '') return;
  const data = Buffer.from(text);
  setData(tree, hi, lo, time, { kind: KIND.setData, path: '/zookeeper/config', data, version: -1 }, sink);
}

/**
 * The first part of a closeSession numbered `hi`, `lo`: removes up to `limit` of the session's ephemerals, in no order
 * (semantics.md 10). True when none is left. The rest of the transaction is {@link apply}'s, and nothing may come between.
 */
export function removeEphemerals(
  tree: DataTree,
  hi: number,
  lo: number,
  session: bigint,
  limit: number,
  sink: ChangeSink,
): boolean {
  const entry = tree.sessions.get(session);
  for (let i = 0; entry !== undefined && entry.firstEphemeral !== 0; i++) {
    if (i >= limit) return false;
    const row = entry.firstEphemeral;
    removeRow(tree, hi, lo, row, sink === NO_SINK && tree.quotas.size === 0 ? '' : tree.pathOf(row), sink);
  }
  return true;
}

function remove(tree: DataTree, hi: number, lo: number, path: string, sink: ChangeSink): void {
  removeRow(tree, hi, lo, existing(tree, path), path, sink);
}

/** `path` may be '' when nobody is told. */
function removeRow(tree: DataTree, hi: number, lo: number, row: number, path: string, sink: ChangeSink): void {
  const parent = tree.parent(row);
  tree.guard(row);
  tree.guard(parent);
  const acl = tree.acl(row);
  const bytes = Math.max(0, tree.dataLength(row));
  tree.removeRow(row);
  raisePzxid(tree, parent, hi, lo);
  tree.showCversion(parent);
  if (tree.quotas.size > 0) {
    tree.quotas.used(path, -1, -bytes);
    tree.quotas.noticed(path, 0);
  }
  sink.deleted(path, acl, parentOf(path), parent);
}
