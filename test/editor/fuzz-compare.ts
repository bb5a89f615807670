/** Where the emulator may differ from what is expected, and how far. */
import { cells } from './alphabet.ts';

const MARKS = /[\p{M}\u200b\u200d]/gu;
/** The same end, however it is parted into lines. */
export function joined(above: readonly string[], printed: readonly string[]): boolean {
  const [a, b] = [above, printed].map((lines) => lines.join('').replace(/ /g, '').replace(MARKS, '')) as [
    string,
    string,
  ];
  return a === b || (a !== '' && b !== '' && (a.endsWith(b) || b.endsWith(a)));
}
/** What of a picture goes over the last column is lost, but not the marks behind it: xterm hangs them on what is left. */
export const alike = (shown: string, expected: string): boolean =>
  shown === expected ||
  (/\p{Extended_Pictographic}/u.test(expected) && shown.replace(MARKS, '') === expected.replace(MARKS, ''));
export const hasMarks = (text: string): boolean => [...text].some((char) => cells(char.codePointAt(0) ?? 0) === 0);
