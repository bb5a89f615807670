import { KeeperError } from '../base/errors.ts';
import { joinPath } from '../base/path.ts';
import type { Client, Stat } from '../client/api.ts';
import { type Arg, type CommandContext, command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { Packed } from '../shell/names.ts';
import type { ListedNode, Output, Part } from '../shell/output.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { quoteWord } from '../shell/paths.ts';
import { eachOf, NO_STAT, walkNodes } from '../shell/walk.ts';
import { inOrderOf } from './ls-order.ts';
import { Denied, inflightOf, inTurn, Streamed } from './support.ts';

/** `ls` and its older spellings. */
export default command({
  name: 'ls',
  aliases: ['ls2'],
  group: 'read',
  about: 'list the children of a node',
  risk: 'read',
  params: {
    paths: {
      kind: 'path',
      about: 'nodes to list; default the current one',
      optional: true,
      many: true,
      globs: true,
      placeholder: 'PATH',
    },
    stat: { kind: 'flag', short: '-s', about: "also show the node's stat" },
    watch: { kind: 'flag', short: '-w', about: 'report once when the children change' },
    recursive: { kind: 'flag', short: '-R', about: 'list everything below, as full paths' },
    long: { kind: 'flag', short: '-l', about: 'kind, version, size, children and age of each child' },
    all: { kind: 'flag', short: '-a', about: 'with -R from the root: /zookeeper too' },
    byTime: { kind: 'flag', short: '-t', about: 'newest change first' },
    bySize: { kind: 'flag', short: '-S', about: 'largest data first' },
    byChildren: { kind: 'flag', short: '-c', about: 'most children first' },
    reverse: { kind: 'flag', short: '-r', about: 'the other way round' },
    directory: { kind: 'flag', short: '-d', about: 'the node itself, not its children' },
    onePerLine: { kind: 'flag', short: '-1', about: 'one name per line' },
    depth: { kind: 'number', long: '--depth', about: 'with -R: levels to go down' },
    limit: { kind: 'number', long: '--limit', about: 'show at most so many', placeholder: 'N' },
  },
  examples: [
    ['ls', 'children of the current node'],
    ['ls -l /app', 'a table of them'],
    ['ls -R /', 'every path'],
  ],
  exits: [10, 14],
  legacy: (args, name) => legacyWatch(name === 'ls2' ? [{ text: '-s', quote: 'none' }, ...args] : args),
  async run(values, context): Promise<Output> {
    const isSorted = values.byTime || values.bySize || values.byChildren;
    if (values.recursive && (values.stat || isSorted || values.directory))
      throw usage('ls: -R cannot be combined with -s, -d or an order of -t, -S, -c');
    if (values.depth !== undefined && !values.recursive) throw usage('ls: --depth goes with -R');
    for (const each of [values.depth, values.limit])
      if (each !== undefined && each < 0) throw usage('ls: --depth and --limit must not be negative');
    const paths = values.paths.length === 0 ? [context.cwd] : values.paths;
    const notes: string[] = [];
    const tell = (): void => {
      for (const note of notes) context.warn(note);
    };
    const wishes = { ...values, note: (line: string) => void notes.push(line) };
    const answer = await inTurn(paths, context, true, (path) => list(path, wishes, context, paths.length === 1)).catch(
      (error: unknown) => {
        tell();
        throw error;
      },
    );
    if (notes.length === 0) return answer;
    // what is not shown is told below what is
    context.show(answer);
    tell();
    return { type: 'many', parts: [], ...(answer.exit !== undefined && { exit: answer.exit }) };
  },
});

/** `ls P watch` is `ls -w P`; the same for get and stat. */
export function legacyWatch(args: readonly Arg[]): readonly Arg[] {
  const last = args.at(-1);
  const places = args.filter(({ text }) => !text.startsWith('-'));
  if (places.length !== 2 || last?.quote !== 'none' || !/^(?:watch|true)$/i.test(last.text)) return args;
  return [{ text: '-w', quote: 'none' }, ...args.slice(0, -1)];
}

interface Wishes {
  readonly stat: boolean;
  readonly watch: boolean;
  readonly recursive: boolean;
  readonly long: boolean;
  readonly all: boolean;
  readonly byTime: boolean;
  readonly bySize: boolean;
  readonly byChildren: boolean;
  readonly reverse: boolean;
  readonly directory: boolean;
  readonly onePerLine: boolean;
  readonly depth: number | undefined;
  readonly limit: number | undefined;
  /** Takes what is to be said below the list. */
  note(line: string): void;
}

async function list(path: string, wishes: Wishes, context: CommandContext, isAlone: boolean): Promise<Output> {
  const client = await context.client();
  const { signal } = context;
  const watch = wishes.watch ? { watch: context.watched } : {};
  const onePerLine = wishes.onePerLine;
  if (wishes.directory) {
    const stat = await client.exists(path, { signal, ...watch });
    if (stat === undefined) throw new KeeperError('NoNode', path);
    const long = wishes.long ? [{ name: path, stat }] : undefined;
    const itself = { isPaths: true, isItself: true, onePerLine };
    return { type: 'listing', path, names: [path], long, ...itself, ...(wishes.stat && { stat }) };
  }
  if (wishes.recursive) return below(path, wishes, context);
  const { children, stat } = await client.getChildren(path, { signal, ...watch });
  const isSorted = wishes.byTime || wishes.bySize || wishes.byChildren;
  if (isAlone && children.length > SHOWN_WHOLE) {
    const teller = deniedTeller(context);
    const all = isSorted ? await inOrderOf(path, children, numberOf(wishes), context, teller.denied) : children;
    const names = shorten(wishes.reverse ? all.reverse() : all, wishes);
    return inParts(path, names, stat, wishes, context, teller);
  }
  let long: ListedNode[] | undefined;
  let names = children;
  let exit: Pick<Output, 'exit'> = {};
  if (wishes.long || isSorted) {
    const { denied, tell } = deniedTeller(context);
    long = await stats(client, names, (name) => joinPath(path, name), context, denied);
    exit = tell();
    if (wishes.byTime) long.sort((a, b) => b.stat.mtime - a.stat.mtime);
    if (wishes.bySize) long.sort((a, b) => b.stat.dataLength - a.stat.dataLength);
    if (wishes.byChildren) long.sort((a, b) => b.stat.numChildren - a.stat.numChildren);
    if (wishes.reverse) long.reverse();
    long = shorten(long, wishes);
    names = long.map(({ name }) => name);
  } else names = shorten(wishes.reverse ? names.reverse() : names, wishes);
  return {
    ...exit,
    type: 'listing',
    path,
    names,
    onePerLine,
    long: wishes.long ? long : undefined,
    ...(wishes.stat && { stat }),
  };
}

/** What the children are ordered by; of several the last counts. */
const numberOf =
  ({ byChildren, bySize }: Wishes) =>
  ({ numChildren, dataLength, mtime }: Stat): number =>
    byChildren ? numChildren : bySize ? dataLength : mtime;

/** More children than this are shown in parts, so that neither their text nor their stats are in memory as a whole. */
const SHOWN_WHOLE = 10_000;
const PART = 1000;

async function inParts(
  path: string,
  names: readonly string[],
  stat: Stat,
  wishes: Wishes,
  context: CommandContext,
  { denied, tell }: DeniedTeller,
): Promise<Output> {
  const { onePerLine } = wishes;
  const sum = wishes.stat ? { stat } : {};
  if (!wishes.long) {
    const make = (part: readonly string[], which: Part | undefined): Output => ({
      type: 'listing',
      path,
      names: part,
      onePerLine,
      ...(which !== 'first' && which !== 'next' && sum),
      ...(which !== undefined && { part: which }),
    });
    // columns of names are as wide as their part wants them
    const shown = new Streamed<string>(context, make, PART);
    for (const name of names) {
      context.signal.throwIfAborted();
      await shown.add(name);
    }
    return { ...tell(), ...shown.end() };
  }
  const client = await context.client();
  const make = (long: readonly ListedNode[], which: Part | undefined): Output => ({
    type: 'listing',
    path,
    names: long.map(({ name }) => name),
    long,
    onePerLine,
    ...(which !== 'first' && which !== 'next' && sum),
    ...(which !== undefined && { part: which }),
  });
  const shown = new Streamed<ListedNode>(context, make, PART);
  using progress = context.progress(`listing ${path}`);
  for (let at = 0; at < names.length; at += PART) {
    const part = names.slice(at, at + PART);
    for (const each of await stats(client, part, (name) => joinPath(path, name), context, denied))
      await shown.add(each);
    progress.update(at + part.length, names.length);
  }
  return { ...tell(), ...shown.end() };
}

/** All below, shown while it is walked; only the other way round it must be known as a whole. */
async function below(path: string, wishes: Wishes, context: CommandContext): Promise<Output> {
  const client = await context.client();
  const { signal } = context;
  const { depth, limit, long, reverse, all } = wishes;
  const shown = new Streamed<ListedNode>(context, (nodes, part) => ({
    type: 'listing',
    path,
    names: nodes.map(({ name }) => name),
    long: long ? nodes : undefined,
    isPaths: true,
    onePerLine: true,
    ...(part !== undefined && { part }),
  }));
  const denied = new Denied();
  const backwards = new Packed();
  const walk = { signal, inflight: inflightOf(context), depth, skip: all ? undefined : skipsOwn(client, path) };
  using progress = context.progress(`listing ${path}`);
  let seen = 0;
  for await (const node of walkNodes(client, path, walk)) {
    if (node.denied) denied.add(node.path);
    progress.update(++seen);
    if (long && node.hidden === true) continue;
    const listed = { name: node.path, stat: node.stat };
    if (reverse) backwards.add(node.path);
    else if (limit !== undefined && shown.count >= limit) {
      wishes.note(`more not shown (--limit ${limit})`);
      break;
    } else await shown.add(listed);
  }
  if (reverse) await showBackwards(backwards, wishes, context, shown);
  if (wishes.watch) await client.getChildren(path, { signal, watch: context.watched });
  denied.tell(context);
  return { ...(denied.any && { exit: 14 }), ...shown.end() };
}

/** What was walked along, the last first; with -l each is looked at again, since only its path was kept. */
async function showBackwards(
  paths: Packed,
  { long, limit = paths.length, note }: Wishes,
  context: CommandContext,
  shown: Streamed<ListedNode>,
): Promise<void> {
  const client = await context.client();
  let part: string[] = [];
  let left = Math.min(limit, paths.length);
  if (left < paths.length) note(`${paths.length - left} more not shown (--limit ${limit})`);
  for (const path of paths.backwards()) {
    if (left-- <= 0) break;
    part.push(path);
    if (part.length < PART && left > 0) continue;
    context.signal.throwIfAborted();
    const listed = long
      ? await stats(
          client,
          part,
          (each) => each,
          context,
          () => {},
        )
      : part.map(unseen);
    for (const each of listed) await shown.add(each);
    part = [];
  }
}
/** Only its name will be shown. */
const unseen = (name: string): ListedNode => ({ name, stat: NO_STAT });

function shorten<T>(items: T[], { limit, note }: Wishes): T[] {
  if (limit === undefined || items.length <= limit) return items;
  note(`${items.length - limit} more not shown (--limit ${limit})`);
  return items.slice(0, limit);
}

interface DeniedTeller {
  /** May be told of the same node twice. */
  readonly denied: (path: string) => void;
  /** What is not shown is a part that was not done. */
  readonly tell: () => Pick<Output, 'exit'>;
}
/** Says once, at the end, which nodes the ACLs hide: they must not hide the others. */
function deniedTeller(context: CommandContext): DeniedTeller {
  const paths = new Set<string>();
  return {
    denied: (path) => void paths.add(path),
    tell: () => {
      const some = [...paths].slice(0, 3).map(quoteWord).join(' ');
      const more = paths.size > 3 ? ` and ${paths.size - 3} more` : '';
      if (paths.size === 0) return {};
      context.warn(`not permitted by the ACL: ${some}${more}`);
      return { exit: 14 };
    },
  };
}

/** The stat of each; nodes that went away or may not be read are left out. */
async function stats(
  client: Client,
  names: readonly string[],
  pathOf: (name: string) => string,
  context: CommandContext,
  denied: (path: string) => void,
): Promise<ListedNode[]> {
  const { signal } = context;
  const found: (Stat | undefined)[] = new Array(names.length);
  await eachOf(names, inflightOf(context), signal, async (name, index) => {
    try {
      found[index] = await client.exists(pathOf(name), { signal });
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoAuth') throw error;
      denied(pathOf(name));
    }
  });
  return names.flatMap((name, index) => {
    const stat = found[index];
    return stat === undefined ? [] : [{ name, stat }];
  });
}
