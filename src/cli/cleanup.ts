import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { askMember } from '../ensemble/control-client.ts';
import { historiesIn } from '../operate/initialize.ts';
import type { DirectoryLock } from '../platform/lock.ts';
import { readBeside } from '../runtime/config-files.ts';
import { tryDirectory } from '../runtime/directory.ts';
import { loadTree, ownId } from '../runtime/load.ts';
import { REAL_PORTS } from '../runtime/node-options.ts';
import { lockable } from '../runtime/server-folders.ts';
import { StartError } from '../runtime/start-error.ts';
import { checkConfig, type ServerConfig } from '../server/config.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { type Loaded, loadConfig, type Operation } from './operation.ts';
import { UsageError } from './start-failures.ts';

const say = (text: string): void => void process.stdout.write(text);
const LEAST_KEPT = 3;

/** What Apache's tool prints for words that it does not take. */
export const PURGE_USAGE = `Usage:
PurgeTxnLog dataLogDir [snapDir] -n count
\tdataLogDir -- path to the txn log directory
\tsnapDir -- path to the snapshot directory
\tcount -- the number of old snaps/logs you want to keep, value should be greater than or equal to 3
`;

/**
 * `cleanup [dataLogDir [snapDir]] -n COUNT`: as autopurge does; a server that runs does it itself. By Apache's name the
 * directories of zoo.cfg come before those that are said, as its script has it.
 */
export async function cleanup(operation: Operation): Promise<number> {
  const { values, isApache, folders } = operation;
  const refuse = (reason: string): number => {
    if (!isApache) throw new UsageError(`server cleanup: ${reason || 'say -n COUNT'}`);
    say(PURGE_USAGE);
    if (reason !== '') process.stderr.write(`${reason}\n`);
    return 1;
  };
  if (values.count === undefined) return refuse('');
  const loaded = isApache || folders.length === 0 ? loadConfig(operation) : undefined;
  const dirs = [...(loaded === undefined ? [] : dirsOf(loaded.config)), ...folders.map((dir) => resolve(dir))];
  const [logDir = '', snapDir = logDir, more] = dirs;
  if (more !== undefined) return refuse(isApache ? '' : 'one word too many');
  // in the order in which Apache's tool finds out
  for (const dir of [logDir, snapDir]) {
    if (existsSync(dir)) continue;
    if (isApache) return refuse(`Path '${dir}' does not exist. `);
    throw new StartError(
      40,
      loaded === undefined
        ? `the directory ${dir} does not exist`
        : `the data directory ${dir} does not exist; correct dataDir in ${operation.places.config}`,
    );
  }
  if (!/^-?\d{1,9}$/.test(values.count)) return refuse(`'${values.count}' can not be parsed to integer.`);
  const keep = Number(values.count);
  if (keep < LEAST_KEPT) return refuse('count should be greater than or equal to 3');
  if (loaded === undefined || folders.length > 0) return clean(ofDirectories(logDir, snapDir), keep);
  if (historiesIn([snapDir, logDir]).every((path) => !path.endsWith('zoosh-1'))) return 0;
  return clean(loaded, keep);
}

const dirsOf = ({ dataDir, dataLogDir }: ServerConfig): string[] =>
  dataDir === dataLogDir ? [dataDir] : [dataLogDir, dataDir];

/**
 * What a server with these directories would have as its configuration. One of two directories without the other is no
 * server's: its lock and its snapshots are elsewhere. @throws StorageRefusal (42)
 */
function ofDirectories(logDir: string, snapDir: string): Pick<Loaded, 'config' | 'control'> {
  const has = (dir: string, file: string): boolean => existsSync(join(dir, 'zoosh-1', file));
  for (const dir of [logDir, snapDir])
    if (!has(dir, 'identity')) throw new StorageRefusal(42, `${dir} holds no data of a zoosh server`);
  if (has(logDir, 'identity.copy') !== (logDir === snapDir) || has(snapDir, 'identity.copy') !== (logDir === snapDir))
    throw new StorageRefusal(
      42,
      logDir === snapDir
        ? `${logDir} is one of two directories of its server: say both, the one of the log first`
        : `${logDir} and ${snapDir} are not the two directories of one server`,
    );
  const settings = [
    { key: 'dataDir', value: snapDir, from: { option: 'snapDir' } },
    { key: 'dataLogDir', value: logDir, from: { option: 'dataLogDir' } },
  ];
  return { config: checkConfig(settings, readBeside(settings)), control: join(snapDir, 'control.sock') };
}

async function clean({ config, control }: Pick<Loaded, 'config' | 'control'>, keep: number): Promise<number> {
  const { dataDir, dataLogDir } = config;
  const locks: DirectoryLock[] = [];
  try {
    // a server locks its dataDir; who mixed the two up must not get past it
    for (const dir of lockable([dataDir, dataLogDir])) {
      const lock = await tryDirectory(dir);
      if (lock === undefined) return await leaveIt(config, dir, dir === dataDir ? control : undefined, keep);
      locks.push(lock);
    }
    // everything is read and verified first: what is kept must be enough
    const { storage } = await loadTree(config, ownId(config), false, 1, REAL_PORTS);
    try {
      const [damaged] = storage.damage?.sentences ?? [];
      if (damaged !== undefined) throw new StorageRefusal(44, damaged);
      for (const name of await storage.purge(keep)) say(`Removing file: ${name}\n`);
    } finally {
      await storage.close();
    }
    return 0;
  } finally {
    for (const lock of locks) lock.release();
  }
}

/** A server that runs removes its files itself: it knows what it needs. */
async function leaveIt(
  { purgeIntervalMs }: ServerConfig,
  dir: string,
  control: string | undefined,
  keep: number,
): Promise<number> {
  if (purgeIntervalMs > 0) {
    process.stderr.write('the server runs, and removes old files by itself (autopurge.purgeInterval)\n');
    return 0;
  }
  try {
    if (control === undefined) throw new Error('it is not known, or its path would be too long');
    const { removed, count } = await askMember(control, { op: 'purge', keep });
    for (const name of removed) say(`Removing file: ${name}\n`);
    if (count > removed.length) say(`and ${count - removed.length} more\n`);
    return 0;
  } catch (error) {
    throw new StorageRefusal(
      42,
      `a zoosh server uses ${dir}, and only it may remove its files; its control socket does not answer (${(error as Error).message}): set autopurge.purgeInterval=1, or stop it first`,
    );
  }
}
