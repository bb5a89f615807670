import { usage } from './failure.ts';

export { plural, showCount } from '../base/counts.ts';

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms 5s 2m 1h 1d` to ms; a bare number is ms. `name` is what it belongs to. @throws Failure (2) */
export function parseDuration(text: string, name?: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  if (match === null)
    throw usage(
      name === undefined ? `not a duration: ${text}` : `${name} must be a duration, not ${shownValue(text)}`,
      'write 500ms, 5s, 2m, 1h or 1d; a bare number is ms',
    );
  return Math.round(Number(match[1]) * (MS[match[2] ?? 'ms'] as number));
}

/** Longer than this nobody can be woken, ms: timers have 31 bits. */
const MOST_TIMED_MS = 24 * 86_400_000;

/** A duration that something waits for. `name` is what it belongs to. @throws Failure (2) */
export function parseTimed(text: string, name: string): number {
  const ms = parseDuration(text, name);
  if (ms > MOST_TIMED_MS) throw usage(`${name} is at most 24d, not ${text}`, 'nothing can be timed for longer');
  return ms;
}

const SIZES: Readonly<Record<string, number>> = { '': 1, k: 1024, M: 1 << 20, G: 1 << 30 };

/** `100`, `10k`, `64M` to bytes; powers of 1024. `name` is what it belongs to. @throws Failure (2) */
export function parseSize(text: string, name?: string): number {
  const match = /^(\d{1,12})([kMG]?)B?$/.exec(text);
  if (match === null)
    throw usage(
      name === undefined ? `not a size: ${text}` : `${name} must be a size, not ${shownValue(text)}`,
      'write 1000, 10k, 64M or 1G',
    );
  return Number(match[1]) * (SIZES[match[2] ?? ''] as number);
}

/** `a, b or c`. */
export const choice = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** A whole number, possibly negative. @throws Failure (2) */
export function parseNumber(text: string, what: string): number {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw usage(`${what} must be a whole number, not ${shownValue(text)}`);
  return value;
}
const shownValue = (text: string): string => (text === '' ? 'empty' : text);

const AGES = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
] as const;

/** `4s ago`, for people; `-` for no time at all. */
export function showAge(at: number, now: number): string {
  if (at === 0) return '-'; // what a server was born with
  const age = now - at;
  if (age < 0) return 'in the future';
  for (const [unit, name] of AGES) if (age >= unit) return `${Math.floor(age / unit)}${name} ago`;
  return 'just now';
}

/** As short as {@link parseDuration} reads it: `5ms`, `1.5s`, `90s`, `2m`. */
export function showDuration(ms: number): string {
  for (const [unit, name] of AGES) if (ms >= unit && ms % unit === 0) return `${ms / unit}${name}`;
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}

/** Bytes for people: `37B`, `1.2k`, `3.4M`. */
export function showBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  // what would be rounded to 1024.0 of the smaller is one of this
  for (const [unit, name] of [
    [1 << 30, 'G'],
    [1 << 20, 'M'],
    [1 << 10, 'k'],
  ] as const)
    if (bytes >= unit * (1 - 0.05 / 1024)) return `${(bytes / unit).toFixed(1)}${name}`;
  return `${bytes}B`;
}

export const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;
