import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readBeside } from '../runtime/config-files.ts';
import { DynamicFiles } from '../runtime/dynamic-file.ts';
import { type LogLevel, makeLogger } from '../runtime/log.ts';
import { startServer } from '../runtime/start.ts';
import { StartError } from '../runtime/start-error.ts';
import { checkConfig, parseAssignment, type ServerConfig, type Setting } from '../server/config.ts';
import { type Globals, NO_GLOBALS } from './globals.ts';
import { Leash } from './leash.ts';
import { explainStart, settingsIn, UsageError } from './start-failures.ts';

const USAGE = `usage: zoosh start standalone [--port 2181] [--host 127.0.0.1] [--data DIR | --memory] [--set KEY=VALUE]...
       zoosh start server --config zoo.cfg [--myid N] [--set KEY=VALUE]... [--bootstrap-with N]
       zoosh start ensemble [NAME] [-n 3] ...      zoosh start ensemble --help tells more
       zoosh start observer (--join HOST:PORT,... | --config zoo.cfg) [--myid N] [--port P] [--data DIR] [--set KEY=VALUE]...
options: -d (leave it running; standard output has only HOST:PORT)   --log-level debug|info|warn|error
         --log-format text|ndjson   --ignore-apache-data   --control PATH (a control socket, for zoosh ensemble)
         --leash (end when standard input ends, and remove each --temporary PATH; a line  keep  there spares these,
         free  lets it live on)
--bootstrap-with N founds a new ensemble when N of its voters, a majority at least, are there with empty directories; the
others are admitted when they come. Without it all voters are waited for.`;

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
  'ignore-apache-data': { type: 'boolean' },
  detach: { type: 'boolean', short: 'd' },
  control: { type: 'string' },
  leash: { type: 'boolean' },
  temporary: { type: 'string', multiple: true },
  'bootstrap-with': { type: 'string' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const;

const option = (name: string, value: string): Setting => parseAssignment(`${name}=${value}`, `--set ${name}`);
/** Told by its key: the value may be a secret. @throws ConfigError */
const settingOf = (text: string): Setting =>
  parseAssignment(text, text.includes('=') ? `--set ${text.slice(0, text.indexOf('='))}` : '--set');

/** Settings of the form asked for, and a folder to be removed at the end, if any. */
async function settingsOf(
  form: string,
  values: ReturnType<typeof parse>['values'],
): Promise<{ settings: Setting[]; myid?: string | undefined; remove?: string }> {
  const sets = (values.set ?? []).map(settingOf);
  if (form === 'observer' && values.join !== undefined) {
    const { observerLines } = await import('./start-observer.ts');
    const { join: servers, myid, port, host = '127.0.0.1', data = './zoosh-observer' } = values;
    const found = await observerLines({ join: servers, myid, port, host, dataDir: resolve(data) });
    return { settings: [...found.lines.map((line) => parseAssignment(line, '--join')), ...sets], myid: found.myid };
  }
  if (form !== 'standalone') {
    const file = values.config;
    if (file === undefined)
      throw new UsageError(
        `start ${form} needs ${form === 'observer' ? '--join HOST:PORT,... or ' : ''}--config zoo.cfg`,
      );
    return { settings: [...settingsIn(file), ...sets], myid: values.myid };
  }
  const remove = values.memory === true ? mkdtempSync(join(tmpdir(), 'zoosh-')) : undefined;
  const settings = [
    option('tickTime', '2000'),
    option('clientPort', values.port ?? '2181'),
    option('clientPortAddress', values.host ?? '127.0.0.1'),
    option('dataDir', remove ?? values.data ?? './zoosh-data'),
    ...sets,
  ];
  return remove === undefined ? { settings } : { settings, remove };
}

/** How many voters are enough to found the ensemble; undefined: all. @throws UsageError, StartError */
function bootstrapWith(text: string | undefined, config: ServerConfig): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new UsageError(`--bootstrap-with ${text} is no number of servers`);
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

const parse = (argv: string[]) => parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });

/** `zoosh start ...`: serves until SIGTERM, SIGINT or SIGHUP. One `ready HOST:PORT` line on stdout. Returns the exit code. */
export async function runStart(argv: string[], globals: Globals = NO_GLOBALS): Promise<number> {
  if (argv[0] === 'ensemble') return (await import('./start-ensemble.ts')).runStartEnsemble(argv.slice(1), globals);
  const remove: string[] = [];
  try {
    let parsed: ReturnType<typeof parse>;
    try {
      parsed = parse(argv);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
    const { values, positionals } = parsed;
    if (values.help === true) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const [form = '', more] = positionals;
    if (!['standalone', 'server', 'observer'].includes(form) || more !== undefined)
      throw new UsageError(form === '' ? 'say what to start' : `cannot start ${more ?? form}`);
    const level = values['log-level'] ?? 'info';
    const format = values['log-format'] ?? 'text';
    if (!['debug', 'info', 'warn', 'error'].includes(level)) throw new UsageError(`no log level ${level}`);
    if (format !== 'text' && format !== 'ndjson') throw new UsageError(`no log format ${format}`);
    const made = await settingsOf(form, values);
    if (made.remove !== undefined) remove.push(made.remove);
    const config = checkConfig(made.settings, readBeside(made.settings, made.myid));
    if (form === 'observer' && config.ensemble?.role !== 'observer')
      throw new StartError(43, `server ${config.serverId} is no observer by its server line; start server starts it`);
    const enough = bootstrapWith(values['bootstrap-with'], config);
    if (values.detach === true) return await detached(argv, form, config.clientPort, values.output ?? globals.output);
    const logger = makeLogger(level as LogLevel, format);
    for (const note of config.notes) logger.warn(note);
    const files =
      values.config !== undefined && config.ensemble !== undefined && config.reconfigEnabled
        ? new DynamicFiles(values.config, config.ensemble, logger)
        : undefined;
    const server = await startServer({
      config,
      logger,
      ...(files !== undefined && { configured: files.configured }),
      control: values.control,
      ignoreApacheData: values['ignore-apache-data'] === true,
      bootstrapWith: enough,
      onFailed: (error) => {
        // what reached the disk is unknown from here on: say so and let a restart read it again (D10)
        logger.error(
          `the transaction log cannot be written: ${error.message}. The server stops; start it again once the disk works`,
        );
        process.exit(40);
      },
    });
    logger.info(`binding to port ${server.host}:${server.port}`);
    const leash = values.leash === true ? new Leash(process.stdin) : undefined;
    const signal = untilSignal(leash);
    server.serving.then(() => process.stdout.write(`ready ${server.host}:${server.port}\n`));
    await signal;
    leash?.drop();
    logger.info('stopping');
    await server.stop();
    await files?.idle();
    if (leash?.isTorn === true) remove.push(...(values.temporary ?? []));
    return 0;
  } catch (error) {
    return explainStart(error, USAGE);
  } finally {
    // other members may be removing the same, or still be writing there
    for (const path of remove) rmSync(path, { recursive: true, force: true, maxRetries: 8 });
  }
}

/** Starts the same without `-d` in a process of its own. */
async function detached(
  argv: readonly string[],
  form: string,
  port: number | undefined,
  mode: string | undefined,
): Promise<number> {
  const [{ folders }, { startDetached }] = await Promise.all([import('../config/folders.ts'), import('./detach.ts')]);
  const words = argv.flatMap((word) => (word === '-d' || word === '--detach' ? [] : [word]));
  const started = await startDetached(words, join(folders().state, 'log', `${form}-${port ?? 'none'}.log`));
  if (typeof started === 'number') return started;
  const { server, pid, log } = started;
  process.stderr.write(`process ${pid}, log in ${log}; kill ${pid} stops it\n`);
  process.stdout.write(mode === 'json' || mode === 'ndjson' ? `${JSON.stringify(started)}\n` : `${server}\n`);
  return 0;
}

function untilSignal(leash: Leash | undefined): Promise<void> {
  return new Promise((resolve) => {
    leash?.ended.then(resolve);
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
    process.once('SIGHUP', resolve); // its terminal went away: end in order, temporary data too
  });
}
