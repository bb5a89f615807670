import type { Told } from '../shell/shell.ts';
import { visibleLine } from './data.ts';
import type { Theme } from './theme.ts';

/** A failure as it stands on standard error: one line what and why, then lines of detail, then at most one hint. */
export function failureText({ failure, file, line, command }: Told, mode: 'text' | 'json', theme: Theme): string {
  if (mode === 'json') {
    const { code, exit, message, path, hint, lines } = failure;
    return `${JSON.stringify({
      error: {
        code,
        exit,
        message,
        ...(path !== undefined && { path }),
        command: command.replace(/\s+/g, ' ').trim(),
        ...(line !== undefined && { line }),
        ...(lines.length > 0 && { details: lines }),
        ...(hint !== undefined && { hint }),
      },
    })}\n`;
  }
  const place = file === undefined ? '' : `${visibleLine(file)}:${line}: `;
  const out = [`${place}${theme.bad('error:')} ${visibleLine(failure.message)}`];
  for (const each of failure.lines) out.push(` ${visibleLine(each)}`);
  if (failure.hint !== undefined) out.push(` ${theme.dim('hint:')} ${visibleLine(failure.hint)}`);
  return `${out.join('\n')}\n`;
}
