import { join } from 'node:path';
import { type Places, pidFileOf } from '../operate/places.ts';
import { type Env, type Gathered, type Given, gather, ordered, refuseOpenDoors } from '../operate/settings.ts';
import { MAX_SOCKET_PATH } from '../platform/unix-socket.ts';
import { readBeside } from '../runtime/config-files.ts';
import { StartError } from '../runtime/start-error.ts';
import { checkConfig, namedFiles, type ServerConfig, type Setting } from '../server/config.ts';
import type { ServerValues } from './server.ts';
import { settingSaid, settingsIn } from './start-failures.ts';

/** One `zoosh server VERB`, as asked for. */
export interface Operation {
  /** Called by a name of Apache's: its texts and exit codes. */
  readonly isApache: boolean;
  readonly values: ServerValues;
  /** `-D` and `-X` words. */
  readonly flags: readonly string[];
  /** What stands before the name of the configuration, for verbs that have such a word. */
  readonly word: string | undefined;
  /** Directories said in the place of a configuration; of `cleanup` alone. */
  readonly folders: readonly string[];
  readonly places: Places;
  /** The environment, after the shell files of the configuration folder. */
  readonly env: Env;
  readonly isJson: boolean;
  readonly yes: boolean;
  /** Only shows what it would do. */
  readonly isDry: boolean;
}

/** A configuration that was read and checked. */
export interface Loaded {
  readonly config: ServerConfig;
  readonly gathered: Gathered;
  readonly pidFile: string;
  /** Where a server of `zoosh server` listens to its operator; undefined when the path is too long for a socket. */
  readonly control: string | undefined;
}

/** @throws StartError, ConfigError */
const given = ({ values, flags, places, env }: Operation): Given => ({
  env,
  flags,
  file: settingsIn(places.config),
  sets: (values.set ?? []).map(settingSaid),
});

/** @throws StartError, ConfigError */
export function loadConfig(operation: Operation): Loaded {
  const { values, env } = operation;
  const gathered = gather(given(operation));
  refuseOpenDoors(gathered.settings);
  const config = checkConfig(gathered.settings, readBeside(gathered.settings, values.myid));
  const socket = values.control ?? join(config.dataDir, 'control.sock');
  return {
    config,
    gathered,
    pidFile: pidFileOf(env, config.dataDir),
    control: Buffer.byteLength(socket) > MAX_SOCKET_PATH && values.control === undefined ? undefined : socket,
  };
}

/** All settings, in the order in which later ones win, not checked. @throws StartError, ConfigError for a file that cannot be read */
export const settingsOf = (operation: Operation): Setting[] => ordered(given(operation));

/** Where the pid file is, also when the configuration is no good any more: its server must be stopped all the same. @throws StartError */
export function pidPath(operation: Operation): string {
  const { places, env } = operation;
  if ((env.ZOOPIDFILE ?? '') !== '') return pidFileOf(env, '');
  const { dataDir } = namedFiles(settingsOf(operation));
  if (dataDir === undefined) throw new StartError(43, `${places.config} names no dataDir, and ZOOPIDFILE is not set`);
  return pidFileOf(env, dataDir);
}

/** The words of `zoosh start` for this server. */
export function startWords({ values, flags, places }: Operation, { control }: Loaded): string[] {
  const words = ['server', '--config', places.config];
  for (const text of values.set ?? []) words.push('--set', text);
  for (const key of [
    'myid',
    'bootstrap-with',
    'log-level',
    'log-format',
    'log-max-size',
    'log-max-files',
    'started-as',
  ] as const)
    if (values[key] !== undefined) words.push(`--${key}`, values[key]);
  const logFile = values['log-file'] ?? places.logFile;
  if (logFile !== undefined) words.push('--log-file', logFile);
  if (values['ignore-apache-data'] === true) words.push('--ignore-apache-data');
  if (control !== undefined) words.push('--control', control, '--no-faults');
  return [...words, ...flags];
}
