import { textWidth } from '../base/width.ts';
import { prettyJson } from '../shell/json-text.ts';
import { textOf } from '../shell/node-json.ts';
import type { Difference } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';
import { diffLines, hunks } from '../shell/text-diff.ts';
import { showBytes } from '../shell/units.ts';
import { visible, visibleLine } from './data.ts';
import { fold } from './fold.ts';
import type { Screen } from './human.ts';
import type { Theme } from './theme.ts';

/** Data in a few words: a short text in quotes, else what it is. */
export function shortData(data: Uint8Array | null, most: number): string {
  if (data === null) return '(null)';
  const text = data.length <= 4 * most ? textOf(data) : undefined;
  if (text === undefined) return `(${showBytes(data.length)}${data.length <= 4 * most ? ', binary' : ''})`;
  // quotes of the kind the text does not hold, as far as that goes
  const isBare = text.includes('"') && !/['\\\u0000-\u001f\u007f]/.test(text);
  const quoted = isBare ? `'${text}'` : JSON.stringify(text);
  return quoted.length <= most ? quoted : `${quoted.slice(0, most - 4)}...${quoted.at(-1)}`;
}

/** `level: "info" -> "debug"`: of two JSON objects the keys that differ, when these are few; undefined for anything else. */
export function keyText(before: Uint8Array | null, after: Uint8Array | null, most: number): string | undefined {
  const [old, now] = [objectOf(before), objectOf(after)];
  if (old === undefined || now === undefined) return undefined;
  const show = (value: unknown): string => (value === undefined ? '(none)' : JSON.stringify(value));
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (key) => show(old[key]) !== show(now[key]),
  );
  const text = keys.map((key) => `${key}: ${show(old[key])} -> ${show(now[key])}`).join(', ');
  return keys.length === 0 || text.length > 2 * most ? undefined : text;
}

function objectOf(data: Uint8Array | null): Readonly<Record<string, unknown>> | undefined {
  const text = data === null || data.length > 4096 ? undefined : textOf(data);
  if (text?.startsWith('{') !== true) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const PAINT: Readonly<Record<Difference['sign'], keyof Theme>> = {
  '+': 'good',
  '-': 'bad',
  '~': 'attention',
  '!': 'badOption',
};
const MAX_LINES = 40;

/** JSON is compared key by key. */
const spread = (text: string | undefined): string | undefined => (text === undefined ? undefined : prettyJson(text));

const headOf = ({ sign, path, version }: Difference): string =>
  ` ${sign} ${quoteWord(path)}${version === undefined ? '' : `  v${version}`}`;

/** How people see them: a line each, what is said of it in one column, and below it the lines of a text that differ. */
export function differencesLines(differences: readonly Difference[], screen: Screen): string[] {
  const widest = differences.reduce((most, each) => Math.max(most, textWidth(headOf(each)) + 2), LEAST_COLUMN);
  const most = Math.floor(screen.width * MOST_COLUMN);
  return differences.flatMap((each) => differenceLines(each, Math.min(most, widest), screen));
}
const LEAST_COLUMN = 28;
/** Of the width of the screen: what stands in it needs room, too. */
const MOST_COLUMN = 0.625;

function differenceLines(difference: Difference, column: number, { theme, width }: Screen): string[] {
  const { sign, before, after, notes = [] } = difference;
  const paint = theme[PAINT[sign]] as (text: string) => string;
  const head = headOf(difference);
  const painted = paint(head);
  const below = notes.flatMap((note) => fold(`     ${visibleLine(note)}`, width, 5)).map(theme.dim);
  const keys =
    difference.isBrief === true && before != null && after != null ? keyText(before, after, width) : undefined;
  if (keys !== undefined) return [painted, ...fold(`     ${visibleLine(keys)}`, width, 5), ...below];
  const both = before != null && after != null ? [textOf(before), textOf(after)] : [];
  const inline = (most: number): string =>
    before !== undefined && after !== undefined
      ? `${shortData(before, most)} -> ${shortData(after, most)}`
      : shortData((after === undefined ? before : after) ?? null, 2 * most);
  const fits = textWidth(inline(2 * width)) + 5 <= width;
  const [old, now] = both.map((text) => (fits ? text : (spread(text) ?? text)));
  if (old !== undefined && now !== undefined && (old.includes('\n') || now.includes('\n')))
    return [painted, ...textLines(old, now, theme), ...below];
  const value = before === undefined && after === undefined ? '' : inline(Math.max(16, Math.floor((width - 12) / 2)));
  if (value === '') return [painted, ...below];
  const shown = visibleLine(value);
  const pad = column - textWidth(head);
  if (textWidth(head) + Math.max(2, pad) + textWidth(shown) <= width)
    return [`${painted}${' '.repeat(Math.max(2, pad))}${shown}`, ...below];
  return [painted, `     ${shown}`, ...below];
}

function textLines(before: string, after: string, theme: Theme): string[] {
  const found = hunks(diffLines(before.split('\n'), after.split('\n')));
  const lines = found.slice(0, MAX_LINES).map((line) => {
    if (line === undefined) return theme.dim('     ...');
    const text = `   ${line.sign} ${visible(line.text)}`;
    return line.sign === '+' ? theme.good(text) : line.sign === '-' ? theme.bad(text) : theme.dim(text);
  });
  return found.length > MAX_LINES ? [...lines, theme.dim(`     ... ${found.length - MAX_LINES} more lines`)] : lines;
}

const PLAIN_MOST = 200;
/** Fields of one in plain output: sign, path, what differs. */
export const differenceFields = ({ sign, path, before, after, notes = [] }: Difference): string[] => [
  sign,
  path,
  ...(before !== undefined && after !== undefined
    ? [`data ${shortData(before, PLAIN_MOST)} -> ${shortData(after, PLAIN_MOST)}`]
    : []),
  ...notes,
];
