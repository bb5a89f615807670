import type { Bound } from './bind.ts';
import type { CommandContext, CommandSpec } from './command.ts';
import { expandGlob } from './glob.ts';
import { resolvePath } from './paths.ts';
import { recordingClient } from './recording.ts';
import type { Shell } from './shell.ts';
import type { TrashDraft } from './trash.ts';

/** What one run of a command may use. */
export function contextOf(
  shell: Shell,
  spec: CommandSpec,
  bound: Bound,
  signal: AbortSignal,
  draft: TrashDraft | undefined,
): CommandContext {
  const { ports } = shell;
  const keepsProtected = ports.settings.get('undo-protected') === 'on';
  return {
    client: async () => {
      const client = await orAbort(ports.session.client(), signal);
      return draft === undefined ? client : recordingClient(client, draft, { keepsProtected });
    },
    get keepsUndo() {
      return draft?.isOpen === true;
    },
    dropUndo: () => draft?.drop(),
    asks: ports.asks,
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
    drained: () => shell.drained(),
    write: (bytes) => shell.write(bytes),
    progress: (what) => ports.progress(what),
    input: () => ports.input(),
    os: (line) => ports.os(line, undefined, signal),
    choose: (question, choices) => ports.choose(question, choices),
    events: ports.events,
    trash: ports.trash,
    version: ports.version,
    registry: ports.registry,
    execute: (words) => shell.execute(words, signal),
    resolve: (typed) => resolvePath(shell.cwd, typed),
    expand: async (pattern) =>
      expandGlob(await orAbort(ports.session.client(), signal), resolvePath(shell.cwd, pattern), signal),
    keepGoing: ports.keepGoing,
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
