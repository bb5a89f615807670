import type { Writer } from '../protocol/bytes.ts';
import { OPERATIONS } from '../protocol/operations.ts';
import { KIND, type Txn } from '../records/txns.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { writeMultiAnswer } from './multi.ts';
import { begin, finish, header } from './reply.ts';

/** The reply to a write once it is applied as `hi`, `lo`; `captured` for a multi: the Stats of its parts. */
export function writeAnswer(
  to: Writer,
  tree: DataTree,
  txn: Txn,
  xid: number,
  opcode: number,
  hi: number,
  lo: number,
  captured: readonly Buffer[],
): void {
  switch (txn.kind) {
    case KIND.create: {
      const at = begin(to, xid, hi, lo, 0);
      to.text(txn.path);
      if (opcode !== OPERATIONS.create.code) putStat(to, tree, tree.find(txn.path));
      finish(to, at);
      break;
    }
    case KIND.setData:
    case KIND.setAcl: {
      const at = begin(to, xid, hi, lo, 0);
      putStat(to, tree, tree.find(txn.path));
      finish(to, at);
      break;
    }
    case KIND.config: {
      const row = tree.find('/zookeeper/config');
      const at = begin(to, xid, hi, lo, 0);
      to.buffer(tree.data(row));
      putStat(to, tree, row);
      finish(to, at);
      break;
    }
    case KIND.multi:
    case KIND.multiError: {
      const at = begin(to, xid, hi, lo, 0);
      writeMultiAnswer(to, txn, captured);
      finish(to, at);
      break;
    }
    default:
      header(to, xid, hi, lo, txn.kind === KIND.error ? txn.code : 0);
  }
}
function putStat(to: Writer, tree: DataTree, row: number): void {
  to.room(68);
  tree.writeStat(row, to.bytes, to.at);
  to.at += 68;
}
