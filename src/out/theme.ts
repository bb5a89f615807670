import { Chalk } from 'chalk';

/** Colours by meaning; every one of them also has a word or a mark. */
export interface Theme {
  readonly color: boolean;
  /** No symbols or box drawing. */
  readonly ascii: boolean;
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
}

/** The only place that decides on escape codes; `color` was decided by {@link decideColor}. */
export function makeTheme(color: boolean, ascii: boolean): Theme {
  const chalk = new Chalk({ level: color ? 1 : 0 });
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
  };
}

/**
 * Whether a stream gets colours: `--color` before `--no-color` before NO_COLOR before FORCE_COLOR before the terminal.
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
  return isTerminal && env.TERM !== 'dumb';
}
