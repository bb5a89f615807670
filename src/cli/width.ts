import { fold, foldPage } from '../out/fold.ts';

/** Columns of standard error to break sentences at; in a file they stay whole. */
export const errWidth = (): number =>
  process.stderr.isTTY === true ? process.stderr.columns || 80 : Number.POSITIVE_INFINITY;

/** The same of standard output. */
export const outWidth = (): number =>
  process.stdout.isTTY === true ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;

/** How a program is used, in lines that fit; in a file they are those of the source. */
export const usagePage = (text: string, width: number): string =>
  `${width === Number.POSITIVE_INFINITY ? text : foldPage(text, width).join('\n')}\n`;
/** What `--help` of a program shows. */
export const showUsage = (text: string): void => void process.stdout.write(usagePage(text, outWidth()));

/** Why something was not done, for standard error; what comes in several lines stays in them. */
export const errorText = (message: string): string =>
  `error: ${message}`
    .split('\n')
    .flatMap((line) => fold(line, errWidth(), 2))
    .map((line) => `${line}\n`)
    .join('');

/** What to do about it, on a line of its own. */
export const hintText = (hint: string): string =>
  fold(` hint: ${hint}`, errWidth(), 7)
    .map((line) => `${line}\n`)
    .join('');
