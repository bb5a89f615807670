import { existsSync, statSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { folders } from '../config/folders.ts';
import { apacheCode } from '../operate/apache-codes.ts';
import { placesOf, type Surroundings } from '../operate/places.ts';
import { splitFlags } from '../operate/settings.ts';
import { sourcedEnv } from '../operate/sourced.ts';
import { nearest } from '../shell/suggest.ts';
import { refuseDryRun } from './dry-run.ts';
import type { Globals } from './globals.ts';
import type { Operation } from './operation.ts';
import { readOptions } from './options.ts';
import { explainStart, UsageError } from './start-failures.ts';
import { showUsage } from './width.ts';

const USAGE = `usage: zoosh server [--config DIR|FILE] VERB [NAME|FILE] [-Dzookeeper.KEY=VALUE]... [-Xmx2g] [--set KEY=VALUE]...
  start                 in the background; pid file and output as ZooKeeper's script has them
  start-foreground      in this process
  stop | restart        by the pid file; --timeout 30s says how long it may take
  status                asks the server for its mode; exit code 1 when nobody answers
  config                every setting in force, and where it came from
  version | print-cmd   what would run, and how
  log-level [LEVEL]     tell or change what a running server logs: debug, info, warn, error
  initialize            an empty data directory: --myid N, --force (removes what is there), --configfile FILE
  cleanup [DATALOGDIR [SNAPDIR]] -n COUNT
                        remove snapshots and logs beyond COUNT snapshots, 3 at least; a server that runs does it itself
  backup FILE           all znodes of a running server at one zxid, for zoosh restore; --control PATH, --rate 20M a second
  bundle [OUT.tgz]      what somebody needs who is to help, without secrets and data
  from-env [--print]    write zoo.cfg and myid from ZOO_* and ZOOKEEPER_* variables of container images
  accept-loss           go on alone with what one directory holds, when the rest of an ensemble is lost; --help tells more
NAME is a file below the configuration folder (--config, ZOOCFGDIR, /etc/zookeeper/conf), zoo.cfg by default; FILE has a slash.
Options of start and start-foreground: --log-level --log-format --log-file --log-max-size --log-max-files, as of zoosh start.
Read from the environment: ZOOCFGDIR ZOOCFG ZOO_LOG_DIR ZOO_LOG_FILE ZOOPIDFILE SERVER_JVMFLAGS JVMFLAGS JAVA_OPTS
ZK_SERVER_HEAP ZOO_LOG4J_PROP ZOO_DATADIR_AUTOCREATE_DISABLE, and environment, zookeeper-env.sh, java.env in the configuration folder,
/etc/default/zookeeper for that of /etc/zookeeper/conf.`;

const BACKUP_USAGE = `usage: zoosh backup FILE [NAME] [--config DIR|FILE | --control PATH] [--rate 20M] [-o json]
Writes all znodes of a running server, at one zxid, into FILE, for zoosh restore. The server goes on meanwhile, and is asked by its
control socket, so this runs on its machine and as its user. The file is read again before it counts; one that is there is left.
  --config DIR|FILE  of which server: its zoo.cfg, or the folder of it; else ZOOCFGDIR, or /etc/zookeeper/conf
  NAME               another file than zoo.cfg in that folder
  --control PATH     its control socket, where the data directory does not tell it
  --rate SIZE        at most so many bytes a second`;

const OPTIONS = {
  apache: { type: 'boolean' },
  config: { type: 'string' },
  set: { type: 'string', multiple: true },
  'log-level': { type: 'string' },
  'log-format': { type: 'string' },
  'log-file': { type: 'string' },
  'log-max-size': { type: 'string' },
  'log-max-files': { type: 'string' },
  'started-as': { type: 'string' },
  'ignore-apache-data': { type: 'boolean' },
  'bootstrap-with': { type: 'string' },
  control: { type: 'string' },
  timeout: { type: 'string' },
  configfile: { type: 'string' },
  myid: { type: 'string' },
  force: { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' },
  count: { type: 'string', short: 'n' },
  print: { type: 'boolean' },
  rate: { type: 'string' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const;
const parse = (args: readonly string[]) => readOptions({ args: [...args], options: OPTIONS, allowPositionals: true });
export type ServerValues = ReturnType<typeof parse>['values'];

/** Each verb, loaded when it is said. */
const VERBS: Readonly<Record<string, () => Promise<(operation: Operation) => Promise<number>>>> = {
  start: async () => (await import('./server-run.ts')).start,
  'start-foreground': async () => (await import('./server-run.ts')).startForeground,
  stop: async () => (await import('./server-run.ts')).stop,
  restart: async () => (await import('./server-run.ts')).restart,
  'print-cmd': async () => (await import('./server-run.ts')).printCommand,
  status: async () => (await import('./server-tell.ts')).status,
  version: async () => (await import('./server-tell.ts')).version,
  config: async () => (await import('./server-tell.ts')).config,
  'log-level': async () => (await import('./server-tell.ts')).logLevel,
  initialize: async () => (await import('./server-files.ts')).initialize,
  cleanup: async () => (await import('./cleanup.ts')).cleanup,
  backup: async () => (await import('./server-backup.ts')).backup,
  bundle: async () => (await import('./server-bundle.ts')).bundle,
  'from-env': async () => (await import('./server-env.ts')).fromEnv,
  'accept-loss': async () => (await import('./accept-loss.ts')).runAcceptLoss,
};
/** Verbs of Apache's script, in its order. */
const APACHE_VERBS = ['start', 'start-foreground', 'stop', 'version', 'restart', 'status', 'print-cmd'];
/** Verbs of other scripts of Apache's, which say nothing about the configuration they use. */
const QUIET = new Set(['initialize', 'cleanup', 'from-env']);

/** Verbs whose help is their own. */
const OWN_HELP = new Set(['initialize', 'accept-loss']);

/** Verbs that change nothing, or show what they would change. */
const SHOWN = new Set(['status', 'config', 'version', 'print-cmd', 'initialize', 'from-env', 'accept-loss']);

/** Verbs with a word of their own before the configuration's name. */
const WITH_WORD = new Set(['log-level', 'bundle', 'backup']);

function cannot(verb: string): string {
  const close = nearest(verb, Object.keys(VERBS))[0];
  return `server: unknown verb ${verb}${close === undefined ? '' : `; did you mean ${close} ?`}`;
}

/** Of the verb that is said, where it has its own. */
const usageOf = (args: readonly string[]): string =>
  args.find((word) => Object.hasOwn(VERBS, word)) === 'backup' ? BACKUP_USAGE : USAGE;

/** Of `cleanup` what is no folder is the name of a configuration, but by the name of Apache's script, which has no such word. */
const foldersSaid = (verb: string, words: readonly string[], isApache: boolean): readonly string[] =>
  verb === 'cleanup' && (isApache || words.length > 1 || words.every(isFolder)) ? words : [];

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** What depends on this process and this machine. */
export function surroundings(): Surroundings {
  let user = process.env.USER ?? '';
  try {
    if (user === '') user = userInfo().username;
  } catch {
    user = String(process.getuid?.() ?? ''); // containers give numbers that have no name
  }
  return { env: process.env, user, host: hostname(), state: folders().state, exists: existsSync, isFolder };
}

/** Verbs that fail with one code by the names of Apache's scripts, whatever it was; `stop` has nothing to stop then. */
const AS_SCRIPTS: Readonly<Record<string, number>> = { status: 1, stop: 0, initialize: 1 };
const codeOf = (error: unknown): number => (error instanceof UsageError ? 2 : apacheCode(error));

/** `zoosh server VERB ...`. Returns the exit code. @throws Failure (30, 31) when something was not allowed */
export async function runServer(args: readonly string[], globals: Globals): Promise<number> {
  const isApache = args.includes('--apache');
  try {
    return await run(args, globals, isApache);
  } catch (error) {
    if (isApache && error instanceof UsageError && args.includes('cleanup')) {
      process.stdout.write((await import('./cleanup.ts')).PURGE_USAGE);
      return 1; // as Apache's tool, whatever it was
    }
    if (!isApache) return explainStart(error, usageOf(args));
    try {
      explainStart(error, usageOf(args));
    } catch {
      process.stderr.write(`${(error as Error).message}\n`);
    }
    return AS_SCRIPTS[args.find((word) => Object.hasOwn(VERBS, word)) ?? ''] ?? codeOf(error);
  }
}

async function run(args: readonly string[], globals: Globals, isApache: boolean): Promise<number> {
  const { flags, words } = splitFlags(args);
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(words);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals } = parsed;
  const [verb = ''] = positionals;
  const folders = foldersSaid(verb, positionals.slice(1), isApache);
  const [name, more] = folders.length > 0 ? [] : positionals.slice(1);
  if (values.help === true && !OWN_HELP.has(verb)) {
    if (verb === 'cleanup' && isApache) throw new UsageError('it has no such option');
    showUsage(usageOf(args));
    return 0;
  }
  const around = surroundings();
  const own = WITH_WORD.has(verb);
  const places = placesOf(around, values.configfile ?? values.config, own ? more : name);
  const load = VERBS[verb];
  if (isApache && !QUIET.has(verb)) process.stderr.write(`Using config: ${places.config}\n`);
  if (load === undefined) {
    if (!isApache) throw new UsageError(verb === '' ? 'server: VERB is missing' : cannot(verb));
    const script = process.env.ZOOSH_SHIM ?? 'zkServer.sh';
    process.stderr.write(`Usage: ${script} [--config <conf-dir>] {${APACHE_VERBS.join('|')}}\n`);
    return 0; // as Apache's script has it
  }
  if ((own ? positionals[3] : more) !== undefined) throw new UsageError(`server ${verb}: one word too many`);
  if (!SHOWN.has(verb) && !(verb === 'log-level' && name === undefined)) refuseDryRun(`server ${verb}`, globals);
  // what an image's variables come to does not depend on files that they are to replace, and Kafka's scripts read none of these
  const { env, failed } =
    verb === 'from-env' || values['started-as'] !== undefined
      ? { env: process.env, failed: [] }
      : sourcedEnv(places.configDir, process.env);
  for (const sentence of failed) process.stderr.write(`warning: ${sentence}\n`);
  const operation: Operation = {
    isApache,
    values,
    flags,
    word: own ? name : undefined,
    folders,
    // what the files set counts for where things are, too; only the folder is known by now
    places: placesOf({ ...around, env }, values.configfile ?? values.config ?? places.configDir, own ? more : name),
    env,
    isJson: [values.output, globals.output].some((mode) => mode === 'json' || mode === 'ndjson'),
    yes: values.yes === true || globals.yes === true,
    isDry: globals.dryRun === true,
  };
  return (await load())(operation);
}
