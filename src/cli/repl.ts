import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { registry } from '../commands/index.ts';
import { Editor } from '../editor/editor.ts';
import { FileHistory } from '../editor/history-file.ts';
import { MemoryHistory } from '../editor/memory-history.ts';
import { visibleLine } from '../out/data.ts';
import { fold } from '../out/fold.ts';
import { complete } from '../shell/complete.ts';
import { Failure, failureOf } from '../shell/failure.ts';
import { PathSource } from '../shell/path-source.ts';
import { resolvePath } from '../shell/paths.ts';
import { linesBehind } from '../shell/script-text.ts';
import { hex, plural } from '../shell/units.ts';
import { completionPorts } from './completion-ports.ts';
import { highlight, hint } from './highlight.ts';
import type { Host } from './host.ts';
import { isEnough } from './live-keys.ts';
import { readScript } from './os.ts';
import { PathsElsewhere } from './paths-elsewhere.ts';
import { promptOf } from './prompt.ts';
import { errWidth } from './width.ts';

export interface ReplOptions {
  readonly host: Host;
  readonly version: string;
  readonly plain: boolean;
  readonly keepsHistory: boolean;
  /** `rc.zk` is run. */
  readonly readsFiles: boolean;
  /** Lines above the first prompt. */
  readonly banner: readonly string[];
}

/** Lines that came while a command ran, at most. */
const MAX_HELD = 10_000;
/** Who leaves does not wait longer for the ends of sessions that were only looked at, ms. */
const END_MS = 200;
/** A second Ctrl-C within this ends the shell, ms. */
const AGAIN_MS = 1000;

/** The prompt: reads a line, runs it, until the user leaves. Returns the exit code. */
export async function runRepl(options: ReplOptions): Promise<number> {
  const { host, version, plain: isPlain, keepsHistory, readsFiles, banner } = options;
  const { shell, session, settings, presenter } = host;
  const { theme } = presenter;
  const kept = Number(settings.get('history'));
  const history =
    keepsHistory && kept > 0
      ? new FileHistory({
          file: host.folders.historyFile,
          context: () => ({ profile: session.profile ?? '', cwd: shell.cwd }),
          warn: (message) => presenter.warn(message),
          kept,
          trimAt: Math.ceil(kept * 1.2),
        })
      : new MemoryHistory();
  host.history = {
    list: () => history.lines().map((text, at) => ({ number: at + 1, text })),
    clear: () => history.clear(),
  };
  const paths = new PathSource(
    () => (isConnected(host) ? session.client() : undefined),
    () => performance.now(),
  );
  const elsewhere = new PathsElsewhere(async (target) => {
    // such a program may ask somebody, and a Tab is no wish to be asked
    const { auth = [] } = host.profiles.get(target.slice(1)) ?? {};
    if (auth.some(({ from }) => from?.startsWith('cmd:') === true))
      throw new Failure(2, 'Usage', `the credential of ${target} is said by a program, which Tab does not run`);
    return session.open(target);
  });
  const exists = (typed: string): boolean | undefined => {
    try {
      return paths.knows(resolvePath(shell.cwd, typed));
    } catch {
      return undefined;
    }
  };
  let running = false;
  let held: string[] = [];
  let dropped = 0;
  const editor = new Editor({
    input: process.stdin,
    output: process.stdout,
    color: theme.color,
    plain: () => isPlain || settings.get('plain') === 'on',
    history,
    host: {
      prompt: () => promptOf(host),
      continuation: '...> ',
      isComplete: (text) => shell.parse(`${text}\n`).open === undefined, // Enter ends a line, be it empty
      complete: (text, cursor, again) =>
        complete(
          text,
          cursor,
          again,
          completionPorts({
            cwd: shell.cwd,
            paths,
            pathsOf: (profile) => elsewhere.of(profile),
            profiles: host.profiles,
            settings,
            client: session.current,
            variables: shell.variables.keys(),
            target: session.target,
          }),
        ),
      highlight: (text) => {
        if (settings.get('highlight') !== 'on') return [];
        return highlight(text, registry, { exists, collects: shell.changes.isOpen });
      },
      isEnough: (key) => presenter.isLive && isEnough(key),
      hint: (text) => (settings.get('hints') === 'on' ? hint(text, registry) : ''),
    },
  });
  let isLent = false;
  host.holder = {
    pause: () => {
      isLent = true;
      return editor.pause();
    },
    resume: () => {
      isLent = false;
      return editor.resume();
    },
  };
  host.onPromptChange = () => {
    if (!running) editor.refresh();
  };
  presenter.isBusy = () => running && !isLent;
  // a command's own output is never interleaved with events
  presenter.line = (text) => {
    if (!running) editor.printAbove(`${text}\n`);
    else if (held.length < MAX_HELD) held.push(text);
    else dropped++;
  };
  let interruptedAt = Number.NEGATIVE_INFINITY;
  editor.onInterrupt = () => {
    if (presenter.isPaging) return; // what it means there is for the pager to say
    const again = performance.now() - interruptedAt < AGAIN_MS;
    interruptedAt = performance.now();
    if (!shell.interrupt()) editor.refresh();
    else if (again) {
      // a command that does not give up must not keep the user
      host.isForced = true;
      shell.leaving ??= { status: 130 };
      leave(130);
    }
  };
  editor.onEnough = () => presenter.onEnough();
  let leave: (status: number) => void = () => {};
  const left = new Promise<number>((resolve) => {
    leave = resolve;
  });
  const run = async (work: () => Promise<number>): Promise<void> => {
    running = true;
    interruptedAt = Number.NEGATIVE_INFINITY; // that was another command's
    try {
      await Promise.race([work(), left]);
    } finally {
      running = false;
      const lines = dropped === 0 ? held : [...held, theme.dim(`${dropped} further lines were not kept`)];
      held = [];
      dropped = 0;
      if (lines.length > 0) editor.printAbove(lines.map((line) => `${line}\n`).join(''));
    }
  };
  try {
    for (const line of banner) process.stderr.write(`${fold(line, errWidth(), 1).join('\n')}\n`);
    void greet(host, version);
    if (readsFiles && existsSync(host.folders.rcFile)) await run(() => runStart(host));
    while (shell.leaving === undefined) {
      const result = await editor.readLine();
      if (result.type === 'eof') break;
      if (result.type === 'interrupt') {
        if (result.again) editor.printAbove(`${theme.dim('quit or Ctrl-D leaves')}\n`);
        continue;
      }
      const { text } = result;
      if (text.trim() === '') continue;
      paths.forget();
      elsewhere.forget();
      const failed = shell.failedLines.length;
      await run(() => shell.run(`${text}\n`));
      // of several lines, as pasted, the first that fails is the last that ran
      const at = shell.failedLines.slice(failed).find((line) => typeof line === 'number');
      const left = at === undefined || shell.leaving !== undefined ? 0 : linesBehind(shell.parse(text), text, at);
      if (left > 0) presenter.warn(`${plural(left, 'line')} not run`);
    }
  } finally {
    editor.close();
    tellDropped(host);
    const isEnded = await Promise.race([elsewhere.close().then(() => true), pause(END_MS, false, { ref: false })]);
    if (!isEnded) host.isForced = true;
  }
  return shell.leaving?.status ?? 0;
}

/** The commands at the start. What is wrong with their file keeps nobody from the prompt. */
async function runStart({ shell, folders }: Host): Promise<number> {
  let text: string;
  try {
    text = readScript(folders.rcFile);
  } catch (error) {
    shell.ports.tell({ failure: failureOf(error), command: '', file: undefined, line: undefined });
    return shell.lastStatus;
  }
  return shell.run(text, { file: 'rc.zk', line: 1 });
}

/** Who leaves inside a transaction may take it for made. */
function tellDropped({ shell, presenter }: Host): void {
  const { waiting = 0, isSending } = shell.changes;
  if (waiting === 0 || isSending) return;
  shell.changes.forget();
  presenter.warn(`a transaction of ${plural(waiting, 'operation')} was dropped; nothing was sent`);
}

const isConnected = ({ session }: Host): boolean =>
  session.current !== undefined &&
  (session.current.state === 'connected' || session.current.state === 'connectedReadOnly');

/** Begins to connect and says how it went, above the prompt. */
async function greet(host: Host, version: string): Promise<void> {
  const { session, presenter } = host;
  const { theme } = presenter;
  const tell = (text: string): void =>
    presenter.line(
      fold(text, process.stdout.columns || 80, 2)
        .map(theme.dim)
        .join('\n'),
    );
  try {
    const client = await session.greeted();
    const facts = await session.facts();
    const what = [facts?.role, facts?.version].filter((each) => each !== undefined).join(', ');
    const where = `zoosh ${version}  connected to ${client.server}${client.chroot}${what === '' ? '' : ` (${what})`}`;
    const begun = `session ${hex(client.sessionId)}  type help`;
    const whole = `${where}  ${begun}`;
    if (whole.length <= (process.stdout.columns || 80)) return tell(whole);
    tell(where);
    tell(`  ${begun}`);
  } catch (error) {
    const { exit, message, lines, hint: advice } = failureOf(error);
    if (exit === 130) return; // the user went elsewhere meanwhile
    // that was told, and the next session says what it is
    if (exit === 4 && session.state !== 'none') return void greet(host, version);
    // one server that did not answer is one line: what was tried, and why that failed
    const isOne = exit === 3 && lines.length === 1;
    const what = isOne ? (lines[0] as string) : message;
    const [first = '', ...more] = fold(`not connected: ${visibleLine(what)}`, process.stdout.columns || 80, 2);
    presenter.line(first.replace('not connected:', (found) => theme.bad(found)));
    for (const line of more) presenter.line(line);
    for (const line of isOne ? [] : lines)
      for (const each of fold(` ${visibleLine(line)}`, process.stdout.columns || 80, 3)) presenter.line(each);
    // nothing was tried: other servers would not help
    if (exit === 2 || exit === 4)
      return tell(advice === undefined ? ' profile list shows what is kept' : ` hint: ${advice}`);
    tell(' zoosh playground starts one to try, zoosh init keeps yours; or connect HOST:PORT');
  }
}
