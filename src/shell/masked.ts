/** Paths within patterns. */
const SPECIAL = '*?[]{},';
/** Characters of their own, which no path of ZooKeeper may hold (U+E000 on), for the special ones of a path. */
const MASK = 0xe000;
const MASKED = new RegExp(`[\\u{${MASK.toString(16)}}-\\u{${(MASK + SPECIAL.length - 1).toString(16)}}]`, 'gu');
/** A path as a part of a pattern that stands for itself, whatever characters it has. */
export const masked = (path: string): string =>
  path.replace(/[*?[\]{},]/g, (each) => String.fromCharCode(MASK + SPECIAL.indexOf(each)));
export const unmasked = (text: string): string =>
  text.replace(MASKED, (each) => SPECIAL.charAt(each.charCodeAt(0) - MASK));
