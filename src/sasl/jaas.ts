/**
 * JAAS login configuration, the file that `-Djava.security.auth.login.config` names:
 *
 *     Server {
 *       org.apache.zookeeper.server.auth.DigestLoginModule required
 *         user_bob="secret";
 *     };
 */

export interface JaasEntry {
  /** Class name of a login module. */
  readonly module: string;
  readonly flag: string;
  readonly options: ReadonlyMap<string, string>;
}
/** The login modules of each section. */
export type Jaas = ReadonlyMap<string, readonly JaasEntry[]>;

/** Text that is no JAAS configuration. The message says in which line, and what was expected. */
export class JaasError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = 'JaasError';
    this.line = line;
  }
}

interface Token {
  /** A word or a string; one of `{ } ; =`, or the end. */
  readonly kind: 'word' | 'string' | 'mark' | 'end';
  readonly text: string;
  readonly line: number;
}

const FLAGS = new Set(['required', 'requisite', 'sufficient', 'optional']);

/** Throws {@link JaasError}. */
export function readJaas(text: string): Jaas {
  const sections = new Map<string, JaasEntry[]>();
  const tokens = tokensOf(text);
  let token = next();
  while (token.kind !== 'end') {
    const name = take('the name of a section');
    if (sections.has(name)) throw new JaasError(token.line, `section ${name} stands here a second time`);
    const entries: JaasEntry[] = [];
    mark('{');
    while (!isMark('}')) entries.push(entry());
    token = next();
    mark(';');
    sections.set(name, entries);
  }
  return sections;

  function next(): Token {
    return tokens.next().value as Token;
  }
  function isMark(text: string): boolean {
    return token.kind === 'mark' && token.text === text;
  }
  function fail(expected: string): never {
    // what stands there may be a secret
    const found =
      token.kind === 'end' ? 'the file ends' : token.kind === 'mark' ? `${token.text} stands` : 'other words stand';
    throw new JaasError(token.line, `${found} where ${expected} was expected`);
  }
  function take(what: string): string {
    if (token.kind !== 'word' && token.kind !== 'string') fail(what);
    const { text } = token;
    token = next();
    return text;
  }
  function mark(text: string): void {
    if (!isMark(text)) fail(text);
    token = next();
  }
  function entry(): JaasEntry {
    const module = take('a login module or }');
    if (!(token.kind === 'word' && FLAGS.has(token.text.toLowerCase()))) fail(`one of ${[...FLAGS].join(', ')}`);
    const flag = take('a flag').toLowerCase();
    const options = new Map<string, string>();
    while (!isMark(';')) {
      const key = take('an option or ;');
      mark('=');
      options.set(key, take(`the value of an option`));
    }
    token = next();
    return { module, flag, options };
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/** Comments are those of Java, and lines that begin with #. */
function* tokensOf(text: string): Generator<Token> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const char = text[at] as string;
    if (char === '\n') line++;
    if (/\s/.test(char)) at++;
    else if (char === '#' || text.startsWith('//', at)) at = lineEnd(at);
    else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2);
      if (end < 0) throw new JaasError(line, 'a comment begins here and does not end');
      line += text.slice(at, end).split('\n').length - 1;
      at = end + 2;
    } else if ('{};='.includes(char)) {
      at++;
      yield { kind: 'mark', text: char, line };
    } else if (char === '"' || char === "'") yield { kind: 'string', text: quoted(char), line };
    else yield { kind: 'word', text: word(), line };
  }
  for (;;) yield { kind: 'end', text: '', line };

  function lineEnd(from: number): number {
    const end = text.indexOf('\n', from);
    return end < 0 ? text.length : end;
  }
  function word(): string {
    const from = at;
    while (at < text.length && !/[\s{};="']/.test(text[at] as string)) at++;
    return text.slice(from, at);
  }
  function quoted(mark: string): string {
    let value = '';
    for (at++; at < text.length && text[at] !== '\n'; at++) {
      const char = text[at] as string;
      if (char === mark) {
        at++;
        return value;
      }
      if (char !== '\\') value += char;
      else {
        const escaped = text[++at] ?? '';
        value += ESCAPES[escaped] ?? escaped;
      }
    }
    throw new JaasError(line, 'a string begins here and does not end in its line');
  }
}

const DIGEST_MODULE = /(^|\.)DigestLoginModule$/;
const KERBEROS_MODULE = /(^|\.)Krb5LoginModule$/;
const USER = 'user_';

/** A section that only Kerberos can serve. */
export const isKerberos = (entries: readonly JaasEntry[]): boolean =>
  entries.some(({ module }) => KERBEROS_MODULE.test(module)) && digestEntry(entries) === undefined;

const digestEntry = (entries: readonly JaasEntry[]): JaasEntry | undefined =>
  entries.find(({ module }) => DIGEST_MODULE.test(module));

/** Passwords by user, as a server's section gives them (`user_NAME="PASSWORD"`); undefined when it has no DIGEST-MD5. */
export function usersOf(entries: readonly JaasEntry[]): ReadonlyMap<string, string> | undefined {
  const entry = digestEntry(entries);
  if (entry === undefined) return undefined;
  const users = new Map<string, string>();
  for (const [key, value] of entry.options) if (key.startsWith(USER)) users.set(key.slice(USER.length), value);
  return users;
}

/** Who a client's section logs in as; undefined when it does not say so for DIGEST-MD5. */
export function loginOf(
  entries: readonly JaasEntry[],
): { readonly user: string; readonly password: string } | undefined {
  const options = digestEntry(entries)?.options;
  const user = options?.get('username');
  const password = options?.get('password');
  return user === undefined || password === undefined ? undefined : { user, password };
}
