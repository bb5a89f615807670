/** What begins more than a word: `txn {` and `let NAME = $(`. Pure. */
import { staticText, type WordToken } from './lexer.ts';

/** `txn {`, whatever it is called. */
export const opensBlock = (words: readonly WordToken[]): boolean =>
  words.length === 1 && isBlockName(staticText(words[0] as WordToken) ?? '');
export const isBlockName = (name: string): boolean => BLOCK_NAMES.has(name.toLowerCase());
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
