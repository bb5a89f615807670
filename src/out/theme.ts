import { PROMPT_COLORS } from '../shell/colors.ts';

/** Colours by meaning; every one of them also has a word or a mark. */
export interface Theme {
  readonly color: boolean;
  /** No symbols or box drawing; a setting may change it. */
  ascii: boolean;
  good(text: string): string;
  attention(text: string): string;
  bad(text: string): string;
  /** Paths and options. */
  path(text: string): string;
  ephemeral(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
  text(text: string): string;
  badOption(text: string): string;
  /** A colour that somebody chose by its name; undefined: there is none of that name, or no colour. */
  named(color: string | undefined): ((text: string) => string) | undefined;
}

const same = (text: string): string => text;

/** No escape codes at all. */
export const plainTheme = (ascii: boolean): Theme => ({
  color: false,
  ascii,
  good: same,
  attention: same,
  bad: same,
  path: same,
  ephemeral: same,
  dim: same,
  bold: same,
  text: same,
  badOption: same,
  named: () => undefined,
});

/** `color` was decided by {@link decideColor}; chalk is loaded only when it is wanted. */
export async function makeTheme(color: boolean, ascii: boolean): Promise<Theme> {
  if (!color) return plainTheme(ascii);
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  // chalk writes all its arguments: what `map` hands over besides the text must not reach it
  return {
    color,
    ascii,
    good: (text) => chalk.green(text),
    attention: (text) => chalk.yellow(text),
    bad: (text) => chalk.red(text),
    path: (text) => chalk.cyan(text),
    ephemeral: (text) => chalk.magenta(text),
    dim: (text) => chalk.dim(text),
    bold: (text) => chalk.bold(text),
    text: (text) => chalk.green(text),
    badOption: (text) => chalk.red.underline(text),
    named: (name) => {
      const known = PROMPT_COLORS.find((each) => each === name);
      return known === undefined ? undefined : (text) => chalk[known](text);
    },
  };
}

/**
 * Whether a stream gets colours: `--color` before `--no-color` before NO_COLOR before FORCE_COLOR before the terminal, which
 * is neither {@link isDumb} nor one of DEC's, that had none.
 */
export function decideColor(
  wish: 'always' | 'never' | 'auto',
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (wish !== 'auto') return wish === 'always';
  if ((env.NO_COLOR ?? '') !== '') return false;
  const force = env.FORCE_COLOR;
  if (force !== undefined) return force !== '0' && force !== 'false';
  return isTerminal && !isDumb(env) && !/^vt\d/.test(env.TERM ?? '');
}

/** A terminal that only prints: TERM is `dumb` or, where terminals say what they are, says nothing. */
export const isDumb = (
  { TERM = '' }: Readonly<Record<string, string | undefined>>,
  platform: string = process.platform,
): boolean => TERM === 'dumb' || (TERM === '' && platform !== 'win32');

/** No symbols or box drawing: `--ascii`, ZOOSH_ASCII, a locale that has none. */
export const saysAscii = (isSaid: boolean | undefined, env: Readonly<Record<string, string | undefined>>): boolean =>
  isSaid === true || env.ZOOSH_ASCII === '1' || isAsciiLocale(env);

/** The locale has no characters beyond ASCII. One that is not said is taken for UTF-8. */
export function isAsciiLocale(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return locale !== undefined && locale !== '' && !/utf-?8/i.test(locale);
}
