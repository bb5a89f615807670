import type { Word, WordContext } from './words/context.ts';
import { SERVER_WORDS } from './words/server.ts';
import { SESSION_WORDS } from './words/sessions.ts';

export type { WordContext };

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
const WORDS: ReadonlyMap<string, Word> = new Map(Object.entries({ ...SERVER_WORDS, ...SESSION_WORDS }));
/** Words that answer also while the server does not serve. */
const ALWAYS: ReadonlySet<string> = new Set(['ruok', 'isro', 'envi']);
/** Words ZooKeeper has and this version does not answer yet: named as such instead of being taken for a frame length. */
const LATER: ReadonlySet<string> = new Set(['gtmk', 'stmk']);

export const isFourLetter = (word: string): boolean => WORDS.has(word) || LATER.has(word);

/** The whole answer to a word, to be sent in one write. */
export function answerWord(word: string, context: WordContext): string {
  const { fourLetterWords } = context.config;
  if (fourLetterWords !== 'all' && !fourLetterWords.has(word))
    return `${word} is not executed because it is not in the whitelist.\n`;
  const run = WORDS.get(word);
  if (run === undefined) return `${word} is not answered by this version of zoosh yet\n`;
  if (!context.server.serving && !ALWAYS.has(word)) return word === 'hash' ? NOT_SERVING : `${NOT_SERVING}\n`;
  return run(context);
}
