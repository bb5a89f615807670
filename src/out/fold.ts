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

/** {@link fold} for a page of help: the second of two columns stays one, or goes below the first where there is no room. */
export const foldPage = (text: string, width: number): string[] =>
  unwrapped(text.split('\n')).flatMap((line) => foldLine(line, width));

function foldLine(line: string, width: number): string[] {
  if (textWidth(line) <= width) return [line];
  const lead = leadOf(line);
  const [first = ''] = COLUMN.exec(line) ?? [];
  if (first === '') return fold(line, width, /^usage: /.test(line) ? 7 : lead === 0 ? 0 : lead + 2);
  if (first.length <= width - Math.max(LEAST, Math.floor(width / 3))) return fold(line, width, first.length);
  const below = ' '.repeat(lead + 4) + line.slice(first.length);
  return [...fold(first.trimEnd(), width, lead + 2), ...fold(below, width, lead + 4)];
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
