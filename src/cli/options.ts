/** Words of a command that starts or looks after servers: read by Node, told by us when they do not fit. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearest } from '../shell/suggest.ts';

/** What the words are. @throws Error with a sentence that names the first word that does not fit */
export function readOptions<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new Error(misfit(config) ?? (error as Error).message);
  }
}

function misfit({ args = [], options = {}, allowPositionals = false }: ParseArgsConfig): string | undefined {
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional' && !allowPositionals) return `one word too many: ${token.value}`;
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const option = options[name];
    if (option === undefined) return `unknown option ${rawName}${meant(rawName, Object.keys(options))}`;
    if (option.type === 'boolean' && value !== undefined) return `${rawName} takes no value`;
    if (option.type === 'string' && value === undefined) return `${rawName} needs a value`;
    if (option.type === 'string' && inlineValue === false && value?.startsWith('-') === true)
      return `${rawName} needs a value, and ${value} looks like an option: write ${rawName}=${value} if it is one`;
  }
  return undefined;
}

/** Which option was probably meant. Of a letter every other letter is one edit away: nothing is supposed of it. */
export function meant(raw: string, names: readonly string[]): string {
  const longs = names.filter((name) => name.length > 1).map((name) => `--${name}`);
  const close = raw.startsWith('--')
    ? (nearest(raw, longs)[0] ?? longs.find((name) => raw.startsWith(name)))
    : undefined;
  return close === undefined ? '' : `; did you mean ${close} ?`;
}
