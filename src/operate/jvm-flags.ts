import { isIdle } from '../server/config-idle.ts';
import { isKey, plainKey } from '../server/config-keys.ts';
import type { Origin, Setting } from '../server/config-text.ts';

/** Words for a Java machine, and who gave them. */
export interface FlagSource {
  /** `JVMFLAGS`, or `argument`. */
  readonly option: string;
  readonly text: string;
}

/** What of the words for a Java machine means something here. */
export interface JvmFlags {
  /** `-Dname=value` of settings, in order. */
  readonly settings: readonly Setting[];
  /** The last of `-Xmx`. */
  readonly heap: { readonly bytes: number; readonly from: Origin } | undefined;
  /** The level that log4j's and logback's properties ask for, as written. */
  readonly logLevel: string | undefined;
  /** Words without effect, without their values: these may be secrets. */
  readonly idle: readonly string[];
}

/** Splits at blanks that stand in no quotes, as a shell does; quotes go, a backslash takes the next character as it is. */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const c = text[at] as string;
    if (quote === '' && /\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === '' && (c === '"' || c === "'")) {
      quote = c;
      word ??= '';
    } else if (c === quote) quote = '';
    else word = (word ?? '') + (c === '\\' && quote !== "'" ? (text[++at] ?? '') : c);
  }
  if (word !== undefined) words.push(word);
  return words;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1 << 20, g: 1 << 30, t: 2 ** 40 };

/** `512m`, `2g`, `1048576k` or bytes, in either case; undefined for anything else. */
export function bytesOf(text: string): number | undefined {
  const match = /^(\d{1,15})([kmgt]?)b?$/.exec(text.toLowerCase());
  return match === null ? undefined : Number(match[1]) * (UNITS[match[2] ?? ''] as number);
}

/** Names of log levels elsewhere. */
const LEVELS: Readonly<Record<string, string>> = {
  trace: 'debug',
  all: 'debug',
  warning: 'warn',
  fatal: 'error',
  off: 'error',
};

/** `INFO,CONSOLE` to one of our levels; undefined when it names none. */
export function levelOf(text: string): string | undefined {
  const word = text.split(',')[0]?.trim().toLowerCase() ?? '';
  const level = LEVELS[word] ?? word;
  return ['debug', 'info', 'warn', 'error'].includes(level) ? level : undefined;
}

/** Properties that tell Apache's server where and how much to log; the place is given by options here. */
const LOGS = new Set(['zookeeper.root.logger', 'zookeeper.console.threshold', 'zookeeper.log.threshold']);
const LOG_PLACES = new Set(['zookeeper.log.dir', 'zookeeper.log.file']);

const nameOf = (word: string): string => {
  const equals = word.indexOf('=');
  return equals < 0 ? word : word.slice(0, equals);
};

/** Takes the words for Java machines apart; of two that say the same the later wins. */
export function readJvmFlags(sources: readonly FlagSource[]): JvmFlags {
  const settings: Setting[] = [];
  const idle: string[] = [];
  let heap: JvmFlags['heap'];
  let logLevel: string | undefined;
  for (const { option, text } of sources)
    for (const word of shellWords(text)) {
      const from = { option: `${option} ${nameOf(word)}` };
      if (word.startsWith('-Xmx')) {
        const bytes = bytesOf(word.slice('-Xmx'.length));
        if (bytes === undefined) idle.push(word);
        else heap = { bytes, from: { option: `${option} -Xmx` } };
        continue;
      }
      const match = /^-D([^=]+)(?:=([\s\S]*))?$/.exec(word);
      if (match === null) {
        idle.push(nameOf(word));
        continue;
      }
      const [, key = '', value = ''] = match;
      const plain = plainKey(key);
      if (LOGS.has(key)) logLevel = levelOf(value) ?? logLevel;
      else if (LOG_PLACES.has(key)) continue;
      else if (isKey(plain) || isIdle(plain) || key.startsWith('zookeeper.')) settings.push({ key, value, from });
      else idle.push(`-D${key}`);
    }
  return { settings, heap, logLevel, idle: [...new Set(idle)] };
}
