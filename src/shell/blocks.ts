/** What begins more than a word: `txn {` and `let NAME = $(`. Pure. */
import { staticText, type WordToken } from './lexer.ts';

/** `txn {`, whatever it is called, by itself or as what another command is to run. What a variable stands for is taken for a number. */
export function opensBlock(words: readonly WordToken[]): boolean {
  const last = words.at(-1);
  return last !== undefined && isBlockName(textOf(last)) && isBlock(words.map(textOf));
}
const textOf = (word: WordToken): string => staticText(word) ?? '0';
/** The words in front of a `{`. Behind a command that runs others it is a block whether or not it may be one: none of its lines is run by itself. */
export function isBlock(words: readonly string[]): boolean {
  const [first = '', ...more] = words;
  return isBlockName(words.at(-1) ?? '') && (more.length === 0 || RUNNERS.has(first.toLowerCase()));
}
/** The commands that run another. */
export const RUNNERS: ReadonlySet<string> = new Set(['time', 'repeat', 'each', 'find']);
/** What stands between `time`, `repeat` and a block's name, and is none of theirs: it runs no transaction. Undefined: nothing does. */
export const noRunner = (before: readonly string[]): string | undefined =>
  before.find((word) => !/^(?:time|repeat|-.*|\d\w*)$/i.test(word));
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
