import { KeeperError } from '../base/errors.ts';
import { command } from '../shell/command.ts';
import { Failure } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { limitsPath, parseQuota, statsPath } from './quota-text.ts';

/** Limits and usage. */
export default command({
  name: 'listquota',
  group: 'acl',
  about: 'show the quota of a subtree and how much is used',
  risk: 'read',
  params: { path: { kind: 'path', about: 'the subtree' } },
  examples: [
    ['listquota /app', 'limits and usage'],
    ['listquota /app && quota ls', 'this one, then all there are'],
    ['listquota /app && du -d 0 /app', 'the limits, then what is there'],
  ],
  exits: [10],
  async run({ path }, context): Promise<Output> {
    const client = await context.client();
    const { signal } = context;
    try {
      const limits = parseQuota((await client.get(limitsPath(path), { signal })).data?.toString() ?? '');
      const used = parseQuota((await client.get(statsPath(path), { signal })).data?.toString() ?? '');
      const show = (value: number): string => (value < 0 ? '-' : String(value));
      const row = (name: string, soft: number, hard: number, usage: number): string[] => [
        name,
        show(usage),
        show(soft),
        show(hard),
      ];
      return {
        type: 'table',
        columns: [
          { name: 'what' },
          { name: 'used', right: true },
          { name: 'soft', right: true },
          { name: 'hard', right: true },
        ],
        rows: [
          row('nodes', limits.count, limits.hardCount, used.count),
          row('bytes', limits.bytes, limits.hardBytes, used.bytes),
        ],
        json: [{ path, limits, used: { count: used.count, bytes: used.bytes } }],
      };
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
      throw new Failure(10, 'NoNode', `no quota on ${path}`, { path, hint: 'setquota sets one', cause: error });
    }
  },
});
