import { KeeperError } from '../base/errors.ts';
import { command } from '../shell/command.ts';
import { isWithin } from '../shell/node-record.ts';
import type { Output } from '../shell/output.ts';
import { refuseQuotaBelowChroot, viewOf } from '../shell/own-nodes.ts';
import { showBytes, showCount } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import { parseQuota, QUOTA_ROOT, type Quota, statsPath } from './quota-text.ts';
import { inflightOf, mustExist } from './support.ts';

const LIMITS = '/zookeeper_limits';

/** All quotas there are. */
export default command({
  name: 'quota',
  group: 'acl',
  about: 'list the quotas there are, and how much of them is used',
  risk: 'read',
  params: {
    action: { kind: 'enum', about: 'the word ls', values: ['ls'] },
    path: { kind: 'path', about: 'only on this node and below; default all', optional: true },
  },
  examples: [
    ['quota ls', 'all of them'],
    ['quota ls /app', 'those below /app'],
    ['quota ls | grep -E "[0-9]{3,}%"', 'those at their limit or beyond it'],
  ],
  exits: [10, 14],
  notes: ['setquota, listquota and delquota handle one.'],
  async run({ path: root = '/' }, context): Promise<Output> {
    refuseQuotaBelowChroot('quota', viewOf(context), root);
    const client = await context.client();
    const { signal } = context;
    if (root !== '/') await mustExist(client, root, context);
    const found: { path: string; limits: Quota; used: Quota }[] = [];
    try {
      for await (const node of walkNodes(client, QUOTA_ROOT, { signal, inflight: inflightOf(context), data: true })) {
        if (!node.path.endsWith(LIMITS)) continue;
        const path = node.path.slice(QUOTA_ROOT.length, -LIMITS.length) || '/';
        if (!isWithin(path, root)) continue;
        const stats = await client.get(statsPath(path), { signal }).catch((error: unknown) => {
          if (error instanceof KeeperError && error.code === 'NoNode') return undefined;
          throw error;
        });
        found.push({
          path,
          limits: parseQuota(node.data?.toString() ?? ''),
          used: parseQuota(stats?.data?.toString() ?? ''),
        });
      }
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
    }
    const row = (
      { path, limits, used }: (typeof found)[number],
      show: (value: number) => string,
      bytes: typeof show,
    ) => {
      const [nodes, size] = [nodeLimit(limits), byteLimit(limits)];
      return [
        path,
        `${show(Math.max(0, used.count))}/${nodes < 0 ? '-' : show(nodes)}`,
        `${bytes(Math.max(0, used.bytes))}/${size < 0 ? '-' : bytes(size)}`,
        share(used, limits),
      ];
    };
    return {
      type: 'table',
      columns: [
        { name: 'path', isPath: true },
        { name: 'nodes', right: true },
        { name: 'bytes', right: true },
        { name: 'used', right: true },
      ],
      rows: found.map((each) => row(each, String, String)),
      humanRows: found.map((each) => row(each, showCount, showBytes)),
      json: found.map(({ path, limits, used }) => ({ path, limits, used: { count: used.count, bytes: used.bytes } })),
    };
  },
});

/** The limit that is met first. */
const lower = (soft: number, hard: number): number => (soft < 0 ? hard : hard < 0 ? soft : Math.min(soft, hard));
const nodeLimit = ({ count, hardCount }: Quota): number => lower(count, hardCount);
const byteLimit = ({ bytes, hardBytes }: Quota): number => lower(bytes, hardBytes);

/** How much of the tighter limit is used. */
export function share(used: Quota, limits: Quota): string {
  const part = (value: number, limit: number): number => (limit < 0 ? -1 : limit === 0 ? 100 : (value * 100) / limit);
  const most = Math.max(part(used.count, nodeLimit(limits)), part(used.bytes, byteLimit(limits)));
  return most < 0 ? '-' : `${Math.round(most)}%`;
}
