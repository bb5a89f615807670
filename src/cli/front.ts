/** The ways into the shell: a prompt, one command, commands from -c, a file or standard input, the playground. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDumb, saysAscii } from '../out/theme.ts';
import { packageVersion } from '../platform/version.ts';
import { Failure, usage } from '../shell/failure.ts';
import { LINES_HINT } from '../shell/misspelt.ts';
import type { Target } from '../shell/session.ts';
import { plural } from '../shell/units.ts';
import { textLines } from '../shell/utf8.ts';
import type { Globals } from './globals.ts';
import { type Host, type HostOptions, openHost } from './host.ts';
import { Interrupted, SIGNALS } from './interrupt.ts';
import { readScript } from './os.ts';
import { pragmasOf } from './pragmas.ts';
import { isReaderGone, loseOut, unwritableOut } from './standard-output.ts';
import { ownOptions } from './targets.ts';
import { isTypedByPerson } from './typed.ts';
import { showUsage } from './width.ts';

/** How long the end of the session may take, ms. */
const GRACE_MS = 1000;
/** The same once somebody has interrupted it: who presses Ctrl-C does not wait for a server that says nothing, ms. */
const INTERRUPTED_GRACE_MS = 80;
/** What is said last is written by then, ms. */
const TOLD_MS = 20;

/**
 * Opens a shell, runs `work`, ends the session whatever happened. A signal interrupts the command and ends the program
 * with the session closed, also when nothing runs; a second one ends it at once. At a prompt SIGINT ends the command only.
 */
async function withHost(options: HostOptions, work: (host: Host) => Promise<number>): Promise<number> {
  const host = await openHost(options);
  let signalled: number | undefined;
  let stop: (status: number) => void = () => {};
  const stopped = new Promise<number>((resolve) => {
    stop = resolve;
  });
  const handlers = Object.entries(SIGNALS).map(([signal, status]) => {
    const handler = (): void => {
      if (signal === 'SIGINT' && host.presenter.isPaging) return;
      // the terminal is a command's own meanwhile, `!less`: its Ctrl-C is none of ours
      if (options.interactive && signal === 'SIGINT') {
        host.shell.interrupt();
        return;
      }
      if (signalled !== undefined) process.exit(status); // the second one means it
      signalled = status;
      host.shell.leaving ??= { status };
      if (!host.shell.interrupt()) return stop(status);
      setTimeout(() => {
        host.shell.giveUp();
        stop(status);
      }, host.shell.graceMs).unref();
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  let unwritable: NodeJS.ErrnoException | undefined;
  const unread = (error: NodeJS.ErrnoException): void => {
    const { shell } = host;
    loseOut();
    if (!isReaderGone(error)) unwritable ??= error;
    if (shell.removesOwn || options.interactive) {
      // at a prompt the terminal has gone, and the session is ended as by SIGHUP: its ephemeral nodes go at once
      if (signalled !== undefined) return; // it ends already
      signalled = isReaderGone(error) ? 0 : 2;
      shell.leaving ??= { status: signalled };
      if (!shell.interrupt(NOBODY_LISTENS)) return stop(signalled);
      setTimeout(() => stop(signalled ?? 0), shell.graceMs).unref();
    } else if (isReaderGone(error)) {
      if (options.single === true && !shell.isNeeded) process.exit(0);
      shell.unread();
    } else {
      // what is being changed is changed to its end, and nothing after it
      shell.leaving ??= { status: 0 };
      if (shell.isCut) shell.interrupt(NOBODY_LISTENS);
    }
  };
  process.stdout.on('error', unread);
  let status = 70;
  try {
    status = await Promise.race([work(host), stopped]);
    await sleep(0); // what was said last may not have been written yet
  } finally {
    if (signalled !== undefined && options.interactive) {
      host.onPromptChange = () => {}; // the line being typed is left as it stands
      process.stdout.write('\n');
    }
    const isSuspended = options.interactive && host.session.state === 'suspended';
    const isLost = isSuspended && host.session.isOfOneServer; // nobody else could hear of the end of the session
    const grace = signalled === undefined && !isLost ? GRACE_MS : INTERRUPTED_GRACE_MS;
    const isClosed = await Promise.race([
      host.close().then(() => true),
      sleep(grace, false, { ref: false }),
      // Ctrl-C may come only now, as when the command has failed with its server and the end of the session waits for it
      stopped.then(() => sleep(INTERRUPTED_GRACE_MS, false, { ref: false })),
    ]);
    // the client looks for the server for some time yet; a server of our own is still to be stopped
    if (signalled !== undefined && !isClosed && options.target === undefined) process.exit(signalled);
    // at a prompt nobody waits for a server that is lost, or has been told and says nothing; a client that looks for another has its time
    if (options.interactive && !isClosed && (!isSuspended || isLost) && options.target === undefined)
      setTimeout(() => process.exit(), TOLD_MS).unref();
    // what the command still waits for must not keep the program either
    if (host.isForced) setTimeout(() => process.exit(signalled ?? status), GRACE_MS).unref();
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
    process.stdout.removeListener('error', unread);
    // what still waits for input or an answer must not keep the program
    if (signalled !== undefined) process.stdin.destroy();
  }
  status = signalled ?? status;
  if (unwritable === undefined) return status;
  const failure = unwritableOut(unwritable, host.shell.hasSent);
  host.shell.ports.tell({ failure, command: '', file: undefined, line: undefined });
  return status === 0 ? failure.exit : status;
}

/** What is answered goes nowhere; whoever asked is told in the end. */
const NOBODY_LISTENS = new Failure(130, 'Interrupted', 'nobody reads the answer', { told: true });

/** What src/commands/few.ts has: it is not read to find out. */
export const FEW: ReadonlySet<string> = new Set(['get', 'ls', 'set', 'create', 'delete', 'exists', 'put', 'stat']);

export async function runOne(globals: Globals, said: string | undefined, words: readonly string[]): Promise<number> {
  const isAtomic = globals.atomic === true; // commit asks, which is none of the few
  const registry = FEW.has(words[0] ?? '') && !isAtomic ? (await import('../commands/few.ts')).few : undefined;
  const options = { globals, said, interactive: false, canAsk: isTypedByPerson, single: true, registry };
  return withHost(options, async (host) => {
    if (isAtomic) return (await import('./script.ts')).runAtomicWords(host, words);
    const { shell } = host;
    const status = await shell.runWords(words);
    const { waiting } = shell.changes;
    if (waiting === undefined || status !== 0) return status;
    const isEmpty = shell.ports.registry.find(words[0] ?? '')?.name === 'txn';
    const failure = isEmpty
      ? usage(`${words[0]}: this one command opens a transaction, and nothing can come into it`, LINES_HINT)
      : usage(
          `${words[0]} ends inside a transaction of ${plural(waiting, 'operation')}; nothing was sent`,
          'commit sends it',
        );
    shell.ports.tell({ failure, command: words.join(' '), file: undefined, line: undefined });
    return failure.exit;
  });
}

/** Commands from `-c`, then those of a file, in one session. */
export async function runCommands(globals: Globals, said: string | undefined, script?: ScriptFile): Promise<number> {
  const { endOf, runAtomic, runText } = await import('./script.ts');
  const text = script === undefined ? undefined : readScript(script.file);
  const pragmas = text === undefined ? {} : pragmasOf(text);
  const isAtomic = globals.atomic === true || pragmas.atomic === true;
  const { args } = script ?? {};
  const options = { globals, said, interactive: false, canAsk: () => false, script: pragmas, ...(args && { args }) };
  return withHost(options, async (host) => {
    if (isAtomic) return runAtomic(host, [...globals.command, text ?? ''], script?.file);
    const status = await runEach(host, globals.command, text === undefined);
    return text === undefined || isOver(host) ? endOf(host, status) : runText(host, text, script?.file);
  });
}

const isOver = ({ shell }: Host): boolean => shell.leaving !== undefined || shell.stopped;
/** The commands of `-c`, up to one that ends them all; the status of the last. `isAll`: nothing comes behind them. */
async function runEach(host: Host, commands: readonly string[], isAll: boolean): Promise<number> {
  let status = 0;
  for (const [at, each] of commands.entries()) {
    const isLast = isAll && at === commands.length - 1;
    status = await host.shell.run(each, { line: 1, isBatch: true, isLast });
    if (isOver(host)) break;
  }
  return status;
}

/** Where commands are run. */
interface Where {
  readonly said?: string | undefined;
  readonly target?: Target;
}
/** What errors call standard input. */
const STDIN = 'stdin';

/** Commands from `-c`, then the script on standard input, in one session. */
export async function runInput(globals: Globals, where: Where, args: readonly string[] = []): Promise<number> {
  const { endOf, runAtomic, runStream } = await import('./script.ts');
  const input = textLines(process.stdin, STDIN);
  // the pragmas stand before the first command: so much is read before there is a shell
  const begun = await headOf(input);
  const script = pragmasOf(begun.text);
  return withHost(
    { globals, ...where, interactive: false, canAsk: () => false, readsScript: true, script, args },
    async (host) => {
      if (globals.atomic !== true && script.atomic !== true) {
        const status = await runEach(host, globals.command, false);
        return isOver(host) ? endOf(host, status) : runStream(host, begun.all, STDIN);
      }
      let text = '';
      for await (const chunk of begun.all) text += chunk;
      return runAtomic(host, [...globals.command, text], STDIN);
    },
  );
}

/** A file of commands and its arguments. */
export interface ScriptFile {
  readonly file: string;
  readonly args: readonly string[];
}

export async function runPrompt(globals: Globals, said: string | undefined, isLegacy: boolean): Promise<number> {
  const banner =
    isLegacy && globals.quiet !== true ? ['zkCli spelling understood; --compat zkcli for its exact behaviour'] : [];
  return promptOrScript(globals, { said }, banner);
}

/** A prompt, or the script on standard input, on an ensemble of this machine. */
export const runOnEnsemble = (
  globals: Globals,
  { name, connect }: { name: string; connect: string },
): Promise<number> =>
  promptOrScript(
    globals,
    { target: { server: connect, profile: name, options: { connectTimeoutMs: globals.connectTimeout } } },
    [],
  );

async function promptOrScript(globals: Globals, where: Where, banner: readonly string[]): Promise<number> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return runInput(globals, where);
  if (globals.atomic === true)
    throw usage('--atomic is for scripts and -c', 'at a prompt txn collects changes, and commit sends them as one');
  const { runRepl } = await import('./repl.ts');
  const isDry = globals.dryRun === true && globals.quiet !== true;
  return withHost({ globals, ...where, interactive: true, canAsk: () => true }, (host) =>
    runRepl({
      host,
      version: packageVersion(),
      plain: isDumb(process.env) || saysAscii(globals.ascii, process.env),
      keepsHistory: globals.history,
      readsFiles: globals.config,
      banner: isDry ? [...banner, DRY_RUN] : banner,
    }),
  );
}

const DRY_RUN = 'dry run: nothing is sent, and what is read shows the tree as it would be';

/** The lines up to the first command, and everything there is, those included. */
async function headOf(input: AsyncGenerator<string>): Promise<{ text: string; all: AsyncIterable<string> }> {
  let text = '';
  while (/^(?:[ \t\r]*(?:#[^\n]*)?(?:\n|$))*$/.test(text)) {
    const { value, done } = await input.next();
    if (done === true) break;
    text += value;
  }
  async function* all(): AsyncGenerator<string> {
    yield text;
    yield* input;
  }
  return { text, all: all() };
}

export async function runPlayground(globals: Globals, words: readonly string[]): Promise<number> {
  const { PLAYGROUND_USAGE, startPlayground } = await import('./playground.ts');
  // outside the shell's own handlers the temporary data must go away, too
  let isOurs = true;
  let isStarting = true;
  const abort = new AbortController();
  for (const [signal, status] of Object.entries(SIGNALS))
    process.on(signal, () => {
      if (isStarting) abort.abort(new Interrupted(status));
      else if (isOurs) process.exit(status);
    });
  let playground: Awaited<ReturnType<typeof startPlayground>>;
  try {
    playground = await startPlayground(words, globals, ownOptions(globals), abort.signal);
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    throw error;
  }
  isStarting = false;
  if (playground === undefined) {
    showUsage(PLAYGROUND_USAGE);
    return 0;
  }
  const { target } = playground;
  isOurs = false;
  try {
    return await promptOrScript(globals, { target }, playground.banner);
  } finally {
    isOurs = true;
    await playground.stop();
  }
}
