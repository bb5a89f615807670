import { dirname, join, resolve } from 'node:path';
import type { Env } from './settings.ts';

/** What of the system the places of a server depend on. */
export interface Surroundings {
  readonly env: Env;
  readonly user: string;
  readonly host: string;
  /** Where logs go when nobody says: the state folder of the user. */
  readonly state: string;
  exists(path: string): boolean;
  isFolder(path: string): boolean;
}

/** Where a server's configuration and logs are. */
export interface Places {
  readonly configDir: string;
  readonly config: string;
  readonly logDir: string;
  /** What a server in the background says. */
  readonly outFile: string;
  /** Set when ZOO_LOG_FILE asks for one. */
  readonly logFile: string | undefined;
}

const set = (text: string | undefined): string | undefined => (text === undefined || text === '' ? undefined : text);

/** The folder of zoo.cfg: as said, of the environment, beside the scripts' folder, or the system's. */
export function configDirOf({ env, isFolder }: Surroundings, said: string | undefined): string {
  const own = said ?? set(env.ZOOCFGDIR);
  if (own !== undefined) return own;
  const home = set(env.ZOOSH_SHIM_HOME);
  const beside = home === undefined ? [] : [join(home, 'conf'), join(home, 'etc/zookeeper')];
  const found = [...beside, '/etc/zookeeper/conf', '/etc/zookeeper'].find(isFolder);
  return found ?? beside[0] ?? '/etc/zookeeper/conf';
}

/**
 * By the rules of ZooKeeper's scripts. `dir` is what `--config` says, a folder; or a file, which then is the configuration.
 * `name` is the word behind the verb: a name below the folder, or a path.
 */
export function placesOf(around: Surroundings, dir: string | undefined, name: string | undefined): Places {
  const { env, user, host, state, exists, isFolder } = around;
  // one that is not there is told by its own name, not by that of a file in it
  const isFile = dir !== undefined && (exists(dir) ? !isFolder(dir) : dir.endsWith('.cfg'));
  // what stands beside another configuration is not meant
  const configDir = isFile ? dirname(dir) : configDirOf(around, dir);
  const wanted = name ?? set(env.ZOOCFG) ?? 'zoo.cfg';
  const config = isFile && name === undefined ? dir : wanted.includes('/') ? wanted : join(configDir, wanted);
  const logDir = set(env.ZOO_LOG_DIR) ?? join(state, 'log');
  const logFile = set(env.ZOO_LOG_FILE);
  return {
    configDir,
    config: resolve(config),
    logDir,
    outFile: join(logDir, `zookeeper-${user}-server-${host}.out`),
    logFile: logFile === undefined ? undefined : logFile.includes('/') ? logFile : join(logDir, logFile),
  };
}

/** The file that holds the number of a server's process. */
export const pidFileOf = (env: Env, dataDir: string): string =>
  set(env.ZOOPIDFILE) ?? join(dataDir, 'zookeeper_server.pid');
