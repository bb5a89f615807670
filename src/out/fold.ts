import { textWidth } from '../base/width.ts';

/** Blanks between words; a command to be typed, as in `(undo: undo 1)`, stays on one line, and so does `[--limit N]`. */
const BETWEEN = /(?<!\[-[\w-]+)( +)(?!(?:undo )?\d+\))/;

/**
 * A line without escape codes in lines of at most `width` cells, broken between words; all but the first are indented by
 * `hang`. A word longer than a line stays whole, since it may be a path that somebody copies.
 */
export function fold(line: string, width: number, hang = 0): string[] {
  if (line.length <= width && textWidth(line) <= width) return [line];
  const [first = '', ...pieces] = line.split(BETWEEN);
  const lines: string[] = [];
  let now = first;
  for (let at = 0; at < pieces.length; at += 2) {
    const [gap = '', word = ''] = [pieces[at], pieces[at + 1]];
    if (now.trim() !== '' && textWidth(now) + gap.length + textWidth(word) > width) {
      lines.push(now);
      now = ' '.repeat(hang) + word;
    } else now += gap + word;
  }
  return [...lines, now];
}

/** Cells that a column of text should have at least. */
export const LEAST = 16;

/** First of two columns, with the blanks behind it. */
const COLUMN = /^ *\S+(?: \S+)* {2,}(?=\S)/;
const leadOf = (line: string): number => line.length - line.trimStart().length;

/**
 * {@link fold} for a page of help: the second of two columns stays one, or goes below the first where there is no room, and
 * then in all lines of that block.
 */
export function foldPage(text: string, width: number): string[] {
  const lines = unwrapped(text.split('\n'));
  const columns = lines.map((line) => COLUMN.exec(line)?.[0].length ?? 0);
  const out: string[] = [];
  for (let from = 0, to: number; from < lines.length; from = to) {
    for (to = from + 1; to < lines.length && columns[to] === columns[from]; ) to++;
    const block = lines.slice(from, to);
    const isBelow = (columns[from] ?? 0) > roomFor(width) && block.some((line) => textWidth(line) > width);
    for (const line of block) out.push(...foldLine(line, width, isBelow));
  }
  return out;
}

/** Cells that the first of two columns may have where the second stands beside it. */
const roomFor = (width: number): number => width - Math.max(LEAST, Math.floor(width * 0.4));

function foldLine(line: string, width: number, isBelow: boolean): string[] {
  const lead = line.startsWith('usage: ') ? 'usage: '.length : leadOf(line);
  const [first = ''] = COLUMN.exec(line) ?? [];
  if (textWidth(line) <= width && !(isBelow && first !== '')) return [line];
  if (first === '') return fold(line, width, hangOf(line));
  if (!isBelow) return fold(line, width, first.length);
  const below = ' '.repeat(lead + 4) + line.slice(first.length);
  return [...fold(first.trimEnd(), width, lead + 2), ...fold(below, width, lead + 4)];
}

/** Where a line without columns goes on. */
function hangOf(line: string): number {
  const lead = leadOf(line);
  return /^(?:usage|also called): /.exec(line)?.[0].length ?? (lead === 0 ? 0 : lead + 2);
}

/** Sentences that were broken where the source is full are made whole, so that they break at the screen's edge only. */
function unwrapped(lines: readonly string[]): string[] {
  const out: string[] = [];
  for (const line of lines) {
    const before = out.at(-1) ?? '';
    const column = COLUMN.exec(before)?.[0].length;
    const isSentence = line !== '' && leadOf(line) === 0 && leadOf(before) === 0 && /[^.:!?]$/.test(before);
    const isColumn = leadOf(line) > 0 && leadOf(line) === column;
    if ((isSentence && before.length > LONG && !before.startsWith('usage: ')) || isColumn)
      out[out.length - 1] = `${before} ${line.trimStart()}`;
    else out.push(line);
  }
  return out;
}
/** A line of help that goes on in the next one has at least so many characters. */
const LONG = 60;
