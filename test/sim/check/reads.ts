/** What a read must answer in a state of the model. */

import { WRONG } from '../model/decide.ts';
import type { ModelState } from '../model/state.ts';
import { isEphemeral } from '../model/tree.ts';
import { sameBytes, showAcl, statDiffers } from './compare.ts';
import type { Asked } from './conversation.ts';
import { type Answered, OPERATIONS, type RequestOf } from './wire.ts';

/** Members of the ensemble and the version of its config stand there: it is checked by its readers' agreement alone. */
const OPAQUE = '/zookeeper/config';

/** Undefined when the answer is right at that moment; else what is wrong. */
export function readDiffers(
  state: ModelState,
  moment: number,
  session: bigint,
  asked: Asked,
  answer: Answered,
): string | undefined {
  const { rest, err } = answer;
  switch (asked.type) {
    case OPERATIONS.getData.code:
    case OPERATIONS.exists.code:
    case OPERATIONS.getChildren.code:
    case OPERATIONS.getChildren2.code:
    case OPERATIONS.getAcl.code:
    case OPERATIONS.getAllChildrenNumber.code:
      break;
    case OPERATIONS.getEphemerals.code: {
      if (err !== 0) return `getEphemerals failed with ${err}`;
      const { prefixPath } = asked.body as RequestOf<'getEphemerals'>;
      const { ephemerals } = OPERATIONS.getEphemerals.answer.read(rest);
      const own = state.tree
        .paths(moment)
        .filter((path) => state.tree.get(path, moment)?.owner === session && isEphemeral(session))
        .filter((path) => path.startsWith(prefixPath ?? '/'));
      const told = [...(ephemerals ?? [])].sort().join();
      return told === own.join() ? undefined : `ephemerals ${told}, by the model ${own.join()}`;
    }
    default:
      return undefined;
  }
  const { path: given } = asked.body as { path: string | null };
  const path = given ?? '';
  const node = state.tree.get(path, moment);
  if (node === undefined)
    return err === WRONG.noNode ? undefined : `${path}: ${err}, by the model there is no such node`;
  if (err !== 0) return `${path}: error ${err}, by the model it is there`;
  if (path === OPAQUE) return undefined;
  const isStat = (stat: Parameters<typeof statDiffers>[0]): string | undefined => {
    const fault = statDiffers(stat, node);
    return fault === undefined ? undefined : `${path}: ${fault}`;
  };
  const isNames = (children: readonly (string | null)[] | null): string | undefined => {
    const told = [...(children ?? [])].sort().join();
    const own = state.tree.children(path, moment).join();
    return told === own ? undefined : `children of ${path}: ${told}, by the model ${own}`;
  };
  switch (asked.type) {
    case OPERATIONS.getData.code: {
      const { data, stat } = OPERATIONS.getData.answer.read(rest);
      if (!sameBytes(data, node.data)) return `${path}: other data than by the model`;
      return isStat(stat);
    }
    case OPERATIONS.exists.code:
      return isStat(OPERATIONS.exists.answer.read(rest).stat);
    case OPERATIONS.getChildren.code:
      return isNames(OPERATIONS.getChildren.answer.read(rest).children);
    case OPERATIONS.getChildren2.code: {
      const { children, stat } = OPERATIONS.getChildren2.answer.read(rest);
      return isNames(children) ?? isStat(stat);
    }
    case OPERATIONS.getAcl.code: {
      const { acl, stat } = OPERATIONS.getAcl.answer.read(rest);
      const told = (acl ?? []).map(({ perms, id }) => ({ perms, scheme: id.scheme ?? '', id: id.id ?? '' }));
      return showAcl(told) === showAcl(node.acl) ? isStat(stat) : `${path}: another ACL than by the model`;
    }
    default: {
      const { totalNumber } = OPERATIONS.getAllChildrenNumber.answer.read(rest);
      const own = state.tree.descendants(path, moment);
      return totalNumber === own ? undefined : `${path}: ${totalNumber} below it, by the model ${own}`;
    }
  }
}
