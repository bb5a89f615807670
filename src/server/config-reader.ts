import { KEYS, type Key, type Row } from './config-keys.ts';
import { ConfigError, type Origin, type Setting } from './config-text.ts';

type KeyOf<K extends Row['kind']> = { [Each in Key]: (typeof KEYS)[Each]['kind'] extends K ? Each : never }[Key];

/** The values of known settings, each read as its kind says. */
export interface Reader {
  text(key: KeyOf<'text'>): string | undefined;
  /** As `text`; an IPv6 address comes without its brackets, as Java takes it with them. */
  host(key: KeyOf<'text'>): string | undefined;
  int(key: KeyOf<'int' | 'port'>): number;
  /** As `int`; a smaller value is raised, with a note. */
  atLeast(key: KeyOf<'int'>, least: number): number;
  /** As `atLeast`; a larger value is lowered, with a note. */
  within(key: KeyOf<'int'>, least: number, most: number): number;
  port(key: KeyOf<'port'>): number | undefined;
  flag(key: KeyOf<'bool' | 'property'>): boolean;
  /** True when the value is `word`: of yes and no, each key has one that matters and takes anything else for the other. */
  is(key: KeyOf<'yesno'>, word: 'yes' | 'no'): boolean;
  /** From 0 to 1. */
  part(key: KeyOf<'part'>): number;
  /** Milliseconds. */
  interval(key: KeyOf<'interval'>): number;
  /** Where a value was given; undefined for the default. */
  origin(key: Key): Origin | undefined;
  /** A value was given that is not the default: what is said aloud without need is no reason for a remark. */
  differs(key: Key): boolean;
  error(key: Key, what: string, remedy: string): ConfigError;
}

const INTERVALS: Readonly<Record<string, number>> = {
  '': 3_600_000,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const INT_MAX = 2 ** 31 - 1;

/** Looks settings up in `given`; values that were corrected are told in `notes`. */
export function reader(given: ReadonlyMap<Key, Setting>, notes: string[]): Reader {
  const textOf = (key: Key): string | undefined => {
    const value = given.get(key)?.value ?? (KEYS[key] as Row).fallback;
    return value === '' ? undefined : value;
  };
  /** Into which what is missing may be written. */
  const file = (): string | undefined => {
    for (const { from } of given.values()) if ('file' in from) return from.file;
    return undefined;
  };
  const error = (key: Key, what: string, remedy: string): ConfigError =>
    new ConfigError(what, remedy, { key, from: given.get(key)?.from, file: file() });
  const number = (key: Key): number | undefined => {
    const text = textOf(key);
    if (text === undefined) return undefined;
    const value = /^[+-]?(\d+|0[xX][0-9a-fA-F]+)$/.test(text)
      ? Number(text.replace(/^([+-])/, '')) * (text[0] === '-' ? -1 : 1)
      : Number.NaN;
    if (Number.isInteger(value) && Math.abs(value) <= INT_MAX) return value;
    throw error(key, `${key}=${text} is not a whole number of 32 bits`, 'write digits only');
  };
  const port = (key: Key): number | undefined => {
    const value = number(key);
    if (value === undefined || (value >= 0 && value <= 65535)) return value;
    throw error(key, `${key}=${value} is not a port`, 'give a number from 0 to 65535');
  };
  const atLeast = (key: Key, least: number): number => {
    const value = number(key) ?? 0;
    if (value >= least) return value;
    notes.push(`${key}=${value} is raised to ${least}`);
    return least;
  };
  return {
    text: textOf,
    host: (key) => textOf(key)?.replace(/^\[(.*:.*)\]$/, '$1'),
    int: (key) => (KEYS[key].kind === 'port' ? port(key) : number(key)) ?? 0,
    atLeast,
    within(key, least, most) {
      const value = atLeast(key, least);
      if (value <= most) return value;
      notes.push(`${key}=${value} is lowered to ${most}, the most that members send each other`);
      return most;
    },
    port,
    flag(key) {
      const text = textOf(key) ?? '';
      if (/^true$/i.test(text)) return true;
      if (/^false$/i.test(text)) return false;
      if (KEYS[key].kind === 'bool')
        throw error(key, `${key}=${text} is neither true nor false`, 'write true or false');
      notes.push(`${key}=${text} counts as false; write true or false`);
      return false;
    },
    part(key) {
      const text = textOf(key) ?? '0';
      const value = Number(text);
      if (value >= 0 && value <= 1) return value;
      throw error(key, `${key}=${text} is not a part of 1`, 'write a number from 0 to 1');
    },
    is: (key, word) => textOf(key)?.toLowerCase() === word,
    interval(key) {
      const text = textOf(key) ?? '0';
      const match = /^([+-]?\d{1,9}) ?(ms|s|m|h|d)?$/.exec(text);
      if (match === null)
        throw error(key, `${key}=${text} is no interval`, 'write hours, or a number with ms, s, m, h or d');
      const count = Number(match[1]);
      // below 0 is off, as in ZooKeeper
      if (count < 0 && key !== 'autopurge.purgeInterval')
        throw error(key, `${key}=${text} is no interval`, 'write 0 for never');
      return Math.max(0, count) * (INTERVALS[match[2] ?? ''] as number);
    },
    origin: (key) => given.get(key)?.from,
    differs(key) {
      const value = given.get(key)?.value;
      return value !== undefined && value.toLowerCase() !== (KEYS[key] as Row).fallback?.toLowerCase();
    },
    error,
  };
}
