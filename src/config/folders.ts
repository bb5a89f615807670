import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where everything a user keeps lies; none of these need exist. */
export interface Folders {
  /** config.json and rc.zk */
  readonly config: string;
  /** history and trash */
  readonly state: string;
  /** answers kept for seconds, and compiled code (boot.ts) */
  readonly cache: string;
  /** local ensembles */
  readonly data: string;
  readonly configFile: string;
  readonly rcFile: string;
  readonly historyFile: string;
  readonly trash: string;
  readonly ensembles: string;
}

/** Of this user; one without a name, as in a container, has none unless HOME says. */
export function homeHere(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}

/**
 * The folders by the XDG base directory rules: a variable that is unset, empty or not absolute counts as unset.
 * `ZOOSH_HOME` puts all of them under one folder.
 */
export function folders(env: Readonly<Record<string, string | undefined>> = process.env, home = homeHere()): Folders {
  const own = env.ZOOSH_HOME;
  const under = (variable: string, fallback: string, name: string): string => {
    if (own !== undefined && own !== '') return join(own, name);
    const base = env[variable];
    return join(base !== undefined && isAbsolute(base) ? base : join(home, fallback), 'zoosh');
  };
  const config = under('XDG_CONFIG_HOME', '.config', 'config');
  const state = under('XDG_STATE_HOME', '.local/state', 'state');
  const cache = under('XDG_CACHE_HOME', '.cache', 'cache');
  const data = under('XDG_DATA_HOME', '.local/share', 'data');
  return {
    config,
    state,
    cache,
    data,
    configFile: join(config, 'config.json'),
    rcFile: join(config, 'rc.zk'),
    historyFile: join(state, 'history'),
    trash: join(state, 'trash'),
    ensembles: join(data, 'ensembles'),
  };
}
