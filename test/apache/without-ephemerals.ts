/** A dump as it must be once all sessions ended with one transaction. */
import { parentOf } from '../../src/base/path.ts';
import type { DumpedNode } from './dump.ts';

/** `zxid`: of the transaction with which they ended, hexadecimal. */
export function withoutEphemerals(nodes: readonly DumpedNode[], zxid: string): DumpedNode[] {
  const owner = ({ stat }: DumpedNode): string => stat.split(' ')[8] as string;
  const lost = new Map<string, number>();
  for (const node of nodes)
    if (owner(node) !== '0') lost.set(parentOf(node.path), (lost.get(parentOf(node.path)) ?? 0) + 1);
  return nodes.flatMap((node) => {
    if (owner(node) !== '0') return [];
    const gone = lost.get(node.path);
    if (gone === undefined) return [node];
    const stat = node.stat.split(' ');
    stat[2] = zxid;
    stat[6] = String(Number(stat[6]) + gone);
    stat[10] = String(Number(stat[10]) - gone);
    return [{ ...node, stat: stat.join(' ') }];
  });
}
