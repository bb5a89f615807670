import { readFileSync } from 'node:fs';
import { Failure } from '../shell/failure.ts';
import type { Host } from './host.ts';

/** Runs a script's text; with `-k` the failures are counted at the end. Returns the exit code. */
export async function runScript(
  host: Host,
  text: string,
  file: string | undefined,
  keepGoing: boolean,
): Promise<number> {
  const { shell } = host;
  const status = await shell.run(text, { ...(file !== undefined && { file }), line: 1 });
  const { failedLines } = shell;
  if (shell.leaving !== undefined || !keepGoing || failedLines.length === 0) return status;
  process.stderr.write(
    `${failedLines.length} of ${shell.commandsRun} commands failed (${failedLines.length === 1 ? 'line' : 'lines'} ${failedLines.join(', ')})\n`,
  );
  return status;
}

/** @throws Failure (2) */
export function readScript(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    throw new Failure(2, 'Usage', `cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** All of standard input as text. */
export async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/^\ufeff/, '');
}
