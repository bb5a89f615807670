import { fold } from '../out/fold.ts';

/** Columns of standard error to break sentences at; in a file they stay whole. */
export const errWidth = (): number =>
  process.stderr.isTTY === true ? process.stderr.columns || 80 : Number.POSITIVE_INFINITY;

/** Why something was not done, for standard error; what comes in several lines stays in them. */
export const errorText = (message: string): string =>
  `error: ${message}`
    .split('\n')
    .flatMap((line) => fold(line, errWidth(), 2))
    .map((line) => `${line}\n`)
    .join('');
