import type { Emulator } from '../editor/emulator.ts';

/** A character's place and size on the picture, px. */
const CELL = { width: 8.4, height: 19 } as const;
const FRAME = { bar: 34, pad: 14, radius: 9 } as const;
const FONT =
  "ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace";
const GROUND = '#1b1f2a';
const TEXT = '#d7dce5';
const DIM = '#808a9c';
/** Of the eight colours a terminal has; 8 to 15 are their bright ones. */
const COLOURS: Readonly<Record<number, string>> = {
  30: '#566072',
  31: '#ff7b85',
  32: '#9bd77b',
  33: '#f2c572',
  34: '#75b5ff',
  35: '#d59bf0',
  36: '#63cfd3',
  37: TEXT,
  90: DIM,
};

interface Look {
  readonly fill: string;
  readonly bold: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
}

/** A cell's look from the parameters of all SGR codes since the last reset. */
export function lookOf(style: string): Look {
  let [fill, bold, dim, underline, inverse] = [undefined as string | undefined, false, false, false, false];
  for (const code of style
    .split(';')
    .filter((each) => each !== '')
    .map(Number)) {
    if (code === 0) [fill, bold, dim, underline, inverse] = [undefined, false, false, false, false];
    else if (code === 1) bold = true;
    else if (code === 2) dim = true;
    else if (code === 4) underline = true;
    else if (code === 7) inverse = true;
    else if (code === 22) [bold, dim] = [false, false];
    else if (code === 24) underline = false;
    else if (code === 27) inverse = false;
    else if (code === 39) fill = undefined;
    else if (COLOURS[code] !== undefined) fill = COLOURS[code];
    else if (![3, 23].includes(code)) throw new Error(`no picture of the code ${code} yet`);
  }
  return { fill: fill ?? (dim ? DIM : TEXT), bold, underline, inverse };
}

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const number = (value: number): string => String(Math.round(value * 10) / 10);

interface Run {
  readonly from: number;
  text: string;
  readonly style: string;
}

/** Texts of one look without wide gaps, so that what is aligned stays so in whatever font is at hand. */
export function runsOf(cells: Emulator['lines'][number]['cells']): Run[] {
  const runs: Run[] = [];
  for (const [at, cell] of cells.entries()) {
    if (cell === undefined || cell.char === '') continue;
    const last = runs.at(-1);
    const isOne = last !== undefined && last.from + last.text.length === at && last.style === cell.style;
    if (isOne) last.text += cell.char;
    else runs.push({ from: at, text: cell.char, style: cell.style });
  }
  return runs.flatMap(({ from, text, style }) =>
    [...text.matchAll(/\S+(?: \S+)*/g)].map((found) => ({ from: from + found.index, text: found[0], style })),
  );
}

/** What a person sees of a terminal, in a window with a title. Rows below the last one written are left out. */
export function svgOf(screen: Emulator, title: string): string {
  const lines = screen.lines.slice(screen.top);
  while (lines.length > screen.row - screen.top + 1 && (lines.at(-1)?.cells ?? []).every((cell) => cell === undefined))
    lines.pop();
  const width = screen.columns * CELL.width + 2 * FRAME.pad;
  const height = FRAME.bar + lines.length * CELL.height + 2 * FRAME.pad - 4;
  const x = (column: number): string => number(FRAME.pad + column * CELL.width);
  const y = (row: number): number => FRAME.bar + FRAME.pad + row * CELL.height;
  const shapes: string[] = [];
  const texts: string[] = [];
  for (const [row, { cells }] of lines.entries())
    for (const { from, text, style } of runsOf(cells)) {
      const { fill, bold, underline, inverse } = lookOf(style);
      if (inverse)
        shapes.push(
          `<rect x="${x(from)}" y="${number(y(row) - 1)}" width="${number(text.length * CELL.width)}" height="${CELL.height}" fill="${fill}"/>`,
        );
      texts.push(
        `<text x="${x(from)}" y="${number(y(row) + 13.5)}" textLength="${number(text.length * CELL.width)}" fill="${inverse ? GROUND : fill}"${bold ? ' font-weight="bold"' : ''}${underline ? ' text-decoration="underline"' : ''}>${escaped(text)}</text>`,
      );
    }
  const cursor = `<rect x="${x(screen.column)}" y="${number(y(screen.row - screen.top) - 1)}" width="${number(CELL.width)}" height="${CELL.height - 1}" fill="${TEXT}" fill-opacity="0.55"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${number(width)} ${number(height)}" width="${number(width)}" height="${number(height)}" role="img" aria-label="${escaped(title)}">
<rect width="100%" height="100%" rx="${FRAME.radius}" fill="${GROUND}"/>
<path d="M0 ${FRAME.bar}V${FRAME.radius}a${FRAME.radius} ${FRAME.radius} 0 0 1 ${FRAME.radius} -${FRAME.radius}H${number(width - FRAME.radius)}a${FRAME.radius} ${FRAME.radius} 0 0 1 ${FRAME.radius} ${FRAME.radius}V${FRAME.bar}z" fill="#2a3040"/>
<circle cx="19" cy="17" r="6" fill="#ff6058"/><circle cx="39" cy="17" r="6" fill="#ffbd2e"/><circle cx="59" cy="17" r="6" fill="#29c940"/>
<text x="50%" y="21.5" text-anchor="middle" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" fill="#aab3c2">${escaped(title)}</text>
<g font-family="${FONT}" font-size="14" style="white-space: pre">
${[...shapes, cursor, ...texts].join('\n')}
</g>
</svg>
`;
}
