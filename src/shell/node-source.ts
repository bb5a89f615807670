/** Subtrees wherever they are: in this session, in another ensemble, in a file, in a server's snapshot. */
import { KeeperError } from '../base/errors.ts';
import type { Acl, Client } from '../client/api.ts';
import { parseAcl } from './acl-text.ts';
import { type Lack, type Lost, lackText, type OnCut, openArchive } from './archive-read.ts';
import { LIST_FILE } from './archive-write.ts';
import { isElsewhere } from './bind.ts';
import type { CommandContext } from './command.ts';
import { Failure, refused, usage } from './failure.ts';
import { namedChroot } from './missing-chroot.ts';
import { comparePaths, isWithin, type NodeRecord, recordOf, refuseMasked, refuseTyped } from './node-record.ts';
import { skipsOwn, type View, WHOLE } from './own-nodes.ts';
import { quoteWord, resolvePath } from './paths.ts';
import { plural, showCount } from './units.ts';
import { walkNodes } from './walk.ts';

/** A subtree that can be read. */
export interface NodeSource extends AsyncDisposable {
  /** What people call it. */
  readonly label: string;
  readonly root: string;
  /** It says something about ACLs. */
  readonly acl: boolean;
  /** It says nothing about what is below its root. */
  readonly alone?: boolean;
  /** It is a file in which nothing would tell if a part of it were missing; known once its nodes were read. */
  readonly isUnmarked?: boolean;
  /** Nodes that were written into a folder and are there no more. */
  readonly lost?: Lost | undefined;
  /** Where it is live. */
  readonly client: Client | undefined;
  /** Each before what is below it, names by code unit. */
  nodes(): AsyncIterable<NodeRecord>;
}

/** `@profile:PATH`, `file:F`, `snap:F:PATH` or a path of this session, taken apart. */
export interface Place {
  readonly kind: 'path' | 'file' | 'snap';
  /** `@profile`; undefined: this session. */
  readonly target: string | undefined;
  /** The path, or the file's name. */
  readonly name: string;
  /** The snapshot that the path is in. */
  readonly file?: string;
}

/** @throws Failure (2) */
export function placeOf(text: string): Place {
  if (!isElsewhere(text)) return { kind: 'path', target: undefined, name: text };
  if (text.startsWith('file:')) {
    if (text.length === 5) throw usage('file: names no file');
    return { kind: 'file', target: undefined, name: text.slice(5) };
  }
  if (text.startsWith('snap:')) return { kind: 'snap', target: undefined, ...snapshotPlace(text.slice(5)) };
  const colon = text.indexOf(':');
  return { kind: 'path', target: text.slice(0, colon), name: resolvePath('/', text.slice(colon + 1), true) };
}

/** `F:PATH`, or `F` for all of it. A path begins at the last colon before a slash. @throws Failure (2) */
function snapshotPlace(text: string): { readonly file: string; readonly name: string } {
  const colon = text.lastIndexOf(':/');
  const file = colon < 0 ? text : text.slice(0, colon);
  if (file === '') throw usage('snap: names no file', 'snap:FILE:PATH');
  return { file, name: colon < 0 ? '/' : resolvePath('/', text.slice(colon + 1)) };
}

/** The session a place is in; disposing ends it when it is one of its own. */
export async function clientAt(
  target: string | undefined,
  context: CommandContext,
): Promise<{ readonly client: Client } & AsyncDisposable> {
  const client = target === undefined ? await context.client() : await context.open(target);
  return { client, [Symbol.asyncDispose]: async () => (target === undefined ? undefined : client.close()) };
}

export interface LiveOptions {
  readonly signal: AbortSignal;
  readonly inflight: number;
  readonly acl: boolean;
  readonly depth?: number | undefined;
  /** What the ensemble keeps for itself is entered only when named. */
  readonly skipsOwn?: boolean;
  /** Takes nodes that may not be read; they are left out. */
  readonly denied: (path: string) => void;
  /** Told of a file that is not whole, behind what it holds; absent: it is refused as damaged (44). */
  readonly cut?: OnCut | undefined;
}

const skipOf = ({ skipsOwn: skips }: LiveOptions, view: View, root: string) =>
  skips === true ? skipsOwn(view, root) : undefined;

/** A subtree of a session. */
export const liveSource = (client: Client, root: string, label: string, options: LiveOptions): NodeSource => ({
  label,
  root,
  acl: options.acl,
  client,
  async *nodes() {
    for await (const node of walkNodes(client, root, { ...options, skip: skipOf(options, client, root), data: true }))
      if (node.denied) options.denied(node.path);
      else yield recordOf(node, options.acl);
  },
  [Symbol.asyncDispose]: async () => {},
});

/** A path that was given with a slash at its end. */
export const withoutSlash = (path: string): string => (path.length > 1 ? path.replace(/\/$/, '') : path);

/** Opens what the user named. */
export async function openSource(text: string, context: CommandContext, options: LiveOptions): Promise<NodeSource> {
  const { kind, target, name, file } = placeOf(text);
  if (kind === 'file') return fileSource(name, options);
  if (file !== undefined) return snapshotSource(file, name, context, options);
  const { client, [Symbol.asyncDispose]: end } = await clientAt(target, context);
  const source = liveSource(client, withoutSlash(name), text, options);
  if (target === undefined) return { ...source, [Symbol.asyncDispose]: end };
  return { ...source, nodes: () => namedThere(source, target, client), [Symbol.asyncDispose]: end };
}

/** What is missing in another ensemble is called by its name there: the same path may well be here. */
async function* namedThere({ nodes, root }: NodeSource, target: string, client: Client): AsyncGenerator<NodeRecord> {
  try {
    yield* nodes();
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
    const missing = new Failure(10, 'NoNode', `node does not exist: ${target}:${root}`, { path: root, cause: error });
    throw await namedChroot(missing, async () => client);
  }
}

/** What could not be read when the file was made counts as what may not be read. */
export async function fileSource(
  file: string,
  { signal, denied, cut }: Pick<LiveOptions, 'signal' | 'denied' | 'cut'>,
): Promise<NodeSource> {
  const archive = await openArchive(file, signal, denied, cut);
  return {
    label: `file:${file}`,
    root: archive.root,
    acl: archive.acl,
    ...(archive.alone === true && { alone: true }),
    get isUnmarked() {
      return archive.isUnmarked === true;
    },
    get lost() {
      return archive.lost;
    },
    client: undefined,
    nodes: () => ordered(archive.nodes, archive.root, file),
    [Symbol.asyncDispose]: () => archive.close(),
  };
}

/** A subtree as a server of ours wrote it down. @throws Failure (2, 10, 44) */
async function snapshotSource(
  file: string,
  root: string,
  context: CommandContext,
  options: LiveOptions,
): Promise<NodeSource> {
  const nodes = await context.snapshot(file, root);
  return {
    label: `snap:${file}:${root}`,
    root,
    acl: true,
    client: undefined,
    nodes: () => nodes({ signal: options.signal, skip: skipOf(options, WHOLE, root), isAlone: options.depth === 0 }),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Refuses what cannot be compared along the way. @throws Failure (2) */
async function* ordered(nodes: AsyncIterable<NodeRecord>, root: string, file: string): AsyncGenerator<NodeRecord> {
  let before: string | undefined;
  for await (const node of nodes) {
    if (!isWithin(node.path, root)) throw usage(`${file}: ${node.path} is not below its root ${root}`);
    if (before !== undefined && comparePaths(before, node.path) >= 0)
      throw usage(
        before === node.path ? `${file}: ${before} is there twice` : `${file}: ${node.path} stands after ${before}`,
        'nodes are in the order that export writes: parents first, names by character',
      );
    before = node.path;
    yield node;
  }
}

/** A file does not say what was under `path`, so that nothing there may be deleted by it. `instead`: the way that deletes nothing. */
export const unreadIn = (file: string, path: string, instead: string): Failure =>
  new Failure(14, 'NoAuth', `${file} lacks ${path}, which could not be read when it was made`, {
    path,
    hint: `export again as somebody who may read it; ${instead} what is there is left alone`,
  });

/** What of a file that is not whole may be used was used: what it lacks nobody knows. */
export const notWhole = (file: string, lack: Lack): string => `${file} is not whole: ${lackText(lack)}`;

/**
 * Before nodes are deleted that a file does not hold. One that was cut may look like one that holds less, unless it has a
 * mark; whoever is asked is told, and where nobody is it needs a word. @throws Failure (30)
 */
export function refuseUnmarked(
  file: string,
  deletions: number,
  { asks, isDry, saysYes }: Pick<CommandContext, 'asks' | 'isDry' | 'saysYes'>,
  lost?: Lost,
): void {
  if (deletions === 0 || asks || isDry || saysYes) return;
  if (lost !== undefined)
    throw refused(
      `${lostText(file, lost)}, and ${plural(deletions, 'node')} that it lacks would be deleted`,
      `${
        lost.first === undefined
          ? 'git keeps no empty folders, as older exports have them: export again'
          : `whoever took them out on purpose takes their lines out of ${LIST_FILE}, too`
      }; --yes before the command takes them as deleted`,
    );
  throw refused(
    `${file} does not say whether it is whole, and ${plural(deletions, 'node')} that it lacks would be deleted`,
    'say --yes before the command when it is; what export writes now says it',
  );
}
const UNMARKED = 'the file does not say whether it is whole: what was cut off it would be deleted';

/** The same in a plan, for whoever is asked. */
export const unmarkedText = (file: string, lost: Lost | undefined): string =>
  lost === undefined ? UNMARKED : `${lostText(file, lost)}: what it lacks would be deleted`;

/** What a folder lacks, which may have been taken out on purpose. */
export const lostText = (file: string, { written, missing, first }: Lost): string => {
  const others = missing > 1 ? ` and ${showCount(missing - 1)} more` : '';
  const which = first === undefined ? '' : ` (${first}${others})`;
  return `${file} lacks ${showCount(missing)} of the ${plural(written, 'node')} that were written into it${which}`;
};

/** A file that holds one node says nothing about what is below it, so that nothing there may be deleted by it. @throws Failure (2) */
export function refuseAlone({ alone, root }: NodeSource, file: string, option: string): void {
  if (alone !== true) return;
  throw usage(
    `${file} holds ${root} alone, so ${option} would delete everything below it`,
    `cp -r ${quoteWord(root)} file:F and export write what is below, too; without ${option} only ${root} is changed`,
  );
}

/** What becomes of ACLs on the way. */
export type AclPolicy =
  | { readonly way: 'keep' }
  | { readonly way: 'none' }
  | { readonly way: 'fixed'; readonly acl: readonly Acl[] };

/** From `--no-acl` and `--acl`. @throws Failure (2, 15) */
export function aclPolicy(name: string, noAcl: boolean, acl: string | undefined): AclPolicy {
  if (noAcl && acl !== undefined) throw usage(`${name}: --no-acl and --acl exclude each other`);
  if (noAcl) return { way: 'none' };
  if (acl === undefined) return { way: 'keep' };
  const fixed = parseAcl(acl);
  refuseTyped('--acl', fixed);
  return { way: 'fixed', acl: fixed };
}

/** The ACL a node gets; undefined: everything to anyone, or as it is. @throws Failure (15) for one without its hash */
export function aclUnder(
  policy: AclPolicy,
  { path, acl }: Pick<NodeRecord, 'path' | 'acl'>,
): readonly Acl[] | undefined {
  if (policy.way === 'none') return undefined;
  if (policy.way === 'fixed') return policy.acl;
  refuseMasked(path, acl);
  return acl;
}

export const ACL_OPTIONS = {
  noAcl: { kind: 'flag', long: '--no-acl', about: 'leave ACLs out: what is made is open to everyone' },
  acl: { kind: 'acl', long: '--acl', about: 'this ACL for every node, in place of its own', placeholder: 'ACL' },
} as const;
