import type { CommandSpec } from './command.ts';

/** Where a command lives. Names are repeated here so that one command can be run without loading the others. */
export interface RegistryEntry {
  readonly name: string;
  readonly aliases: readonly string[];
  load(): Promise<CommandSpec>;
}

type Loader = () => Promise<Record<string, unknown>>;

/** The file exports exactly one object: the command. */
const entry = (names: string, file: Loader): RegistryEntry => {
  const [name = '', ...aliases] = names.split(' ');
  return { name, aliases, load: async () => Object.values(await file())[0] as CommandSpec };
};

/** Every command, in the order help shows them inside their group. */
export const REGISTRY: readonly RegistryEntry[] = [
  entry('connect', () => import('./commands/connect.ts')),
  entry('close', () => import('./commands/close.ts')),
  entry('use', () => import('./commands/use.ts')),
  entry('profile', () => import('./commands/profile.ts')),
  entry('addauth', () => import('./commands/add-auth.ts')),
  entry('whoami', () => import('./commands/whoami.ts')),
  entry('version', () => import('./commands/version.ts')),
  entry('ls ls2', () => import('./commands/ls.ts')),
  entry('tree', () => import('./commands/tree.ts')),
  entry('cd', () => import('./commands/cd.ts')),
  entry('pwd', () => import('./commands/pwd.ts')),
  entry('get', () => import('./commands/get.ts')),
  entry('stat', () => import('./commands/stat.ts')),
  entry('exists', () => import('./commands/exists.ts')),
  entry('getAllChildrenNumber', () => import('./commands/get-all-children-number.ts')),
  entry('getEphemerals', () => import('./commands/get-ephemerals.ts')),
  entry('sync', () => import('./commands/sync.ts')),
  entry('create', () => import('./commands/create.ts')),
  entry('mkdir', () => import('./commands/mkdir.ts')),
  entry('set', () => import('./commands/set.ts')),
  entry('put', () => import('./commands/put.ts')),
  entry('delete rm', () => import('./commands/delete.ts')),
  entry('deleteall rmr', () => import('./commands/delete-all.ts')),
  entry('addWatch', () => import('./commands/add-watch.ts')),
  entry('removewatches', () => import('./commands/remove-watches.ts')),
  entry('printwatches', () => import('./commands/print-watches.ts')),
  entry('getAcl', () => import('./commands/get-acl.ts')),
  entry('setAcl', () => import('./commands/set-acl.ts')),
  entry('setquota', () => import('./commands/set-quota.ts')),
  entry('listquota', () => import('./commands/list-quota.ts')),
  entry('delquota', () => import('./commands/del-quota.ts')),
  entry('config', () => import('./commands/get-config.ts')),
  entry('settings', () => import('./commands/settings.ts')),
  entry('history', () => import('./commands/history.ts')),
  entry('redo', () => import('./commands/redo.ts')),
  entry('help ? man', () => import('./commands/help.ts')),
  entry('quit exit', () => import('./commands/quit.ts')),
];

const BY_NAME = new Map<string, RegistryEntry>();
for (const each of REGISTRY) {
  for (const name of [each.name, ...each.aliases]) BY_NAME.set(name.toLowerCase(), each);
}
const LOADED = new Map<RegistryEntry, CommandSpec>();

/** The entry of a name or alias, in any case. */
export const findEntry = (name: string): RegistryEntry | undefined => BY_NAME.get(name.toLowerCase());

/** The command of a name, loaded; undefined when there is none. */
export async function loadCommand(name: string): Promise<CommandSpec | undefined> {
  const found = findEntry(name);
  if (found === undefined) return undefined;
  const spec = LOADED.get(found) ?? (await found.load());
  LOADED.set(found, spec);
  return spec;
}

/** The command if it was loaded before, without waiting; the prompt loads all of them in the background. */
export const loadedCommand = (name: string): CommandSpec | undefined => {
  const found = findEntry(name);
  return found === undefined ? undefined : LOADED.get(found);
};

/** All commands, in the registry's order. */
export const loadCommands = async (): Promise<readonly CommandSpec[]> =>
  Promise.all(REGISTRY.map(async (each) => (await loadCommand(each.name)) as CommandSpec));
