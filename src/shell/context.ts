import type { Client } from '../client/api.ts';
import type { Bound } from './bind.ts';
import { ReadOnlyClient, type Route } from './changes.ts';
import type { CommandContext, CommandSpec, SessionControl } from './command.ts';
import { refused } from './failure.ts';
import { expandGlob } from './glob.ts';
import { orAbort } from './or-abort.ts';
import { quoteWord, resolvePath } from './paths.ts';
import type { Shell } from './shell.ts';
import type { TrashDraft } from './trash.ts';

/** The quotes of a line are ours and make a pattern a name; those of one command were the operating system's shell's. */
function patternHint(path: string, { name, params }: CommandSpec, isOneShot: boolean): string {
  const takesSome = Object.values(params).some(({ globs }) => globs === true);
  const why = takesSome && !isOneShot ? 'in quotes a pattern is a name' : `${name} takes no pattern here`;
  return `${why}: ls ${isOneShot ? quoteWord(path) : path} shows what matches`;
}

/** What one run of a command may use. */
export function contextOf(
  shell: Shell,
  spec: CommandSpec,
  bound: Bound,
  route: Route,
  signal: AbortSignal,
  draft: TrashDraft | undefined,
): CommandContext {
  const { ports } = shell;
  const session = route.isReal ? ports.session : forgetful(ports.session);
  const client = async (): Promise<Client> => route.wrap(shell.recording(await orAbort(shell.client(), signal)));
  return {
    client,
    get keepsUndo() {
      return draft?.isOpen === true;
    },
    dropUndo: () => draft?.drop(),
    get asks() {
      return route.asks && ports.asks;
    },
    isDry: !route.isReal && !route.asks,
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
    // what is never sent is not asked about
    confirm: async (plan) => {
      if (route.asks) await ports.confirm(plan, spec);
    },
    askSecret: (question) => ports.askSecret(question),
    stdin: ports.stdin,
    globbed: bound.globs.length > 0,
    patterns: bound.globs.map(({ pattern }) => pattern),
    patternHint: (path) => patternHint(path, spec, shell.isOneShot),
    watched: ports.watched,
    news: (line) => ports.news(line),
    session,
    open: async (target) => {
      const { wrapElsewhere } = route;
      const opening = (wrapElsewhere === undefined ? session : ports.session).open(target);
      try {
        const opened = shell.inTime(await orAbort(opening, signal));
        return wrapElsewhere === undefined ? opened : wrapElsewhere(opened, target);
      } catch (error) {
        // one that comes when nobody waits for it any more
        opening.then((late) => late.close()).catch(() => {});
        throw error;
      }
    },
    failedWithin: (error, where = '') => {
      const failure = shell.failedWithin(error);
      ports.complain(`${shell.place}${where}error: ${failure.message}`);
      return failure;
    },
    settings: ports.settings,
    profiles: ports.profiles,
    history: ports.history,
    ensembles: () => ports.ensembles(),
    snapshot: (file, root) => ports.snapshot(file, root),
    show: (output) => shell.show(output),
    redraw: (output) => shell.redraw(output),
    drained: () => shell.drained(),
    write: (bytes) => shell.write(bytes),
    progress: (what) => shell.progress(what),
    input: () => ports.input(),
    editor: () => ports.editor(),
    os: (line) => ports.os(line, signal),
    choose: (question, choices) => ports.choose(question, choices),
    events: ports.events,
    trash: ports.trash,
    version: ports.version,
    registry: ports.registry,
    execute: (words) => shell.execute(words, signal),
    resolve: (typed) => resolvePath(shell.cwd, typed),
    expand: async (pattern) => expandGlob(await client(), resolvePath(shell.cwd, pattern), signal),
    keepGoing: ports.keepGoing,
    saysYes: ports.saysYes,
    start: (words, env) => ports.start(words, env, signal, () => shell.leaving?.status),
    get graceMs() {
      return shell.graceMs;
    },
    set graceMs(ms) {
      shell.graceMs = ms;
    },
    transaction: shell.changes,
    setVariable: (name, value) => void shell.variables.set(name, value),
    runFile: (file, args) => shell.runFile(file, args),
    clearScreen: () => ports.clearScreen(),
    run: (line) => shell.run(line),
    leave: (status) => {
      shell.leaving = { status: status ?? (ports.interactive ? 0 : shell.lastStatus) };
    },
    versionsRead: route.isReal ? ports.session.versionsRead : new Map(ports.session.versionsRead),
    lastStatus: shell.lastStatus,
    interactive: ports.interactive,
  };
}

/** The session for a command that changes nothing yet: what it says it made is not noted. */
const forgetful = (session: SessionControl): SessionControl => ({
  get target() {
    return session.target;
  },
  get label() {
    return session.label;
  },
  // a transaction is one ensemble's
  open: async (target) =>
    new ReadOnlyClient(
      await session.open(target),
      refused('a transaction changes nothing in another ensemble', 'run it on its own'),
    ),
  isProtected: (target) => session.isProtected(target),
  openAt: (servers, options) => session.openAt(servers, options),
  get tls() {
    return session.tls;
  },
  get profile() {
    return session.profile;
  },
  word: (word, options) => session.word(word, options),
  connect: (target, signal) => session.connect(target, signal),
  close: () => session.close(),
  addAuth: (scheme, auth) => session.addAuth(scheme, auth),
  noteEphemeral: () => {},
  forgetEphemeral: () => {},
  get credentials() {
    return session.credentials;
  },
  facts: () => session.facts(),
  get knownFacts() {
    return session.knownFacts;
  },
  addWatch: (path, recursive, listener) => session.addWatch(path, recursive, listener),
  watches: () => session.watches(),
  endWatch: (id, listener) => session.endWatch(id, listener),
  forgetWatches: (path, kind) => session.forgetWatches(path, kind),
});
