/** What several commands share. */
import { setTimeout as pause, setImmediate } from 'node:timers/promises';
import { KeeperError } from '../base/errors.ts';
import { nameOf, parentOf } from '../base/path.ts';
import type { Client, CreateOptions, Stat } from '../client/api.ts';
import type { CommandContext, Data, Progress } from '../shell/command.ts';
import { Failure, failureOf } from '../shell/failure.ts';
import { isWorldReadable } from '../shell/node-record.ts';
import { type NodeSource, placeOf } from '../shell/node-source.ts';
import type { Output, Part } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';
import { isAtLeast } from '../shell/server-facts.ts';
import { nearest } from '../shell/suggest.ts';
import type { Change } from '../shell/tree-plan.ts';
import { eachOf, walkNodes } from '../shell/walk.ts';

/** How many requests a command may have in flight. */
export const inflightOf = (context: CommandContext): number => Number(context.settings.get('concurrency'));

/** A version as typed: decimal, -1 for any; `=` stands for the one this shell last read. `name` is what it belongs to. @throws Failure (2) */
export function versionOf(text: string | undefined, path: string, context: CommandContext, name: string): number {
  if (text === undefined) return -1;
  if (text === '=') {
    const version = context.versionsRead.get(path);
    if (version !== undefined) return version;
    throw new Failure(2, 'Usage', `this shell has not read ${path} yet, so -v = has no version`, {
      hint: `get ${quoteWord(path)} first`,
      path,
    });
  }
  if (!/^-?\d{1,10}$/.test(text))
    throw new Failure(2, 'Usage', `${name} must be a whole number or =, not ${text === '' ? 'empty' : text}`, { path });
  return Number(text);
}

/**
 * Gives NoNode the name that may have been meant: one more listing of the parent, only after the failure. `asked`: what is
 * missing where the error does not say it.
 */
export async function withSuggestion<T>(asked: string, context: CommandContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
    const path = error.path ?? asked;
    if (path === '/') throw error;
    const parent = parentOf(path);
    const client = await context.client();
    const names: readonly string[] = await client.getChildren(parent, { signal: context.signal }).then(
      ({ children, stat }) => (stat.numChildren > 5000 ? [] : children),
      () => [],
    );
    const name = nameOf(path); // listed by now when it came meanwhile: nobody meant another then
    const close = names.includes(name) ? undefined : nearest(name, names)[0];
    throw new Failure(10, 'NoNode', error.message, {
      path,
      cause: error,
      hint: /[*?[{]/.test(name)
        ? context.patternHint(path)
        : close === undefined
          ? undefined
          : `did you mean ${parent === '/' ? '' : parent}/${close} ?`,
    });
  }
}

/**
 * One node after the other, each with its answer. What there is of others is shown before a failure is told: a command that
 * `reads` goes on behind nodes that are not there or are hidden, one that changes something ends, with what it has done.
 * @throws what `one` throws; Failure when several are missing
 */
export async function inTurn(
  paths: readonly string[],
  context: CommandContext,
  reads: boolean,
  one: (path: string) => Promise<Output>,
): Promise<Output> {
  const parts: Output[] = [];
  const failed: Error[] = [];
  for (const path of paths)
    try {
      parts.push(await one(path));
    } catch (error) {
      failed.push(error as Error);
      if (!reads || !isOfOneNode(error)) break;
    }
  if (failed.length === 0) return paths.length === 1 ? (parts[0] as Output) : { type: 'many', parts };
  if (parts.length > 0 && !context.isDry) context.show({ type: 'many', parts });
  throw joined(failed);
}
const MISSING_TOLD = 5;

/** It says nothing about other nodes. */
export function isOfOneNode(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'NoNode' || code === 'NoAuth';
}

/** As one; there is at least one. */
export function joined(failed: readonly Error[]): Error {
  const first = failed[0] as Error;
  if (failed.length === 1) return first;
  const { exit, code, path } = failureOf(first, 'read');
  const texts = failed.slice(0, MISSING_TOLD).map(({ message }) => message);
  const more = failed.length - texts.length;
  return new Failure(exit, code, [...texts, ...(more > 0 ? [`and ${more} more`] : [])].join('; '), {
    path,
    cause: first,
  });
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
      return await client.create(path, data, { signal: context.signal, ...options });
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoNode' || tries >= 3) throw error;
      await makeParents(parentOf(path.endsWith('/') ? `${path}x` : path), context);
    }
}

/** What is missing of a node and those above it, the topmost first. */
export async function missingUpTo(client: Client, path: string, signal: AbortSignal): Promise<string[]> {
  const missing: string[] = [];
  for (let at = path; at !== '/' && at !== '' && !(await client.exists(at, { signal })); at = parentOf(at))
    missing.unshift(at);
  return missing;
}

/** Makes a node and those above it, as far as they are missing. */
export async function makeParents(path: string, context: CommandContext): Promise<void> {
  const client = await context.client();
  for (const each of await missingUpTo(client, path, context.signal))
    try {
      await client.create(each, null, { signal: context.signal });
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NodeExists') throw error; // somebody else was faster
    }
}

/**
 * Makes what is missing above these nodes, but for what is itself among them. Each level is made at once, since a list of
 * nodes may lack one above each of them.
 */
export async function makeAllParents(client: Client, paths: readonly string[], context: CommandContext): Promise<void> {
  const { signal } = context;
  const among = new Set(paths);
  const levels = new Set<string>();
  for (const path of paths)
    for (let at = parentOf(path); at !== '/' && at !== '' && !levels.has(at); at = parentOf(at))
      if (!among.has(at)) levels.add(at);
  const missing = new Map<number, string[]>();
  await eachOf([...levels], inflightOf(context), signal, async (path) => {
    if ((await client.exists(path, { signal })) !== undefined) return;
    const depth = path.split('/').length;
    const level = missing.get(depth);
    if (level === undefined) missing.set(depth, [path]);
    else level.push(path);
  });
  for (const [, level] of [...missing].sort(([a], [b]) => a - b))
    await eachOf(level, inflightOf(context), signal, async (path) => {
      await client.create(path, null, { signal }).catch((error: unknown) => {
        if (!(error instanceof KeeperError) || error.code !== 'NodeExists') throw error; // somebody else was faster
      });
    });
}

/** Beyond so many nodes there is a question anyway. */
const FEW = 20;

/** That undo brings back these nodes: what not everybody may read is kept only where that is wanted. */
export async function undoKeeps(client: Client, paths: Iterable<string>, context: CommandContext): Promise<boolean> {
  const { keepsUndo, asks, settings, signal } = context;
  if (!keepsUndo || !asks || settings.get('undo-protected') === 'on') return keepsUndo;
  const few = [...paths].slice(0, FEW);
  const kept = await Promise.all(
    few.map((path) =>
      client.getAcl(path, { signal }).then(
        ({ acl }) => isWorldReadable(acl),
        (error) => error instanceof KeeperError && error.code === 'NoNode', // nothing to keep
      ),
    ),
  );
  return kept.every(Boolean);
}

/** Nodes that are there and will be otherwise. */
export const replacedBy = (changes: readonly Change[]): string[] =>
  changes.flatMap(({ stat, difference }) => (stat === undefined ? [] : [difference.path]));

/** Up to so many are one answer. */
const SHOWN_WHOLE = 1000;
/** What waits longer than two turns of the young generation is kept until the next full collection of garbage. */
const SHOWN_AT_ONCE = 250;
/** Of data in what waits. */
const SHOWN_BYTES = 16 * 1024 * 1024;

/** Shows what is found while it is found, so that a million of it needs no memory. */
export class Streamed<T> {
  readonly #context: CommandContext;
  readonly #make: (items: readonly T[], part: Part | undefined) => Output;
  #items: T[] = [];
  #bytes = 0;
  readonly #atOnce: number;
  #hasBegun = false;
  count = 0;

  /** `atOnce`: how many make a part, the first left out. */
  constructor(
    context: CommandContext,
    make: (items: readonly T[], part: Part | undefined) => Output,
    atOnce = SHOWN_AT_ONCE,
  ) {
    this.#context = context;
    this.#make = make;
    this.#atOnce = atOnce;
  }
  /** `bytes`: what the item weighs, where that may be much. */
  async add(item: T, bytes = 0): Promise<void> {
    this.count++;
    this.#items.push(item);
    this.#bytes += bytes;
    const most = this.#hasBegun ? this.#atOnce : SHOWN_WHOLE;
    if (this.#items.length >= most || this.#bytes >= SHOWN_BYTES) await this.flush();
  }
  /** Shows what there is so far. */
  async flush(): Promise<void> {
    if (this.#items.length === 0) return;
    this.#context.show(this.#make(this.#items, this.#hasBegun ? 'next' : 'first'));
    this.#hasBegun = true;
    this.#items = [];
    this.#bytes = 0;
    await this.#context.drained();
    await setImmediate(); // a pipe takes all at once, and Ctrl-C is to be heard in between
  }
  /** What is left to show: all, when it was little. */
  end(): Output {
    return this.#make(this.#items, this.#hasBegun ? 'last' : undefined);
  }
}

/** The graver of two statuses: a part that was not done, above 1, is not hidden by an answer. */
export const graver = (exit: number, status: number): number => (exit > 1 || status === 0 ? exit : status);

/** The file that a place is. */
export function fileOf(place: string): string | undefined {
  const { kind, name } = placeOf(place);
  return kind === 'file' ? name : undefined;
}

/** Says once, at the end, which nodes the ACLs hide: they must not hide the others. */
export class Denied {
  #paths: string[] = [];
  #files: (string | undefined)[] = [];
  #count = 0;
  /** The same nodes are met once more. */
  clear(): void {
    this.#paths = [];
    this.#files = [];
    this.#count = 0;
  }
  get any(): boolean {
    return this.#count > 0;
  }
  /** `file`: it was whoever wrote that who might not. */
  add(path: string, file?: string): void {
    this.#count++;
    if (this.#paths.length >= 5) return;
    this.#paths.push(path);
    this.#files.push(file);
  }
  tell(context: CommandContext, what = 'list'): void {
    for (const [at, path] of this.#paths.entries()) {
      const file = this.#files[at];
      context.warn(`not permitted to ${what}${file === undefined ? '' : `, when ${file} was made,`} ${path}`);
    }
    if (this.#count > this.#paths.length) context.warn(`... and ${this.#count - this.#paths.length} more`);
  }
}

/** Servers that cannot count: one before 3.6 hangs up on whoever asks, so it is asked once. */
const CANNOT_COUNT = new Set<string>();
/** They do so at once, ms. */
const HANGS_UP_MS = 1000;

/** Undefined: the server cannot tell. */
async function counted(client: Client, path: string, signal: AbortSignal): Promise<number | undefined> {
  const { server = '' } = client;
  if (CANNOT_COUNT.has(server)) return undefined;
  try {
    return await client.getAllChildrenNumber(path, { signal });
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'Unimplemented') throw error;
    if (server !== '') CANNOT_COUNT.add(server);
    await hungUp(client, signal);
    return undefined;
  }
}

/** What is asked before it has hung up is lost; later it waits for the next connection. */
async function hungUp(client: Client, signal: AbortSignal): Promise<void> {
  if (client.state !== 'connected') return;
  const over = new AbortController();
  const off = client.on('state', () => over.abort());
  const until = AbortSignal.any([signal, over.signal]);
  await pause(HANGS_UP_MS, undefined, { signal: until }).catch(() => {});
  off();
  signal.throwIfAborted();
}

/** All nodes below, at any depth; `/zookeeper` counts. Servers before 3.6 cannot say, and are walked. */
export async function countBelow(client: Client, path: string, context: CommandContext): Promise<number> {
  const { signal } = context;
  const told = await counted(client, path, signal);
  if (told !== undefined) return told;
  let count = -1;
  for await (const _node of walkNodes(client, path, { signal, inflight: inflightOf(context) })) count++;
  return count;
}

/**
 * How many nodes there are from `path` down, for progress that somebody sees, where a server can tell.
 * `isElsewhere`: of another session than the one in use.
 */
export async function totalFrom(
  client: Client,
  path: string,
  progress: Progress,
  context: CommandContext,
  isElsewhere = false,
): Promise<number | undefined> {
  if (!progress.isSeen) return undefined;
  const { signal, session } = context;
  try {
    const stat = await client.exists(path, { signal });
    if (stat?.numChildren === 0) return 1;
    const facts = isElsewhere ? undefined : (session.knownFacts ?? (await session.facts()));
    if (facts?.version !== undefined && !isAtLeast(facts.version, 3, 6)) return undefined;
    const below = await counted(client, path, signal);
    return below === undefined ? undefined : below + 1;
  } catch {
    return undefined; // the work itself says why
  }
}

/** A subtree that is not there. */
export const emptySource = (root: string): NodeSource => ({
  label: root,
  root,
  acl: true,
  client: undefined,
  async *nodes() {},
  [Symbol.asyncDispose]: async () => {},
});

/** @throws Failure (10) with the path that was probably meant */
export const mustExist = (client: Client, path: string, context: CommandContext): Promise<void> =>
  withSuggestion(path, context, async () => {
    if ((await client.exists(path, { signal: context.signal })) === undefined) throw new KeeperError('NoNode', path);
  });
