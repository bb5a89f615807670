/** A member's whole state against the model's. */

import { Reader } from '../../../src/protocol/bytes.ts';
import { Stat } from '../../../src/protocol/data.ts';
import type { DataTree } from '../../../src/tree/data-tree.ts';
import type { ModelState } from '../model/state.ts';
import { type ModelNode, shownStat } from '../model/tree.ts';
import { showAcl } from './compare.ts';

/** Holds what differs between members for good reasons, or follows from the members themselves. */
const OPAQUE = '/zookeeper/config';

export const zxidOfTree = (tree: DataTree): bigint => (BigInt(tree.zxidHi) << 32n) | BigInt(tree.zxidLo >>> 0);

/** Every node and every session of a tree, one line each, as the checkers compare them. */
export function describeTree(tree: DataTree): Map<string, string> {
  const lines = new Map<string, string>();
  const stat = Buffer.alloc(68);
  for (let row = 1; row < tree.rows.high; row++) {
    if (tree.pathLength(row) === 0) continue;
    const path = tree.pathOf(row);
    tree.writeStat(row, stat, 0);
    const shown = Stat.read(new Reader(stat));
    lines.set(path, line(tree.data(row), shown, tree.acl(row), tree.owner(row), tree.creates(row)));
  }
  for (const { id, timeoutMs } of tree.sessions.all())
    lines.set(`session ${id}`, `${timeoutMs} ${tree.ephemeralsOf(id).sort().join()}`);
  return lines;
}
function line(
  data: Buffer | null,
  stat: ReturnType<typeof shownStat>,
  acl: Parameters<typeof showAcl>[0],
  owner: bigint,
  creates: number,
): string {
  return `${Object.values(stat).join()} ${owner} ${creates} ${showAcl(acl)} ${data?.toString('latin1') ?? 'null'}`;
}

/** The same lines of the model as it is, or was at a moment. */
export function describeModel(state: ModelState, moment: number): Map<string, string> {
  const lines = new Map<string, string>();
  const owned = new Map<bigint, string[]>();
  for (const path of state.tree.paths(moment)) {
    const node = state.tree.get(path, moment) as ModelNode;
    const { data, acl, owner, creates } = node;
    lines.set(path, line(data, shownStat(node), acl, owner, creates));
    const list = owned.get(owner);
    if (list === undefined) owned.set(owner, [path]);
    else list.push(path);
  }
  for (const [id, { timeoutMs }] of state.sessions)
    if (state.isLive(id, moment)) lines.set(`session ${id}`, `${timeoutMs} ${(owned.get(id) ?? []).sort().join()}`);
  return lines;
}

/** What differs, in words; nothing when they are equal. */
export function treeFaults(tree: DataTree, state: ModelState): string[] {
  const zxid = zxidOfTree(tree);
  const moment = state.momentOf(zxid);
  if (moment === undefined) return [`its last transaction ${zxid.toString(16)} is not in the history`];
  const own = describeTree(tree);
  const model = describeModel(state, moment);
  own.delete(OPAQUE);
  model.delete(OPAQUE);
  const faults: string[] = [];
  for (const [what, text] of model) {
    const found = own.get(what);
    own.delete(what);
    if (found !== text) faults.push(`${what} is ${found ?? 'absent'}, by the model ${text}`);
  }
  for (const [what, text] of own) faults.push(`${what} is ${text}, by the model absent`);
  return faults;
}
