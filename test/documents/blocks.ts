/** Code blocks of a Markdown text, and what is to become of each. */

/**
 * What the fence says: `console` is what a person types at a terminal after `$ ` and what it shows; `zoosh` the same at our
 * prompt, after `NAME:PATH> `; `sh` are commands, one a line; `ts` a program. `long` behind it: only in the long run.
 * `(not run: REASON)` behind it: not at all. Everything else is no example: `text`, `properties`.
 */
export type Language = 'console' | 'zoosh' | 'sh' | 'ts';
const RUN: readonly string[] = ['console', 'zoosh', 'sh', 'ts'] satisfies Language[];
const NO_EXAMPLE: readonly string[] = ['text', 'properties'];

export interface Block {
  readonly language: Language;
  /** Of the first line within, from 1. */
  readonly line: number;
  readonly isLong: boolean;
  readonly notRun: string | undefined;
  readonly lines: readonly string[];
}

/** The examples of a text. @throws Error for a fence that says nothing we know, and for a reason that is none */
export function blocksOf(file: string, text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const fence = /^\s*```(.*)$/.exec(lines[at] as string);
    if (fence === null) continue;
    const from = at + 1;
    for (at++; at < lines.length && !/^\s*```\s*$/.test(lines[at] as string); ) at++;
    if (at >= lines.length) throw new Error(`${file}:${from}: the block does not end`);
    const said = /^(\w+)(?: (long))?(?: \(not run: (.+)\))?$/.exec((fence[1] as string).trim());
    const language = said?.[1] ?? '';
    if (said === null || !(RUN.includes(language) || NO_EXAMPLE.includes(language)))
      throw new Error(`${file}:${from}: is this an example? Its fence says ${JSON.stringify(fence[1])}`);
    if (NO_EXAMPLE.includes(language)) continue;
    const notRun = said[3];
    if (notRun !== undefined && notRun.split(' ').length < 3) throw new Error(`${file}:${from}: why is it not run?`);
    const body = lines.slice(from, at);
    blocks.push({ language: language as Language, line: from + 1, isLong: said[2] === 'long', notRun, lines: body });
  }
  return blocks;
}

/** Files of tests that a reason names. */
export const namedTests = (reason: string): string[] =>
  [...reason.matchAll(/(?<![\w/])(?:test\/[\w./-]+\.(?:ts|sh)|\.ci\/run|package\.json)(?![\w/])/g)].map(
    ([name]) => name,
  );

/** What every system has; a test does the same its own way. */
const OF_SYSTEM = /^(?:cat|chmod|echo|mv|npm|node)$/;
/**
 * What must stand together in the test that is said to run a line: program and verbs, and the names of options. Paths, values
 * and addresses are the test's own. Of two programs joined each is one.
 */
export function commandsOf({ language, lines }: Block): string[][] {
  const out: string[][] = [];
  for (const line of lines) {
    const typed = language === 'zoosh' ? line.replace(/^[\w.:-]+:\/\S*> /, '') : line.replace(/(?:^|\s)#.*/, '');
    for (const part of typed.split(/ (?:&&|\|) /)) {
      const words = part.trim().split(/\s+/);
      if (OF_SYSTEM.test(words[0] ?? '')) continue;
      const own = words[0] === 'zoosh' ? words.slice(1) : words;
      const verbs = own.findIndex((word) => !/^[a-z][a-z-]+$/.test(word));
      const said = own.slice(0, verbs < 0 ? own.length : verbs);
      const rest = own.slice(said.length);
      const end = rest.indexOf('--');
      const options = (end < 0 ? rest : rest.slice(0, end)).filter((word) => /^--?[a-z]/.test(word));
      if (said.length + options.length > 0) out.push([...said, ...options.map((word) => word.replace(/=.*/, ''))]);
    }
  }
  return out;
}

/** Lines in which all of a command has to be. */
const NEAR = 8;
const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** Whether all words of a command stand near one another in a text. */
export function contains(text: string, command: readonly string[]): boolean {
  const tests = command.map((word) => new RegExp(`(?<![\\w-])${escaped(word)}(?![\\w-])`));
  const lines = text.split('\n');
  return lines.some((_, at) => {
    const near = lines.slice(at, at + NEAR).join('\n');
    return tests.every((test) => test.test(near));
  });
}

/** One thing typed and what is shown for it. */
export interface Exchange {
  readonly line: number;
  readonly typed: string;
  readonly shown: readonly string[];
}

/** The exchanges of a transcript; lines before the first one are its `greeting`. */
export function exchangesOf({ lines, line: first }: Block, prompt: RegExp): { greeting: string[]; all: Exchange[] } {
  const greeting: string[] = [];
  const all: { line: number; typed: string; shown: string[] }[] = [];
  for (const [at, line] of lines.entries()) {
    const typed = prompt.exec(line);
    if (typed !== null) all.push({ line: first + at, typed: line.slice(typed[0].length), shown: [] });
    else (all.at(-1)?.shown ?? greeting).push(line);
  }
  return { greeting, all };
}

/** A text without what differs from run to run: addresses, ids, times, process ids, the width of columns. */
export const settled = (text: string): string =>
  text
    .replace(/\b(?:127\.0\.0\.1|zk\d):\d+/g, 'ADDRESS')
    .replace(/(?<= )\d{4,7}(?= {2}\S)/g, 'PID')
    .replace(/\b0x[0-9a-f]+/g, 'ID')
    .replace(/\b\d\d:\d\d:\d\d\b/g, 'TIME')
    .replace(/\bjust now|\b\d+s ago/g, 'AGO')
    .replace(/\b[\d.]+ ?m?s\b/g, 'SPAN')
    .replace(/\bzoosh \d+\.\d+\.\d+/g, 'zoosh VERSION')
    .replace(/[ \t]+/g, ' ')
    .trim();
