import { readFileSync } from 'node:fs';
import { Failure } from '../shell/failure.ts';
import type { Host } from './host.ts';

/** Runs a script's text; returns the exit code. */
export async function runText(host: Host, text: string, file?: string): Promise<number> {
  const status = await host.shell.run(text, { ...(file !== undefined && { file }), line: 1 });
  return summarise(host, status);
}

/**
 * Runs standard input as it comes, each line as soon as it is whole, so that whoever writes to us line by line gets the
 * answers in between. Returns the exit code.
 */
export async function runStream(host: Host, input: NodeJS.ReadableStream): Promise<number> {
  const { shell } = host;
  input.setEncoding('utf8');
  let pending = '';
  let line = 1;
  const runLines = async (isLast: boolean): Promise<void> => {
    for (;;) {
      if (shell.leaving !== undefined || shell.stopped) return;
      const end = shell.statementEnd(pending) || (isLast ? pending.length : 0);
      if (end === 0) return;
      const text = pending.slice(0, end);
      pending = pending.slice(end);
      await shell.run(text, { line });
      line += text.split('\n').length - 1;
    }
  };
  let isFirst = true;
  for await (const chunk of input) {
    pending += isFirst ? String(chunk).replace(/^\ufeff/, '') : String(chunk);
    isFirst = false;
    await runLines(false);
    if (shell.leaving !== undefined || shell.stopped) break;
  }
  if (!shell.stopped) await runLines(true);
  return summarise(host, shell.leaving?.status ?? shell.lastStatus);
}

/** With `-k` the failures are counted at the end. */
export function summarise({ shell }: Host, status: number): number {
  const { failedLines, commandsRun } = shell;
  if (!shell.ports.keepGoing || failedLines.length === 0) return shell.leaving?.status ?? status;
  const lines = failedLines.length === 1 ? 'line' : 'lines';
  process.stderr.write(
    `${failedLines.length} of ${commandsRun} commands failed (${lines} ${failedLines.join(', ')})\n`,
  );
  return shell.leaving?.status ?? shell.firstFailure ?? status;
}

/** @throws Failure (2) */
export function readScript(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    throw new Failure(2, 'Usage', `cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}
