/** Where the emulator may differ from what is expected, and how far. */
import { cells } from './alphabet.ts';

const MARKS = /[\p{M}\u200b\u200d]/gu;

/**
 * What of a picture goes over the last column is lost, but not the marks behind it: xterm hangs them on what is left.
 * That is so where the line was `over`; everywhere else each code point must be right.
 */
export const alike = (shown: string, expected: string, over: boolean): boolean =>
  shown === expected || (over && shown.replace(MARKS, '') === expected.replace(MARKS, ''));

/** The blank between a picture and a wide character, a blank that is a cleared half of the picture in some terminals. */
const HALF = /(?<=[\p{Extended_Pictographic}\p{RI}][\p{M}\u200d]*) (?=(.))/gu;
/**
 * A line as it can be read after it was wrapped anew: an empty last cell of a row may be such a half, or be there because a
 * wide character had no room.
 */
export const wrappedAnew = (line: string): string =>
  line.replace(HALF, (blank, next: string) => (cells(next.codePointAt(0) ?? 0) === 2 ? '' : blank));
