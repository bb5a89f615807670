/** What takes back a command, as far as the tree is still as it left it. */
import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import type { Acl, Client, MultiOp, Stat } from '../client/api.ts';
import { showAcl } from './acl-text.ts';
import { creation } from './bulk-create.ts';
import type { NodeRecord } from './node-record.ts';
import type { Difference } from './output.ts';
import { markOf, type Step } from './trash.ts';
import { hex, plural } from './units.ts';
import { eachOf } from './walk.ts';

/** One step taken back. Without `op` and `acl` it cannot be: the difference says why. */
export interface Undoing {
  readonly difference: Difference;
  readonly op?: MultiOp;
  /** An ACL put back; it cannot be part of a transaction. */
  readonly acl?: { readonly path: string; readonly acl: readonly Acl[]; readonly aversion: number };
}

export interface UndoOptions {
  readonly signal: AbortSignal;
  readonly inflight: number;
  /** What becomes of ACLs of nodes that are made again. @throws Failure (15) */
  readonly aclOf: (record: NodeRecord) => readonly Acl[] | undefined;
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
  const recast = new Set(steps.flatMap((step) => (step.did === 'acl' ? [step.path] : [])));
  await eachOf(paths, inflight, signal, async (path) => {
    const found = await look(client, path, signal);
    const acl = found !== undefined && recast.has(path) ? await aclOf(client, path, signal) : undefined;
    now.set(path, acl === undefined ? found : found && { ...found, acl });
  });
  const made = steps.flatMap((step) => (step.did === 'created' ? [step.path] : []));
  const restored = new Set(steps.flatMap((step) => (step.did === 'deleted' ? [step.node.path] : [])));
  const tree: Tree = { now, restored, childrenMade: childrenOf(made, now) };
  const kept = latest(steps);
  const back = [...kept].reverse();
  const creations = kept.filter(({ did }) => did === 'deleted').sort(byPath);
  const others = back.filter(({ did }) => did !== 'deleted' && did !== 'unkept');
  const missing = parentsMissing(creations, tree);
  const parents = new Map<string, boolean>();
  await eachOf([...missing], inflight, signal, async (path) => {
    parents.set(path, (await client.exists(path, { signal })) !== undefined);
  });
  return [
    ...others.map((step) => taken(step, tree)),
    ...creations.map((step) => remade(step, tree, parents, options)),
    ...kept.flatMap((step) => (step.did === 'unkept' ? [impossible(step.path, `not kept: ${step.why}`)] : [])),
  ];
}

/** What is known of the nodes a plan is about. */
interface Tree {
  readonly now: ReadonlyMap<string, Now | undefined>;
  /** Nodes that are made again. */
  readonly restored: ReadonlySet<string>;
  /** How many of a node's children the same command made, and are there. */
  readonly childrenMade: ReadonlyMap<string, number>;
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

function childrenOf(made: readonly string[], now: ReadonlyMap<string, Now | undefined>): Map<string, number> {
  const out = new Map<string, number>();
  for (const path of made) if (now.get(path) !== undefined) out.set(parentOf(path), (out.get(parentOf(path)) ?? 0) + 1);
  return out;
}

/** A command may set one node several times: only what was there at first matters, and the version it has at last. */
function latest(steps: readonly Step[]): Step[] {
  const sets = new Map<string, { at: number; step: Extract<Step, { did: 'set' }> }>();
  const created = new Map<string, { at: number; step: Extract<Step, { did: 'created' }> }>();
  const out: (Step | undefined)[] = [];
  for (const step of steps) {
    if (step.did === 'created') created.set(step.path, { at: out.length, step });
    if (step.did === 'set') {
      const { version, after } = step;
      const made = created.get(step.node.path);
      if (made !== undefined) {
        // it goes as a whole
        out[made.at] = { ...made.step, ...(after !== undefined && { after }) };
        continue;
      }
      const known = sets.get(step.node.path);
      if (known !== undefined) {
        out[known.at] = { ...known.step, version, ...(after !== undefined && { after }) };
        continue;
      }
      sets.set(step.node.path, { at: out.length, step });
    }
    out.push(step);
  }
  return out.filter((step) => step !== undefined);
}

const byPath = (a: Step, b: Step): number => {
  const [x, y] = [a, b].map((step) => ('node' in step ? step.node.path : step.path)) as [string, string];
  return x < y ? -1 : x > y ? 1 : 0;
};

function parentsMissing(creations: readonly Step[], { restored }: Tree): Set<string> {
  const out = new Set<string>();
  for (const step of creations)
    if (step.did === 'deleted') {
      const parent = parentOf(step.node.path) || '/';
      if (!restored.has(parent)) out.add(parent);
    }
  return out;
}

const impossible = (path: string, why: string): Undoing => ({ difference: { sign: '!', path, notes: [why] } });

/** Takes back what made or changed a node. */
function taken(step: Step, { now, childrenMade }: Tree): Undoing {
  switch (step.did) {
    case 'created': {
      const there = now.get(step.path);
      if (there === undefined) return impossible(step.path, 'is gone already');
      if (hex(there.stat.czxid) !== step.czxid) return impossible(step.path, 'was deleted and made anew by somebody');
      const others = there.stat.numChildren - (childrenMade.get(step.path) ?? 0);
      if (others > 0)
        return impossible(step.path, `has ${plural(others, 'child', 'children')} that somebody else made`);
      const { version } = there.stat;
      if (step.after !== undefined && there.data !== undefined && markOf(there.data) !== step.after)
        return impossible(step.path, `was changed since: it is version ${version}`);
      return {
        difference: { sign: '-', path: step.path, version, before: there.data },
        op: { op: 'delete', path: step.path, version },
      };
    }
    case 'set': {
      const { path, data } = step.node;
      const there = now.get(path);
      if (there === undefined) return impossible(path, 'is gone');
      const { version } = there.stat;
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
      const { aversion } = there.stat;
      const isAsLeft = there.acl !== undefined && there.acl === step.after;
      if (aversion !== step.aversion && !isAsLeft) return impossible(step.path, 'got another ACL since');
      return {
        difference: { sign: '~', path: step.path, notes: [`acl back to ${showAcl(step.acl)}`] },
        acl: { path: step.path, acl: step.acl, aversion },
      };
    }
    default:
      return impossible('node' in step ? step.node.path : step.path, 'cannot be taken back');
  }
}

/** Makes again what was deleted. */
function remade(step: Step, { now }: Tree, parents: ReadonlyMap<string, boolean>, options: UndoOptions): Undoing {
  const { node } = step as Extract<Step, { did: 'deleted' }>;
  const { path, data, kind } = node;
  if (now.get(path) !== undefined) return impossible(path, 'is there again');
  if (kind === 'ephemeral') return impossible(path, 'was ephemeral: only its session could make it');
  if (parents.get(parentOf(path) || '/') === false) return impossible(path, 'its parent is gone: make that first');
  const acl = options.aclOf(node);
  return {
    difference: { sign: '+', path, after: data, ...(acl !== undefined && { notes: aclNotes(acl) }) },
    op: creation({ ...node, acl }),
  };
}
const aclNotes = (acl: readonly Acl[]): string[] =>
  showAcl(acl) === 'world:anyone:cdrwa' ? [] : [`acl ${showAcl(acl)}`];
