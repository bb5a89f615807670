import { compareHalves, type Halves, sameHalves, showHalves, ZERO } from '../records/log-record.ts';

/** A place in the history: two logs that agree on zxid and chain agree on everything before. */
export interface Mark {
  readonly zxid: Halves;
  readonly chain: Halves;
}
/** Before the first transaction. */
export const ORIGIN: Mark = Object.freeze({ zxid: ZERO, chain: ZERO });

export const isOrigin = (mark: Mark): boolean => sameHalves(mark.zxid, ZERO);
export const sameMark = (a: Mark, b: Mark): boolean => sameHalves(a.zxid, b.zxid) && sameHalves(a.chain, b.chain);
export const showMark = ({ zxid }: Mark): string => showHalves(zxid);
export const later = (a: Halves, b: Halves): Halves => (compareHalves(a, b) < 0 ? b : a);
