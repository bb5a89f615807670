/** Whether the reply to a write tells what it came to. */
import type { ModelNode } from '../model/tree.ts';
import { show, statDiffers } from './compare.ts';
import type { Replayed } from './oracle.ts';
import { type Answered, type MultiPart, OPERATIONS } from './wire.ts';

/** The kind of result of a part: the creates that ask for the Stat have one kind. */
const answerTo = ({ type }: MultiPart): number => {
  const { create2, createContainer, createTtl } = OPERATIONS;
  return type === createContainer.code || type === createTtl.code ? create2.code : type;
};

/** Undefined when it does. */
export function writeDiffers({ outcome, asked }: Replayed, answer: Answered): string | undefined {
  if (asked === undefined) return 'nothing of the kind was asked';
  const { error, effects, after, codes } = outcome;
  const { err, rest } = answer;
  if (err !== (error ?? 0)) return `${show(asked.writes)}: answered ${err}, by the model ${error ?? 0}`;
  if (err !== 0) return undefined;
  const isPath = (path: string | null, i: number): string | undefined => {
    const effect = effects[i];
    return effect?.path === path ? undefined : `made ${path}, by the model ${effect?.path}`;
  };
  const isStat = (stat: Parameters<typeof statDiffers>[0], i: number): string | undefined => {
    const node = after[i];
    return node === undefined ? 'a Stat where no node is left' : statDiffers(stat, node as ModelNode);
  };
  switch (asked.type) {
    case OPERATIONS.create.code:
      return isPath(OPERATIONS.create.answer.read(rest).path, 0);
    case OPERATIONS.create2.code:
    case OPERATIONS.createContainer.code:
    case OPERATIONS.createTtl.code: {
      const { path, stat } = OPERATIONS.create2.answer.read(rest);
      return isPath(path, 0) ?? isStat(stat, 0);
    }
    case OPERATIONS.setData.code:
    case OPERATIONS.setAcl.code:
      return isStat(OPERATIONS.setData.answer.read(rest).stat, 0);
    case OPERATIONS.multi.code: {
      const answers = OPERATIONS.multi.answer.read(rest);
      if (codes !== undefined) {
        const told = answers.map((each) => each.err).join();
        return told === codes.join() ? undefined : `parts failed with ${told}, by the model ${codes.join()}`;
      }
      if (answers.length !== effects.length) return `${answers.length} answers to ${effects.length} parts`;
      const parts = asked.body as readonly MultiPart[];
      for (const [i, { type, result }] of answers.entries()) {
        // whoever asked for the Stat is told it, by whichever member
        if (type !== answerTo(parts[i] as MultiPart)) return `part ${i}: answered as ${type}`;
        const { path, stat } = (result ?? {}) as { path?: string; stat?: Parameters<typeof statDiffers>[0] };
        const fault =
          (path === undefined ? undefined : isPath(path, i)) ??
          (stat === undefined || type === 2 ? undefined : isStat(stat, i));
        if (fault !== undefined) return `part ${i}: ${fault}`;
      }
      return undefined;
    }
    default:
      return undefined;
  }
}
