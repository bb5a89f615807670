/** Whether a transaction is what the model says the request comes to. */
import { KIND, type PartTxn, type Txn } from '../../../src/records/txns.ts';
import type { ModelEffect } from '../model/decide.ts';
import type { Outcome } from '../model/state.ts';
import { type ModelNode, type ShownStat, shownStat } from '../model/tree.ts';

const sameBytes = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
  a === null || b === null ? a === b : Buffer.from(a).equals(b);
type Acls = readonly { readonly perms: number; readonly scheme: string; readonly id: string }[];
export const showAcl = (acl: Acls): string => acl.map(({ perms, scheme, id }) => `${scheme}:${id}:${perms}`).join();

function samePart(part: Txn, effect: ModelEffect): boolean {
  switch (effect.effect) {
    case 'create':
      return (
        part.kind === KIND.create &&
        part.path === effect.path &&
        sameBytes(part.data, effect.data) &&
        part.owner === effect.owner &&
        part.creates === effect.creates &&
        showAcl(part.acl) === showAcl(effect.acl)
      );
    case 'delete':
      return part.kind === KIND.delete && part.path === effect.path;
    case 'set':
      return (
        part.kind === KIND.setData &&
        part.path === effect.path &&
        part.version === effect.version &&
        sameBytes(part.data, effect.data)
      );
    case 'setAcl':
      return (
        part.kind === KIND.setAcl &&
        part.path === effect.path &&
        part.aversion === effect.aversion &&
        showAcl(part.acl) === showAcl(effect.acl)
      );
    case 'check':
      return part.kind === KIND.check && part.path === effect.path;
  }
}

/** Undefined when they agree, otherwise both in words. */
export function differs(txn: Txn, outcome: Outcome, isMulti: boolean): string | undefined {
  const { error, effects, codes } = outcome;
  const agree =
    error !== undefined
      ? txn.kind === KIND.error && txn.code === error
      : codes !== undefined
        ? txn.kind === KIND.multiError && txn.codes.join() === codes.join()
        : isMulti
          ? txn.kind === KIND.multi &&
            txn.parts.length === effects.length &&
            effects.every((effect, i) => samePart(txn.parts[i] as PartTxn, effect))
          : effects.length === 1 && samePart(txn, effects[0] as ModelEffect);
  if (agree) return undefined;
  return `the log says ${show(txn)}, the model ${show(error ?? codes ?? effects)}`;
}

export const show = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'bigint'
      ? `0x${BigInt.asUintN(64, each).toString(16)}`
      : each instanceof Uint8Array
        ? Buffer.from(each).toString('latin1').slice(0, 24)
        : (each as { type?: string } | null)?.type === 'Buffer'
          ? 'bytes'
          : each,
  )?.slice(0, 400) ?? String(value);

/** Undefined when the Stat shown is that of the node. */
export function statDiffers(stat: ShownStat, node: ModelNode): string | undefined {
  const own = shownStat(node);
  for (const key of Object.keys(own) as (keyof ShownStat)[])
    if (stat[key] !== own[key]) return `${key} is ${String(stat[key])}, by the model ${String(own[key])}`;
  return undefined;
}
export { sameBytes };
