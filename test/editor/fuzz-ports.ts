/** What the editor is given in the fuzz: streams that are none, answers to Tab, colours, lines of before. */
import { EventEmitter } from 'node:events';
import type { Candidate, Completion, Span } from '../../src/editor/types.ts';

export const HISTORY = [
  'get /app',
  'ls /日本語',
  'set /x "a\nb"',
  'get /app/config --watch and a line long enough to wrap',
  '👍',
];

export class Input extends EventEmitter {
  readableEnded = false;
  destroyed = false;
  setRawMode(): this {
    return this;
  }
  resume(): this {
    return this;
  }
  pause(): this {
    return this;
  }
}

export class Output extends EventEmitter {
  columns: number;
  rows: number;
  readonly write: (text: string) => boolean;
  constructor(columns: number, rows: number, write: (text: string) => boolean) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.write = write;
  }
}

export interface Asked {
  readonly text: string;
  readonly cursor: number;
  readonly resolve: (completion: Completion) => void;
  readonly reject: (error: Error) => void;
}

const CANDIDATES: readonly string[] = [
  'get ',
  'getAcl',
  '/app/worker-a',
  '/app/worker-b',
  '/app/日本語',
  "'/a b'",
  '👍x',
  'wal',
];

/** An answer of one of many kinds. */
export function completionOf({ text, cursor }: Asked, kind: number, count: number): Completion {
  const from = text.lastIndexOf(' ', cursor - 1) + 1;
  const word = text.slice(from, cursor);
  const one = (i: number): Candidate => ({
    text:
      kind % 2 === 0
        ? `${word}${i % 3 === 0 ? '日' : 'n'}${i}`
        : `${CANDIDATES[i % CANDIDATES.length]}${i > 7 ? i : ''}`,
    ...(kind % 3 === 0 && { note: `about ${i} 日本語 and a note that is longer than narrow terminals are` }),
    ...(kind === 4 && { display: `shown \x1b${i}` }),
    ...(kind === 5 && { open: true }),
  });
  const length = kind === 9 ? 0 : kind === 8 ? 1 : kind === 7 ? 300 + count : count;
  return {
    from,
    to: cursor,
    candidates: Array.from({ length }, (_, i) => one(i)),
    ...(kind > 5 && {
      message: 'no permission, 日本語, and a reason that is too long for some of the terminals there are',
    }),
  };
}

/** Styles that overlap and end anywhere. */
export function spans(text: string): Span[] {
  const end = text.search(/\s|$/);
  return [
    { from: 0, to: end, style: text.startsWith('get') ? 'command' : 'unknown' },
    ...[...text.matchAll(/"[^"]*"?/g)].map((found) => ({
      from: found.index,
      to: found.index + found[0].length,
      style: 'string' as const,
    })),
    { from: text.indexOf('/') < 0 ? text.length : text.indexOf('/'), to: text.length, style: 'path' },
  ];
}
