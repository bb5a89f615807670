import type { Halves } from '../records/log-record.ts';
import type { Mark, Position } from '../zab/types.ts';

/** A mark as the storage writes it. */
export const halvesOf = ({ epoch, counter, chainHi, chainLo }: Mark): { zxid: Halves; chain: Halves } => ({
  zxid: { hi: epoch, lo: counter | 0 },
  chain: { hi: chainHi, lo: chainLo },
});
/** A mark as zab compares it. */
export const markOf = ({ zxid, chain }: { readonly zxid: Halves; readonly chain: Halves }): Mark => ({
  epoch: zxid.hi,
  counter: zxid.lo >>> 0,
  chainHi: chain.hi,
  chainLo: chain.lo,
});
/** A zxid of the storage as a place in the history. */
export const placeOf = ({ hi, lo }: Halves): Position => ({ epoch: hi, counter: lo >>> 0 });
