import type { FromEnv } from './from-env.ts';
import type { Env } from './settings.ts';

/** Variable, key of zoo.cfg, and the value that the image sets when nobody does. */
const KEYS: readonly (readonly [string, string, string])[] = [
  ['ZOO_DATA_DIR', 'dataDir', '/data'],
  ['ZOO_DATA_LOG_DIR', 'dataLogDir', '/datalog'],
  ['ZOO_TICK_TIME', 'tickTime', '2000'],
  ['ZOO_INIT_LIMIT', 'initLimit', '5'],
  ['ZOO_SYNC_LIMIT', 'syncLimit', '2'],
  ['ZOO_AUTOPURGE_SNAPRETAINCOUNT', 'autopurge.snapRetainCount', '3'],
  ['ZOO_AUTOPURGE_PURGEINTERVAL', 'autopurge.purgeInterval', '0'],
  ['ZOO_MAX_CLIENT_CNXNS', 'maxClientCnxns', '60'],
  ['ZOO_STANDALONE_ENABLED', 'standaloneEnabled', 'true'],
  ['ZOO_ADMINSERVER_ENABLED', 'admin.enableServer', 'true'],
];

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** The variables of Docker Hub's image `zookeeper`. */
export function dockerHub(env: Env): FromEnv {
  const value = (name: string, fallback: string): string => env[name] ?? fallback;
  const lines = KEYS.map(([name, key, fallback]) => `${key}=${value(name, fallback)}`);
  lines.push(...words(env.ZOO_SERVERS || 'server.1=localhost:2888:3888;2181'));
  const whitelist = env.ZOO_4LW_COMMANDS_WHITELIST ?? '';
  if (whitelist !== '') lines.push(`4lw.commands.whitelist=${whitelist}`);
  lines.push(...words(env.ZOO_CFG_EXTRA ?? ''));
  return {
    config: lines,
    configDir: value('ZOO_CONF_DIR', '/conf'),
    configName: 'zoo.cfg',
    dataDir: value('ZOO_DATA_DIR', '/data'),
    myid: env.ZOO_MY_ID || '1',
    flags: [],
    jaas: undefined,
    notes: [],
  };
}
