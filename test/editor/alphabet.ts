/** Characters the fuzz types and prints, and the cells that terminals give them: a table that is not the editor's. */
const EMOJI = [...'👍🦓✅👨👩👧🌈🏽'].map((one) => one.codePointAt(0) as number);
const WIDE = new Set([...'日本語字한ᄒＡ𠀀'].map((one) => one.codePointAt(0)).concat(EMOJI));
const ZERO = new Set(
  [...'\u0301\u0323\u1161\u11ab\u094d\u200b\u200d\ufe0e\ufe0f\u20e3'].map((one) => one.codePointAt(0) as number),
);

/**
 * Typed and pasted. Marks, joiners and invisible ones stand alone here, too, so that they come to stand behind anything.
 * Left out is U+FEFF, which xterm drops.
 */
export const TYPED: readonly string[] = [
  ...['a', 'b', 'get ', 'ls ', '/app', '/', ' ', '  ', '-s', '"', "'", '\\', ';', '$', '^', 'abcdefghijkl'],
  ...['é', 'ß', '→', '日', '本語', 'Ａ', '한', '𠀀', '𝄞', '👍', '🦓', '✅'],
  ...['e\u0301', 'x\u0301\u0323', '\u0301', '\u1112\u1161\u11ab', '\u1112', '\u0915\u094d\u0937\u093f', '\u094d'],
  ...['\uff76\uff9e', '\u200b', '\ufe0f', '\u202e', '\u2028', '\u0085'],
  ...['👨‍👩‍👧', '🏳️‍🌈', '👍🏽', '🏽', '🇩🇪', '🇫', '❤️', '1️⃣', '↔\ufe0e', '\u200d', '\u0915\u094d\u200d\u0937'],
];

/** In lines of others: nothing that a printer would have to make visible first. */
export const PRINTED: readonly string[] = [
  ...['event ', 'changed /app/config ', 'x', ' ', '日本語', '한', '👍', 'e\u0301', '𠀀', '→'],
  ...['a long word that fills rows of narrow terminals ', '\u0915\u094d\u0937\u093f', '👨‍👩‍👧', '🇩🇪', '❤️'],
];

/** What Unicode 6, xterm's own table, does not know as wide. */
export const NEWER: readonly number[] = EMOJI;

const KNOWN = new Set(
  [...TYPED, ...PRINTED, '\ufffd', '\u25cc'].flatMap((text) => [...text].map((char) => char.codePointAt(0))),
);

/** A character that only came about because a failing session was cut. */
export class Foreign extends Error {}

/** Cells of one code point of the alphabet. @throws Foreign for any other */
export function cells(point: number): 0 | 1 | 2 {
  if (point < 32 || ZERO.has(point) || (point >= 0x7f && point < 0xa0)) return 0;
  if (point >= 0x80 && !KNOWN.has(point)) throw new Foreign(`U+${point.toString(16)}`);
  return WIDE.has(point) ? 2 : 1;
}

/** How a terminal sees what several code points make: each by itself, as xterm, or all as one, as kitty. */
export type Opinion = 'points' | 'clusters';

const PICTURE = /^\p{RI}|^[0-9]\ufe0f|^\p{Extended_Pictographic}.*[\u200d\ufe0f\u{1f3fd}]/su;

/** Cells of a grapheme in a terminal that takes it for one character. */
export function clusterCells(grapheme: string): number {
  if (PICTURE.test(grapheme)) return 2;
  return Math.max(...[...grapheme].map((char) => cells(char.codePointAt(0) ?? 0)));
}
