import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { apacheCode, apacheSentence } from '../operate/apache-codes.ts';
import { launch, launchWords } from '../operate/launch.ts';
import { secretsIn, without } from '../operate/masked.ts';
import { PidFile, startedAs } from '../operate/pid-file.ts';
import { userOfProcess } from '../operate/whose.ts';
import { makeServerFolders } from '../runtime/server-folders.ts';
import { DataDirError } from '../runtime/start.ts';
import { StartError } from '../runtime/start-error.ts';
import { parseTimed } from '../shell/units.ts';
import { ownCommand } from './local-ensembles.ts';
import { type Loaded, loadConfig, type Operation, pidPath, startWords } from './operation.ts';
import { memoryWords } from './run-again.ts';
import { runStart } from './start.ts';
import { errorText } from './width.ts';

/** How long a server in the background may take until its ports are open before it is left to itself, ms. */
const UP_MS = 30_000;
const STOP_MS = 30_000;

const say = (text: string): void => void process.stdout.write(text);

/** Program and arguments of a server in the background, without what ties it to who starts it. */
function command(operation: Operation, loaded: Loaded): { program: string; args: string[] } {
  const { program, args } = ownCommand();
  const script = args.at(-1) as string;
  return {
    program,
    args: [...memoryWords(loaded.gathered.heap?.mib), script, 'start', ...startWords(operation, loaded)],
  };
}

/** @throws DataDirError: nothing is made where the operator wants the directory to be there */
function checkDataDir({ config }: Loaded): void {
  if (config.dataDirMustExist && !existsSync(config.dataDir))
    throw new DataDirError(
      40,
      `the data directory is missing at ${config.dataDir}; correct the path, or run zoosh server initialize`,
    );
}

/** Whoever starts it learns it now, not on the day when he wants a backup. */
function warnOfControl({ control, config }: Loaded): void {
  if (control === undefined)
    process.stderr.write(
      `warning: the path of ${config.dataDir} is too long for a control socket, by which backup, log-level and cleanup ask a server: start it with --control PATH\n`,
    );
}

/** `start`. */
export async function start(operation: Operation): Promise<number> {
  const { isApache, places, env, isJson } = operation;
  if (isApache) say('Starting zookeeper ... ');
  let loaded: Loaded;
  try {
    loaded = loadConfig(operation);
    checkDataDir(loaded);
    makeServerFolders(loaded.config);
    warnOfControl(loaded);
  } catch (error) {
    if (!isApache) throw error;
    say('FAILED TO START\n');
    process.stderr.write(errorText((error as Error).message));
    return 1;
  }
  const pidFile = new PidFile(loaded.pidFile);
  const found = pidFile.find();
  if (found.state === 'running') {
    if (isApache) {
      say(`already running as process ${found.pid}.\n`);
      return 1;
    }
    throw new StartError(42, `it runs already, as process ${found.pid}`);
  }
  const launched = await launch({
    ...command(operation, loaded),
    env: env as NodeJS.ProcessEnv,
    pidFile,
    outFile: places.outFile,
    waitMs: UP_MS,
  });
  if (launched.state === 'started') {
    const { pid, isReady } = launched;
    if (isApache) say('STARTED\n');
    else if (isJson) say(`${JSON.stringify({ pid, pidFile: pidFile.path, out: places.outFile, isUp: isReady })}\n`);
    else say(`started, process ${pid}; what it says is in ${places.outFile}\n`);
    if (!isReady) process.stderr.write(`it still reads its files after ${UP_MS / 1000} s\n`);
    return 0;
  }
  if (launched.state === 'no place') {
    if (!isApache) throw new StartError(40, launched.why);
    say(launched.why.startsWith('the pid file') ? 'FAILED TO WRITE PID\n' : 'FAILED TO START\n');
    process.stderr.write(errorText(launched.why));
    return 1;
  }
  if (isApache) say('FAILED TO START\n');
  process.stderr.write(launched.said);
  return isApache ? 1 : launched.code;
}

/** `start-foreground`. */
export async function startForeground(operation: Operation): Promise<number> {
  const { isApache, env } = operation;
  let words: string[];
  try {
    const loaded = loadConfig(operation);
    checkDataDir(loaded);
    warnOfControl(loaded);
    words = startWords(operation, loaded);
  } catch (error) {
    if (isApache) process.stderr.write(apacheSentence(apacheCode(error)));
    throw error;
  }
  return runStart(words, undefined, { env, isApache });
}

/** `stop`. */
export async function stop(operation: Operation): Promise<number> {
  const { isApache, values } = operation;
  if (values['started-as'] !== undefined) return stopStarted(values['started-as']);
  const ms = values.timeout === undefined ? STOP_MS : parseTimed(values.timeout, '--timeout');
  if (isApache) say('Stopping zookeeper ... ');
  const path = pidPath(operation);
  const pidFile = new PidFile(path);
  const found = pidFile.find();
  let left: string | undefined;
  switch (found.state) {
    case 'none':
      say(isApache ? `no zookeeper to stop (could not find file ${path})\n` : `nothing to stop: there is no ${path}\n`);
      return isApache ? 0 : 1;
    case 'stale': {
      const why = found.isTaken
        ? `process ${found.pid} is not the server that ${path} is about, and is left alone`
        : `the server that ${path} is about has ended`;
      // the number is nobody's of ours: the file is of no use to anyone
      left = pidFile.remove();
      say(isApache ? `no zookeeper to stop (${why})\n` : `nothing to stop: ${why}\n`);
      if (left !== undefined) process.stderr.write(`warning: ${left}\n`);
      return isApache ? 0 : 1;
    }
    case 'running':
      if (!told(found.pid)) return notAllowed(found.pid, path, isApache);
      if (!(await pidFile.gone(ms))) {
        process.stderr.write(`process ${found.pid} has not ended after ${ms / 1000}s; it goes on ending\n`);
        return isApache ? 0 : 1;
      }
      left = pidFile.remove();
      say(isApache ? 'STOPPED\n' : `stopped, process ${found.pid}\n`);
      if (left !== undefined) process.stderr.write(`warning: ${left}\n`);
      return 0;
  }
}

/** False: this user may not. With 0 it is only asked whether. */
function told(pid: number, signal: 'SIGTERM' | 0 = 'SIGTERM'): boolean {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPERM') return false;
    // it ended just now, and is waited for as any other
  }
  return true;
}

/** Apache's script ends with 0 here as well. @throws StartError */
function notAllowed(pid: number, path: string, isApache: boolean): number {
  const why = `process ${pid}, which ${path} is about, is another user's: do it as ${userOfProcess(pid)}`;
  if (!isApache) throw new StartError(40, why);
  say('FAILED TO STOP\n');
  process.stderr.write(errorText(why));
  return 0;
}

/** All servers of this user that were started by one of Apache's names, as Kafka's script has it. */
function stopStarted(name: string): number {
  const all = startedAs(name);
  if (all.length === 0) {
    say('No zookeeper server to stop\n');
    return 1;
  }
  const said = process.env.SIGNAL || 'TERM';
  const signal = signalOf(said);
  if (signal === undefined) {
    process.stderr.write(errorText(`SIGNAL=${said} is no signal: nothing was told to end`));
    return 1;
  }
  for (const pid of all) process.kill(pid, signal);
  return 0;
}

/** By its name, with or without SIG, or by its number, as `kill -s` has them. */
function signalOf(said: string): NodeJS.Signals | undefined {
  const name = `SIG${said.toUpperCase().replace(/^SIG/, '')}`;
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  return names.find(([each, number]) => each === name || String(number) === said)?.[0];
}

/** `restart`. What would not start again is not stopped: a slip in zoo.cfg, or a folder, must not end a server that serves. */
export async function restart(operation: Operation): Promise<number> {
  const { isApache } = operation;
  try {
    const loaded = loadConfig(operation);
    checkDataDir(loaded);
    makeServerFolders(loaded.config);
  } catch (error) {
    // where none runs it is told by the start, and of another user's server by the stop
    const found = new PidFile(pidPath(operation)).find();
    if (found.state === 'running' && told(found.pid, 0)) {
      const why = `not stopped, since it would not start again: ${(error as Error).message}`;
      if (!isApache) throw error instanceof StartError ? new StartError(error.exitCode, why) : new StartError(43, why);
      process.stderr.write(errorText(why));
      return 1;
    }
  }
  const code = await stop(operation);
  // nothing to stop is no reason not to start; a server that does not end is one
  if (new PidFile(pidPath(operation)).find().state === 'running') return operation.isApache ? 1 : code;
  return start(operation);
}

/** `print-cmd`: as `start` would run it, but for secrets, which are masked. */
export async function printCommand(operation: Operation): Promise<number> {
  const loaded = loadConfig(operation);
  const { program, args } = command(operation, loaded);
  const words = [program, ...launchWords({ args, pidFile: new PidFile(loaded.pidFile) })];
  const shown = words
    .filter((word) => word !== '--tell-up')
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'"'"'`)}'`));
  const line = `${shown.join(' ')} > '${operation.places.outFile}' 2>&1 < /dev/null\n`;
  say(without(line, secretsIn(loaded.gathered.settings, operation.env)));
  return 0;
}
