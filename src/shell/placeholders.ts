/** `{}` and `{name}` in a command that is run for many nodes. */
import { nameOf } from '../base/path.ts';
import type { Arg } from './command.ts';
import { masked } from './masked.ts';

const PLACES = /\{(name)?\}/g;
const IS_PLACE = /^\{(?:name)?\}$/;

/**
 * The words for one node, whose path is no pattern. In quotes they are text, and in JSON a part of it; an empty object is '{}'.
 * What stands behind the `do` of an `each` within them is for the nodes of that one.
 */
export function filledFor(words: readonly Arg[], path: string): Arg[] {
  const isInner = words.find(({ text }) => !/^(?:time|repeat|-.*|\d\w*)$/i.test(text))?.text.toLowerCase() === 'each';
  const end = isInner ? words.findIndex(({ text, quote }) => quote === 'none' && text.toLowerCase() === 'do') : -1;
  return words.map((word, at) =>
    isLiteral(word) || (end >= 0 && at > end)
      ? word
      : // the path is that of a node, though its name may look like a pattern
        { ...word, text: filled(word.text, path), pattern: filled(word.pattern ?? word.text, masked(path)) },
  );
}

const filled = (text: string, path: string): string =>
  text.replace(PLACES, (_whole, name) => (name === undefined ? path : nameOf(path)));

function isLiteral({ text, quote }: Arg): boolean {
  if (IS_PLACE.test(text) && (quote === 'json' || quote === 'none')) return false;
  return quote !== 'none' || isJson(text); // words of the system's shell have no quotes any more
}

function isJson(text: string): boolean {
  if (!/^[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
