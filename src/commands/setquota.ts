import { KeeperError } from '../base/errors.ts';
import { joinPath, parentOf } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { refuseQuotaBelowChroot, viewOf } from '../shell/own-nodes.ts';
import { quoteWord } from '../shell/paths.ts';
import { formatQuota, limitsPath, NO_QUOTA, parseQuota, QUOTA_ROOT, quotaWords, statsPath } from './quota-text.ts';
import { createWithParents } from './support.ts';

/** Limits of a subtree. */
export default command({
  name: 'setquota',
  group: 'acl',
  about: 'limit how many nodes or bytes a subtree may hold',
  risk: 'write',
  params: {
    path: { kind: 'path', about: 'the subtree' },
    count: { kind: 'number', short: '-n', about: 'nodes, soft: servers only log it', placeholder: 'COUNT' },
    bytes: {
      kind: 'size',
      short: '-b',
      about: 'bytes of data, soft; 10k and 1M are powers of 1024',
      placeholder: 'BYTES',
    },
    hardCount: {
      kind: 'number',
      short: '-N',
      about: 'nodes, hard: servers with enforceQuota=true refuse more, others log it',
      placeholder: 'COUNT',
    },
    hardBytes: { kind: 'size', short: '-B', about: 'bytes of data, hard in the same way', placeholder: 'BYTES' },
  },
  examples: [
    ['setquota -n 1000 /app', 'soft limit'],
    ['setquota -N 5000 -B 10M /app', 'hard limits'],
    ['setquota -n 1000 -N 2000 /app', 'a warning first, then no more'],
  ],
  exits: [10, 20],
  notes: [
    'Hard limits are kept by servers whose zoo.cfg says enforceQuota=true, which is off by default here and at Apache; without it nothing is refused.',
    'Quotas do not nest: where a node above or below has one already, it is refused (20).',
    'They are kept in /zookeeper/quota of the whole ensemble: below a chroot this and its like are refused (2).',
  ],
  async run({ path, count, bytes, hardCount, hardBytes }, context): Promise<Output> {
    if ([count, bytes, hardCount, hardBytes].every((each) => each === undefined))
      throw usage('setquota: say at least one limit: -n, -b, -N or -B');
    for (const each of [count, hardCount])
      if (each !== undefined && each <= 0) throw usage('setquota: a number of nodes must be at least 1');
    if (path === '/' || path === QUOTA_ROOT || path.startsWith(`${QUOTA_ROOT}/`))
      throw usage(`setquota: no quota can be set on ${path}`);
    refuseQuotaBelowChroot('setquota', viewOf(context), path);
    const client = await context.client();
    const { signal } = context;
    if (!(await client.exists(path, { signal }))) throw new KeeperError('NoNode', path);
    await refuseConflicts(client, path, context);
    const limits = limitsPath(path);
    const before = await client.get(limits, { signal }).then(
      ({ data }) => parseQuota(data?.toString() ?? ''),
      (error) => {
        if (error instanceof KeeperError && error.code === 'NoNode') return undefined;
        throw error;
      },
    );
    const old = before ?? NO_QUOTA;
    const next = {
      count: count ?? old.count,
      bytes: bytes ?? old.bytes,
      hardCount: hardCount ?? old.hardCount,
      hardBytes: hardBytes ?? old.hardBytes,
    };
    const text = formatQuota(next);
    const bytesOfText = Buffer.from(text);
    if (before === undefined) {
      // the usage node comes first: servers begin to count when the limits appear
      await createWithParents(limits, bytesOfText, {}, context);
      await client.create(statsPath(path), 'count=0,bytes=0', { signal }).catch((error) => {
        if (!(error instanceof KeeperError) || error.code !== 'NodeExists') throw error;
      });
    } else await client.set(limits, text, -1, { signal });
    return { type: 'done', text: `quota of ${quoteWord(path)}: ${quotaWords(next)}`, json: { path, ...next } };
  },
});

/** Quotas do not nest: servers would count for one of them only. @throws Failure (20) */
async function refuseConflicts(client: Client, path: string, { signal }: CommandContext): Promise<void> {
  const conflict = (other: string, what: string): Failure =>
    new Failure(20, 'BadArguments', `${path} has ${what} with a quota: ${other}`, {
      path,
      hint: `quotas do not nest; delquota ${quoteWord(other)} removes that one`,
    });
  for (let at = parentOf(path); at !== '/' && at !== ''; at = parentOf(at))
    if (await client.exists(limitsPath(at), { signal })) throw conflict(at, 'a parent');
  const below = async (at: string): Promise<void> => {
    const names = await client.getChildren(`${QUOTA_ROOT}${at}`, { signal }).then(
      ({ children }) => children,
      () => [],
    );
    for (const name of names) {
      if (name === 'zookeeper_limits' && at !== path) throw conflict(at, 'a node below');
      if (name !== 'zookeeper_limits' && name !== 'zookeeper_stats') await below(joinPath(at, name));
    }
  };
  await below(path);
}
