/** Screens as files: what a scene looks like on every terminal, equal ones together. */
import { failureText, warningText } from '../../src/out/failures.ts';
import { render } from '../../src/out/render.ts';
import type { Theme } from '../../src/out/theme.ts';
import { NOW, type Piece } from './stage.ts';
import { COLUMNS, faultsOf, TERMINALS, themeOf } from './terminals.ts';

function drawn(piece: Piece, theme: Theme, width: number): string {
  switch (piece.type) {
    case 'typed':
      return `$ ${piece.text}\n`;
    case 'shown':
      return Buffer.from(
        render(piece.output, { mode: 'human', isTerminal: true }, { theme, width, now: NOW }),
      ).toString();
    case 'written':
      return piece.text;
    case 'told':
      return failureText(piece.told, 'text', theme, width);
    case 'warned':
      return warningText(piece.text, width);
    case 'ended':
      return `[exit ${piece.status}]\n`;
  }
}

/** One look at a scene, and the terminals it is the look of. */
export interface Look {
  readonly columns: number;
  readonly terminals: readonly string[];
  readonly text: string;
}
export interface Page {
  readonly looks: readonly Look[];
  /** What a terminal should not have been sent. */
  readonly faults: readonly string[];
}

export async function pageOf(pieces: readonly Piece[]): Promise<Page> {
  const looks: { columns: number; terminals: string[]; text: string }[] = [];
  const faults: string[] = [];
  for (const columns of COLUMNS)
    for (const terminal of TERMINALS) {
      const theme = await themeOf(terminal);
      const text = pieces.map((piece) => drawn(piece, theme, columns)).join('');
      faults.push(...faultsOf(text, terminal));
      const same = looks.find((look) => look.columns === columns && look.text === text);
      if (same !== undefined) same.terminals.push(terminal.name);
      else looks.push({ columns, terminals: [terminal.name], text });
    }
  return { looks, faults };
}

/** The file of a page; ESC is written as `\e`, blanks at a line's end as `~`. */
export const fileText = ({ looks }: Page): string =>
  looks
    .map(({ columns, terminals, text }) => {
      const body = text.replaceAll('\x1b', '\\e').replace(/ +$/gm, (blanks) => '~'.repeat(blanks.length));
      return `=== ${columns} columns: ${terminals.join(', ')}\n${body}`;
    })
    .join('\n');

const CODES = /\x1b\[[\d;]*m/g;
/** Lines of a look that run over the edge though they could be broken: between their blanks. */
export function tooWide({ columns, text }: Look): string[] {
  return text
    .replace(CODES, '')
    .split('\n')
    .filter((line) => !line.startsWith('$ ') && line.length > columns && /\S +\S/.test(line.slice(0, columns)));
}
