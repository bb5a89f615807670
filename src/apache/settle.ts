import type { DataTree } from '../tree/data-tree.ts';
import { AT, F } from '../tree/rows.ts';
import { read64 } from './node-fields.ts';
import type { ReplayedTree } from './replayed-tree.ts';

/** So many of one kind say all that there is to say. */
const MOST = 5;

/** What cannot be at the end of a whole log, in clauses; empty when all is well. */
export function faultsOf(state: ReplayedTree): string[] {
  const { tree, zxid } = state;
  const { rows } = tree;
  const found: string[] = [];
  let beyond = zxid;
  for (let row = 1; row < rows.high; row++) {
    if (rows.get(row, F.pathLength) === 0) continue;
    for (const at of [AT.czxid, AT.mzxid, AT.pzxid]) {
      const own = read64(rows, row, at);
      if (own > beyond) beyond = own;
    }
    if (state.sessionOf(row) !== 0n && tree.children(row) > 0 && found.length < MOST)
      found.push(`the ephemeral ${tree.pathOf(row)} has children`);
  }
  if (beyond > zxid)
    found.push(
      `it was written while transactions up to 0x${beyond.toString(16)} went on, and the logs end at 0x${zxid.toString(16)}`,
    );
  const closed = state.withoutAcl;
  if (closed !== undefined)
    found.push(`the ACL of ${closed.path}, number ${closed.key}, is not in it and no later transaction says it`);
  return found;
}

/** The tree as it is served: what is derived is counted, the usage of quotas as well. */
export function settled({ tree }: ReplayedTree): DataTree {
  for (let row = 1; row < tree.rows.high; row++) if (tree.rows.get(row, F.pathLength) > 0) tree.showCversion(row);
  tree.quotas.rebuild();
  const rows = [tree.find('/zookeeper/quota')];
  for (let row = rows.pop(); row !== undefined; row = rows.pop()) {
    const path = tree.pathOf(row);
    if (path.endsWith('/zookeeper_stats')) tree.quotas.noticed(path, row);
    for (let child = tree.rows.get(row, F.firstChild); child !== 0; child = tree.nextSibling(child)) rows.push(child);
  }
  return tree;
}
