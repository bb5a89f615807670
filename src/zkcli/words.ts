/** zkCli's lines and options, read as it reads them. Pure. */

/** Blanks separate; a group in quotes is one word; a quote that closes nothing is dropped. There are no escapes. */
const WORD = /\s*([^"']\S*|"[^"]*"|'[^']*')\s*/g;

/** A line to words. Quotes are stripped at both ends of a word only. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(WORD)].map(([, word = '']) => (/^(['"])(.*)\1$/.test(word) ? word.slice(1, -1) : word));
}

/** An option of a command, by its letters without the dash; `value`: a word follows. */
export interface OptionSpec {
  readonly value?: boolean;
  /** Only one of those with the same group may be given. */
  readonly group?: string;
  /** What it is called where one of a group is missing. */
  readonly about?: string;
}

/** Why a command line cannot be read; the message is what zkCli prints. */
export class ParseFault extends Error {}

const fault = (kind: string, message: string): ParseFault =>
  new ParseFault(`org.apache.commons.cli.${kind}Exception: ${message}`);

export interface ParsedWords {
  /** The words that are no options, the command's name first. */
  readonly args: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  readonly all: ReadonlyMap<string, readonly string[]>;
}

/**
 * The way Commons CLI reads: options anywhere, short ones bundled, `--` ends them, and a word that begins with a dash is
 * an option wherever no value is due. @throws ParseFault
 */
export function parseWords(words: readonly string[], specs: Readonly<Record<string, OptionSpec>>): ParsedWords {
  const args: string[] = [];
  const all = new Map<string, string[]>();
  const chosen = new Map<string, string>();
  let open: string | undefined; // an option that takes a value
  let ended = false;
  const has = (name: string): boolean => Object.hasOwn(specs, name);
  const required = (): void => {
    if (open !== undefined && (all.get(open) ?? []).length === 0)
      throw fault('MissingArgument', `Missing argument for option: ${open}`);
  };
  const take = (name: string): void => {
    required();
    const { group, value } = specs[name] as OptionSpec;
    const before = group === undefined ? undefined : chosen.get(group);
    if (before !== undefined && before !== name)
      throw fault(
        'AlreadySelected',
        `The option '${name}' was specified but an option from this group has already been selected: '${before}'`,
      );
    if (group !== undefined) chosen.set(group, name);
    if (!all.has(name)) all.set(name, []);
    open = value === true ? name : undefined;
  };
  const give = (value: string): void => {
    all.get(open as string)?.push(value.replace(/^"|"$/g, ''));
    open = undefined;
  };
  const unknown = (word: string): never => {
    throw fault('UnrecognizedOption', `Unrecognized option: ${word}`);
  };
  const bundled = (word: string): void => {
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] as string;
      if (!has(letter)) unknown(word);
      take(letter);
      if (open !== undefined && at + 1 < word.length) {
        give(word.slice(at + 1));
        return;
      }
    }
  };
  for (const word of words) {
    const isNumber = /^-\d+(?:\.\d+)?$/.test(word);
    const name = word.slice(1);
    if (ended) args.push(word);
    else if (word === '--') ended = true;
    else if (open !== undefined && (!isOption(word, has) || isNumber)) give(word);
    else if (word.startsWith('--')) unknown(word);
    else if (word.startsWith('-') && word.length > 1) {
      const equals = name.indexOf('=');
      if (has(name)) take(name);
      else if (equals > 0 && has(name.slice(0, equals)) && specs[name.slice(0, equals)]?.value === true) {
        take(name.slice(0, equals));
        give(name.slice(equals + 1));
      } else bundled(word);
    } else args.push(word);
  }
  required();
  const options = new Map([...all].map(([key, values]) => [key, values.at(-1) ?? '']));
  return { args, options, all };
}

/** Whether a word would be read as an option where a value is due. */
function isOption(word: string, has: (name: string) => boolean): boolean {
  if (!word.startsWith('-') || word.length === 1) return false;
  const name = word.slice(1).split('=')[0] as string;
  return has(name) || has(name[0] as string);
}
