/** The shell tied to this process: streams, files, environment. */
import { connect, fourLetterWord } from '../client/connect.ts';
import { ConfigFileError, readConfig } from '../config/config-file.ts';
import { type Folders, folders } from '../config/folders.ts';
import { toPlain } from '../out/plain.ts';
import { packageVersion } from '../platform/version.ts';
import type { HistoryLines, Registry } from '../shell/command.ts';
import { EventRing } from '../shell/event-ring.ts';
import { Failure, usage } from '../shell/failure.ts';
import { asTypedHere } from '../shell/file-reason.ts';
import { NOBODY_READS } from '../shell/pipelines.ts';
import { ShellSession, type Target } from '../shell/session.ts';
import { Profiles, Settings, UserFile } from '../shell/settings.ts';
import { type CommandRecord, Shell } from '../shell/shell.ts';
import { unapplied } from '../shell/transaction.ts';
import { Trash } from '../shell/trash.ts';
import { parseDuration } from '../shell/units.ts';
import { isVariableName, VARIABLE_NAME } from '../shell/variables.ts';
import type { TerminalHolder } from './ask.ts';
import { realPorts, tellingRefusals } from './client-ports.ts';
import type { Globals } from './globals.ts';
import {
  isFile,
  openFile,
  pipeOs,
  readScript,
  readStdin,
  refuseStdin,
  runOs,
  startProgram,
  streamStdin,
  userEditor,
} from './os.ts';
import type { Pragmas } from './pragmas.ts';
import { Presenter } from './presenter.ts';
import { Safety } from './safety.ts';
import { drained } from './standard-output.ts';
import { chooseTarget, type TargetSources, targetOf, targetText } from './targets.ts';
import type { Trace } from './trace.ts';

export interface HostOptions {
  readonly globals: Globals;
  /** Target given as a word. */
  readonly said?: string | undefined;
  /** A server of our own, instead of any target. */
  readonly target?: Target | undefined;
  /** Somebody types at a prompt. */
  readonly interactive: boolean;
  /** Somebody is there to answer questions; asked when it matters. */
  readonly canAsk: () => boolean;
  /** Arguments of a script: `${1}` and so on. */
  readonly args?: readonly string[];
  /** What a script says about itself. */
  readonly script?: Pragmas;
  /** Standard input is the script. */
  readonly readsScript?: boolean;
  /** Exactly one command: data of one node goes into a file byte for byte. */
  readonly single?: boolean;
  /** The commands there are; all when nothing is said. */
  readonly registry?: Registry | undefined;
}

/** A shell and what its front ends need of it. */
export interface Host {
  readonly shell: Shell;
  readonly session: ShellSession;
  readonly settings: Settings;
  readonly profiles: Profiles;
  readonly folders: Folders;
  readonly presenter: Presenter;
  /** Lends the terminal to questions and programs; the prompt's editor. */
  holder: TerminalHolder | undefined;
  onPromptChange: () => void;
  /** Something would not end: a command, or a session that was only looked at. It does not keep the program. */
  isForced: boolean;
  history: HistoryLines;
  close(): Promise<void>;
}

const NO_HISTORY: HistoryLines = { list: () => [], clear: () => {} };

/** A default profile there may be. */
const SOME = { default: '' };

/** @throws Failure (2) for options, profiles or configuration that do not fit */
export async function openHost(options: HostOptions): Promise<Host> {
  const { interactive, single = false } = options;
  const output = options.globals.output ?? options.script?.output;
  const globals: Globals = output === undefined ? options.globals : { ...options.globals, output };
  const places = folders();
  const faults: string[] = [];
  const needsFile =
    options.target === undefined &&
    targetText(options.said, { globals, profiles: SOME, env: process.env }).startsWith('@');
  const { settings, profiles } = profilesOf(
    globals,
    places,
    needsFile ? undefined : (fault) => void faults.push(fault),
  );
  const sources: TargetSources = { globals, profiles, configFile: places.configFile, env: process.env };
  const target = options.target ?? targetOrFault(options.said, sources);
  const registry = options.registry ?? (await import('../commands/index.ts')).registry;
  const presenter = await Presenter.open({ globals, settings, interactive, single });
  for (const fault of faults) presenter.warn(`${fault}; it is ignored, since a server was named`);
  const { strange } = settings;
  if (strange.length > 0)
    presenter.warn(
      `config.json: there ${strange.length === 1 ? 'is no setting' : 'are no settings'} ${strange.join(', ')}; settings lists what there is`,
    );
  let isClosing = false;
  const trace = globals.verbose === true ? await traceTo(presenter) : undefined;
  const events = new EventRing();
  const trash = new Trash({ folder: globals.history ? places.trash : undefined, now: () => Date.now() });
  const watched = (...[event, change, watch]: Parameters<Presenter['event']>): void => {
    if (isClosing) return; // what goes with the session is no news
    events.add(event, Date.now());
    session.heard(event);
    if (host.shell.showsEvents) presenter.event(event, change, watch);
  };
  const session = new ShellSession(target, {
    connect: (text, how, refused) => {
      const ports = trace?.ports ?? realPorts;
      return connect(text, how, refused === undefined ? ports : tellingRefusals(ports, text, refused));
    },
    target: (text) => targetOf(text, sources),
    word: fourLetterWord,
    news: (line) => {
      if (!isClosing) presenter.news(line);
    },
    changed: () => host.onPromptChange(),
    watched,
    now: () => performance.now(),
    interactive,
  });
  presenter.watchOf = (path) => session.watchOf(path);
  presenter.onEnough = () => void host.shell.interrupt(NOBODY_READS);
  const safety = new Safety({
    canAsk: options.canAsk,
    yes: globals.yes === true,
    isProtected: () => session.details.protect === true,
    profile: () => session.details.profile,
    showHeld: () => presenter.settle(host.holder),
    get holder() {
      return host.holder;
    },
  });
  const opTimeout = durationReader();
  const shell = new Shell({
    version: packageVersion(),
    registry,
    session,
    settings,
    profiles,
    history: { list: () => host.history.list(), clear: () => host.history.clear() },
    ensembles: async () => (await import('./local-ensembles.ts')).localEnsembles(),
    snapshot: async (file, root) => (await import('./snapshot-nodes.ts')).snapshotNodes(file, root),
    show: (output) => presenter.show(output),
    redraw: (output) => presenter.redraw(output),
    plain: toPlain,
    write: (bytes) => presenter.write(bytes),
    drained,
    progress: (what) => presenter.progress(what),
    input: options.readsScript === true ? refuseStdin : streamStdin,
    choose: (question, choices) => safety.choose(question, choices),
    events,
    trash,
    tell: (told) => {
      const failure = unapplied(single ? told.failure : asTypedHere(told.failure), told.command, shell.changes);
      presenter.tell({ ...told, failure }, trace?.refused);
    },
    endedByUser: () => presenter.endLine(),
    get record() {
      return presenter.isJson ? (each: CommandRecord) => presenter.record(each) : undefined;
    },
    settled: () => presenter.settle(host.holder),
    readFile: readScript,
    isFile,
    clearScreen: () => {
      if (process.stdout.isTTY === true) process.stdout.write('\x1b[H\x1b[2J\x1b[3J');
    },
    warn: (line) => presenter.warn(line),
    complain: (line) => presenter.complain(line),
    confirm: (plan, spec) => safety.confirm(plan, spec.risk),
    confirmWrite: async (spec) => {
      // what cannot be sent is not asked about
      const { fault } = session.details;
      if (fault !== undefined) throw fault;
      await safety.confirmWrite(spec);
    },
    askSecret: (question) => safety.askSecret(question),
    watched,
    news: (line) => presenter.news(line),
    editor: userEditor,
    os: (line, signal, isBeside) => runOs(line, signal, host.holder, isBeside),
    pipe: (line, signal, isBeside) => pipeOs(line, signal, host.holder, isBeside),
    start: (words, env, signal, leaving) => startProgram({ words, env, signal, leaving }, host.holder),
    openFile,
    stdin: options.readsScript === true ? refuseStdin : readStdin,
    interactive,
    get asks() {
      return globals.yes !== true && options.canAsk();
    },
    saysYes: globals.yes === true,
    readOnly: globals.readOnly === true || process.env.ZOOSH_READ_ONLY === '1',
    dryRun: globals.dryRun === true,
    opTimeoutMs: () => globals.opTimeout ?? opTimeout(settings.get('op-timeout')),
    keepGoing: options.script?.continueOnError ?? globals.continueOnError === true,
    variables: variablesOf(globals, options.args ?? []),
    env: process.env,
  });
  const host: Host = {
    shell,
    session,
    settings,
    profiles,
    folders: places,
    presenter,
    holder: undefined,
    onPromptChange: () => {},
    isForced: false,
    history: NO_HISTORY,
    async close() {
      isClosing = true;
      presenter.flush();
      await session.close();
    },
  };
  return host;
}

/** Asked for with every request: the text is read when it is another one. */
function durationReader(): (text: string) => number {
  let [last, ms] = ['0', 0];
  return (text) => {
    if (text !== last) [last, ms] = [text, parseDuration(text)];
    return ms;
  };
}

/** Loaded when somebody wants to see it. */
async function traceTo(presenter: Presenter): Promise<Trace> {
  const { Trace } = await import('./trace.ts');
  return new Trace(
    (line) => presenter.trace(line),
    () => performance.now(),
  );
}

/** `profile` must work to mend a profile that does not. */
function targetOrFault(said: string | undefined, sources: TargetSources): Target {
  try {
    return chooseTarget(said, sources);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // the prompt says whose servers are meant, and whether they are protected
    const text = targetText(said, sources);
    const known = sources.profiles.list().find(({ name }) => text === `@${name}`);
    const named = known && { profile: known.name, color: known.profile.color, protect: known.profile.protect };
    return { server: '', options: {}, fault: error, ...named };
  }
}

/** The configuration file's settings and profiles. `spare` takes what is wrong with it, where nothing of it is needed. @throws Failure (2) */
export function profilesOf(
  globals: Pick<Globals, 'config'>,
  places: Folders,
  spare?: (fault: string) => void,
): { settings: Settings; profiles: Profiles } {
  try {
    const file = globals.config
      ? new UserFile(readConfig(places.configFile), places.configFile)
      : new UserFile({}, undefined);
    return { settings: new Settings(file), profiles: new Profiles(file) };
  } catch (error) {
    if (error instanceof ConfigFileError && spare !== undefined) {
      spare(error.message);
      const file = new UserFile({}, places.configFile);
      return { settings: new Settings(file), profiles: new Profiles(file) };
    }
    if (error instanceof ConfigFileError) throw usage(error.message, 'mend the file, or ignore it with --no-config');
    throw error;
  }
}

function variablesOf({ set }: Globals, args: readonly string[]): Map<string, string> {
  const out = new Map<string, string>();
  for (const text of set) {
    const equals = text.indexOf('=');
    if (equals <= 0) throw usage(`--set is NAME=VALUE, not ${text}`);
    const name = text.slice(0, equals);
    if (!isVariableName(name)) throw usage(`--set: not a name: ${name}`, VARIABLE_NAME);
    out.set(name, text.slice(equals + 1));
  }
  for (const [at, arg] of args.entries()) out.set(String(at + 1), arg);
  out.set('#', String(args.length));
  return out;
}
