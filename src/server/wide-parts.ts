import { CREATE_FLAG } from '../protocol/operations.ts';
import { KIND, type PartTxn, type Txn } from '../records/txns.ts';

/** Creates in a multi whose answer carries the Stat: all but plain ones. The log does not say which they are. */
const wide = new WeakSet<PartTxn>();

/** Whether the answer to this create carries the Stat. As in ZooKeeper the kind of node follows from the flags in a multi. */
export const isWide = (type: number, flags: number): boolean =>
  type === 15 || (type === 21 && isTimed(flags)) || flags === CREATE_FLAG.container;
export const isTimed = (flags: number): boolean => flags === CREATE_FLAG.ttl || flags === CREATE_FLAG.ttlSequential;

export const markWide = (part: PartTxn): void => void wide.add(part);
export const carriesStat = (part: PartTxn): boolean => wide.has(part);

/**
 * Places of the wide parts of a multi's request, for whoever sends it on and answers it from the log; undefined when there are
 * none. Only looked at as far as that needs: whether it can be read is for the leader to say.
 */
export function widePartsOf(body: Uint8Array): readonly number[] | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const found: number[] = [];
  let at = 0;
  const int32 = (): number => {
    at += 4;
    return bytes.readInt32BE(at - 4);
  };
  const skip = (): void => {
    const length = int32();
    at += Math.max(0, length);
  };
  try {
    for (let part = 0; ; part++) {
      const type = int32();
      const isDone = bytes.readUInt8(at++) !== 0;
      int32();
      if (isDone) break;
      skip(); // the path
      if (type === 1 || type === 15 || type === 19 || type === 21) {
        skip(); // the data
        for (let left = int32(); left > 0; left--) {
          int32();
          skip();
          skip();
        }
        if (isWide(type, int32())) found.push(part);
        if (type === 21) at += 8;
      } else {
        if (type === 5) skip();
        int32();
      }
    }
  } catch {
    return undefined; // it ends too soon
  }
  return found.length > 0 ? found : undefined;
}

/** The transaction of a multi came in the log: its answer is as that of the member that decided it. */
export function markAsAsked(txn: Txn, places: readonly number[] | undefined): void {
  if (txn.kind !== KIND.multi) return;
  for (const place of places ?? []) {
    const part = txn.parts[place];
    if (part?.kind === KIND.create) wide.add(part);
  }
}
