import { textWidth } from '../base/width.ts';

/**
 * A line without escape codes in lines of at most `width` cells, broken between words; all but the first are indented by
 * `hang`. A word longer than a line stays whole, since it may be a path that somebody copies.
 */
export function fold(line: string, width: number, hang = 0): string[] {
  if (line.length <= width && textWidth(line) <= width) return [line];
  const [first = '', ...pieces] = line.split(/( +)/); // words, and the blanks between them
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

/** Columns that the second of two columns should have at least. */
const LEAST = 20;

/** {@link fold} for a line of help: of two columns, the second stays one. */
export function foldHelp(line: string, width: number): string[] {
  const [first = ''] = /^ *\S+(?: \S+)* {2,}(?=\S)/.exec(line) ?? [];
  if (first !== '' && first.length <= width - LEAST) return fold(line, width, first.length);
  const [lead = ''] = /^(?:usage: +| *)/.exec(line) ?? [];
  return fold(line, width, /^ /.test(line) ? lead.length + 2 : lead.length);
}
