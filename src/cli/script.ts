/** Scripts: statement by statement, or all as one transaction. */

import { redact } from '../editor/redact.ts';
import { Failure, usage } from '../shell/failure.ts';
import { staticText } from '../shell/lexer.ts';
import { unknownCommand } from '../shell/misspelt.ts';
import type { Pipeline } from '../shell/parser.ts';
import { countLines, faultOf, lineOf } from '../shell/script-text.ts';
import { plural } from '../shell/units.ts';
import type { Host } from './host.ts';

const NO_HALF = usage('--atomic and -k do not go together', 'a transaction has no half');

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
      const end = shell.reader.statementEnd(this.#pending) || (isLast ? this.#pending.length : 0);
      if (end === 0) return;
      const statement = this.#pending.slice(0, end);
      this.#pending = this.#pending.slice(end);
      const isEnd = isLast && this.#pending.trim() === '';
      const file = this.#file;
      await shell.run(statement, { line: this.#line, isScript: true, isLast: isEnd, ...(file && { file }) });
      this.#line += statement.split('\n').length - 1;
    }
  }
}

/** Runs a script's text, statement by statement; returns the exit code. */
export async function runText(host: Host, text: string, file: string | undefined): Promise<number> {
  await new Statements(host, file).take(text, true);
  return endOf(host, host.shell.lastStatus);
}

/**
 * Runs standard input as it comes, each line as soon as it is whole, so that whoever writes to us line by line gets the
 * answers in between. `name` is what errors call it. Returns the exit code.
 */
export async function runStream(host: Host, input: AsyncIterable<string>, name: string): Promise<number> {
  const statements = new Statements(host, name);
  for await (const chunk of input) {
    await statements.take(chunk, false);
    if (statements.isOver) break;
  }
  await statements.take('', true);
  return endOf(host, host.shell.lastStatus);
}

/**
 * Runs a script whose changes are sent as one transaction at its end, or not at all: all of it is read first, and what
 * cannot stand in a transaction is refused before anything else is done. `texts`, as of several `-c`, follow each other, each
 * whole in itself. Returns the exit code.
 */
export async function runAtomic(host: Host, texts: readonly string[], file: string | undefined): Promise<number> {
  const { shell } = host;
  const text = texts.join('\n');
  const tell = (failure: Failure, place: number): number => {
    const line = 1 + countLines(text, 0, place);
    const command = redact(lineOf(text, place));
    // a file's name would stand before it, with the line
    const lines = file === undefined && text.trimEnd().includes('\n') ? [`line ${line}: ${command}`] : [];
    const { exit, code, message, path, hint } = failure;
    const placed = new Failure(exit, code, message, {
      path,
      hint,
      lines: [...failure.lines, ...lines],
      cause: failure,
    });
    shell.ports.tell({ failure: placed, command, file, line });
    return failure.exit;
  };
  if (shell.ports.keepGoing) throw NO_HALF;
  let before = 0;
  for (const each of texts) {
    const [failure, place] = faultOf(shell.parse(each)) ?? [];
    if (failure !== undefined && place !== undefined) return tell(failure, before + place);
    before += each.length + 1;
  }
  for (const pipeline of shell.parse(text).pipelines) {
    const refusal = refusalOf(host, pipeline);
    if (refusal !== undefined) return tell(refusal, pipeline.from);
  }
  shell.changes.beginAtomic();
  const status = await shell.run(text, { line: 1, isScript: true, ...(file !== undefined && { file }) });
  if (shell.stopped || (shell.changes.waiting ?? 0) === 0) return status;
  return shell.commit('commit');
}

/** The same of one command whose words the system's shell has split. */
export async function runAtomicWords(host: Host, words: readonly string[]): Promise<number> {
  const { shell } = host;
  if (shell.ports.keepGoing) throw NO_HALF;
  const refusal = refusalOfName(host, words[0] ?? '');
  if (refusal !== undefined) {
    shell.ports.tell({ failure: refusal, command: redact(words.join(' ')), file: undefined, line: undefined });
    return refusal.exit;
  }
  shell.changes.beginAtomic();
  const status = await shell.runWords(words);
  if (status !== 0 || (shell.changes.waiting ?? 0) === 0) return status;
  return shell.commit(words.join(' '));
}

/** Why a command cannot be part of a transaction, as far as its name tells. */
function refusalOf(host: Host, { words, os, pipe, file, block }: Pipeline): Failure | undefined {
  if (os !== undefined || pipe !== undefined || file !== undefined)
    return usage('--atomic takes no OS commands, pipes and files', 'operations, assert and exists can be part of it');
  const name = words[0] === undefined ? undefined : staticText(words[0]);
  if (name === undefined || block !== undefined) return undefined; // known when it runs
  return refusalOfName(host, name);
}
function refusalOfName({ shell }: Host, name: string): Failure | undefined {
  const spec = shell.ports.registry.find(name);
  if (spec === undefined) return unknownCommand(name, shell.ports.registry);
  if (spec.transaction !== undefined) return undefined;
  return usage(`${spec.name} cannot be part of --atomic`, 'operations, assert and exists can');
}

/** A script that leaves a transaction open has sent nothing of it; with `-k` the failures are counted. */
export function endOf(host: Host, status: number): number {
  const { shell } = host;
  const waiting = shell.changes.waiting;
  if (waiting === undefined || shell.stopped) return summarise(host, status);
  shell.changes.forget();
  const failure = usage(
    `the script ends inside a transaction of ${plural(waiting, 'operation')}; nothing was sent`,
    'commit sends it',
  );
  shell.ports.tell({ failure, command: 'txn', file: undefined, line: undefined });
  shell.firstFailure ??= failure.exit;
  summarise(host, status);
  return shell.firstFailure;
}

export function summarise({ shell }: Host, status: number): number {
  const { failedLines, commandsRun } = shell;
  if (!shell.ports.keepGoing || failedLines.length === 0) return shell.leaving?.status ?? status;
  const lines = failedLines.length === 1 ? 'line' : 'lines';
  process.stderr.write(
    `${failedLines.length} of ${commandsRun} commands failed (${lines} ${failedLines.join(', ')})\n`,
  );
  return shell.leaving?.status ?? shell.firstFailure ?? status;
}
