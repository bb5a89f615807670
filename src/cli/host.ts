/** The shell tied to this process: streams, files, environment. */
import { spawn } from 'node:child_process';
import { fstatSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from '../client/connect.ts';
import { registry } from '../commands/index.ts';
import { ConfigFileError, readConfig } from '../config/config-file.ts';
import { type Folders, folders } from '../config/folders.ts';
import { visible, visibleLine } from '../out/data.ts';
import { EventFolder, eventJson, eventLine } from '../out/events.ts';
import { failureText } from '../out/failures.ts';
import { toPlain } from '../out/plain.ts';
import { type Mode, render } from '../out/render.ts';
import { decideColor, makeTheme, type Theme } from '../out/theme.ts';
import { packageVersion } from '../platform/version.ts';
import type { HistoryLines } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { ShellSession, type Target } from '../shell/session.ts';
import { Profiles, Settings, UserFile } from '../shell/settings.ts';
import { Shell, type Told } from '../shell/shell.ts';
import type { TerminalHolder } from './ask.ts';
import type { Globals } from './globals.ts';
import { Safety } from './safety.ts';
import { chooseTarget, type TargetSources, targetOf } from './targets.ts';

export interface HostOptions {
  readonly globals: Globals;
  /** Target given as a word. */
  readonly said?: string | undefined;
  /** A server of our own, instead of any target. */
  readonly target?: Target | undefined;
  /** Somebody types at a prompt. */
  readonly interactive: boolean;
  /** Somebody is there to answer questions. */
  readonly canAsk: boolean;
  /** Arguments of a script: `${1}` and so on. */
  readonly args?: readonly string[];
  /** Exactly one command: data of one node goes into a file byte for byte. */
  readonly single?: boolean;
}

/** Lines that appear on their own while somebody types; the prompt's editor takes them over. */
export interface LineSink {
  /** A whole line for people, on standard error or above the prompt. */
  line(text: string): void;
}

/** A shell and what its front ends need of it. */
export interface Host {
  readonly shell: Shell;
  readonly session: ShellSession;
  readonly settings: Settings;
  readonly profiles: Profiles;
  readonly folders: Folders;
  readonly theme: Theme;
  readonly events: EventFolder;
  /** Replaced by the prompt. */
  sink: LineSink;
  holder: TerminalHolder | undefined;
  onPromptChange: () => void;
  history: HistoryLines;
  close(): Promise<void>;
}

const NO_HISTORY: HistoryLines = { list: () => [], clear: () => {} };

/** @throws Failure (2) for options, profiles or configuration that do not fit */
export async function openHost(options: HostOptions): Promise<Host> {
  const { globals, interactive } = options;
  const places = folders();
  const profiles = profilesOf(globals, places);
  const sources: TargetSources = {
    globals,
    profiles: profiles.profiles,
    configFile: places.configFile,
    env: process.env,
  };
  const target = options.target ?? targetOrFault(options.said, sources);
  const { settings } = profiles;
  const outIsTerminal = process.stdout.isTTY === true;
  const wish = globals.color === false ? 'never' : globals.color;
  const ascii = globals.ascii === true || process.env.ZOOSH_ASCII === '1' || !isUtf8(process.env);
  const theme = await makeTheme(decideColor(wish, process.env, outIsTerminal), ascii);
  const errTheme = await makeTheme(decideColor(wish, process.env, process.stderr.isTTY === true), ascii);
  const said = globals.output ?? modeOf(process.env.ZOOSH_OUTPUT);
  const mode = (): Mode => said ?? (outIsTerminal ? (settings.get('output') as Mode) : 'plain');
  settings.onChange = (name) => {
    if (name === 'output') chosen = settings.get('output') as Mode;
  };
  let chosen: Mode | undefined;
  const modeNow = (): Mode => chosen ?? mode();
  const exact = options.single === true && isRegularFile(1);

  const news = (line: string): void => {
    if (globals.quiet !== true) host.sink.line(errTheme.dim(visibleLine(line)));
  };
  const session = new ShellSession(target, {
    connect,
    target: (text) => targetOf(text, sources),
    news: (line) => {
      if (interactive) news(line);
      else if (globals.quiet !== true && !closing) process.stderr.write(`${visibleLine(line)}\n`);
    },
    changed: () => host.onPromptChange(),
    watched: (event) => watched(event),
    now: () => performance.now(),
    interactive,
  });
  const safety = new Safety({
    canAsk: options.canAsk,
    yes: globals.yes === true,
    isProtected: () => session.details.protect === true,
    get holder() {
      return host.holder;
    },
  });
  const watched = (event: Parameters<EventFolder['take']>[0]): void => {
    if (!host.shell.showsEvents) return;
    const at = new Date();
    if (interactive) host.events.take(event, at);
    else if (modeNow() === 'json' || modeNow() === 'ndjson') process.stderr.write(`${eventJson(event, at)}\n`);
    else host.sink.line(eventLine(event, at, errTheme)); // a script gets every one of them
  };
  let closing = false;
  const show = (output: Output): void => {
    const now = modeNow();
    if (exact && now === 'plain' && output.type === 'node' && output.form === 'text' && !output.showStat)
      process.stdout.write(output.data ?? '');
    else {
      const screen = { theme, width: widthOf(), now: Date.now() };
      process.stdout.write(render(output, now, screen, outIsTerminal));
    }
  };
  const tell = (told: Told): void => {
    const isJson = modeNow() === 'json' || modeNow() === 'ndjson';
    process.stderr.write(failureText(told, isJson ? 'json' : 'text', errTheme));
    if (globals.verbose === true && told.failure.exit === 70)
      process.stderr.write(`${(told.failure.cause as Error | undefined)?.stack ?? ''}\n`);
  };
  const shell = new Shell({
    version: packageVersion(),
    registry,
    session,
    settings,
    profiles: profiles.profiles,
    history: { list: () => host.history.list(), clear: () => host.history.clear() },
    show,
    plain: toPlain,
    tell,
    warn: (line) => {
      if (globals.quiet !== true) process.stderr.write(`${visible(line)}\n`);
    },
    confirm: (plan) => safety.confirm(plan),
    confirmWrite: (spec) => safety.confirmWrite(spec),
    askSecret: (question) => safety.askSecret(question),
    watched,
    os: (line, input, signal) => runOs(line, input, signal, host.holder),
    writeFile,
    stdin: readStdin,
    interactive,
    readOnly: globals.readOnly === true || process.env.ZOOSH_READ_ONLY === '1',
    keepGoing: globals.continueOnError === true,
    variables: variablesOf(globals, options.args ?? []),
    env: process.env,
  });
  const host: Host = {
    shell,
    session,
    settings,
    profiles: profiles.profiles,
    folders: places,
    theme,
    events: new EventFolder((line) => host.sink.line(line), errTheme),
    sink: { line: (text) => process.stderr.write(`${text}\n`) },
    holder: undefined,
    onPromptChange: () => {},
    history: NO_HISTORY,
    async close() {
      closing = true;
      host.events.flush();
      await session.close();
    },
  };
  return host;
}

/** `profile` must work to mend a profile that does not. */
function targetOrFault(said: string | undefined, sources: TargetSources): Target {
  try {
    return chooseTarget(said, sources);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { server: '', options: {}, fault: error };
  }
}

/** The configuration file's settings and profiles. @throws Failure (2) */
export function profilesOf(
  globals: Pick<Globals, 'config'>,
  places: Folders,
): { settings: Settings; profiles: Profiles } {
  try {
    const file = globals.config
      ? new UserFile(readConfig(places.configFile), places.configFile)
      : new UserFile({}, undefined);
    return { settings: new Settings(file), profiles: new Profiles(file) };
  } catch (error) {
    if (error instanceof ConfigFileError) throw usage(error.message, 'mend the file, or ignore it with --no-config');
    throw error;
  }
}

const modeOf = (text: string | undefined): Mode | undefined => {
  if (text === undefined || text === '') return undefined;
  if (text === 'human' || text === 'plain' || text === 'json' || text === 'ndjson') return text;
  throw usage(`ZOOSH_OUTPUT is one of human, plain, json, ndjson, not ${text}`);
};

const isUtf8 = (env: NodeJS.ProcessEnv): boolean => {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return locale === undefined || locale === '' || /utf-?8/i.test(locale);
};

/** Columns of the terminal; a window of no size counts as 80. */
const widthOf = (): number => process.stdout.columns || Number(process.env.COLUMNS) || 80;

const isRegularFile = (fd: number): boolean => {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
};

function variablesOf({ set }: Globals, args: readonly string[]): Map<string, string> {
  const out = new Map<string, string>();
  for (const text of set) {
    const equals = text.indexOf('=');
    if (equals <= 0) throw usage(`--set is NAME=VALUE, not ${text}`);
    out.set(text.slice(0, equals), text.slice(equals + 1));
  }
  for (const [at, arg] of args.entries()) out.set(String(at + 1), arg);
  out.set('#', String(args.length));
  return out;
}

function readStdin(): Uint8Array {
  if (process.stdin.isTTY === true)
    throw usage('@- reads standard input, which is the terminal', 'redirect it from a file');
  try {
    return readFileSync(0);
  } catch (error) {
    throw usage(`standard input cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function writeFile(file: string, bytes: Uint8Array, append: boolean): void {
  try {
    writeFileSync(file, bytes, { flag: append ? 'a' : 'w' });
  } catch (error) {
    throw usage(`cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** A line of the operating system's shell; the terminal is its own meanwhile. */
function runOs(
  line: string,
  input: Uint8Array | undefined,
  signal: AbortSignal,
  holder: TerminalHolder | undefined,
): Promise<number> {
  holder?.pause();
  return new Promise<number>((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', line], {
      stdio: [input === undefined ? 'inherit' : 'pipe', 'inherit', 'inherit'],
    });
    const stop = (): void => {
      child.kill('SIGINT');
    };
    signal.addEventListener('abort', stop, { once: true });
    child.on('error', (error) => reject(new Failure(126, 'CannotRun', `cannot run ${line}: ${error.message}`)));
    child.on('close', (code, killed) => {
      signal.removeEventListener('abort', stop);
      resolve(code ?? (killed === null ? 1 : 130));
    });
    child.stdin?.on('error', () => {}); // it may end before it has read everything
    child.stdin?.end(input);
  }).finally(() => holder?.resume());
}
