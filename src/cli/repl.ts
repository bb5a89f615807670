import { existsSync } from 'node:fs';
import { registry } from '../commands/index.ts';
import { Editor } from '../editor/editor.ts';
import { FileHistory } from '../editor/history-file.ts';
import { visibleLine } from '../out/data.ts';
import { complete } from '../shell/complete.ts';
import { failureOf } from '../shell/failure.ts';
import { PathSource } from '../shell/path-source.ts';
import { hex } from '../shell/units.ts';
import { completionPorts } from './completion-ports.ts';
import { highlight, hint } from './highlight.ts';
import type { Host } from './host.ts';
import { readScript } from './script.ts';

export interface ReplOptions {
  readonly host: Host;
  readonly version: string;
  readonly plain: boolean;
  readonly keepsHistory: boolean;
  /** Lines above the first prompt. */
  readonly banner: readonly string[];
}

const MIDDLE = '…';

/** The prompt: reads a line, runs it, until the user leaves. Returns the exit code. */
export async function runRepl({ host, version, plain: isPlain, keepsHistory, banner }: ReplOptions): Promise<number> {
  const { shell, session, settings, theme } = host;
  const history = new FileHistory({
    file: keepsHistory ? host.folders.historyFile : '/dev/null',
    context: () => ({ profile: session.profile ?? '', cwd: shell.cwd }),
    warn: (message) => process.stderr.write(`${message}\n`),
  });
  host.history = {
    list: () => history.lines().map((text, at) => ({ number: at + 1, text })),
    clear: () => history.clear(),
  };
  const paths = new PathSource(
    () => (isConnected(host) ? session.client() : undefined),
    () => performance.now(),
  );
  const plain = isPlain || settings.get('plain') === 'on';
  let running = false;
  let held: string[] = [];
  const editor = new Editor({
    input: process.stdin,
    output: process.stdout,
    color: theme.color,
    plain,
    history,
    host: {
      prompt: () => promptOf(host),
      continuation: '...> ',
      isComplete: (text) => shell.parse(text).open === undefined,
      complete: (text, cursor, again) =>
        complete(
          text,
          cursor,
          again,
          completionPorts({
            cwd: shell.cwd,
            paths,
            profiles: host.profiles,
            settings,
            client: session.current,
            variables: shell.ports.variables.keys(),
          }),
        ),
      highlight: (text) => (settings.get('highlight') === 'on' ? highlight(text, registry) : []),
      hint: (text) => (settings.get('hints') === 'on' ? hint(text, registry) : ''),
    },
  });
  host.holder = { pause: () => editor.pause(), resume: () => editor.resume() };
  host.onPromptChange = () => {
    if (!running) editor.refresh();
  };
  // a command's own output is never interleaved with events
  host.sink = {
    line: (text) => {
      if (!running) editor.printAbove(`${text}\n`);
      else if (held.length < 10_000) held.push(text);
    },
  };
  editor.onInterrupt = () => {
    if (!shell.interrupt()) editor.refresh();
  };
  const run = async (work: () => Promise<number>): Promise<void> => {
    running = true;
    try {
      await work();
    } finally {
      running = false;
      const lines = held;
      held = [];
      if (lines.length > 0) editor.printAbove(lines.map((line) => `${line}\n`).join(''));
    }
  };
  try {
    for (const line of banner) process.stderr.write(`${line}\n`);
    void greet(host, version);
    if (existsSync(host.folders.rcFile))
      await run(() => shell.run(readScript(host.folders.rcFile), { file: 'rc.zk', line: 1 }));
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
      await run(() => shell.run(text));
    }
  } finally {
    editor.close();
  }
  return shell.leaving?.status ?? 0;
}

const isConnected = ({ session }: Host): boolean =>
  session.current !== undefined &&
  (session.current.state === 'connected' || session.current.state === 'connectedReadOnly');

/** Begins to connect and says how it went, above the prompt. */
async function greet(host: Host, version: string): Promise<void> {
  const { session } = host;
  try {
    const client = await session.client();
    host.sink.line(
      host.theme.dim(`zoosh ${version}  connected to ${client.server}  session ${hex(client.sessionId)}  type help`),
    );
  } catch (error) {
    const { exit, message, lines } = failureOf(error);
    if (exit === 130) return; // the user went elsewhere meanwhile
    host.sink.line(`${host.theme.bad('not connected:')} ${visibleLine(message)}`);
    for (const line of lines) host.sink.line(` ${visibleLine(line)}`);
    host.sink.line(host.theme.dim(' zoosh playground starts a server to try; connect HOST:PORT tries another'));
  }
}

/** The prompt from its template. */
export function promptOf({ shell, session, settings, theme }: Host): string {
  const { details, state, current } = session;
  const isReadOnly = state === 'connectedReadOnly' || details.readOnly === true || shell.ports.readOnly;
  const note =
    state === 'connecting'
      ? ' (connecting)'
      : state === 'suspended'
        ? ' (lost)'
        : state === 'closed'
          ? ' (closed)'
          : isReadOnly
            ? ' (ro)'
            : '';
  const width = process.stdout.columns || 80;
  const fields: Readonly<Record<string, string>> = {
    profile: visibleLine(session.profile ?? current?.server ?? session.target.split(',')[0] ?? ''),
    protect: details.protect === true ? '!' : '',
    cwd: shortened(visibleLine(shell.cwd), Math.max(12, Math.floor(width / 3))),
    state: note,
    host: current?.server ?? '',
    session: hex(current?.sessionId ?? 0n),
    zxid: hex(current?.lastZxid ?? 0n),
    time: new Date().toTimeString().slice(0, 8),
    watches: String(current?.watches().length ?? 0),
  };
  const text = settings.get('prompt').replace(/\{(\w+)\}/g, (whole, name: string) => fields[name] ?? whole);
  if (details.protect === true || note === ' (lost)') return theme.bad(text);
  return note === ' (connecting)' ? theme.attention(text) : theme.path(text);
}

/** Long paths lose their middle. */
function shortened(path: string, width: number): string {
  if (path.length <= width) return path;
  const half = Math.floor((width - 1) / 2);
  return path.slice(0, half) + MIDDLE + path.slice(path.length - half);
}
