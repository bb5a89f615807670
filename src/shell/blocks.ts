/** What begins more than a word: `txn {` and `let NAME = $(`. Pure. */
import { staticText, type WordToken } from './lexer.ts';

/** `txn {`, whatever it is called, by itself or as what another command is to run. What a variable stands for is taken for a number. */
export function opensBlock(words: readonly WordToken[]): boolean {
  const last = words.at(-1);
  return last !== undefined && isBlockName(textOf(last)) && isBlock(words.map(textOf));
}
const textOf = (word: WordToken): string => staticText(word) ?? '0';
/** The words in front of a `{`. */
export function isBlock(words: readonly string[]): boolean {
  const before = words.slice(0, -1);
  if (!isBlockName(words.at(-1) ?? '')) return false;
  if (before.length === 0 || isForEach(before)) return true;
  return /^(?:time|repeat)$/i.test(before[0] as string) && before.every((word) => TIMES.test(word));
}
const TIMES = /^(?:time|repeat|-.*|\d\w*)$/i;
/** A command that each cannot run is one all the same: none of its lines is run by itself. */
export const isForEach = (before: readonly string[]): boolean =>
  before.at(-1)?.toLowerCase() === 'do' && before.find((word) => !TIMES.test(word))?.toLowerCase() === 'each';
const isBlockName = (name: string): boolean => BLOCK_NAMES.has(name.toLowerCase());
const BLOCK_NAMES = new Set(['txn', 'multi', 'begin']);

/** `let NAME =` */
export function isAssignment(words: readonly WordToken[]): boolean {
  const [name, , equals, more] = words.map((word) => staticText(word));
  return name?.toLowerCase() === 'let' && equals === '=' && more === undefined && words.length === 3;
}

/** Where the `)` of `$(` stands, or -1: outside quotes, and nothing but the end of the word after it. */
export function substitutionEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const quote = text[at];
    const begins = /[\s(]/.test(text[at - 1] as string) && (quote === "'" || quote === '"');
    if (begins) {
      at = text.indexOf(quote as string, at + 1);
      if (at < 0) return -1;
    } else if (quote === '\n') return -1;
    else if (quote === ')' && /^(?:;?(?:[ \t\r\n]|$))/.test(text.slice(at + 1, at + 3))) return at;
  }
  return -1;
}
