/** What a script's text says about itself: where it fails to be read, which line that is. */
import { type Failure, usage } from './failure.ts';
import type { Parsed } from './parser.ts';

/** Why a text could not be read to its end, and where. */
export function faultOf({ fault, open }: Parsed): [Failure, number] | undefined {
  if (fault !== undefined) return [usage(fault.message, fault.hint), fault.from];
  if (open === undefined) return undefined;
  const what = {
    single: 'a single quote is not closed',
    double: 'a double quote is not closed',
    ansi: "a $'...' quote is not closed",
    json: 'a JSON value is not closed',
    heredoc: 'a heredoc has no end line',
    continuation: 'the last line ends in \\, and no line follows',
    '&&': 'the last line ends in &&, and no command follows',
    '||': 'the last line ends in ||, and no command follows',
    block: 'a transaction is not closed: } is missing',
  }[open.kind];
  const hint = open.kind === 'json' ? 'quote it if it is not JSON' : undefined;
  return [usage(what, hint), open.from];
}

export const countLines = (text: string, from: number, to: number): number => {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count++;
  return count;
};
export const lineOf = (text: string, at: number): string => {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at);
  return text.slice(start, end < 0 ? text.length : end);
};

/** What a script says of itself counts for a whole shell, and not for a file that is run within one. @throws Failure (2) */
export function refusePragmas(file: string, text: string): void {
  const found = /^(?:[ \t\r]*(?:#(?!:)[^\n]*)?\n)*[ \t]*#:[ \t]*([^\n\r]*)/.exec(text)?.[1]?.trim();
  if (found === undefined) return;
  throw usage(
    `run: ${file} says #: ${found}, which is so only for a whole shell`,
    `zoosh ${file} runs it as it says${found === 'atomic' ? '; txn -f FILE sends operations together' : ''}`,
  );
}

/** Lines behind line `number` (from 1) of a text on which a command begins, or which could not be read. */
export function linesBehind(parsed: Parsed, text: string, number: number): number {
  const begins = new Set(parsed.pipelines.map(({ from }) => 1 + countLines(text, 0, from)));
  const wrong = faultOf(parsed)?.[1];
  if (wrong !== undefined)
    for (const [at, line] of text.split('\n').entries())
      if (at > countLines(text, 0, wrong) && line.trim() !== '') begins.add(at + 1);
  return [...begins].filter((line) => line > number).length;
}
