import { KeeperError } from '../base/errors.ts';
import { joinPath } from '../base/path.ts';
import type { Client, ReadOptions } from '../client/api.ts';
import { aclLines, listText, statText } from '../out/zkcli.ts';
import { hexdumpText } from './hexdump.ts';
import { pathFaultText } from './texts.ts';
import { CommandFault, type ZkCommand, type ZkContext } from './types.ts';
import type { ParsedWords } from './words.ts';

/** The command's path. @throws CommandFault with Java's words */
export function pathOf({ args }: ParsedWords, isSequential = false): string {
  const path = args[1] ?? '';
  const fault = pathFaultText(path, isSequential);
  if (fault !== undefined) throw new CommandFault(fault);
  return path;
}

const watching = ({ options }: ParsedWords, { watch }: ZkContext): ReadOptions => (options.has('w') ? { watch } : {});

const old = (name: string, usage: string): string =>
  `'${name} path [watch]' has been deprecated. Please use '${usage}' instead.`;

const get: ZkCommand = {
  options: { s: {}, w: {} },
  newOptions: { b: {}, x: {} },
  words: 2,
  old: { option: '-w', text: old('get', 'get [-s] [-w] path') },
  async run(parsed, context) {
    const { data, stat } = await (await context.client()).get(pathOf(parsed), watching(parsed, context));
    const bytes = data ?? Buffer.from('null');
    const { options } = parsed;
    const text = options.has('x') ? hexdumpText(bytes) : options.has('b') ? bytes.toString('base64') : bytes.toString();
    context.out(`${text}\n${options.has('s') ? statText(stat) : ''}`);
  },
};

const stat: ZkCommand = {
  options: { w: {} },
  words: 2,
  old: { option: '-w', text: old('stat', 'stat [-w] path') },
  async run(parsed, context) {
    const path = pathOf(parsed);
    const found = await (await context.client()).exists(path, watching(parsed, context));
    if (found === undefined) throw new KeeperError('NoNode', path);
    context.out(statText(found));
  },
};

const LS_HELP = `usage: ls [options] path
 -?   help
 -R   recurse
 -s   stat
 -w   watch
`;

const ls: ZkCommand = {
  options: { '?': {}, s: {}, w: {}, R: {} },
  words: 2,
  old: { option: '-w', text: old('ls', 'ls [-w] path') },
  async run(parsed, context) {
    const path = pathOf(parsed);
    const { options } = parsed;
    const client = await context.client();
    if (options.has('R')) {
      await visit(client, path, watching(parsed, context), async (each) => context.out(`${each}\n`));
      return;
    }
    const { children, stat: found } = await client.getChildren(path, watching(parsed, context));
    context.out(listText(children) + (options.has('s') ? statText(found) : ''));
  },
};
export const lsHelp = LS_HELP;

/** A node and all below: the children of each before what is below them. */
export async function visit(
  client: Client,
  path: string,
  watch: ReadOptions,
  see: (path: string) => Promise<void>,
): Promise<void> {
  await client.get(path, watch);
  await see(path);
  const below = async (at: string): Promise<void> => {
    let names: string[];
    try {
      names = (await client.getChildren(at, watch)).children;
    } catch (error) {
      if (error instanceof KeeperError && error.code === 'NoNode') return; // it went away meanwhile
      throw error;
    }
    for (const name of names) await see(joinPath(at, name));
    for (const name of names) await below(joinPath(at, name));
  };
  await below(path);
}

const getAcl: ZkCommand = {
  options: { s: {} },
  words: 2,
  async run(parsed, context) {
    const { acl, stat: found } = await (await context.client()).getAcl(pathOf(parsed));
    context.out(aclLines(acl) + (parsed.options.has('s') ? statText(found) : ''));
  },
};

const getAllChildrenNumber: ZkCommand = {
  words: 2,
  async run(parsed, context) {
    context.out(`${await (await context.client()).getAllChildrenNumber(pathOf(parsed))}\n`);
  },
};

const getEphemerals: ZkCommand = {
  words: 1,
  async run(parsed, context) {
    const path = parsed.args.length < 2 ? '/' : pathOf(parsed);
    context.out(listText(await (await context.client()).getEphemerals(path)));
  },
};

/** KeeperException's number of a refusal, as the callback of sync gets it. */
const sync: ZkCommand = {
  words: 2,
  async run(parsed, context) {
    const path = pathOf(parsed);
    try {
      await (await context.client()).sync(path);
      context.out('Sync is OK\n');
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error;
      context.out(`Sync has failed. rc=${error.number}\n`);
    }
  },
};

const whoami: ZkCommand = {
  words: 1,
  async run(_parsed, context) {
    const ids = await (await context.client()).whoAmI();
    context.out(`Auth scheme: User\n${ids.map(({ scheme, id }) => `${scheme}: ${id}\n`).join('')}`);
  },
};

const version: ZkCommand = {
  words: 1,
  async run({ args }, context) {
    if (args.length > 1) throw new CommandFault('version ');
    const said = context.version === '3.8' ? '3.8.0' : '3.10.0';
    context.out(`ZooKeeper CLI version: ${said}-zoosh-${context.programVersion}\n`);
  },
};

const config: ZkCommand = {
  options: { c: {}, w: {}, s: {} },
  words: 1,
  async run(parsed, context) {
    const { data, stat: found } = await (await context.client()).getConfig(watching(parsed, context));
    const text = data?.toString() ?? '';
    const { options } = parsed;
    context.out(`${options.has('c') ? clientPart(text) : text}\n${options.has('s') ? statText(found) : ''}`);
  },
};

/** `VERSION host:port,...` with an empty place for a server without a client address, in the order of Java's table. */
export function clientPart(text: string): string {
  const lines = text.split('\n').flatMap((line) => {
    const equals = line.indexOf('=');
    return equals < 0 ? [] : [{ key: line.slice(0, equals), value: line.slice(equals + 1) }];
  });
  const servers = lines.filter(({ key }) => key.startsWith('server.'));
  const size = tableSize(lines.length);
  servers.sort((a, b) => (spread(a.key) & (size - 1)) - (spread(b.key) & (size - 1)));
  const hosts = servers.map(({ value }) => {
    const [, client = ''] = value.split(';');
    return client === '' || client.includes(':') ? client : `0.0.0.0:${client}`;
  });
  return `${lines.find(({ key }) => key === 'version')?.value ?? ''} ${hosts.join(',')}`;
}

/** Places of a ConcurrentHashMap that began with 8 entries in mind. */
const tableSize = (entries: number): number => {
  let size = 16;
  while (entries > size * 0.75) size *= 2;
  return size;
};
function spread(key: string): number {
  let hash = 0;
  for (let at = 0; at < key.length; at++) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0;
  return (hash ^ (hash >>> 16)) & 0x7fff_ffff;
}

export const READ_COMMANDS: Readonly<Record<string, ZkCommand>> = {
  get,
  stat,
  ls,
  getAcl,
  getAllChildrenNumber,
  getEphemerals,
  sync,
  whoami,
  version,
  config,
};
