/** Inclusive ranges that East Asian terminals draw two cells wide. Emoji come from Unicode's own property. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff\ud7b0-\ud7ff]$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;
/** What starts a picture, and what makes one of several code points. */
const PICTURE = /^(?:\p{Extended_Pictographic}|\p{RI}|[0-9#*]\ufe0f)/u;
const JOINED = /[\u200d\ufe0e\ufe0f\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}]|\p{RI}/u;
/** Takes part in what stands before, which may be a prompt or a cleared cell. */
const HANGING = /^(?:\p{Mc}|[\u{1f3fb}-\u{1f3ff}\uff9e\uff9f])/u;
const AS_TEXT = /^.\ufe0e$/u;
/** Joins nothing, but tmux takes the next character for a part of this one. */
const LOOSE_JOINER = /\u200d+$/;
/** Takes what follows into itself, a replacement of ours too (Prepend of Unicode's annex 29, which has no property here). */
const LEADING =
  /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\u{110bd}\u{110cd}\u{111c2}\u{111c3}\u{1193f}\u{11941}\u{11a3a}\u{11a84}-\u{11a89}\u{11d46}\u{11f02}]$/u;
const BREAKS_LAYOUT = /[\u0080-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u;
const LOOK_BACK = 256;
const STRETCH = 256;
let made: Intl.Segmenter | undefined;
/** Made when it is first needed: that takes longer than most commands do. */
const segmenter = (): Intl.Segmenter => {
  made ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return made;
};

/** Cells a terminal gives one code point: 0, 1 or 2. Control characters count 0. */
export function pointWidth(point: number): number {
  if (point < 32 || (point >= 0x7f && point < 0xa0)) return 0;
  if (point < 0x300) return 1;
  const char = String.fromCodePoint(point);
  if (ZERO.test(char)) return 0;
  for (const [first, last] of WIDE) {
    if (point < first) break;
    if (point <= last) return 2;
  }
  if (point >= 0x1f1e6 && point <= 0x1f1ff) return 1; // half of a flag
  return EMOJI.test(char) ? 2 : 1;
}

/** One character as the user sees it: where it starts in the text, what to write for it, and its cells. */
export interface Cluster {
  readonly index: number;
  readonly shown: string;
  readonly width: number;
  /** Terminals differ on its cells: by code point, or as one picture. Where it counts, what follows is placed by column. */
  readonly disputed: boolean;
}

/** What to write for one grapheme, with controls made visible. Tab and newline are the caller's. */
function cluster(text: string, index: number): Cluster {
  const code = text.charCodeAt(0);
  if (code < 32 || code === 127)
    return { index, shown: `^${String.fromCharCode(code ^ 64)}`, width: 2, disputed: false };
  if (BREAKS_LAYOUT.test(text)) return { index, shown: '\ufffd', width: 1, disputed: false };
  const shown = text.replace(LOOSE_JOINER, '');
  // it was the joiner that kept two such letters apart, or the control character that we do not write
  const open = (shown !== text && shown !== '') || LEADING.test(shown);
  let width = 0;
  let spacing = 0;
  for (const char of shown) {
    const cells = pointWidth(char.codePointAt(0) as number);
    width += cells;
    if (cells > 0) spacing++;
  }
  if (PICTURE.test(shown) && JOINED.test(shown))
    return { index, shown, width: AS_TEXT.test(shown) ? width : 2, disputed: true };
  // a mark with nothing to stand on would hang on the prompt
  if (width === 0) return { index, shown: `\u25cc${shown}`, width: 1, disputed: open };
  if (pointWidth(shown.codePointAt(0) as number) === 0)
    return { index, shown: `\u25cc${shown}`, width: width + 1, disputed: true };
  return { index, shown, width, disputed: open || spacing > 1 || HANGING.test(shown) };
}

/** Kana and ideographs: two cells, and a character each unless something unusual follows. */
const isIdeograph = (code: number): boolean =>
  (code >= 0x3400 && code <= 0x9fff) || (code >= 0x3041 && code <= 0x3096) || (code >= 0x30a0 && code <= 0x30ff);
/** Two of these side by side are never one character. */
const isPlain = (code: number): boolean =>
  (code < 0x300 && code !== 0xad && code !== 0xa9 && code !== 0xae) || isIdeograph(code);

/** The text's graphemes from the boundary `at` on, in order. A newline is always one of its own. */
export function* clusters(text: string, at = 0): Generator<Cluster> {
  while (at < text.length) {
    const code = text.charCodeAt(at);
    // nothing joins two plain characters, so only stretches with others are taken apart by the book
    if (isPlain(code) && (at + 1 >= text.length || isPlain(text.charCodeAt(at + 1)))) {
      const char = text[at] as string;
      if (code >= 32 && code < 127) yield { index: at, shown: char, width: 1, disputed: false };
      else if (code >= 0x300) yield { index: at, shown: char, width: 2, disputed: false };
      else yield cluster(char, at);
      at++;
      continue;
    }
    // in pieces, since Node's segmenter takes time by the square of the length
    const limit = Math.min(text.length, at + STRETCH);
    let end = at + 1;
    while (end < limit && !(isPlain(text.charCodeAt(end)) && isPlain(text.charCodeAt(end + 1) || 32))) end++;
    if (end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xffff) end++;
    const stretch = text.slice(at, end);
    const parts = [...segmenter().segment(stretch)];
    // cut by the limit, the last may go on in the next piece
    if (end >= limit && end < text.length && parts.length > 1) parts.pop();
    for (const { segment, index } of parts) yield cluster(segment, at + index);
    const last = parts.at(-1);
    at += last === undefined ? stretch.length : last.index + last.segment.length;
  }
}

/** Cells of a text without escape codes, on one row. */
export function textWidth(text: string): number {
  let width = 0;
  for (const one of clusters(text)) width += one.width;
  return width;
}

/** The text cut to at most `limit` cells, controls made visible, ending in `..` where something is missing. */
export function cut(text: string, limit: number): { shown: string; width: number } {
  let shown = '';
  let width = 0;
  let room = ''; // what still leaves place for the two dots
  let roomWidth = 0;
  for (const one of clusters(text)) {
    if (width + one.width > limit)
      return limit < 2
        ? { shown: '.'.repeat(Math.max(0, limit)), width: Math.max(0, limit) }
        : { shown: `${room}..`, width: roomWidth + 2 };
    shown += one.shown;
    width += one.width;
    if (width <= limit - 2) {
      room = shown;
      roomWidth = width;
    }
  }
  return { shown, width };
}

/** The end of the grapheme that starts at `index`. */
export function after(text: string, index: number): number {
  if (index >= text.length) return text.length;
  for (const one of clusters(text.slice(index, index + LOOK_BACK))) if (one.index > 0) return index + one.index;
  return Math.min(text.length, index + LOOK_BACK);
}

/** The start of the grapheme before `index`. */
export function before(text: string, index: number): number {
  if (index <= 1) return 0;
  if (isPlain(text.charCodeAt(index - 1)) && isPlain(text.charCodeAt(index - 2))) return index - 1;
  if (text[index - 1] === '\n') return index - 1;
  // from a place that nearly certainly is a boundary, or from so far back that it hardly matters
  const floor = Math.max(0, index - LOOK_BACK);
  let start = index - 1;
  while (start > floor && !isPlain(text.charCodeAt(start))) start--;
  let last = start;
  for (const one of clusters(text.slice(start, index))) last = start + one.index;
  return last;
}

/** How many ASCII characters in print stand at `index`, up to `end`, that nothing is joined to. */
export function asciiRun(text: string, index: number, end: number): number {
  let at = index;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code < 32 || code > 126) break;
    at++;
  }
  return at > index && at < text.length && !isPlain(text.charCodeAt(at)) ? at - index - 1 : at - index;
}
