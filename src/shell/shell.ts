import { setMaxListeners } from 'node:events';
import type { WatchEvent } from '../client/api.ts';
import { redact } from '../editor/redact.ts';
import { type Bound, bind, walk } from './bind.ts';
import type {
  Arg,
  CommandSpec,
  HistoryLines,
  Plan,
  ProfileStore,
  Progress,
  Registry,
  SettingsStore,
} from './command.ts';
import { contextOf, orAbort } from './context.ts';
import type { StdinReader } from './data.ts';
import type { LocalEnsembles } from './ensembles.ts';
import type { EventRing } from './event-ring.ts';
import { Failure, failureOf, refused, usage } from './failure.ts';
import { expandGlob } from './glob.ts';
import { helpOf } from './help.ts';
import type { WordToken } from './lexer.ts';
import { staticText, tokenize } from './lexer.ts';
import type { Output } from './output.ts';
import { type Parsed, type Pipeline, parse } from './parser.ts';
import { quoteWord, resolvePath } from './paths.ts';
import { countLines, faultOf, lineOf, resultOf } from './script-text.ts';
import type { ShellSession } from './session.ts';
import { nearest } from './suggest.ts';
import type { Trash, TrashDraft } from './trash.ts';
import { fill } from './variables.ts';

/** Words of one command up to which data is looked for; each costs a walk along those before it. */
const MAX_WALKED = 500;

/** Where a line comes from; decides what errors name and whether a person is asked. */
export interface Source {
  /** `deploy.zk`; undefined at the prompt and for one command. */
  readonly file?: string;
  /** Lines have numbers that mean something to whoever wrote them. */
  readonly isScript?: boolean;
  /** Number of the text's first line, 1-based. */
  readonly line: number;
}

/** A failure with the line it came from. */
export interface Told {
  readonly failure: Failure;
  readonly command: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
}

/** What the shell needs of the world around it. */
export interface ShellPorts {
  /** Of this program. */
  readonly version: string;
  readonly registry: Registry;
  readonly session: ShellSession;
  readonly settings: SettingsStore;
  readonly profiles: ProfileStore;
  readonly history: HistoryLines;
  ensembles(): Promise<LocalEnsembles>;
  /** Shows a result on standard output. */
  show(output: Output): void;
  /** The plain bytes of a result, for pipes and files. */
  plain(output: Output): Uint8Array;
  /** Bytes of an answer, as they are. */
  write(bytes: Uint8Array): void;
  /** Resolves when standard output has room. */
  drained(): Promise<void>;
  progress(what: string): Progress;
  /** Standard input as it comes. @throws Failure (2) */
  input(): AsyncIterable<Uint8Array>;
  choose(question: string, choices: readonly { readonly value: string; readonly about: string }[]): Promise<string>;
  readonly events: EventRing;
  readonly trash: Trash;
  tell(told: Told): void;
  warn(line: string): void;
  confirm(plan: Plan, spec: CommandSpec): Promise<void>;
  /** Before the first change of each kind under a protected profile. */
  confirmWrite(spec: CommandSpec): Promise<void>;
  askSecret(question: string): Promise<string>;
  watched(event: WatchEvent): void;
  /** Runs a line of the operating system's shell with `input` on its standard input; its status. */
  os(line: string, input: Uint8Array | undefined, signal: AbortSignal): Promise<number>;
  /** Appends to or replaces a file. */
  writeFile(file: string, bytes: Uint8Array, append: boolean): void;
  readonly stdin: StdinReader;
  readonly interactive: boolean;
  /** Somebody is there to answer, and has not said yes to everything. */
  readonly asks: boolean;
  readonly readOnly: boolean;
  /** `-k`: go on after a failure. */
  readonly keepGoing: boolean;
  readonly variables: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Reads lines, runs their commands one after the other, keeps what lasts between them. */
export class Shell {
  readonly ports: ShellPorts;
  cwd = '/';
  previous = '/';
  showsEvents = true;
  lastStatus = 0;
  lastResult = '';
  /** Set once a command ended the shell. */
  leaving: { readonly status: number } | undefined;
  /** A failure ended the text given to `run`: a script goes no further. */
  stopped = false;
  /** Failures so far, for the summary of `-k`. */
  readonly failedLines: number[] = [];
  /** Status of the first of them. */
  firstFailure: number | undefined;
  commandsRun = 0;
  /** The version of each node as last read here. */
  readonly versionsRead = new Map<string, number>();
  #abort: AbortController | undefined;

  constructor(ports: ShellPorts) {
    this.ports = ports;
  }

  /** Ctrl-C: the command that runs gives up. False when none runs. */
  interrupt(): boolean {
    this.#abort?.abort(new DOMException('interrupted', 'AbortError'));
    return this.#abort !== undefined;
  }

  /** How a line is to be read: `{` begins a JSON word only where data is expected. */
  parse(text: string): Parsed {
    return parse(text, { expectsData: (words) => this.#expectsData(words) });
  }

  /**
   * Where the first statement of `text` ends: after the newline that ends it and its heredocs, or 0 when more is needed.
   * Linear in what it has to look at, since a heredoc of a megabyte comes in many pieces.
   */
  statementEnd(text: string): number {
    const first = text.indexOf('\n') + 1;
    if (first === 0) return 0;
    if (this.parse(text.slice(0, first)).open === undefined) return first;
    const { tokens, open, fault } = tokenize(text, { expectsData: (words) => this.#expectsData(words) });
    let goesOn = false;
    for (const [at, token] of tokens.entries()) {
      if (token.type === 'operator' && token.operator === 'newline') {
        if (goesOn) continue;
        if (open !== undefined && open.from < token.from) return 0;
        return tokens[at + 1]?.from ?? open?.from ?? fault?.from ?? text.length;
      }
      if (token.type !== 'comment')
        goesOn = token.type === 'operator' && (token.operator === '&&' || token.operator === '||');
    }
    return fault === undefined ? 0 : text.indexOf('\n', fault.to) + 1;
  }

  #expectsData(words: readonly WordToken[]): boolean {
    if (words.length > MAX_WALKED) return false;
    const [first, ...rest] = words;
    const spec = first === undefined ? undefined : this.ports.registry.find(staticText(first) ?? '');
    if (spec === undefined) return false;
    const args = rest.map((word): Arg => ({ text: staticText(word) ?? 'x', quote: word.quote }));
    const walked = walk(spec, args);
    // `repeat 3 set /a {...}`: the words of the inner command decide
    const inner = walked.bound.filter(({ param }) => param.kind === 'command').length;
    if (inner > 0) return this.#expectsData(words.slice(-inner));
    return (walked.open ?? walked.next)?.param.kind === 'data';
  }

  /** Runs a line or a script. Returns its status; the reasons were told. */
  async run(text: string, source: Source = { line: 1 }): Promise<number> {
    const parsed = this.parse(text);
    // what is begun and not ended does not run: `deleteall '/a` could mean anything
    const ready = parsed.open === undefined ? parsed.pipelines : parsed.pipelines.slice(0, -1);
    let line = source.line;
    let counted = 0;
    for (const [at, pipeline] of ready.entries()) {
      line += countLines(text, counted, pipeline.from);
      counted = pipeline.from;
      if (this.leaving !== undefined) break;
      if (pipeline.after === 'success' && this.lastStatus !== 0) continue;
      if (pipeline.after === 'failure' && this.lastStatus === 0) continue;
      const command = text.slice(pipeline.from, pipeline.to);
      const isHandled = ready[at + 1]?.after === 'failure';
      const goesOn = await this.#step(pipeline, command, source, line, isHandled);
      if (!goesOn && !this.ports.keepGoing && !isHandled) {
        this.stopped = true;
        return this.lastStatus;
      }
    }
    if (this.leaving !== undefined) return this.leaving.status;
    const wrong = faultOf(parsed);
    if (wrong !== undefined) {
      const [failure, place] = wrong;
      const at = source.line + countLines(text, 0, place);
      this.lastStatus = failure.exit;
      this.firstFailure ??= failure.exit;
      this.commandsRun++;
      this.stopped ||= !this.ports.keepGoing;
      this.failedLines.push(at);
      this.#tell(failure, lineOf(text, place), { ...source, line: at });
    }
    return this.lastStatus;
  }

  /** Runs one command whose words the operating system's shell has split. */
  async runWords(words: readonly string[]): Promise<number> {
    const [name = '', ...rest] = words;
    const args = rest.map((text): Arg => ({ text, quote: 'none' }));
    await this.#guarded(words.join(' '), undefined, false, async (signal) => {
      const output = await this.#command(name, args, signal);
      if (output !== undefined) this.ports.show(output);
      return output?.exit ?? 0;
    });
    return this.leaving?.status ?? this.lastStatus;
  }

  /** Runs one command within another, such as `repeat`. @throws its failure */
  async execute([name, ...args]: readonly Arg[], signal: AbortSignal): Promise<number> {
    if (name === undefined) return 0;
    const output = await this.#command(name.text, args, signal);
    if (output !== undefined) this.show(output);
    this.lastStatus = output?.exit ?? 0;
    return this.lastStatus;
  }

  #tell(failure: Failure, command: string, source: Source | undefined): void {
    const hasLines = source?.isScript === true || source?.file !== undefined;
    this.ports.tell({ failure, command, file: source?.file, line: hasLines ? source.line : undefined });
  }

  /** One pipeline; false when the script ends here. */
  #step(pipeline: Pipeline, command: string, source: Source, line: number, isHandled: boolean): Promise<boolean> {
    this.commandsRun++;
    return this.#guarded(command, { ...source, line }, isHandled, async (signal) => {
      if (pipeline.os !== undefined) return this.ports.os(pipeline.os, undefined, signal);
      this.#refuseGlued(pipeline.words);
      const lookup = (name: string): string | undefined => this.#variable(name);
      const [name = { text: '', quote: 'none' } as Arg, ...args] = pipeline.words.map((word) => fill(word, lookup));
      const target = pipeline.file === undefined ? undefined : fill(pipeline.file.word, lookup).text;
      const isRedirected = target !== undefined || pipeline.pipe !== undefined;
      this.#collected = isRedirected ? [] : undefined;
      try {
        const output = await this.#command(name.text, args, signal);
        if (output !== undefined) this.show(output);
        const bytes = Buffer.concat(this.#collected ?? []);
        if (target !== undefined) this.ports.writeFile(target, bytes, pipeline.file?.append === true);
        else if (pipeline.pipe !== undefined) return this.ports.os(pipeline.pipe, bytes, signal);
        return output?.exit ?? 0;
      } finally {
        this.#collected = undefined;
      }
    });
  }
  /** Output of the command that runs, when it goes to a file or a program. */
  #collected: Uint8Array[] | undefined;
  /** Shows an answer, or a part of it, where the line says. */
  show(output: Output): void {
    if (this.#collected === undefined) this.ports.show(output);
    else this.#collected.push(this.ports.plain(output));
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#collected !== undefined) {
      this.#collected.push(bytes);
      return Promise.resolve();
    }
    this.ports.write(bytes);
    return this.ports.drained();
  }
  drained(): Promise<void> {
    return this.#collected === undefined ? this.ports.drained() : Promise.resolve();
  }

  /** `ls /a;get /b`: a `;` inside a word is text, which is rarely meant before a command's name. @throws Failure (2) */
  #refuseGlued(words: readonly WordToken[]): void {
    for (const [at, word] of words.entries()) {
      const glued = word.quote === 'none' ? /;([A-Za-z]+)$/.exec(staticText(word) ?? '') : null;
      if (glued === null || this.ports.registry.find(glued[1] as string) === undefined) continue;
      if (!this.#expectsData(words.slice(0, at)))
        throw usage(
          `${staticText(word)} is one word`,
          `put a blank after ; to run ${glued[1]} next, or quotes around the word`,
        );
    }
  }

  async #guarded(
    command: string,
    source: Source | undefined,
    isHandled: boolean,
    work: (signal: AbortSignal) => Promise<number>,
  ): Promise<boolean> {
    const abort = new AbortController();
    setMaxListeners(0, abort.signal); // one per request in flight
    this.#abort = abort;
    this.#risk = 'read';
    try {
      this.lastStatus = await work(abort.signal);
      return true;
    } catch (error) {
      // C-c in a question is an answer; anywhere else it is why the command ended
      const isAnswer = error instanceof Failure && error.exit === 31;
      const failure = abort.signal.aborted && !isAnswer ? failureOf(abort.signal.reason) : failureOf(error, this.#risk);
      this.lastStatus = failure.exit;
      if (!isHandled) this.firstFailure ??= failure.exit;
      if (!isHandled && source !== undefined) this.failedLines.push(source.line);
      this.#tell(failure, command, source);
      return false;
    } finally {
      this.#abort = undefined;
    }
  }
  #risk: CommandSpec['risk'] = 'read';

  async #command(name: string, args: readonly Arg[], signal: AbortSignal): Promise<Output | undefined> {
    const { registry, session } = this.ports;
    const spec = registry.find(name);
    if (spec === undefined) throw this.unknown(name);
    const bound = bind(spec, args, name, {
      resolve: (typed, keepSlash) => resolvePath(this.cwd, typed, keepSlash),
      stdin: this.ports.stdin,
    });
    if (bound.help) return helpOf(spec);
    this.#risk = spec.risk;
    if (spec.risk !== 'read') {
      if (this.ports.readOnly || session.details.readOnly === true)
        throw refused(
          `${spec.name} changes something, and this shell is read-only`,
          "leave out --read-only, or the profile's readOnly",
        );
      if (session.details.protect === true) await this.ports.confirmWrite(spec);
    }
    await this.#expand(spec, bound, signal);
    const draft = this.#draft(spec, name, args);
    try {
      const output = await spec.run(bound.values as never, contextOf(this, spec, bound, signal, draft));
      this.lastResult = resultOf(output) ?? this.lastResult;
      return output;
    } finally {
      for (const line of draft?.end() ?? []) this.ports.warn(line);
    }
  }

  /** At a prompt what a command replaces is kept. */
  #draft(spec: CommandSpec, name: string, args: readonly Arg[]): TrashDraft | undefined {
    const { interactive, settings, session, trash } = this.ports;
    const isOn = interactive && trash.isKept && settings.get('undo') === 'on';
    if (!isOn || (spec.risk !== 'write' && spec.risk !== 'bulk')) return undefined;
    const line = [name, ...args.map(({ text }) => shownWord(text.length > 200 ? `${text.slice(0, 200)}...` : text))];
    return trash.begin({ target: session.label, command: redact(line.join(' ')), isUndo: spec.name === 'undo' });
  }

  /** 127 with the nearest name. */
  unknown(name: string): Failure {
    const names = this.ports.registry.all.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    const close = nearest(name, names)[0];
    const hint = close === undefined ? 'help lists the commands' : `did you mean ${close} ?`;
    return new Failure(127, 'UnknownCommand', `unknown command ${name}`, { hint });
  }

  async #expand(spec: CommandSpec, bound: Bound, signal: AbortSignal): Promise<void> {
    if (bound.globs.length === 0) return;
    const client = await orAbort(this.ports.session.client(), signal);
    for (const key of new Set(bound.globs.map(({ param }) => param))) {
      const value = bound.values[key];
      if (!Array.isArray(value)) {
        const paths = await expandGlob(client, value as string, signal);
        if (paths.length > 1)
          throw usage(`${spec.name} takes one path, and ${value as string} stands for ${paths.length}`);
        bound.values[key] = paths[0];
        continue;
      }
      const patterns = new Set(bound.globs.filter(({ param }) => param === key).map(({ index }) => index));
      const out: string[] = [];
      // one by one: a pattern may stand for more names than a call takes arguments
      for (const [index, each] of value.entries())
        for (const path of patterns.has(index) ? await expandGlob(client, each, signal) : [each as string])
          out.push(path);
      bound.values[key] = out;
    }
  }

  #variable(name: string): string | undefined {
    if (name === '_') return this.lastResult;
    if (name === '?') return String(this.lastStatus);
    if (name === 'cwd') return this.cwd;
    if (name === 'session') return `0x${(this.ports.session.current?.sessionId ?? 0n).toString(16)}`;
    if (name.startsWith('env:')) return this.ports.env[name.slice(4)];
    return this.ports.variables.get(name);
  }
}

/** As it may be typed again; an option is one. */
const shownWord = (text: string): string => (/^--?[\w-]+$/.test(text) ? text : quoteWord(text));
