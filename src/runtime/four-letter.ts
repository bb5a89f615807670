import type { ServerConfig } from '../server/config.ts';
import type { Word, WordContext } from './words/context.ts';
import { MNTR } from './words/mntr.ts';
import { SERVER_WORDS } from './words/server.ts';
import { SESSION_WORDS } from './words/sessions.ts';

export type { WordContext };

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
const WORDS: ReadonlyMap<string, Word> = new Map(Object.entries({ ...SERVER_WORDS, ...SESSION_WORDS, mntr: MNTR }));
/** Words that answer also while the server does not serve. */
const ALWAYS: ReadonlySet<string> = new Set(['ruok', 'isro', 'envi', 'gtmk', 'stmk']);
/** The word and a mask. */
const MASK_BYTES = 12;

export const isFourLetter = (word: string): boolean => WORDS.has(word);
const isListed = (word: string, { fourLetterWords }: ServerConfig): boolean =>
  fourLetterWords === 'all' || fourLetterWords.has(word);
/** How many bytes a word needs before it is answered, itself included. */
export const wordBytes = (word: string, config: ServerConfig): number =>
  word === 'stmk' && isListed(word, config) ? MASK_BYTES : 4;

/** The whole answer to a word, to be sent in one write; `argument` is what came behind it. */
export function answerWord(word: string, context: WordContext, argument: Buffer): string {
  if (!isListed(word, context.config)) return `${word} is not executed because it is not in the whitelist.\n`;
  const run = WORDS.get(word);
  if (run === undefined) return '';
  const { serving, readOnly } = context.server;
  if (!serving && !readOnly && !ALWAYS.has(word)) return word === 'hash' ? NOT_SERVING : `${NOT_SERVING}\n`;
  return run(context, argument);
}
