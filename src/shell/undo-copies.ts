/** What was not kept may stand elsewhere: there it is read again, and from there it is not taken away while it is the last. */
import { isWithin, type NodeRecord } from './node-record.ts';
import { markOf, type Step } from './trash.ts';

/** What is read of the nodes that a change was about, as they are now; `data` undefined: it may not be read. */
export type Found = ReadonlyMap<string, { readonly data: Buffer | null | undefined } | undefined>;

/** A node whose data is to be read from another one. */
export interface Rescued {
  readonly step: Extract<Step, { did: 'deleted' }>;
  readonly from: string;
}

/** Data that stands nowhere else, and the node that had it. */
export type Lacking = ReadonlyMap<string, string>;

/** Data that is something: of none at all no copy is needed. */
export const hasData = (data: Uint8Array | null | undefined): data is Uint8Array => (data?.length ?? 0) > 0;

const stands = (found: Found, path: string, mark: string): boolean => {
  const data = found.get(path)?.data;
  return hasData(data) && markOf(data) === mark;
};

/**
 * Nodes that went and were not kept, each with a node of the same change that holds their data now: `mv` has put it there.
 * One that must go before the other can come again is none.
 */
export function rescues(kept: readonly Step[], found: Found): Map<string, Rescued> {
  const copies = new Map<string, string[]>();
  for (const [path, there] of found) {
    if (!hasData(there?.data)) continue;
    const mark = markOf(there.data);
    const known = copies.get(mark);
    if (known === undefined) copies.set(mark, [path]);
    else known.push(path);
  }
  const went = new Set(
    kept.flatMap((step) => (step.did === 'deleted' ? [step.node.path] : isGone(step) ? [step.path] : [])),
  );
  const inPlace = kept.flatMap((step) => (step.did === 'created' && went.has(step.path) ? [step.path] : []));
  const out = new Map<string, Rescued>();
  for (const step of kept) {
    if (!isGone(step)) continue;
    const { mark, node } = step.lost;
    const all = copies.get(mark) ?? [];
    const from = all.find((path) => !inPlace.some((each) => isWithin(path, each)));
    const data = from === undefined ? undefined : found.get(from)?.data;
    if (from === undefined || data === undefined || from === step.path) continue;
    // each from one of its own, as far as there are so many
    if (all.length > 1) all.splice(all.indexOf(from), 1);
    out.set(step.path, { step: { did: 'deleted', node: { ...node, data } }, from });
  }
  return out;
}
type Unkept = Extract<Step, { did: 'unkept' }>;
const isGone = (step: Step): step is Unkept & { readonly lost: NonNullable<Unkept['lost']> } =>
  step.did === 'unkept' && step.lost !== undefined && step.lost.after === undefined;

/** Data of nodes that do not come again, as far as it does not stand in its place. */
export function lackingOf(
  unkept: readonly Step[],
  impossible: readonly NodeRecord[],
  since: readonly LostSince[],
  found: Found,
): Lacking {
  const out = new Map<string, string>();
  const add = (path: string, mark: string): void => {
    if (!stands(found, path, mark)) out.set(mark, path);
  };
  for (const { path, mark } of since) add(path, mark);
  for (const { path, data } of impossible) if (hasData(data)) add(path, markOf(data));
  for (const step of unkept) if (step.did === 'unkept' && step.lost !== undefined) add(step.path, step.lost.mark);
  return out;
}

/** What a later change lost. */
export interface LostSince {
  readonly path: string;
  readonly mark: string;
}

/** What these steps lost and did not put elsewhere. */
export function lostBy(steps: readonly Step[]): LostSince[] {
  const put = new Set(steps.flatMap((step) => ('after' in step && step.after !== undefined ? [step.after] : [])));
  return steps.flatMap((step) =>
    step.did === 'unkept' && step.lost !== undefined && !put.has(step.lost.mark)
      ? [{ path: step.path, mark: step.lost.mark }]
      : [],
  );
}
