import { KeeperError } from '../base/errors.ts';
import { command } from '../shell/command.ts';
import { Failure } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { refuseQuotaBelowChroot, viewOf } from '../shell/own-nodes.ts';
import { showCount } from '../shell/units.ts';
import { limitsPath, parseQuota, statsPath } from './quota-text.ts';
import { mustExist } from './support.ts';

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
    refuseQuotaBelowChroot('listquota', viewOf(context), path);
    const client = await context.client();
    const { signal } = context;
    try {
      const limits = parseQuota((await client.get(limitsPath(path), { signal })).data?.toString() ?? '');
      const used = parseQuota((await client.get(statsPath(path), { signal })).data?.toString() ?? '');
      const both = [
        { name: 'nodes', soft: limits.count, hard: limits.hardCount, usage: used.count },
        { name: 'bytes', soft: limits.bytes, hard: limits.hardBytes, usage: used.bytes },
      ];
      const rowsBy = (text: (value: number) => string): string[][] =>
        both.map(({ name, soft, hard, usage }) => [
          name,
          ...[usage, soft, hard].map((value) => (value < 0 ? '-' : text(value))),
        ]);
      return {
        type: 'table',
        columns: [
          { name: 'what' },
          { name: 'used', right: true },
          { name: 'soft', right: true },
          { name: 'hard', right: true },
        ],
        rows: rowsBy(String),
        humanRows: rowsBy(showCount),
        foot: both.flatMap(overLimit),
        json: [{ path, limits, used: { count: used.count, bytes: used.bytes } }],
      };
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
      await mustExist(client, path, context);
      throw new Failure(10, 'NoNode', `no quota on ${path}`, { path, hint: 'setquota sets one', cause: error });
    }
  },
});

/** What is beyond a limit, in words. Servers refuse what would go over a hard one, and only log a soft one. */
function overLimit({
  name,
  soft,
  hard,
  usage,
}: Readonly<Record<'soft' | 'hard' | 'usage', number>> & { name: string }) {
  const which = hard >= 0 && usage > hard ? 'hard' : soft >= 0 && usage > soft ? 'soft' : undefined;
  return which === undefined ? [] : [`over the ${which} limit of ${name}`];
}
