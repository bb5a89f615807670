/** What the steps of one command come to, node by node. */
import type { Step } from './trash.ts';

const pathOf = (step: Step): string => ('node' in step ? step.node.path : step.path);

/** What has been done to one node so far, at most one step of each kind. */
type Own = { -readonly [Did in Step['did']]?: Extract<Step, { did: Did }> };

/**
 * A command may do several things to one node: only what was there at first and what is there at last matters. What is left
 * of a node is one of: made; deleted; deleted and another made; its data or its ACL, or both, changed; and whatever of it
 * was not kept. Nodes that were made keep their order.
 */
export function net(steps: readonly Step[]): Step[] {
  const nodes = new Map<string, Own>();
  for (const step of steps) {
    const path = pathOf(step);
    const own: Own = nodes.get(path) ?? {};
    // children are made after their parents, also where those are made anew
    if (step.did === 'created') nodes.delete(path);
    nodes.set(path, after(own, step));
  }
  // what was done first is taken back last: it may be what allowed the rest
  return [...nodes.values()].flatMap((own) => Object.values(own));
}

function after(own: Own, step: Step): Own {
  const { created, set, acl, deleted } = own;
  switch (step.did) {
    case 'created':
      return { ...own, created: step };
    case 'set': {
      const { version, after: mark } = step;
      // what this command made goes as a whole
      if (created !== undefined) return { ...own, created: { ...created, ...(mark !== undefined && { after: mark }) } };
      if (set === undefined) return { ...own, set: step };
      return { ...own, set: { ...set, version, ...(mark !== undefined && { after: mark }) } };
    }
    case 'acl': {
      if (created !== undefined) return own;
      const { aversion, after: words } = step;
      if (acl === undefined) return { ...own, acl: step };
      return { ...own, acl: { ...acl, aversion, ...(words !== undefined && { after: words }) } };
    }
    case 'deleted': {
      const { created: _made, set: _set, acl: _acl, ...rest } = own;
      // made by this command, it was not there before; or another was, which is what comes back
      if (created !== undefined || deleted !== undefined) return rest;
      const { data } = set?.node ?? step.node;
      const before = acl === undefined || step.node.acl === undefined ? step.node.acl : acl.acl;
      return { ...rest, deleted: { did: 'deleted', node: { ...step.node, data, acl: before } } };
    }
    case 'unkept': {
      const { lost } = step;
      if (lost === undefined) return { ...own, unkept: step };
      if (created !== undefined && lost.after !== undefined)
        return { ...own, created: { ...created, after: lost.after } };
      if (created !== undefined) {
        // made by this command, it was not there before
        const { created: _made, ...rest } = own;
        return rest;
      }
      // what was there at first is what is lost
      const first = own.unkept?.lost ?? lost;
      return { ...own, unkept: { ...step, lost: { ...lost, mark: first.mark, node: first.node } } };
    }
  }
}
