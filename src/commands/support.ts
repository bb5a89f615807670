/** What several commands share. */
import { KeeperError } from '../base/errors.ts';
import { nameOf, parentOf } from '../base/path.ts';
import type { CreateOptions, Stat } from '../client/api.ts';
import type { CommandContext, Data } from '../shell/command.ts';
import { Failure } from '../shell/failure.ts';
import { nearest } from '../shell/suggest.ts';

/** How many requests a command may have in flight. */
export const inflightOf = (context: CommandContext): number => Number(context.settings.get('concurrency'));

/** A version as typed: decimal, -1 for any; `=` stands for the one this shell last read. @throws Failure (2) */
export function versionOf(text: string | undefined, path: string, context: CommandContext): number {
  if (text === undefined) return -1;
  if (text === '=') {
    const version = context.versionsRead.get(path);
    if (version !== undefined) return version;
    throw new Failure(2, 'Usage', `this shell has not read ${path} yet, so -v = has no version`, {
      hint: `get ${path} first`,
      path,
    });
  }
  if (!/^-?\d{1,10}$/.test(text)) throw new Failure(2, 'Usage', `a version is a whole number, not ${text}`, { path });
  return Number(text);
}

/** Gives NoNode the name that may have been meant: one more listing of the parent, only after the failure. */
export async function withSuggestion<T>(path: string, context: CommandContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'NoNode' || path === '/') throw error;
    const parent = parentOf(path);
    const client = await context.client();
    const names = await client.getChildren(parent, { signal: context.signal }).then(
      ({ children, stat }) => (stat.numChildren > 5000 ? [] : children),
      () => [],
    );
    const close = nearest(nameOf(path), names)[0];
    throw new Failure(10, 'NoNode', error.message, {
      path,
      cause: error,
      hint: close === undefined ? undefined : `did you mean ${parent === '/' ? '' : parent}/${close} ?`,
    });
  }
}

/** Creates `path` and whatever is missing above it; the parents are persistent and empty. */
export async function createWithParents(
  path: string,
  data: Data,
  options: CreateOptions,
  context: CommandContext,
): Promise<{ path: string; stat: Stat | undefined }> {
  const client = await context.client();
  for (let tries = 0; ; tries++)
    try {
      return await client.create(path, data, options);
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoNode' || tries >= 3) throw error;
      await makeParents(parentOf(path.endsWith('/') ? `${path}x` : path), context);
    }
}

/** Makes a node and those above it, as far as they are missing. */
async function makeParents(path: string, context: CommandContext): Promise<void> {
  const client = await context.client();
  const missing: string[] = [];
  for (
    let at = path;
    at !== '/' && at !== '' && !(await client.exists(at, { signal: context.signal }));
    at = parentOf(at)
  )
    missing.unshift(at);
  for (const each of missing)
    try {
      await client.create(each, null, { signal: context.signal });
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NodeExists') throw error; // somebody else was faster
    }
}
