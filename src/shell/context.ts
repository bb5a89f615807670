import type { Bound } from './bind.ts';
import type { CommandContext, CommandSpec } from './command.ts';
import { expandGlob } from './glob.ts';
import { resolvePath } from './paths.ts';
import type { Shell } from './shell.ts';

/** What one run of a command may use. */
export function contextOf(shell: Shell, spec: CommandSpec, bound: Bound, signal: AbortSignal): CommandContext {
  const { ports } = shell;
  return {
    client: () => orAbort(ports.session.client(), signal),
    signal,
    get cwd() {
      return shell.cwd;
    },
    set cwd(path) {
      shell.cwd = path;
    },
    get previous() {
      return shell.previous;
    },
    set previous(path) {
      shell.previous = path;
    },
    get showsEvents() {
      return shell.showsEvents;
    },
    set showsEvents(shows) {
      shell.showsEvents = shows;
    },
    warn: (line) => ports.warn(line),
    confirm: (plan) => ports.confirm(plan, spec),
    askSecret: (question) => ports.askSecret(question),
    stdin: ports.stdin,
    globbed: bound.globs.length > 0,
    watched: (event) => ports.watched(event),
    session: ports.session,
    settings: ports.settings,
    profiles: ports.profiles,
    history: ports.history,
    ensembles: () => ports.ensembles(),
    show: (output) => shell.show(output),
    version: ports.version,
    registry: ports.registry,
    execute: (words) => shell.execute(words, signal),
    expand: async (pattern) =>
      expandGlob(await orAbort(ports.session.client(), signal), resolvePath(shell.cwd, pattern), signal),
    keepGoing: ports.keepGoing,
    start: (words, env) => ports.start(words, env, signal, () => shell.leaving?.status),
    get graceMs() {
      return shell.graceMs;
    },
    set graceMs(ms) {
      shell.graceMs = ms;
    },
    run: (line) => shell.run(line),
    leave: (status) => {
      shell.leaving = { status: status ?? (ports.interactive ? 0 : shell.lastStatus) };
    },
    versionsRead: shell.versionsRead,
    lastStatus: shell.lastStatus,
    interactive: ports.interactive,
  };
}

/** What `work` gives, unless the user gives up first; the work itself goes on. */
export function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
