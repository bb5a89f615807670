import { readFileSync } from 'node:fs';
import { Failure } from '../shell/failure.ts';
import type { Host } from './host.ts';

/** Statements as they become whole, with the line each begins on. */
class Statements {
  readonly #host: Host;
  readonly #file: string | undefined;
  #pending = '';
  #line = 1;
  constructor(host: Host, file: string | undefined) {
    this.#host = host;
    this.#file = file;
  }
  get isOver(): boolean {
    const { shell } = this.#host;
    return shell.leaving !== undefined || shell.stopped;
  }
  /** Runs what is whole; at the end whatever there is. */
  async take(text: string, isLast: boolean): Promise<void> {
    this.#pending += text;
    const { shell } = this.#host;
    while (!this.isOver) {
      const end = shell.statementEnd(this.#pending) || (isLast ? this.#pending.length : 0);
      if (end === 0) return;
      const statement = this.#pending.slice(0, end);
      this.#pending = this.#pending.slice(end);
      await shell.run(statement, { line: this.#line, isScript: true, ...(this.#file && { file: this.#file }) });
      this.#line += statement.split('\n').length - 1;
    }
  }
}

/** Runs a script's text, statement by statement; returns the exit code. */
export async function runText(host: Host, text: string, file: string): Promise<number> {
  await new Statements(host, file).take(text, true);
  return summarise(host, host.shell.lastStatus);
}

/**
 * Runs standard input as it comes, each line as soon as it is whole, so that whoever writes to us line by line gets the
 * answers in between. Returns the exit code.
 */
export async function runStream(host: Host, input: NodeJS.ReadableStream): Promise<number> {
  input.setEncoding('utf8');
  const statements = new Statements(host, undefined);
  let isFirst = true;
  for await (const chunk of input) {
    await statements.take(isFirst ? String(chunk).replace(/^\ufeff/, '') : String(chunk), false);
    isFirst = false;
    if (statements.isOver) break;
  }
  await statements.take('', true);
  return summarise(host, host.shell.lastStatus);
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
