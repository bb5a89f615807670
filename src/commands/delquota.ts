import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import { command } from '../shell/command.ts';
import { Failure } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { refuseQuotaBelowChroot, viewOf } from '../shell/own-nodes.ts';
import { quoteWord } from '../shell/paths.ts';
import { formatQuota, limitsPath, parseQuota, QUOTA_ROOT, quotaWords, statsPath } from './quota-text.ts';
import { mustExist } from './support.ts';

/** Takes limits away. */
export default command({
  name: 'delquota',
  group: 'acl',
  about: 'remove limits of a subtree; without options all of them',
  risk: 'write',
  params: {
    path: { kind: 'path', about: 'the subtree' },
    count: { kind: 'flag', short: '-n', about: 'the soft limit of nodes' },
    bytes: { kind: 'flag', short: '-b', about: 'the soft limit of bytes' },
    hardCount: { kind: 'flag', short: '-N', about: 'the hard limit of nodes' },
    hardBytes: { kind: 'flag', short: '-B', about: 'the hard limit of bytes' },
  },
  examples: [
    ['delquota /app', 'no limits any more'],
    ['delquota -n /app', 'only the soft limit of nodes'],
    ['delquota -N -B /app', 'only the hard limits'],
  ],
  exits: [10],
  async run({ path, count, bytes, hardCount, hardBytes }, context): Promise<Output> {
    refuseQuotaBelowChroot('delquota', viewOf(context), path);
    const client = await context.client();
    const { signal } = context;
    const limits = limitsPath(path);
    try {
      if (count || bytes || hardCount || hardBytes) {
        const old = parseQuota((await client.get(limits, { signal })).data?.toString() ?? '');
        const next = {
          count: count ? -1 : old.count,
          bytes: bytes ? -1 : old.bytes,
          hardCount: hardCount ? -1 : old.hardCount,
          hardBytes: hardBytes ? -1 : old.hardBytes,
        };
        await client.set(limits, formatQuota(next), -1, { signal });
        return { type: 'done', text: `quota of ${quoteWord(path)}: ${quotaWords(next)}`, json: { path, ...next } };
      }
      await client.delete(limits, -1, { signal });
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
      await mustExist(client, path, context);
      throw new Failure(10, 'NoNode', `no quota on ${path}`, {
        path,
        hint: 'quota ls lists those there are',
        cause: error,
      });
    }
    // the usage node and what leads to it are of no use any more; others may need them, then they stay
    for (let at = statsPath(path); at !== QUOTA_ROOT; at = parentOf(at))
      try {
        await client.delete(at, -1, { signal });
      } catch (error) {
        if (error instanceof KeeperError && error.code === 'NoNode') continue;
        if (error instanceof KeeperError && error.code === 'NotEmpty') break;
        throw error;
      }
    return { type: 'done', text: `no quota on ${quoteWord(path)} any more`, json: { path, removed: true } };
  },
});
