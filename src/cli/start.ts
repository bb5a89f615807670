import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setImmediate as loopTurn } from 'node:timers/promises';
import { apacheCode, apacheSentence } from '../operate/apache-codes.ts';
import { ComingUp } from '../operate/come-up.ts';
import { type Env, gather, refuseOpenDoors, splitFlags } from '../operate/settings.ts';
import { systemMemory } from '../platform/control-group.ts';
import type { DirectoryLock } from '../platform/lock.ts';
import { readBeside } from '../runtime/config-files.ts';
import { DynamicFiles } from '../runtime/dynamic-file.ts';
import { watchMemory } from '../runtime/memory-watch.ts';
import { holdLogDirectory } from '../runtime/server-folders.ts';
import { type RunningServer, startServer } from '../runtime/start.ts';
import { StartError } from '../runtime/start-error.ts';
import { checkConfig, parseAssignment, type ServerConfig, type Setting } from '../server/config.ts';
import { Pressure } from '../server/pressure.ts';
import { nearest } from '../shell/suggest.ts';
import { choice } from '../shell/units.ts';
import { refuseBeyond } from './beyond-import.ts';
import { refuseDryRun } from './dry-run.ts';
import { type Globals, NO_GLOBALS } from './globals.ts';
import { Leash } from './leash.ts';
import { readOptions } from './options.ts';
import { runAgain } from './run-again.ts';
import { explainStart, settingSaid, settingsIn, UsageError } from './start-failures.ts';
import { logWish, openLog } from './start-log.ts';
import { temporaryFolder } from './temporary.ts';
import { showUsage } from './width.ts';

const USAGE = `usage: zoosh start standalone [--port 2181] [--host 127.0.0.1] [--data DIR | --memory] [--set KEY=VALUE]...
       zoosh start server --config zoo.cfg [--myid N] [--set KEY=VALUE]... [--bootstrap-with N]
       zoosh start observer (--join HOST:PORT,... | --config zoo.cfg) [--myid N] [--port P] [--data DIR] [--set KEY=VALUE]...
       zoosh start ensemble [NAME] [-n 3] ...
Serves until Ctrl-C; a line on standard output, ready HOST:PORT, says that it does. zoosh start ensemble --help tells of ensembles.
  --port P               where clients are served: 2181; of an observer that joins the first free port from 2181 on
  --host HOST            the address of that port, 127.0.0.1
  --data DIR             ./zoosh-data; of an observer that joins ./zoosh-observer
  --memory               no data is kept when it ends
  --join HOST:PORT,...   servers of the ensemble that the observer follows
  --config FILE          a zoo.cfg
  --myid N               the server's id; of an observer that joins the one it had, or the lowest that is free
  --set KEY=VALUE        a setting as in zoo.cfg; repeatable
  --bootstrap-with N     found a new ensemble when N of its voters, a majority at least, are there with empty directories;
                         the others are admitted when they come. Without it all voters are waited for
  --ignore-apache-data   begin with nothing beside the data of an Apache server
  -d                     leave it running; standard output has only HOST:PORT. A member that waits for a quorum counts as started
  --log-level LEVEL      debug, info, warn or error
  --log-format FORMAT    text or ndjson
  --log-file FILE        opened again on SIGHUP; --log-max-size 50M and --log-max-files 10 turn it over
  -Dzookeeper.KEY=VALUE  a setting, as for Java; with --config also from SERVER_JVMFLAGS, JVMFLAGS and JAVA_OPTS
  -Xmx2g                 memory for the server; with --config also from ZK_SERVER_HEAP`;

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  memory: { type: 'boolean' },
  config: { type: 'string' },
  myid: { type: 'string' },
  join: { type: 'string' },
  set: { type: 'string', multiple: true },
  'log-level': { type: 'string' },
  'log-format': { type: 'string' },
  'log-file': { type: 'string' },
  'log-max-size': { type: 'string' },
  'log-max-files': { type: 'string' },
  'ignore-apache-data': { type: 'boolean' },
  detach: { type: 'boolean', short: 'd' },
  control: { type: 'string' },
  // for who starts it in the background: src/operate/launch.ts
  'no-faults': { type: 'boolean' },
  // for members of an ensemble of this machine: src/ensemble/layout.ts has written the super user's digest
  'own-super': { type: 'boolean' },
  'tell-up': { type: 'boolean' },
  'pid-file': { type: 'string' },
  'started-as': { type: 'string' },
  leash: { type: 'boolean' },
  temporary: { type: 'string', multiple: true },
  'bootstrap-with': { type: 'string' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const;

const option = (name: string, value: string): Setting => parseAssignment(`${name}=${value}`, `--set ${name}`);

/** What a form of `start` begins with. */
interface Made {
  /** As in a file. */
  readonly file: Setting[];
  readonly myid?: string | undefined;
  /** A folder to be removed at the end. */
  readonly remove?: string;
}

/** Settings of the form asked for, and a folder to be removed at the end, if any. */
async function settingsOf(form: string, values: ReturnType<typeof parse>['values']): Promise<Made> {
  if (form === 'observer' && values.join !== undefined) {
    const { observerLines } = await import('./start-observer.ts');
    const { join: servers, myid, port, host = '127.0.0.1', data = './zoosh-observer' } = values;
    const found = await observerLines({ join: servers, myid, port, host, dataDir: resolve(data) });
    return { file: found.lines.map((line) => parseAssignment(line, '--join')), myid: found.myid };
  }
  if (form !== 'standalone') {
    const file = values.config;
    if (file === undefined)
      throw new UsageError(
        `start ${form} needs ${form === 'observer' ? '--join HOST:PORT,... or ' : ''}--config zoo.cfg`,
      );
    return { file: settingsIn(file), myid: values.myid };
  }
  const remove = values.memory === true ? temporaryFolder() : undefined;
  const file = [
    option('tickTime', '2000'),
    option('clientPort', portSaid(values.port ?? '2181')),
    option('clientPortAddress', values.host ?? '127.0.0.1'),
    option('dataDir', remove ?? values.data ?? './zoosh-data'),
  ];
  return remove === undefined ? { file } : { file, remove };
}

/** @throws UsageError */
function portSaid(text: string): string {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new UsageError(`--port ${text} is not a port`);
  return text;
}

/** How many voters are enough to found the ensemble; undefined: all. @throws UsageError, StartError */
function bootstrapWith(text: string | undefined, config: ServerConfig): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new UsageError(`--bootstrap-with ${text} is not a number of servers`);
  const { ensemble } = config;
  if (ensemble === undefined)
    throw new StartError(
      43,
      '--bootstrap-with is for a member of an ensemble, and this server runs alone: leave it out',
    );
  const voters = ensemble.servers.filter(({ role }) => role === 'participant').length;
  const least = Math.floor(voters / 2) + 1;
  const enough = Number(text);
  if (enough >= least && enough <= voters) return enough;
  throw new StartError(
    43,
    `--bootstrap-with ${enough}: of ${voters} voters at least ${least} and at most ${voters} found an ensemble`,
  );
}

const parse = (argv: readonly string[]) => readOptions({ args: [...argv], options: OPTIONS, allowPositionals: true });

const FORMS = ['standalone', 'server', 'ensemble', 'observer'];
/** A file where a word was expected is most likely a configuration. */
function whyNot(form: string, more: string | undefined): string {
  const word = more ?? form;
  if (/[./]/.test(word)) return `${word} is not an option's: start server --config ${word} reads it`;
  if (more !== undefined) return `start: one word too many: ${more}`;
  const close = nearest(word, FORMS)[0];
  return `start: ${word} is not ${choice(FORMS)}${close === undefined ? '' : `; did you mean ${close} ?`}`;
}

/** Who starts a server, when it is not a person. */
export interface StartedBy {
  /** After the files that Apache's scripts run. */
  readonly env: Env;
  /** Exit codes are those of Apache's server. */
  readonly isApache: boolean;
}

/**
 * `zoosh start ...`: serves until SIGTERM, SIGINT or, in the foreground without any log file, SIGHUP. One `ready HOST:PORT` line on stdout.
 * Returns the exit code.
 */
export async function runStart(
  argv: readonly string[],
  globals: Globals = NO_GLOBALS,
  { env, isApache }: StartedBy = { env: process.env, isApache: false },
): Promise<number> {
  if (argv[0] === 'ensemble') return (await import('./start-ensemble.ts')).runStartEnsemble(argv.slice(1), globals);
  const remove: string[] = [];
  const servesOn = (): void => {};
  let leash: Leash | undefined;
  let temporary: readonly string[] = [];
  let logLock: DirectoryLock | undefined;
  try {
    const { flags, words } = splitFlags(argv);
    let parsed: ReturnType<typeof parse>;
    try {
      parsed = parse(words);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
    const { values, positionals } = parsed;
    if (values.help === true) {
      showUsage(USAGE);
      return 0;
    }
    const [form = '', more] = positionals;
    if (!['standalone', 'server', 'observer'].includes(form) || more !== undefined)
      throw new UsageError(form === '' ? `start: say ${choice(FORMS)}` : whyNot(form, more));
    refuseDryRun(`start ${form}`, globals);
    // who reads what it says may go, and its disk may be full: a server serves on
    process.stdout.on('error', servesOn);
    using coming = new ComingUp(values['tell-up'] === true);
    const made = await settingsOf(form, values);
    if (made.remove !== undefined) remove.push(made.remove);
    const gathered = gather({
      // words for Java machines are meant for the server of a zoo.cfg, not for one that somebody tries something with; the
      // processes of an ensemble on this machine, which are on a leash, are paused and killed as what they are
      env: values.config === undefined || values.leash === true ? {} : env,
      flags,
      file: made.file,
      sets: (values.set ?? []).map(settingSaid),
    });
    refuseOpenDoors(gathered.settings);
    const wish = logWish(values, gathered.logLevel);
    const config = checkConfig(gathered.settings, readBeside(gathered.settings, made.myid));
    if (form === 'observer' && config.ensemble?.role !== 'observer')
      throw new StartError(
        43,
        `server ${config.serverId} is not an observer by its server line; start server starts it`,
      );
    const enough = bootstrapWith(values['bootstrap-with'], config);
    if (values.detach === true) return await detached(argv, form, config, values.output ?? globals.output);
    const ended = await runAgain(gathered.heap?.mib);
    if (ended !== undefined) return ended;
    const { logger, file } = openLog(wish);
    for (const note of [...gathered.notes, ...config.notes]) logger.warn(note);
    const files =
      values.config !== undefined && config.ensemble !== undefined && config.reconfigEnabled
        ? new DynamicFiles(values.config, config.ensemble, logger)
        : undefined;
    let serving: RunningServer | undefined;
    // one in the background has left its terminal, as by nohup in ZooKeeper's script
    const outlives = file !== undefined || hasAuditFile(config) || values['pid-file'] !== undefined;
    if (outlives)
      process.on('SIGHUP', () => {
        file?.reopen();
        serving?.reopenLogs?.();
      });
    const pressure = new Pressure();
    const started = {
      config,
      pressure,
      logger,
      ...(files !== undefined && { configured: files.configured }),
      control: values.control,
      ownSuper: values['own-super'] === true,
      ignoreApacheData: values['ignore-apache-data'] === true,
      bootstrapWith: enough,
      onFailed: (error: Error): void => {
        if (error instanceof StartError) {
          logger.error(`${error.message}. The server stops`);
          process.exit(isApache ? 1 : error.exitCode);
        }
        // what reached the disk is unknown from here on: say so and let a restart read it again (D10)
        logger.error(
          `the transaction log cannot be written: ${error.message}. The server stops; start it again once the disk works`,
        );
        process.exit(isApache ? 1 : 40);
      },
    };
    leash = values.leash === true ? new Leash(process.stdin) : undefined;
    temporary = values.temporary ?? [];
    if (values['ignore-apache-data'] !== true) await refuseBeyond(config);
    logLock = await holdLogDirectory(config, logger);
    using _memory = watchMemory(pressure, logger, systemMemory());
    const server = await startServer(started, values['no-faults'] !== true);
    if (config.clientPort !== undefined) logger.info(`binding to port ${addressText(server)}`);
    serving = server;
    const signal = untilSignal(leash, !outlives);
    coming.up();
    server.serving.then(() => process.stdout.write(`ready ${addressText(server)}\n`));
    await signal;
    logger.info('stopping');
    await server.stop();
    await files?.idle();
    return 0;
  } catch (error) {
    if (!isApache) return explainStart(error, USAGE);
    process.stderr.write(apacheSentence(apacheCode(error)));
    explainStart(error, USAGE);
    return apacheCode(error);
  } finally {
    logLock?.release();
    process.stdout.off('error', servesOn);
    // a start that failed because the others removed what it was given makes way, too: the end that they saw is seen first
    if (leash !== undefined) await loopTurn();
    if (leash?.isTorn === true) remove.push(...temporary);
    leash?.drop();
    // other members may be removing the same, or still be writing there
    for (const path of remove) rmSync(path, { recursive: true, force: true, maxRetries: 8 });
  }
}

/** Starts the same without `-d` in a process of its own. */
async function detached(
  argv: readonly string[],
  form: string,
  { clientPort: port, clientPortAddress, ensemble }: ServerConfig,
  mode: string | undefined,
): Promise<number> {
  const [{ folders }, { startDetached }] = await Promise.all([import('../config/folders.ts'), import('./detach.ts')]);
  const words = argv.flatMap((word) => (word === '-d' || word === '--detach' ? [] : [word]));
  const log = join(folders().state, 'log', `${form}-${port ?? 'none'}.log`);
  const server = port === undefined ? '-' : addressText({ host: clientPortAddress ?? '127.0.0.1', port });
  const started = await startDetached(words, { log, server, isMember: ensemble !== undefined });
  if (typeof started === 'number') return started;
  const { pid, waits } = started;
  process.stderr.write(`process ${pid}, log in ${log}; kill ${pid} stops it\n`);
  if (waits !== undefined) process.stderr.write(`it runs and does not serve yet: ${waits}\n`);
  process.stdout.write(mode === 'json' || mode === 'ndjson' ? `${JSON.stringify(started)}\n` : `${started.server}\n`);
  return 0;
}

const addressText = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

const hasAuditFile = ({ audit }: ServerConfig): boolean => audit.enabled && audit.file !== undefined;

function untilSignal(leash: Leash | undefined, endsHungUp: boolean): Promise<void> {
  return new Promise((resolve) => {
    leash?.ended.then(resolve);
    process.on('SIGTERM', resolve); // a service manager tells us, and who started us hands it on: once is enough
    process.once('SIGINT', resolve);
    if (endsHungUp) process.once('SIGHUP', resolve); // its terminal went away: end in order, temporary data too
  });
}
