/** What takes back a command, as far as the tree is still as it left it. */
import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import type { Acl, Client, MultiOp, Stat } from '../client/api.ts';
import { showAcl } from './acl-text.ts';
import { creation } from './bulk-create.ts';
import { net } from './net-steps.ts';
import { type NodeRecord, sameData } from './node-record.ts';
import type { Difference } from './output.ts';
import { quotaPart } from './own-nodes.ts';
import { quoteWord } from './paths.ts';
import { markOf, type Step } from './trash.ts';
import { type Lacking, type LostSince, lackingOf, rescues } from './undo-copies.ts';
import { hex, plural } from './units.ts';
import { eachOf } from './walk.ts';

/** One step taken back. Without `op` and `acl` it cannot be: the difference says why. */
export interface Undoing {
  readonly difference: Difference;
  readonly op?: MultiOp;
  /** What has to hold when `op` happens: what this is a copy of stands again. */
  readonly checks?: readonly MultiOp[];
  /** The czxid of the node that comes again. */
  readonly standsFor?: string;
  /** An ACL put back; it cannot be part of a transaction. */
  readonly acl?: { readonly path: string; readonly acl: readonly Acl[]; readonly aversion: number };
}

export interface UndoOptions {
  readonly signal: AbortSignal;
  readonly inflight: number;
  /** What becomes of ACLs of nodes that are made again. @throws Failure (15) */
  readonly aclOf: (record: NodeRecord) => readonly Acl[] | undefined;
  /** The czxid of the node that an undo made in place of that one; undefined: none. */
  readonly laterOf: (path: string, czxid: string) => string | undefined;
  /** What later changes lost. */
  readonly lostSince?: readonly LostSince[];
}

interface Now {
  readonly stat: Stat;
  readonly data: Buffer | null | undefined;
  /** In words, where it was changed. */
  readonly acl?: string;
}

/** In the order in which it has to happen: the last step first, nodes that are made again from the top down. */
export async function undoPlan(client: Client, steps: readonly Step[], options: UndoOptions): Promise<Undoing[]> {
  const { signal, inflight } = options;
  const paths = [...new Set(steps.flatMap((step) => ('node' in step ? [step.node.path] : [step.path])))];
  const now = new Map<string, Now | undefined>();
  const lostNow = new Map<string, Now | undefined>();
  const recast = new Set(steps.flatMap((step) => (step.did === 'acl' ? [step.path] : [])));
  await eachOf(paths, inflight, signal, async (path) => {
    const found = await look(client, path, signal);
    const acl = found !== undefined && recast.has(path) ? await aclOf(client, path, signal) : undefined;
    now.set(path, acl === undefined ? found : found && { ...found, acl });
  });
  const written = new Set(steps.flatMap((step) => ('after' in step && step.after !== undefined ? [step.after] : [])));
  const since = (options.lostSince ?? []).filter(({ mark }) => written.has(mark));
  await eachOf(
    since.flatMap(({ path }) => (now.has(path) ? [] : [path])),
    inflight,
    signal,
    async (path) => void lostNow.set(path, await look(client, path, signal)),
  );
  const all = net(steps);
  const rescued = rescues(all, now);
  const kept = all.map((step) => (step.did === 'unkept' ? (rescued.get(step.path)?.step ?? step) : step));
  const unkept = kept.filter((step) => step.did === 'unkept');
  const creations = kept.filter((step) => step.did === 'deleted').sort(byPath);
  const restored = new Set(creations.map(({ node }) => node.path));
  const parents = new Map<string, boolean>();
  await eachOf([...parentsMissing(creations, restored)], inflight, signal, async (path) => {
    parents.set(path, (await client.exists(path, { signal })) !== undefined);
  });
  const made = new Set(kept.flatMap((step) => (step.did === 'created' ? [step.path] : [])));
  const tree: Tree = { now, parents, going: new Map(), partOf: (path) => quotaPart(client, path), options };
  const again: { readonly undoing: Undoing; readonly node: NodeRecord }[] = [];
  // a node before what is below it, which comes where that is there or comes
  for (const step of creations) {
    const undoing = remade(step, tree, made.has(step.node.path));
    if (undoing === undefined) continue; // it never went
    const from = rescued.get(step.node.path)?.from;
    again.push({
      undoing: from === undefined ? undoing : withNote(undoing, `from ${quoteWord(from)}`),
      node: step.node,
    });
    if (now.get(step.node.path) === undefined) parents.set(step.node.path, undoing.op !== undefined);
  }
  // one that came in place of another goes where that can come again, and that comes where it can go
  const blocked = new Set(again.flatMap(({ undoing: { op }, node: { path } }) => (op === undefined ? [path] : [])));
  for (const { path } of unkept) if (made.has(path)) blocked.add(path);
  const staying = new Set<string>();
  const comes = (path: string): boolean => !blocked.has(path) && !staying.has(path);
  const pass = (): Undoing[] => {
    tree.going.clear();
    const gone = again.flatMap(({ node }) => (comes(node.path) ? [] : [node]));
    const lacking = lackingOf(unkept, gone, since, new Map([...lostNow, ...now]));
    const back: Undoing[] = [];
    for (const step of [...kept].reverse()) {
      if (step.did === 'deleted' || step.did === 'unkept') continue;
      if (step.did === 'created' && blocked.has(step.path)) continue;
      const undoing = lastOf(step, lacking, now) ?? taken(step, tree);
      if (undoing === undefined) continue; // it was never done
      const isReplaced = step.did === 'created' && restored.has(step.path);
      if (isReplaced && undoing.op === undefined && now.get(step.path) !== undefined) staying.add(step.path);
      else if (isReplaced && undoing.op === undefined) continue; // it is gone already, and nothing lacks
      back.push(undoing);
    }
    return back;
  };
  let back: Undoing[] = [];
  // what cannot go keeps another from coming, a copy of which stays then
  for (let before = -1; before !== staying.size; ) {
    before = staying.size;
    back = pass();
  }
  const coming = again.filter(({ undoing: { op }, node: { path } }) => op === undefined || comes(path));
  /** What is read of a node goes when the original stands. */
  const readFrom = new Map<string, MultiOp[]>();
  /** Those, and what is above them. */
  const late = new Set<string>();
  for (const { undoing, node } of coming) {
    const from = undoing.op === undefined ? undefined : rescued.get(node.path)?.from;
    if (from === undefined) continue;
    const checks = readFrom.get(from) ?? [];
    checks.push({ op: 'check', path: node.path, version: 0 });
    readFrom.set(from, checks);
    for (let at = from; at !== '' && !late.has(at); at = parentOf(at)) late.add(at);
  }
  const isLast = ({ difference: { path } }: Undoing): boolean => late.has(path);
  return [
    ...back.filter((undoing) => !isLast(undoing)),
    ...coming.map(({ undoing }) => undoing),
    ...back.filter(isLast).map((undoing) => {
      const checks = readFrom.get(undoing.difference.path);
      return checks === undefined || undoing.op === undefined ? undoing : { ...undoing, checks };
    }),
    ...unkept.map(({ path, why }) => impossible(path, `not kept: ${why}`)),
  ];
}

const withNote = (undoing: Undoing, note: string): Undoing =>
  undoing.op === undefined
    ? undoing
    : { ...undoing, difference: { ...undoing.difference, notes: [...(undoing.difference.notes ?? []), note] } };

/** What holds the last of some data stays as it is, with a word how it is brought back; undefined: it holds none. */
function lastOf(
  step: Exclude<Step, { did: 'deleted' | 'unkept' }>,
  lacking: Lacking,
  now: ReadonlyMap<string, Now | undefined>,
): Undoing | undefined {
  const was = step.did === 'acl' || step.after === undefined ? undefined : lacking.get(step.after);
  if (was === undefined || step.did === 'acl') return undefined;
  const path = step.did === 'set' ? step.node.path : step.path;
  const there = now.get(path);
  // gone or changed it is no copy any more
  if (there === undefined || (there.data !== undefined && markOf(there.data) !== step.after)) return undefined;
  const [way, does] = step.did === 'created' ? ['mv', 'moves it back'] : ['cp', 'copies it back'];
  const words = `${way} ${quoteWord(path)} ${quoteWord(was)} ${does}`;
  return impossible(path, `stays, as it may be all there is of ${quoteWord(was)}: ${words}`);
}

/** What is known of the nodes a plan is about. */
interface Tree {
  readonly now: ReadonlyMap<string, Now | undefined>;
  /** Whether those are there, or come again, that others are made again below. */
  readonly parents: ReadonlyMap<string, boolean>;
  /** How many of a node's children are taken back. */
  readonly going: Map<string, number>;
  /** What part of a quota a node is. */
  readonly partOf: (path: string) => ReturnType<typeof quotaPart>;
  readonly options: UndoOptions;
}

async function look(client: Client, path: string, signal: AbortSignal): Promise<Now | undefined> {
  try {
    return await client.get(path, { signal });
  } catch (error) {
    const code = error instanceof KeeperError ? error.code : undefined;
    if (code === 'NoNode') return undefined;
    if (code !== 'NoAuth') throw error;
    const stat = await client.exists(path, { signal });
    return stat && { stat, data: undefined };
  }
}

async function aclOf(client: Client, path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return showAcl((await client.getAcl(path, { signal })).acl);
  } catch (error) {
    if (error instanceof KeeperError && (error.code === 'NoAuth' || error.code === 'NoNode')) return undefined;
    throw error;
  }
}

const ANEW = 'was deleted and made anew since';
type Deleted = Extract<Step, { did: 'deleted' }>;

const byPath = ({ node: { path: a } }: Deleted, { node: { path: b } }: Deleted): number => (a < b ? -1 : a > b ? 1 : 0);

function parentsMissing(creations: readonly Deleted[], restored: ReadonlySet<string>): Set<string> {
  const parents = creations.map(({ node }) => parentOf(node.path) || '/');
  return new Set(parents.filter((path) => !restored.has(path)));
}

const impossible = (path: string, why: string): Undoing => ({ difference: { sign: '!', path, notes: [why] } });

/** Takes back what made or changed a node; undefined: that was not done. */
function taken(
  step: Exclude<Step, { did: 'deleted' | 'unkept' }>,
  { now, going, partOf, options }: Tree,
): Undoing | undefined {
  /** The node is the one of then, or one that an undo made in its place; older files do not say which it was. */
  const isIt = (path: string, czxid: bigint, was: string | undefined): boolean =>
    was === undefined || hex(czxid) === was || hex(czxid) === options.laterOf(path, was);
  switch (step.did) {
    case 'created': {
      const there = now.get(step.path);
      if (there === undefined) return step.isEphemeral === true ? undefined : impossible(step.path, 'is gone already');
      if (!isIt(step.path, there.stat.czxid, step.czxid)) return impossible(step.path, ANEW);
      const others = there.stat.numChildren - (going.get(step.path) ?? 0);
      if (others > 0 && partOf(step.path) === 'folder') return undefined; // another quota needs it
      if (others > 0)
        return impossible(
          step.path,
          `has ${plural(others, 'child', 'children')} that ${others === 1 ? 'stays' : 'stay'}`,
        );
      const { version } = there.stat;
      // servers write what they count, whoever made the node
      const isCounted = partOf(step.path) === 'usage';
      // what may not be read was changed if it was written at all
      const isAsMade = there.data === undefined ? version === 0 : markOf(there.data) === step.after;
      if (step.after !== undefined && !isAsMade && !isCounted)
        return impossible(step.path, `was changed since: it is version ${version}`);
      const parent = parentOf(step.path) || '/';
      going.set(parent, (going.get(parent) ?? 0) + 1);
      return {
        difference: { sign: '-', path: step.path, version, before: there.data },
        op: { op: 'delete', path: step.path, version: isCounted ? -1 : version },
      };
    }
    case 'set': {
      const { path, data } = step.node;
      const there = now.get(path);
      if (there === undefined) return impossible(path, 'is gone');
      const { version, czxid } = there.stat;
      const was = step.node.stat?.czxid;
      if (!isIt(path, czxid, was && hex(was))) return impossible(path, ANEW);
      // an answer that never came may have been a refusal
      if (version === step.version - 1 && there.data !== undefined && sameData(there.data, data)) return undefined;
      // what was changed and taken back has another version, and is as it was left
      const isAsLeft = there.data !== undefined && markOf(there.data) === step.after;
      if (version !== step.version && !isAsLeft)
        return impossible(path, `was changed since: it is version ${version}, not ${step.version}`);
      return {
        difference: { sign: '~', path, version, before: there.data ?? null, after: data },
        op: { op: 'set', path, data, version },
      };
    }
    case 'acl': {
      const there = now.get(step.path);
      if (there === undefined) return impossible(step.path, 'is gone');
      const { aversion, czxid } = there.stat;
      if (!isIt(step.path, czxid, step.czxid)) return impossible(step.path, ANEW);
      if (aversion === step.aversion - 1 && there.acl === showAcl(step.acl)) return undefined;
      const isAsLeft = there.acl !== undefined && there.acl === step.after;
      if (aversion !== step.aversion && !isAsLeft) return impossible(step.path, 'got another ACL since');
      return {
        difference: { sign: '~', path: step.path, notes: [`acl back to ${showAcl(step.acl)}`] },
        acl: { path: step.path, acl: step.acl, aversion },
      };
    }
  }
}

/** Makes again what was deleted, `isReplaced`: and another came in its place; undefined: it never went. */
function remade({ node }: Deleted, { now, parents, partOf, options }: Tree, isReplaced: boolean): Undoing | undefined {
  const { path, data, kind, stat } = node;
  const there = now.get(path);
  if (there !== undefined && there.stat.czxid === stat?.czxid) return undefined;
  if (!isReplaced && there !== undefined) {
    const part = partOf(path);
    return part === 'folder' || part === 'usage' ? undefined : impossible(path, 'is there again');
  }
  if (kind === 'ephemeral') return impossible(path, 'was ephemeral: only its session could make it');
  if (parents.get(parentOf(path) || '/') === false)
    return impossible(path, 'its parent is gone, and does not come again: make that first');
  const acl = options.aclOf(node);
  return {
    difference: { sign: '+', path, after: data, ...(acl !== undefined && { notes: aclNotes(acl) }) },
    op: creation({ ...node, acl }),
    ...(stat?.czxid !== undefined && { standsFor: hex(stat.czxid) }),
  };
}
const aclNotes = (acl: readonly Acl[]): string[] =>
  showAcl(acl) === 'world:anyone:cdrwa' ? [] : [`acl ${showAcl(acl)}`];
