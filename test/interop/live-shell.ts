/** The shell as a child process: one command, or a script written line by line with the answer to each in between. */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { registry } from '../../src/commands/index.ts';
import { walk } from '../../src/shell/bind.ts';
import type { Arg } from '../../src/shell/command.ts';
import { staticText } from '../../src/shell/lexer.ts';
import { parse } from '../../src/shell/parser.ts';
import { patiently } from '../e2e/cli.ts';
import { PATIENCE_MS } from '../patience.ts';

const PROGRAM = 'bin/zoosh.js';

/** What came out of a process. */
export interface Ended {
  readonly out: Buffer;
  readonly err: string;
  readonly status: number | null;
}

/** Runs a program to its end with `input` on its standard input. */
export async function run(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input: string | Uint8Array = '',
  timeout = 4 * PATIENCE_MS,
): Promise<Ended> {
  const child = spawn(file, args, { env, timeout });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk) => out.push(chunk));
  child.stderr.on('data', (chunk) => err.push(chunk));
  child.stdin.on('error', () => {}); // it may end before it has read everything
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  return { out: Buffer.concat(out), err: Buffer.concat(err).toString(), status };
}

/** One run of the shell. */
export const zoosh = (args: readonly string[], env: NodeJS.ProcessEnv, input?: string | Uint8Array): Promise<Ended> =>
  run(process.execPath, [PROGRAM, ...patiently(args)], env, input);

const exercised = new Map<string, Set<string>>();
const asJson = new Set<string>();

/** Notes which commands and options a line uses; the names of all of them are the registry's. */
export function note(line: string, isJson = false): void {
  for (const { words } of parse(line).pipelines) {
    const [name, ...rest] = words;
    const spec = name === undefined ? undefined : registry.find(staticText(name) ?? '');
    if (spec === undefined || name === undefined) continue;
    const args = rest.map((word): Arg => ({ text: staticText(word) ?? 'x', quote: word.quote }));
    const read = spec.legacy?.(args, (staticText(name) ?? '').toLowerCase()) ?? args;
    const seen = exercised.get(spec.name) ?? new Set();
    exercised.set(spec.name, seen);
    if (isJson) asJson.add(spec.name);
    for (const { name: param } of walk(spec, read).bound) seen.add(param);
  }
}

/** Commands and parameters of the registry: how many there are, those no line has used, those without a JSON answer. */
export function coverage(): { commands: number; params: number; unused: string[]; withoutJson: string[] } {
  const params = registry.all.flatMap((spec) => Object.keys(spec.params).map((param) => [spec.name, param] as const));
  const unused = [
    ...registry.all.filter(({ name }) => !exercised.has(name)).map(({ name }) => name),
    ...params.filter(([name, param]) => exercised.get(name)?.has(param) === false).map((each) => each.join(' ')),
  ];
  const withoutJson = registry.all.map(({ name }) => name).filter((name) => !asJson.has(name));
  return { commands: registry.all.length, params: params.length, unused, withoutJson };
}

const MARK = '=end-of-answer=';
const OUT_END = /"?=end-of-answer="?\n/;
/** As JSON, each command of a script is a record. */
const RECORD_END = /\{"line":\d+,"command":"settings prompt","ok":true,"result":"=end-of-answer="\}\n/;
interface CommandRecord {
  readonly command: string;
  readonly ok: boolean;
  readonly result?: unknown;
}
/** What the records of an answer hold as results, a line each. */
const resultsOf = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CommandRecord)
    .filter(({ command, ok, result }) => ok && result !== undefined && !command.startsWith('help status-'))
    .map(({ result }) => `${JSON.stringify(result)}\n`)
    .join('');
const ERR_END =
  /(?:(?:stdin:\d+: )?error: no command or topic |\{"error":.*?no command or topic )status-(\d+)[^\n]*\n(?: hint: [^\n]*\n)?/;

/** What one line of a script did. */
export interface Answer {
  readonly out: string;
  readonly err: string;
  readonly status: number;
}

/** A script that is still being written: `-k`, so that a refusal does not end it. */
/** What is said beside an ACL that the server refuses. */
export const ACL_HINT =
  ' hint: auth: means who presented a password, which addauth does; a digest is user:hash, which acl digest makes';

export class LiveShell {
  readonly #child: ChildProcessWithoutNullStreams;
  #out = '';
  #err = '';
  #wake = (): void => {};
  #ready: Promise<Answer> | undefined;
  readonly #isJson: boolean;
  /** Lines answered so far. */
  static answers = 0;

  constructor(server: string, options: readonly string[], env: NodeJS.ProcessEnv) {
    this.#isJson = options.includes('json');
    this.#child = spawn(process.execPath, [PROGRAM, ...patiently(['-k', ...options, server])], { env });
    this.#child.stdout.setEncoding('utf8').on('data', (chunk) => {
      this.#out += chunk;
      this.#wake();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (chunk) => {
      this.#err += chunk;
      this.#wake();
    });
  }

  /** Runs a line (or a heredoc's lines) and gives what it printed, with its exit code. */
  async line(text: string): Promise<Answer> {
    this.#ready ??= this.#answer(`settings prompt ${MARK}`);
    await this.#ready;
    const answer = await this.#answer(text);
    LiveShell.answers++;
    if (answer.status !== 2) note(text);
    return answer;
  }

  async #answer(text: string): Promise<Answer> {
    // a help that fails tells the exit code on standard error, a setting's value ends the answer on standard output
    this.#child.stdin.write(`${text}\nhelp status-\${?}\nsettings prompt\n`);
    for (const end = Date.now() + PATIENCE_MS; ; ) {
      const mark = (this.#isJson ? RECORD_END : OUT_END).exec(this.#out);
      const found = ERR_END.exec(this.#err);
      if (mark !== null && found !== null) {
        const out = this.#out.slice(0, mark.index);
        const answer = {
          out: this.#isJson ? resultsOf(out) : out,
          // the line's number says only how many lines this test has written before
          err: this.#err
            .slice(0, found.index)
            .replace(/,"line":\d+/g, '')
            .replace(/^stdin:\d+: (?=(?:\/\S*: )?error: )/gm, ''),
          status: Number(found[1]),
        };
        this.#out = this.#out.slice(mark.index + mark[0].length);
        this.#err = this.#err.slice(found.index + found[0].length);
        return answer;
      }
      assert.ok(Date.now() < end && this.#child.exitCode === null, `no answer to ${text}: ${this.#out} ${this.#err}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 1000);
      });
    }
  }

  /** The line prints exactly this and nothing on standard error. */
  async ok(text: string, wanted: string | RegExp = ''): Promise<void> {
    const out = await this.out(text);
    if (typeof wanted === 'string') assert.equal(out, wanted, text);
    else assert.match(out, wanted, text);
  }

  /** The line succeeds, says nothing on standard error, and prints what is returned. */
  async out(text: string): Promise<string> {
    const { out, err, status } = await this.line(text);
    assert.deepEqual({ err, status }, { err: '', status: 0 }, text);
    return out;
  }

  /** The line prints one JSON document, on one line. `wanted` may need what the line has just made. */
  async json(text: string, wanted: unknown): Promise<void> {
    const out = await this.out(text);
    assert.match(out, /^[^\n]+\n$/, text);
    if (wanted instanceof RegExp) assert.match(out, wanted, text);
    const made = typeof wanted === 'function' ? await wanted() : wanted;
    const document: unknown = JSON.parse(out);
    if (!(wanted instanceof RegExp)) assert.deepEqual(document, made, text);
    note(text, true);
  }

  /** The line fails with this exit code, prints nothing, and says this. */
  async no(text: string, status: number, ...err: string[]): Promise<void> {
    const answer = await this.line(text);
    assert.deepEqual(
      { status: answer.status, out: answer.out, err: answer.err.split('\n').slice(0, -1) },
      { status, out: '', err },
      text,
    );
  }

  /** The line prints this, and these events were told meanwhile, times taken out. */
  async hears(text: string, out: string, ...events: string[]): Promise<void> {
    const answer = await this.line(text);
    const heard = answer.err
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''));
    assert.deepEqual({ status: answer.status, out: answer.out, heard }, { status: 0, out, heard: events }, text);
  }

  /** Ends standard input and waits; the session is closed then. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    await ended;
    clearTimeout(timer);
  }
}
