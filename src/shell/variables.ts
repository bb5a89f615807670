import type { Arg } from './command.ts';
import { usage } from './failure.ts';
import type { WordToken } from './lexer.ts';
import type { ShellPorts } from './shell-ports.ts';

/** What `let` and `--set` may call a variable. */
export const isVariableName = (text: string): boolean => /^[A-Za-z_][\w.-]*$/.test(text);
export const VARIABLE_NAME = 'letters, digits, _ . and -, a letter first';

/** What `${name}` stands for; undefined when there is none of that name. */
export type Lookup = (name: string) => string | undefined;

/** A shell, as far as its names say something of it. */
interface Known {
  readonly lastStatus: number;
  readonly cwd: string;
  readonly variables: ReadonlyMap<string, string>;
  readonly ports: Pick<ShellPorts, 'session' | 'env'>;
}
/** What a name stands for in a shell; `last`: the result of the last command. */
export function valueNamed(
  name: string,
  { lastStatus, cwd, variables, ports }: Known,
  last: () => string | undefined,
): string | undefined {
  if (name === '_') return last();
  if (name === '?') return String(lastStatus);
  if (name === 'cwd') return cwd;
  if (name === 'session') return `0x${(ports.session.current?.sessionId ?? 0n).toString(16)}`;
  if (name.startsWith('env:')) return ports.env[name.slice(4)];
  return variables.get(name);
}

/** A word with its variables filled in. @throws Failure (2) for one that is not defined */
export function fill(word: WordToken, lookup: Lookup): Arg {
  let text = '';
  let bytes: Buffer[] | undefined;
  for (const part of word.parts) {
    const value = part.kind === 'text' ? part.text : lookup(part.name);
    if (value === undefined)
      throw usage(
        `\${${(part as { name: string }).name}} is not defined`,
        word.quote === 'heredoc'
          ? "<<'END' takes it as it is, if it is meant literally"
          : 'use single quotes if it is meant literally',
      );
    if (part.kind === 'text' && part.bytes !== undefined) (bytes ??= [Buffer.from(text)]).push(Buffer.from(part.bytes));
    else bytes?.push(Buffer.from(value));
    text += value;
  }
  return { text, quote: word.quote, ...(bytes !== undefined && { bytes: Buffer.concat(bytes) }) };
}

const OWN = /^(?:\d+|#)$/;
/** `${1}` and so on, and `${#}`, of a file's own until it is disposed of: those from before are back then. */
export function ownArguments(variables: Map<string, string>, args: readonly string[]): Disposable {
  const kept = [...variables].filter(([name]) => OWN.test(name));
  const forget = (): void => {
    for (const name of [...variables.keys()]) if (OWN.test(name)) variables.delete(name);
  };
  forget();
  for (const [at, arg] of args.entries()) variables.set(String(at + 1), arg);
  variables.set('#', String(args.length));
  return {
    [Symbol.dispose]() {
      forget();
      for (const [name, value] of kept) variables.set(name, value);
    },
  };
}
