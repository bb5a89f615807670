import type { Stat } from '../client/api.ts';

export { statJson } from '../shell/stat-json.ts';

/** Kind of a node. Servers show no owner for containers and TTL nodes, so those look persistent. */
export const kindOf = ({ ephemeralOwner }: Stat): 'persistent' | 'ephemeral' =>
  ephemeralOwner === 0n ? 'persistent' : 'ephemeral';
