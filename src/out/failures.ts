import type { Failure } from '../shell/failure.ts';
import type { Told } from '../shell/shell.ts';
import { visible, visibleLine } from './data.ts';
import { fold } from './fold.ts';
import type { Theme } from './theme.ts';

/** What is said beside a result, on standard error. */
export const warningText = (text: string, width = Number.POSITIVE_INFINITY): string =>
  visible(text)
    .split('\n')
    .flatMap((line) => fold(line, width, 2))
    .map((line) => `${line}\n`)
    .join('');

/**
 * A failure as it stands on standard error: one line what and why, then lines of detail, then at most one hint. `width`:
 * cells of the terminal, where it is one.
 */
export function failureText(
  { failure, file, line, command }: Told,
  mode: 'text' | 'json',
  theme: Theme,
  width = Number.POSITIVE_INFINITY,
): string {
  if (mode === 'json') {
    const { code, exit, path, hint, lines } = failure;
    return `${JSON.stringify({
      error: {
        code,
        exit,
        message: messageOf(failure),
        ...(path !== undefined && { path }),
        command: command.replace(/\s+/g, ' ').trim(),
        ...(line !== undefined && { line }),
        ...(lines.length > 0 && { details: lines }),
        ...(hint !== undefined && { hint }),
      },
    })}\n`;
  }
  const place = file === undefined ? '' : `${visibleLine(file)}:${line}: `;
  // who said no knows that it is no mistake
  const mark = failure.code === 'Declined' ? '' : 'error: ';
  const out = fold(`${place}${mark}${visibleLine(failure.message)}`, width, 2);
  out[0] = out[0]?.replace(`${place}error:`, () => `${place}${theme.bad('error:')}`) ?? '';
  for (const each of failure.lines) out.push(...fold(` ${visibleLine(each)}`, width, 3));
  if (failure.hint !== undefined) {
    const [first = '', ...more] = fold(` hint: ${visibleLine(failure.hint)}`, width, 7);
    out.push(
      first.replace('hint:', () => theme.dim('hint:')),
      ...more,
    );
  }
  return `${out.join('\n')}\n`;
}

/** What happened, for programs, which have the path beside it. */
export const messageOf = ({ message, path }: Failure): string =>
  path !== undefined && message.endsWith(`: ${path}`) ? message.slice(0, -path.length - 2) : message;
