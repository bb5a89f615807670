import { KeeperError } from '../base/errors.ts';
import { joinPath, parentOf } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import { pathOf } from './read-commands.ts';
import { pathFaultText } from './texts.ts';
import { CommandFault, type ZkCommand, type ZkContext } from './types.ts';

const ROOT = '/zookeeper/quota';
const limitsOf = (path: string): string => `${ROOT}${path}/zookeeper_limits`;
const statsOf = (path: string): string => `${ROOT}${path}/zookeeper_stats`;

/** Limits by their names in the node; -1: none. */
type Track = Map<string, bigint>;

const trackOf = (text: string): Track =>
  new Map(
    [...text.matchAll(/(?:^|[,;=])([A-Za-z]+)=(-?\d+)/g)].map(([, name = '', value = '-1']) => [name, BigInt(value)]),
  );

/** `count=5,bytes=100=;byteHardLimit=50;countHardLimit=3`: the stray `=` is Java's. */
function textOf(track: Track): string {
  const more = [...track.keys()].filter((name) => name !== 'count' && name !== 'bytes').sort();
  const rest = more.map((name) => `;${name}=${track.get(name)}`).join('');
  return `count=${track.get('count') ?? -1n},bytes=${track.get('bytes') ?? -1n}${rest === '' ? '' : `=${rest}`}`;
}

const NAMES: Readonly<Record<string, string>> = {
  n: 'count',
  b: 'bytes',
  N: 'countHardLimit',
  B: 'byteHardLimit',
};

const exists = async (client: Client, path: string): Promise<boolean> => {
  const fault = pathFaultText(path);
  if (fault !== undefined) throw new CommandFault(fault);
  return (await client.exists(path)) !== undefined;
};

const setquota: ZkCommand = {
  options: {
    n: { value: true, group: 'limit', about: 'num soft quota' },
    b: { value: true, group: 'limit', about: 'bytes soft quota' },
    N: { value: true, group: 'limit', about: 'num hard quota' },
    B: { value: true, group: 'limit', about: 'bytes hard quota' },
  },
  words: 2,
  async run(parsed, context) {
    const path = parsed.args[1] ?? '';
    if (path.startsWith(ROOT)) {
      context.err(`cannot set a quota under the path: ${path}\n`);
      return;
    }
    const [letter = 'n', said = ''] = [...parsed.options][0] ?? [];
    const isCount = letter === 'n' || letter === 'N';
    if (!/^[+-]?\d{1,18}$/.test(said)) {
      context.err('NumberFormatException happens when parsing the option value\n');
      return;
    }
    const value = BigInt(said);
    if (isCount ? value <= 0n : value < 0n) {
      const least = isCount ? 'greater than zero' : 'greater than or equal to zero';
      context.err(`the ${isCount ? 'num' : 'bytes'} quota must be ${least}\n`);
      return;
    }
    const client = await context.client();
    if (!(await exists(client, path))) throw new CommandFault(`${path} does not exist.`);
    await refuseNested(client, path);
    await store(client, path, NAMES[letter] as string, value, context);
  },
};

/** Quotas do not nest. @throws CommandFault */
async function refuseNested(client: Client, path: string): Promise<void> {
  const below = async (at: string): Promise<void> => {
    if (!(await exists(client, `${ROOT}${at}`))) return;
    for (const name of (await client.getChildren(`${ROOT}${at}`)).children) {
      if (name === 'zookeeper_limits' && at !== path)
        throw new CommandFault(`${path} has a child ${at} which has a quota`);
      if (!name.startsWith('zookeeper_')) await below(joinPath(at, name));
    }
  };
  await below(path);
  for (let at = parentOf(path); at !== '/' && at !== ''; at = parentOf(at))
    if (await exists(client, limitsOf(at))) throw new CommandFault(`${path} has a parent ${at} which has a quota`);
}

async function store(client: Client, path: string, name: string, value: bigint, context: ZkContext): Promise<void> {
  const limits = limitsOf(path);
  if (await exists(client, limits)) {
    const track = trackOf((await client.get(limits)).data?.toString() ?? '');
    track.set(name, value);
    await client.set(limits, textOf(track));
    await warnIfUsed(client, path, name, value, context);
    return;
  }
  const parents = [ROOT];
  for (const part of path.split('/').slice(1)) parents.push(joinPath(parents.at(-1) as string, part));
  for (const each of parents)
    await client.create(each, null).catch((error) => {
      if (!(error instanceof KeeperError) || error.code !== 'NodeExists') throw error;
    });
  const track: Track = new Map(['count', 'bytes', 'countHardLimit', 'byteHardLimit'].map((each) => [each, -1n]));
  track.set(name, value);
  await client.create(limits, textOf(track));
  // the server counts what there is when this one comes
  await client.create(statsOf(path), 'count=0,bytes=0');
  await warnIfUsed(client, path, name, value, context);
}

/** What is there already may be more than the limit. */
async function warnIfUsed(
  client: Client,
  path: string,
  name: string,
  value: bigint,
  { out }: ZkContext,
): Promise<void> {
  const what = name.startsWith('count') ? 'count' : 'bytes';
  const used = trackOf((await client.get(statsOf(path))).data?.toString() ?? '').get(what) ?? 0n;
  if (value < used) out(`[Warning]: the ${what} quota you create is less than the existing ${what}:${used}\n`);
}

const listquota: ZkCommand = {
  words: 2,
  async run(parsed, context) {
    const path = parsed.args[1] ?? '';
    context.err(`absolute path is ${limitsOf(path)}\n`);
    const client = await context.client();
    try {
      for (const [what, node] of [
        ['quota', limitsOf(path)],
        ['stat', statsOf(path)],
      ] as const) {
        const track = trackOf((await client.get(node)).data?.toString() ?? '');
        context.out(`Output ${what} for ${path} ${textOf(track)}\n`);
      }
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
      context.err(`quota for ${path} does not exist.\n`);
    }
  },
};

const delquota: ZkCommand = {
  options: { n: { group: 'limit' }, b: { group: 'limit' }, N: { group: 'limit' }, B: { group: 'limit' } },
  words: 2,
  async run(parsed, context) {
    const path = pathOf(parsed);
    const client = await context.client();
    const limits = limitsOf(path);
    if (!(await exists(client, limits))) {
      context.out(`Quota does not exist for ${path}\n`);
      return;
    }
    const [letter] = parsed.options.keys();
    if (letter !== undefined) {
      const track = trackOf((await client.get(limits)).data?.toString() ?? '');
      track.set(NAMES[letter] as string, -1n);
      await client.set(limits, textOf(track));
      return;
    }
    const home = `${ROOT}${path}`;
    for (const name of (await client.getChildren(home)).children) await client.delete(joinPath(home, name));
    for (let at = home; at !== ROOT; at = parentOf(at)) {
      if ((await client.getChildren(at)).children.length > 0) break;
      await client.delete(at);
    }
  },
};

export const QUOTA_COMMANDS: Readonly<Record<string, ZkCommand>> = { setquota, listquota, delquota };
