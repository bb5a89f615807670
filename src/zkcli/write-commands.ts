import { KeeperError } from '../base/errors.ts';
import { joinPath, PROTECTED } from '../base/path.ts';
import type { Acl, Client, CreateMode, WatchKind } from '../client/api.ts';
import { statText } from '../out/zkcli.ts';
import { pathOf, visit } from './read-commands.ts';
import { javaMessage, pathFaultText, usageText } from './texts.ts';
import { CommandFault, Crash, intOf, type ZkCommand, type ZkContext } from './types.ts';
import type { ParsedWords } from './words.ts';

const MAX_TTL = 1_099_511_627_775n;
const PERMS: Readonly<Record<string, number>> = { r: 1, w: 2, c: 4, d: 8, a: 16 };

/**
 * `scheme:id:perms,...` as zkCli reads it, with one repair: it goes on without a letter it does not know, which can lock
 * a node for ever; here that is an error. @throws CommandFault
 */
export function aclOf(text: string, { err }: ZkContext): Acl[] {
  const out: Acl[] = [];
  for (const entry of text.split(',')) {
    const [first, last] = [entry.indexOf(':'), entry.lastIndexOf(':')];
    if (first === last) {
      err(`${entry} does not have the form scheme:id:perm\n`);
      continue;
    }
    let perms = 0;
    for (const letter of entry.slice(last + 1)) {
      if (PERMS[letter] === undefined) throw new CommandFault(`Unknown perm type: ${letter}`);
      perms |= PERMS[letter];
    }
    out.push({ scheme: entry.slice(0, first), id: entry.slice(first + 1, last), perms });
  }
  return out;
}

const refuseEmpty = (acl: readonly Acl[]): void => {
  if (acl.length === 0) throw new CommandFault('Acl is not valid : null');
};

function modeOf({ options }: ParsedWords): { mode: CreateMode; ttlMs?: number } {
  const has = (name: string): boolean => options.has(name);
  if (has('c') && (has('e') || has('s')))
    throw new CommandFault('-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.');
  const said = options.get('t');
  if (said === undefined) {
    if (has('c')) return { mode: 'container' };
    if (has('e')) return { mode: has('s') ? 'ephemeralSequential' : 'ephemeral' };
    return { mode: has('s') ? 'persistentSequential' : 'persistent' };
  }
  if (!/^[+-]?\d{1,19}$/.test(said)) throw new CommandFault('-t argument must be a long value');
  if (has('e')) throw new CommandFault('TTLs cannot be used with Ephemeral znodes');
  if (has('c')) throw new CommandFault('TTLs cannot be used with Container znodes');
  const ttl = BigInt(said);
  if (ttl <= 0n || ttl > MAX_TTL) throw new CommandFault(`ttl must be positive and cannot be larger than: ${MAX_TTL}`);
  return { mode: has('s') ? 'ttlSequential' : 'ttl', ttlMs: Number(ttl) };
}

/** zkCli drops words it has no place for; so do we, but not without a word. */
function tellExtra({ args }: ParsedWords, places: number, { err }: ZkContext): void {
  if (args.length > places) err(`zoosh: ignored: ${args.slice(places).join(' ')}\n`);
}

const create: ZkCommand = {
  options: { s: {}, e: {}, c: {}, t: { value: true } },
  words: 2,
  async run(parsed, context) {
    const { mode, ttlMs } = modeOf(parsed);
    const acl = parsed.args[3] === undefined ? undefined : aclOf(parsed.args[3], context);
    const path = pathOf(parsed, mode.endsWith('equential'));
    tellExtra(parsed, 4, context);
    if (acl?.length === 0) {
      context.err(`${javaMessage('InvalidAcl', undefined)}\n`);
      refuseEmpty(acl);
    }
    const data = parsed.args[2] ?? null;
    const options = { mode, ...(acl !== undefined && { acl }), ...(ttlMs !== undefined && { ttlMs }) };
    try {
      const made = await (await context.client()).create(path, data, options);
      context.err(`Created ${made.path}\n`);
    } catch (error) {
      const code = error instanceof KeeperError ? error.code : undefined;
      if (code === 'EphemeralOnLocalSession') context.err('Unable to create ephemeral node on a local session\n');
      if (code === 'InvalidAcl') context.err(`${javaMessage('InvalidAcl', path)}\n`);
      throw error;
    }
  },
};

const set: ZkCommand = {
  options: { s: {}, v: { value: true } },
  newOptions: { b: {} },
  words: 3,
  async run(parsed, context) {
    const { args, options } = parsed;
    const text = args[2] ?? '';
    const data = options.has('b') ? base64Of(text) : Buffer.from(text);
    const version = intOf(options.get('v') ?? '-1');
    const path = pathOf(parsed);
    tellExtra(parsed, 3, context);
    const stat = await (await context.client()).set(path, data, version);
    if (options.has('s')) context.out(statText(stat));
  },
};

function base64Of(text: string): Buffer {
  const wrong = /[^A-Za-z0-9+/=]/.exec(text);
  if (wrong !== null)
    throw new Crash('IllegalArgumentException', `Illegal base64 character ${wrong[0].charCodeAt(0).toString(16)}`);
  return Buffer.from(text, 'base64');
}

const remove: ZkCommand = {
  options: { v: { value: true } },
  words: 2,
  async run(parsed, context) {
    const { args, options } = parsed;
    if (args.length > 2)
      context.err("'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.\n");
    const version = intOf(options.get('v') ?? '-1');
    const path = pathOf(parsed);
    const client = await context.client();
    // refused here as the server would
    if (PROTECTED.has(path) && path !== '/zookeeper/config' && path !== '/zookeeper/quota')
      throw new KeeperError(client.state === 'connectedReadOnly' ? 'NotReadOnly' : 'BadArguments', path);
    await client.delete(path, version);
  },
};

const SOME_FAILED = 'Failed to delete some node(s) in the subtree!\n';

const deleteall: ZkCommand = {
  options: { b: { value: true } },
  words: 2,
  async run(parsed, context) {
    const said = parsed.options.get('b') ?? '1000';
    if (!/^[+-]?\d{1,10}$/.test(said)) throw new CommandFault('-b argument must be an int value');
    const path = pathOf(parsed);
    const client = await context.client();
    if (PROTECTED.has(path)) {
      // before anything below is gone; zkCli finds out in the end
      if ((await client.exists(path)) === undefined) throw new KeeperError('NoNode', path);
      context.err(`${SOME_FAILED}zoosh: nothing was deleted: ${path} cannot be, and the ensemble needs it\n`);
      return;
    }
    if (!(await deleteTree(client, path, Math.max(1, Number(said))))) context.err(SOME_FAILED);
  },
};

/** Leaves first, in transactions of `batch`; false when some of them failed. @throws KeeperError NoNode, NoAuth */
async function deleteTree(client: Client, path: string, batch: number): Promise<boolean> {
  const found = [path];
  for (let at = 0; at < found.length; at++) {
    const parent = found[at] as string;
    try {
      for (const name of (await client.getChildren(parent)).children) found.push(joinPath(parent, name));
    } catch (error) {
      if (at === 0 || !(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
    }
  }
  found.reverse();
  let isWhole = true;
  for (let at = 0; at < found.length; at += batch) {
    const ops = found.slice(at, at + batch).map((each) => ({ op: 'delete' as const, path: each, version: -1 }));
    await client.multi(ops).catch(() => {
      isWhole = false;
    });
  }
  return isWhole;
}

const setAcl: ZkCommand = {
  options: { s: {}, v: { value: true }, R: {} },
  words: 3,
  async run(parsed, context) {
    const { options } = parsed;
    const acl = aclOf(parsed.args[2] ?? '', context);
    const version = intOf(options.get('v') ?? '-1');
    const path = pathOf(parsed);
    const client = await context.client();
    if (!options.has('R')) {
      refuseEmpty(acl);
      const stat = await client.setAcl(path, acl, version);
      if (options.has('s')) context.out(statText(stat));
      return;
    }
    await visit(client, path, {}, async (each) => {
      try {
        refuseEmpty(acl);
        await client.setAcl(each, acl, version);
      } catch (error) {
        context.out(error instanceof KeeperError ? javaMessage(error.code, error.path) : (error as Error).message);
      }
    });
  },
};

const addauth: ZkCommand = {
  words: 2,
  async run({ args }, context) {
    context.addAuth(args[1] as string, args[2] ?? '');
  },
};

const addWatch: ZkCommand = {
  options: { m: { value: true } },
  words: 2,
  async run(parsed, context) {
    const { args, options } = parsed;
    const mode = (options.get('m') ?? 'PERSISTENT_RECURSIVE').toUpperCase();
    if (args.length !== 2 || (mode !== 'PERSISTENT' && mode !== 'PERSISTENT_RECURSIVE'))
      throw new CommandFault(usageText('addWatch', context.version));
    const fault = pathFaultText(args[1] as string);
    if (fault !== undefined) throw new Crash('IllegalArgumentException', fault);
    const client = await context.client();
    await client.addWatch(args[1] as string, context.watch, { recursive: mode === 'PERSISTENT_RECURSIVE' });
  },
};

const KINDS: Readonly<Record<string, WatchKind>> = {
  c: 'children',
  d: 'data',
  p: 'persistent',
  r: 'persistentRecursive',
  a: 'any',
};

const removewatches: ZkCommand = {
  options: { c: {}, d: {}, a: {}, l: {} },
  newOptions: { p: {}, r: {} },
  words: 2,
  async run(parsed, context) {
    const { options } = parsed;
    const path = pathOf(parsed);
    const letter = ['c', 'd', 'p', 'r', 'a'].find((each) => options.has(each)) ?? 'a';
    const client = await context.client();
    await client.removeWatches(path, KINDS[letter] as WatchKind, { local: options.has('l') });
  },
};

export const WRITE_COMMANDS: Readonly<Record<string, ZkCommand>> = {
  create,
  set,
  delete: remove,
  deleteall,
  setAcl,
  addauth,
  addWatch,
  removewatches,
};
