import type { Output } from '../shell/output.ts';

/** Nodes that were listed themselves, as `ls -d` does with each: one list for people and lines. Undefined: they are others. */
export function oneList(parts: readonly Output[]): Extract<Output, { type: 'listing' }> | undefined {
  const lists = parts.flatMap((part) =>
    part.type === 'listing' && part.isItself === true && part.stat === undefined ? [part] : [],
  );
  const [first] = lists;
  if (first === undefined || lists.length < parts.length) return undefined;
  const long = first.long === undefined ? undefined : lists.flatMap((each) => each.long ?? []);
  return { ...first, names: lists.flatMap(({ names }) => names), long };
}
