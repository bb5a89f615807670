/** The words of a command as they are kept beside what it replaced: without data, which may be nobody else's to read. */
import { hasGlob, walk } from './bind.ts';
import type { Arg, CommandSpec, Param, Registry } from './command.ts';
import { quoteWord } from './paths.ts';

/** Stands for data. */
const CUT = '...';
const MOST_SHOWN = 200;

/** As it may be typed again, but for data, that of a command within it included. */
export function keptWords(spec: CommandSpec, typed: string, args: readonly Arg[], registry: Registry): string[] {
  const cut = dataOf(spec, typed, args, registry);
  return args.map((arg) => {
    if (cut.includes(arg)) return CUT;
    // --text=VALUE is one word
    const equals = cut.some(({ text }) => arg.text.startsWith('--') && arg.text.endsWith(`=${text}`));
    return equals ? arg.text.slice(0, arg.text.indexOf('=') + 1) + CUT : shownWord(arg);
  });
}

function dataOf(spec: CommandSpec, typed: string, args: readonly Arg[], registry: Registry): Arg[] {
  const { bound } = walk(spec, spec.legacy?.(args, typed.toLowerCase()) ?? args);
  const within = bound.flatMap(({ param, arg }) => (param.kind === 'command' && arg !== undefined ? [arg] : []));
  const own = bound.flatMap(({ param, arg }) => (arg !== undefined && isData(param) && !isFile(arg) ? [arg] : []));
  const [name, ...rest] = within;
  if (name === undefined) return own;
  const inner = registry.find(name.text);
  return [...own, ...(inner === undefined ? rest : dataOf(inner, name.text, rest, registry))];
}

/** A number that is counted is the data of its node. */
const isData = ({ kind, long, isInteger }: Param): boolean =>
  kind === 'data' || long === '--text' || isInteger === true;
/** The name of a file is no data, nor is that of standard input. */
const isFile = ({ text, quote }: Pick<Arg, 'text' | 'quote'>): boolean => quote === 'none' && /^@(?!@)/.test(text);

/** An option is one, a pattern stays one, and so does the name of a file. */
function shownWord({ text, quote, pattern }: Arg): string {
  const shown = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text;
  const isPattern =
    quote === 'none' && pattern === undefined && hasGlob(text) && /^[^\s'"\\$|&;<>#()!@-][^\s'"\\$|&;<>]*$/.test(text);
  if (isFile({ text, quote }) && quoteWord(shown.slice(1)) === shown.slice(1)) return shown;
  return /^--?[\w-]+$/.test(text) || isPattern ? shown : quoteWord(shown);
}
