/** One value inside a JSON text, found and replaced without touching what is around it: digits, blanks and order stay. */
import { usage } from './failure.ts';

/** `.level`, `.ports[0]`, `.a."key with dots"`: the steps from the whole to a value. */
export type JsonSteps = readonly (string | number)[];

/** @throws Failure (2) */
export function jsonSteps(text: string): JsonSteps {
  const steps: (string | number)[] = [];
  let rest = text === '.' ? '' : text;
  while (rest !== '') {
    const found = /^\[(\d{1,9})\]|^\.?\["((?:[^"\\]|\\.)*)"\]|^\."((?:[^"\\]|\\.)*)"|^\.([^.["\s]+)/.exec(rest);
    if (found === null) throw usage(`--at is like .level, .ports[0] or ."a key": not ${text}`);
    const [whole, index, bracketed, quoted, bare] = found;
    if (index !== undefined) steps.push(Number(index));
    else if (bare !== undefined) steps.push(bare);
    else {
      const key = `"${bracketed ?? quoted}"`;
      if (!isJson(key)) throw usage(`--at: ${key} is not JSON text`);
      steps.push(JSON.parse(key) as string);
    }
    rest = rest.slice(whole.length);
  }
  return steps;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The text of the value at `steps`; undefined when the JSON has none there. The text must be JSON. */
export function jsonAt(text: string, steps: JsonSteps): string | undefined {
  const span = spanAt(text, steps);
  return span === undefined ? undefined : text.slice(span.from, span.to);
}

/** The text with another value at `steps`; a key that is missing in an object is added at its end. Undefined: no place for it. */
export function jsonWith(text: string, steps: JsonSteps, value: string): string | undefined {
  const span = spanAt(text, steps);
  if (span !== undefined) return text.slice(0, span.from) + value + text.slice(span.to);
  const key = steps.at(-1);
  const parent = steps.length === 0 ? undefined : spanAt(text, steps.slice(0, -1));
  if (typeof key !== 'string' || parent === undefined || text[parent.from] !== '{') return undefined;
  const inner = text.slice(parent.from + 1, parent.to - 1);
  const isEmpty = inner.trim() === '';
  const kept = isEmpty ? '' : inner.trimEnd();
  const blank = /:\s/.test(inner) ? ' ' : '';
  const entry = `${isEmpty ? '' : `,${blank}`}${JSON.stringify(key)}:${blank}${value}${inner.slice(kept.length)}`;
  return `${text.slice(0, parent.from + 1)}${kept}${entry}${text.slice(parent.to - 1)}`;
}

function spanAt(text: string, steps: JsonSteps): Span | undefined {
  let span: Span = { from: blanks(text, 0), to: text.trimEnd().length };
  for (const step of steps) {
    const next = inside(text, span, step);
    if (next === undefined) return undefined;
    span = next;
  }
  return span;
}

/** A member of the object or array at `span`. Of a key that stands twice the last counts, as for JSON.parse. */
function inside(text: string, { from }: Span, step: string | number): Span | undefined {
  const open = text[from];
  if (open !== (typeof step === 'string' ? '{' : '[')) return undefined;
  let found: Span | undefined;
  let at = blanks(text, from + 1);
  for (let index = 0; text[at] !== '}' && text[at] !== ']'; index++) {
    let name: string | number = index;
    if (open === '{') {
      const end = valueEnd(text, at);
      name = JSON.parse(text.slice(at, end)) as string;
      at = blanks(text, blanks(text, end) + 1); // the colon
    }
    const end = valueEnd(text, at);
    if (name === step) found = { from: at, to: end };
    at = blanks(text, end);
    if (text[at] === ',') at = blanks(text, at + 1);
  }
  return found;
}

function blanks(text: string, at: number): number {
  while (at < text.length && /\s/.test(text[at] as string)) at++;
  return at;
}

/** Where the value that begins at `at` ends. */
function valueEnd(text: string, at: number): number {
  let depth = 0;
  for (let here = at; here < text.length; here++) {
    const unit = text[here] as string;
    if (unit === '"') {
      here++;
      while (text[here] !== '"') here += text[here] === '\\' ? 2 : 1;
      if (depth === 0) return here + 1;
    } else if (unit === '{' || unit === '[') depth++;
    else if (unit === '}' || unit === ']') {
      if (depth === 0) return here; // a bare word at the end of its container
      if (--depth === 0) return here + 1;
    } else if (depth === 0 && (unit === ',' || /\s/.test(unit))) return here;
  }
  return text.length;
}
