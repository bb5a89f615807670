/** Where a value came from: a line of a file, or an option, argument or environment variable by name. */
export type Origin = { readonly file: string; readonly line: number } | { readonly option: string };

/** One `key=value` as given, before anything is known about the key. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly from: Origin;
}

/** `zoo.cfg:12` or `--set`. */
export const showOrigin = (from: Origin): string => ('file' in from ? `${from.file}:${from.line}` : from.option);

interface Place {
  readonly key?: string;
  readonly from?: Origin | undefined;
  /** Where it belongs, when it stands nowhere. */
  readonly file?: string | undefined;
}

/** A server configuration that cannot be used: where, which key, and what to do about it. Ends `zoosh start` with 43. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = 43;
  readonly key: string | undefined;
  readonly from: Origin | undefined;
  /** What the operator can do. */
  readonly remedy: string;
  constructor(what: string, remedy: string, at: Place = {}) {
    const where = at.from === undefined ? at.file : showOrigin(at.from);
    super(`${where === undefined ? '' : `${where}: `}${what}; ${remedy}`);
    this.key = at.key;
    this.from = at.from;
    this.remedy = remedy;
  }
}

/** Larger files than this are not a zoo.cfg. */
const MAX_TEXT = 1 << 20;

/**
 * A file in Java's properties syntax: `key=value`, `key:value` or `key value`; `#` or `!` starts a comment line; a
 * trailing backslash joins the next line; `\` escapes. Keys and values are trimmed, as ZooKeeper does. Every line counts:
 * of two with one key the caller lets the later win.
 */
export function parseProperties(text: string, file: string): Setting[] {
  if (text.length > MAX_TEXT) {
    throw new ConfigError(
      `${file} has ${text.length} characters`,
      `a configuration may have ${MAX_TEXT}: check the path`,
    );
  }
  const settings: Setting[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  for (let i = 0; i < lines.length; i++) {
    const from: Origin = { file, line: i + 1 };
    let line = (lines[i] as string).replace(/^[ \t\f]+/, '');
    if (line === '' || line[0] === '#' || line[0] === '!') continue;
    const parts: string[] = [];
    while (continues(line)) {
      parts.push(line.slice(0, -1));
      line = (lines[++i] ?? '').replace(/^[ \t\f]+/, ''); // the file may end inside a joined line
    }
    if (parts.length > 0) line = parts.join('') + line;
    const at = endOfKey(line);
    const rest = line.slice(at).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
    settings.push({ key: unescaped(line.slice(0, at), from).trim(), value: unescaped(rest, from).trim(), from });
  }
  return settings;
}

/** A line goes on when it ends in an odd number of backslashes. */
function continues(line: string): boolean {
  let end = line.length;
  while (line[end - 1] === '\\') end--;
  return (line.length - end) % 2 === 1;
}

function endOfKey(line: string): number {
  for (let i = 0; i < line.length; i++) {
    const c = line[i] as string;
    if (c === '\\') i++;
    else if ('=: \t\f'.includes(c)) return i;
  }
  return line.length;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescaped(text: string, from: Origin): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_all, what: string) => {
    if (what.length === 5) return String.fromCharCode(Number.parseInt(what.slice(1), 16));
    if (what === 'u') {
      throw new ConfigError('\\u without four hexadecimal digits', 'write \\\\ for a backslash', { from });
    }
    return ESCAPES[what] ?? what;
  });
}

/** `KEY=VALUE` of an option such as `--set`. */
export function parseAssignment(text: string, option: string): Setting {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new ConfigError(`${option} ${text} has no key and value`, `write ${option} KEY=VALUE`, {
      from: { option },
    });
  }
  return { key: text.slice(0, at).trim(), value: text.slice(at + 1).trim(), from: { option } };
}

/** The `-Dname=value` words of JVMFLAGS and its like; every other word is left to the caller. `option` names the source. */
export function parseJvmFlags(flags: string, option: string): Setting[] {
  return [...flags.matchAll(/(?:^|\s)-D([^\s=]+)(?:=(?:"([^"]*)"|'([^']*)'|(\S*)))?/g)].map((m) => ({
    key: m[1] as string,
    value: m[2] ?? m[3] ?? m[4] ?? '',
    from: { option },
  }));
}
