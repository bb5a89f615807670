/** Debian's zkCli.sh, spoken to line by line: on pipes, and on a terminal with the console of jline. */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PATIENCE_MS } from '../patience.ts';
import { normalise } from '../zkcli/captures.ts';
import { ShellOnPty } from './completion-pty.ts';

const PROGRAM = '/usr/share/zookeeper/bin/zkCli.sh';
const EVENT = /^WatchedEvent .*$/gm;

/**
 * Lines without the events, and the events in their order: the two threads of zkCli print as they like, also within a line of
 * the other, which is one again without them.
 */
export function split(text: string): { lines: string[]; events: string[] } {
  const events = [...text.matchAll(EVENT)].map(([line]) => line);
  const whole = text.replaceAll(/\nWATCHER::\n/g, '').replaceAll(/\nWatchedEvent .*\n/g, '');
  const lines = whole.split('\n').filter((line) => line !== '');
  return { lines: lines.filter((line) => !line.startsWith('SLF4J:')), events };
}

/** What one line got: its answer, and the events about nodes that were told meanwhile, such as `NodeDeleted /a`. */
export interface Said {
  readonly lines: readonly string[];
  readonly events: readonly string[];
  /** As it came. */
  readonly text: string;
}

export interface ZkCli extends AsyncDisposable {
  /** Resolves when it takes lines. */
  open(): Promise<void>;
  /** Everything so far. */
  readonly text: string;
  /** Sends a line and waits for its whole answer, and for so many events. */
  say(line: string, events: number): Promise<Said>;
  /** Waits for a text behind `from`. */
  until(seen: RegExp, what: string, from?: number): Promise<void>;
  /** Leaves by `quit`; the exit code, which is that of the last command. */
  quit(): Promise<number>;
}

const toldOf = (text: string): string[] =>
  [...text.matchAll(EVENT)]
    .map(([line]) => / type:(\w+) path:(\S+)/.exec(line) ?? [])
    .filter(([, type]) => type !== 'None')
    .map(([, type, path]) => `${type} ${path}`);
const saidOf = (answer: string, whole: string): Said => ({
  lines: split(normalise(answer).replace(/^version=[0-9a-f]+$/gm, 'version=?')).lines,
  events: toldOf(whole),
  text: answer,
});

/** A line whose answer is the same whatever was said before and whether there is a session or not: it ends every answer. */
const MARK = { line: 'redo 9999', answer: 'Command index out of range\n' };

export class ZkCliByLines implements ZkCli {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown[]>;
  text = '';
  #changed: () => void = () => {};
  constructor(hosts: string) {
    // both streams as one, so that their order is kept
    this.#child = spawn('sh', ['-c', `exec ${PROGRAM} -server "$0" 2>&1`, hosts], { detached: true });
    this.#ended = once(this.#child, 'close');
    this.#child.stdin.on('error', () => {});
    this.#child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk;
      this.#changed();
    });
  }
  async open(): Promise<void> {
    await this.until(/JLine support is disabled\n/, 'a start without jline');
  }
  async until(seen: RegExp, what: string, from = 0): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!seen.test(this.text.slice(from))) {
      const left = end - performance.now();
      assert.ok(left > 0 && this.#child.exitCode === null, `never seen: ${what}\n${this.text.slice(-2000)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 1000));
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  async say(line: string, events: number): Promise<Said> {
    const from = this.text.length;
    this.#child.stdin.write(`${line}\n${MARK.line}\n`);
    await this.until(new RegExp(MARK.answer), `the answer to ${line}`, from);
    await heard(this, events, from);
    const whole = this.text.slice(from);
    return saidOf(whole.slice(0, whole.indexOf(MARK.answer)), whole);
  }
  async quit(): Promise<number> {
    // the code is that of the last command, and the mark is none that succeeds
    this.#child.stdin.end('history\nquit\n');
    const [code] = await this.#ended;
    return code as number;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    // the script and Java, which is its child
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
    await this.#ended;
  }
}

/** Events that do not come are missed by who compares them. */
async function heard(cli: ZkCli, events: number, from: number): Promise<void> {
  if (events === 0) return;
  await cli
    .until(new RegExp(`(?:WatchedEvent .* type:(?!None)[\\s\\S]*?\\n){${events}}`), 'events', from)
    .catch(() => {});
}

const PROMPT = /\[zk: [^\]]*\(\w+\) \d+\] /;
const JARS = ['zookeeper', 'jline2', 'jansi1'].map((name) => `/usr/share/java/${name}.jar`);

export class ZkCliOnTerminal implements ZkCli {
  readonly shell: ShellOnPty;
  #lines = 0;
  constructor(hosts: string, home: string) {
    const env = {
      PATH: process.env.PATH ?? '',
      LC_ALL: 'C.UTF-8',
      HOME: home,
      TERM: 'xterm-256color',
      // zkEnv.sh sets CLASSPATH to zookeeper.jar alone; of two -cp Java takes the last
      CLIENT_JVMFLAGS: `-cp /etc/zookeeper/conf:${JARS.join(':')} -Duser.home=${home}`,
    };
    // so wide that no line is broken
    this.shell = new ShellOnPty(PROGRAM, ['-server', hosts], env, 1000);
  }
  get text(): string {
    return this.shell.text;
  }
  async until(seen: RegExp, what: string, from = 0): Promise<void> {
    await this.shell.until((text) => seen.test(text.slice(from)), what);
  }
  /** Waits for the prompt with its next number. */
  async #prompt(from: number): Promise<void> {
    await this.until(new RegExp(`\\[zk: [^\\]]*\\(\\w+\\) ${this.#lines}\\] `), `prompt ${this.#lines}`, from);
  }
  /** It takes lines. */
  async open(): Promise<void> {
    await this.#prompt(0);
  }
  async say(line: string, events: number): Promise<Said> {
    const from = this.text.length;
    this.shell.write(line);
    const said = await this.enter(events, from);
    // what is shown of the line must be the line
    const shown = this.text.slice(from).split('\n', 1)[0];
    return shown === line ? said : { ...said, lines: [`shown: ${shown}`, ...said.lines] };
  }
  /** Presses keys; behind each group what must come of it is waited for, and at last that line is ended. */
  async press(keys: readonly (readonly [keys: string, seen?: RegExp])[]): Promise<Said> {
    let from = this.text.length;
    for (const [each, seen] of keys) {
      from = this.text.length;
      this.shell.write(each);
      if (seen !== undefined) await this.until(seen, `what comes of ${JSON.stringify(each)}`, from);
    }
    return this.enter(0, from);
  }
  /** Ends the line that stands there, typed from `from` on. */
  async enter(events: number, from: number): Promise<Said> {
    this.shell.write('\r');
    this.#lines++;
    await this.#prompt(from);
    await heard(this, events, from);
    const whole = this.text.slice(from);
    const behind = whole.slice(whole.indexOf('\n') + 1);
    return saidOf(behind.slice(0, PROMPT.exec(behind)?.index), whole);
  }
  async quit(): Promise<number> {
    this.shell.write('quit\r');
    return this.shell.ended;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.shell[Symbol.dispose]();
    await this.shell.ended;
  }
}
