import { pathFault } from '../base/path.ts';
import { usage } from './failure.ts';
import { unmasked } from './masked.ts';

/**
 * What a user typed to an absolute path: relative to `cwd`, with `.`, `..`, `//` and a trailing slash taken out; above
 * the root is the root. `keepSlash`: `create -s dir/` names an empty prefix.
 * `isPattern`: parts of it may be masked.
 * @throws Failure (2) when the result is no znode path
 */
export function resolvePath(cwd: string, typed: string, keepSlash = false, isPattern = false): string {
  const out: string[] = [];
  for (const name of (typed.startsWith('/') ? typed : `${cwd}/${typed}`).split('/')) {
    if (name === '..') out.pop();
    else if (name !== '' && name !== '.') out.push(name);
  }
  const path = `/${out.join('/')}`;
  const fault = pathFault(isPattern ? unmasked(path) : path);
  if (fault !== undefined) throw usage(`not a path: ${showName(typed)}: ${fault}`);
  return keepSlash && typed.endsWith('/') && path !== '/' ? `${path}/` : path;
}

/** Never read as anything but itself where a word may stand: no quotes, globs, operators, variables, options. */
const SAFE = /^[^\s'"\\${}[\]*?<>|&;#!@()-][^\s'"\\${}[\]*?<>|&;]*$/;
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
/** Also what turns the direction of text, so that a name can look like another one. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** A name as it may be typed again: quoted when it has blanks, quotes or anything the shell would read. */
export function quoteWord(text: string): string {
  if (UNSEEN.test(text)) return ansiQuote(text);
  if (SAFE.test(text)) return text;
  if (!text.includes("'")) return `'${text}'`;
  return `"${text.replace(/["\\$]/g, '\\$&')}"`;
}

/** `$'...'` with escapes. */
function ansiQuote(text: string): string {
  const named: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\\': '\\\\', "'": "\\'" };
  const escaped = text.replace(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\\']/g,
    (unit) => named[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `$'${escaped}'`;
}

/** A name for plain output: as it is, unless control characters would break the line. */
export const showName = (text: string): string => (CONTROL.test(text) ? ansiQuote(text) : text);

/** A name for a menu: as it is, unless it holds what a terminal obeys or what cannot be seen. */
export const showUnseen = (text: string): string => (UNSEEN.test(text) ? ansiQuote(text) : text);
