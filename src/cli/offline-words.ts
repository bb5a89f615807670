import type { ParseArgsConfig, parseArgs } from 'node:util';
import { StartError } from '../runtime/start-error.ts';
import { explainOffline } from './offline-failures.ts';
import { readOptions } from './options.ts';
import { UsageError } from './start-failures.ts';
import { showUsage } from './width.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>;
/** What was said: options by name, and the words between them. */
export interface Said<O extends Options> {
  readonly values: Parsed<O>['values'];
  readonly words: readonly string[];
}
/** A command about files of servers: how its words are read, and what its help is. */
export interface OfflineCommand<O extends Options> {
  readonly usage: string;
  readonly options: O & { readonly help: { readonly type: 'boolean'; readonly short: 'h' } };
}

/** Reads the words of such a command and runs it; returns the exit code. What cannot be read or done is told. */
export async function runOffline<O extends Options>(
  { usage, options }: OfflineCommand<O>,
  args: readonly string[],
  run: (said: Said<O>) => Promise<number>,
): Promise<number> {
  try {
    const { values, positionals } = read(args, options);
    if ((values as { help?: boolean }).help !== true) return await run({ values, words: positionals });
    showUsage(usage);
    return 0;
  } catch (error) {
    return explainOffline(error, usage);
  }
}
function read<O extends Options>(args: readonly string[], options: O): Parsed<O> {
  try {
    return readOptions({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The one word that a command has. @throws UsageError that calls it `name` */
export function oneWord(command: string, name: string, [word, more]: readonly string[]): string {
  if (word === undefined || word === '') throw new UsageError(`${command}: ${name} is missing`);
  if (more !== undefined) throw new UsageError(`${command}: one word too many: ${more}`);
  return word;
}

/** What `--myid N` says, else `fallback`. @throws UsageError when it is no server's id */
export function serverId(said: string | undefined, fallback: number): number {
  const id = said === undefined ? fallback : /^\d{1,3}$/.test(said) ? Number(said) : Number.NaN;
  if (id >= 1 && id <= 254) return id;
  if (said === undefined)
    throw new StartError(43, `myid says ${id}, and a server's id is 1 to 254: correct it, or say --myid N`);
  throw new UsageError(`--myid ${said}: a server's id is 1 to 254`);
}
