import { setMaxListeners } from 'node:events';
import type { Client } from '../client/api.ts';
import { redact } from '../editor/redact.ts';
import { admit } from './admit.ts';
import { bind } from './bind.ts';
import { isBlock } from './blocks.ts';
import { Changes } from './changes.ts';
import type { Arg, CommandSpec, Progress } from './command.ts';
import { contextOf } from './context.ts';
import { DeadlineClient, type DeadlinePorts, Outcome } from './deadline.ts';
import { Drafts } from './drafts.ts';
import { expandWords } from './expand-words.ts';
import { isOfRead } from './failed-request.ts';
import { cannotShow, Failure, failureOf, usage } from './failure.ts';
import { helpOf } from './help.ts';
import { LastResult } from './last-result.ts';
import { namedChroot } from './missing-chroot.ts';
import { expandedByOs, LINES_HINT, unknownCommand } from './misspelt.ts';
import { orAbort } from './or-abort.ts';
import type { Output } from './output.ts';
import { OutputRoute } from './output-route.ts';
import type { Parsed, Pipeline } from './parser.ts';
import { resolvePath } from './paths.ts';
import { failureOfProgram, NOBODY_READS, Pipelines } from './pipelines.ts';
import { LineReader } from './reading.ts';
import { type Role, roleOf } from './roles.ts';
import { countLines, faultOf, lineOf, refusePragmas } from './script-text.ts';
import type { ShellPorts, Source } from './shell-ports.ts';
import { withUndo } from './undo-words.ts';
import { ownArguments, valueNamed } from './variables.ts';

export type { CommandRecord, ShellPorts, Source, Told } from './shell-ports.ts';

/** Files that run files, at most. */
const MAX_DEPTH = 20;

/** What an ordinary command gets to end in, ms. */
const GRACE_MS = 1000;

/** Reads lines, runs their commands one after the other, keeps what lasts between them. */
export class Shell {
  readonly ports: ShellPorts;
  cwd = '/';
  previous = '/';
  showsEvents = true;
  lastStatus = 0;
  /** How long the last answer of the server took, ms. */
  rttMs: number | undefined;
  /** Set once a command ended the shell. */
  leaving: { readonly status: number } | undefined;
  /** A failure ended the text given to `run`: a script goes no further. */
  stopped = false;
  /** Failures so far, for the summary of `-k`; of a file that is run within a line, `FILE:LINE`. */
  readonly failedLines: (number | string)[] = [];
  /** Status of the first of them. */
  firstFailure: number | undefined;
  commandsRun = 0;
  /** How long the command that runs may take to end once it is interrupted, ms. */
  graceMs = GRACE_MS;
  /** `${name}`, from `--set`, a script's arguments and `let`. */
  readonly variables: Map<string, string>;
  readonly changes: Changes;
  readonly reader: LineReader;
  readonly #output: OutputRoute;
  readonly #lastResult: LastResult;
  /** The first that the command that runs has shown before its end. */
  #shown: Output | undefined;
  readonly #pipelines: Pipelines;
  readonly #drafts: Drafts;
  #abort: AbortController | undefined;
  #depth = 0;

  constructor(ports: ShellPorts) {
    this.ports = ports;
    this.variables = new Map(ports.variables);
    this.reader = new LineReader(ports.registry);
    this.#output = new OutputRoute(ports, () => this.#said());
    this.#drafts = new Drafts(ports);
    this.#lastResult = new LastResult((output) => ports.plain(output));
    this.#pipelines = new Pipelines({
      ports,
      output: this.#output,
      reader: this.reader,
      changes: () => this.changes,
      command: (name, args, signal) => this.#command(name, args, signal),
      variable: (name) => valueNamed(name, this, () => this.#lastResult.text),
      client: () => this.client(),
    });
    this.changes = new Changes({
      isDryRun: ports.dryRun,
      isInteractive: ports.interactive,
      isReadOnly: () => ports.readOnly || ports.session.details.readOnly === true,
      warn: (line) => ports.warn(line),
      show: (output) => this.show(output),
      client: () => this.client(),
      kept: (words, send) => this.#drafts.kept(words, async () => send(this.recording(await this.client()))),
      hasSent: () => this.#outcome.hasSent,
      beforeCommit: () => this.#beforeCommit(),
      runOperations: (text, file) =>
        this.#pipelines.runOperations(text, file, this.#abort?.signal ?? new AbortController().signal),
      readFile: (file) => ports.readFile(file),
      noteEphemeral: (path) => ports.session.noteEphemeral(path),
      signal: () => this.#abort?.signal ?? new AbortController().signal,
    });
  }

  async #beforeCommit(): Promise<void> {
    const { registry, session } = this.ports;
    const spec = registry.find('commit');
    this.#risk = 'write'; // a broken connection leaves the outcome open from here on
    if (spec !== undefined && session.details.protect === true) await this.ports.confirmWrite(spec);
  }

  /** The session, each of whose answers must come in time. */
  async client(): Promise<Client> {
    const { session } = this.ports;
    const client = await session.awaited();
    if (this.#timed?.inner !== client) {
      const outer = this.inTime(client, {
        took: (ms) => {
          this.rttMs = ms;
        },
        waits: () => session.tellWaiting(),
        watching: (path, kind, listener) => session.noteWatch(path, kind, listener === this.ports.watched),
      });
      this.#timed = { inner: client, outer };
    }
    return this.#timed.outer;
  }
  #timed: { readonly inner: Client; readonly outer: Client } | undefined;
  /** The same for a session of another ensemble. */
  inTime(client: Client, ports: Partial<Pick<DeadlinePorts, 'took' | 'waits' | 'watching'>> = {}): Client {
    return new DeadlineClient(client, {
      limitMs: () => this.ports.opTimeoutMs(),
      outcome: () => this.#outcome,
      took: () => {},
      waits: () => {},
      watching: () => {},
      ...ports,
    });
  }

  /**
   * The command that runs is done to its end also when nobody reads what it says: it, or one within it, changes something
   * or is a program, or what it answers decides what follows.
   */
  isNeeded = false;
  /** Its words were split by the operating system's shell. */
  isOneShot = false;
  /** A change was sent since the shell began. */
  hasSent = false;
  #isUnread = false;
  /** The command that runs has said something. */
  #hasSaid = false;
  /**
   * Nobody reads what is said any more. A command that only reads ends with the last that it said, or with the next thing,
   * and that is no failure, and so does one that would never end; all else is done, and so is what follows.
   */
  unread(): void {
    this.#isUnread = true;
    if (this.#hasSaid) this.#said();
  }
  #said(): void {
    this.#hasSaid = true;
    if (this.#isUnread && this.isCut) this.interrupt(NOBODY_READS);
  }
  /** The command that runs is not gone on with when nobody reads what it says. */
  get isCut(): boolean {
    return this.#isEndless !== false || !this.isNeeded;
  }

  /** The command that runs takes away what it made, and is to be waited for. */
  removesOwn = false;
  #isEndless: boolean | 'interrupted' = false;
  get #isQuietlyEnded(): boolean {
    return this.#isEndless === true;
  }

  /** Ctrl-C: the command that runs gives up. False when none runs. */
  interrupt(reason: Error = new DOMException('interrupted', 'AbortError')): boolean {
    this.#isInterrupted ||= reason !== NOBODY_READS;
    this.#abort?.abort(reason);
    return this.#abort !== undefined;
  }

  /** Somebody wants the command to end, and what would follow, be it after `||` or with `-k`, not to begin. */
  #isInterrupted = false;

  /** The program ends, though the command that runs has not: what is not known of its changes is told. */
  giveUp(): void {
    if (!this.#outcome.isOpen) return;
    const failure = failureOf(new DOMException('interrupted', 'AbortError'), 'lost');
    this.#tell(failure, this.#running.command, this.#running.source);
    this.#isGivenUp = true;
  }
  #isGivenUp = false;
  #running: { readonly command: string; readonly source: Source | undefined } = { command: '', source: undefined };

  /** How a line is to be read. */
  parse(text: string): Parsed {
    return this.reader.parse(text);
  }

  /** Runs a line or a script. Returns its status; the reasons were told. */
  async run(text: string, source: Source = { line: 1 }): Promise<number> {
    const parsed = this.parse(text);
    // what is begun and not ended does not run: `deleteall '/a` could mean anything
    const ready = parsed.pipelines.slice(0, parsed.whole);
    let [line, counted] = [source.line, 0];
    for (const [at, pipeline] of ready.entries()) {
      line += countLines(text, counted, pipeline.from);
      counted = pipeline.from;
      if (this.leaving !== undefined) break;
      if (pipeline.after === 'success' && this.lastStatus !== 0) continue;
      if (pipeline.after === 'failure' && this.lastStatus === 0) continue;
      const command = text.slice(pipeline.from, pipeline.to);
      const role = roleOf(ready, at, source);
      this.#isInterrupted = false;
      const goesOn = await this.#step(pipeline, command, { ...source, line }, role);
      if (!goesOn && (this.#isInterrupted || (!this.ports.keepGoing && !role.isHandled))) {
        this.stopped = true;
        return this.lastStatus;
      }
    }
    if (this.leaving !== undefined) return this.leaving.status;
    const [failure, place] = faultOf(parsed) ?? [];
    if (failure === undefined || place === undefined) return this.lastStatus;
    const at = { ...source, line: source.line + countLines(text, 0, place) };
    this.lastStatus = failure.exit;
    this.firstFailure ??= failure.exit;
    this.commandsRun++;
    this.stopped ||= !this.ports.keepGoing;
    this.#countFailed(at);
    this.#tell(failure, lineOf(text, place), at);
    return this.lastStatus;
  }

  /** Runs one command whose words the operating system's shell has split. */
  async runWords(words: readonly string[]): Promise<number> {
    this.isOneShot = true;
    const [name = '', ...rest] = words;
    const args = rest.map((text): Arg => ({ text, quote: 'none' }));
    await this.#guarded(words.join(' '), undefined, false, async (signal) => {
      if (isBlock(words.slice(0, Math.max(0, words.indexOf('{')))))
        throw usage(`${name}: a block is not a word of the command`, LINES_HINT);
      try {
        const output = await this.#command({ text: name, quote: 'none' }, args, signal);
        if (output !== undefined) this.ports.show(output);
        return output?.exit ?? 0;
      } catch (error) {
        throw expandedByOs(rest, this.#failureOf(error), this.ports) ?? error;
      }
    });
    return this.leaving?.status ?? this.lastStatus;
  }

  /** Runs one command within another, such as `repeat`. @throws its failure */
  async execute([name, ...args]: readonly Arg[], signal: AbortSignal): Promise<number> {
    if (name === undefined) return 0;
    this.hasSent ||= this.#outcome.hasSent;
    this.#outcome = new Outcome(); // of this one alone
    const isEndless = this.#isEndless;
    const output = await this.#command(name, args, signal);
    this.#isEndless = isEndless;
    if (output !== undefined) this.#output.show(output); // the result is that of this one
    const failure = failureOfProgram(output);
    if (failure !== undefined) throw failure;
    this.lastStatus = output?.exit ?? 0;
    return this.lastStatus;
  }

  /** Sends what `--atomic` collected; its status. */
  async commit(command: string): Promise<number> {
    await this.#guarded(command, undefined, false, async () => {
      this.isNeeded = true;
      this.show(await this.changes.commit());
      return 0;
    });
    return this.lastStatus;
  }

  /** Runs a file of commands within a command; its own arguments are `${1}` and so on. @throws Failure, told already */
  async runFile(file: string, args: readonly string[]): Promise<number> {
    if (this.#depth >= MAX_DEPTH) throw usage(`run: files that run files more than ${MAX_DEPTH} deep`);
    const text = this.ports.readFile(file);
    refusePragmas(file, text);
    const [stopped, abort, firstFailure] = [this.stopped, this.#abort, this.firstFailure];
    using _own = ownArguments(this.variables, args);
    this.stopped = false;
    this.firstFailure = undefined;
    this.#depth++;
    try {
      const status = await this.run(text, { file, line: 1, isScript: true });
      if (this.stopped) throw new Failure(status as Failure['exit'], 'ScriptFailed', `${file} failed`, { told: true });
      return this.firstFailure ?? status; // -k goes on behind a failure, and tells of the first in the end
    } finally {
      this.#depth--;
      this.stopped = stopped;
      this.firstFailure = firstFailure ?? this.firstFailure;
      this.#abort = abort;
    }
  }

  #tell(failure: Failure, command: string, source: Source | undefined): void {
    if (failure.told || this.#isGivenUp) return;
    const hasLines = source?.isScript === true || source?.file !== undefined;
    this.ports.tell({
      failure,
      command: redact(command),
      file: source?.file,
      line: hasLines ? source.line : undefined,
    });
  }

  #countFailed({ file, line }: Source): void {
    this.failedLines.push(this.#depth > 0 && file !== undefined ? `${file}:${line}` : line);
  }
  /** What stands before a failure that is told while its command goes on: `FILE:LINE: ` of the command, as before any other. */
  get place(): string {
    const { source } = this.#running;
    return source?.file === undefined ? '' : `${source.file}:${source.line}: `;
  }

  /** One pipeline; false when the script ends here. */
  async #step(
    pipeline: Pipeline,
    command: string,
    source: Source,
    { isHandled, steers, isAnswer }: Role,
  ): Promise<boolean> {
    this.commandsRun++;
    const { record } = this.ports;
    // what only waits was not done: of that its end tells
    const keeps = record !== undefined && source.isScript === true && this.#depth === 0 && !this.changes.isAtomic;
    if (keeps) this.#output.recorded = [];
    let failed: Failure | undefined;
    const goesOn = await this.#guarded(
      command,
      source,
      isHandled,
      async (signal) => {
        this.isNeeded ||= pipeline.os !== undefined || steers;
        const { status, failure } = await this.#pipelines.run(pipeline, signal);
        if (failure !== undefined && !isAnswer) throw failure;
        return status;
      },
      (failure) => {
        failed = failure;
      },
    );
    if (!keeps) return goesOn; // one within a file is a part of the line that runs it
    const outputs = this.#output.recorded ?? [];
    this.#output.recorded = undefined;
    record({ line: source.line, command: redact(command), outputs, ...(failed !== undefined && { failure: failed }) });
    return goesOn;
  }
  /** Shows an answer, or a part of it, where the line says. */
  show(output: Output): void {
    this.#shown ??= output;
    this.#output.show(output);
  }
  /** The same in the place of the answer before it. */
  redraw(output: Output): void {
    this.#output.redraw(output);
  }
  write(bytes: Uint8Array): Promise<void> {
    this.#output.write(bytes);
    return this.drained();
  }
  progress(what: string): Progress {
    return this.#output.progress(what);
  }
  /** Resolves when there is room for more. @throws when nobody reads what a command that only reads would still say */
  async drained(): Promise<void> {
    if (this.#output.held === undefined) return this.ports.drained();
    return this.#pipelines.drained(this.#abort?.signal ?? new AbortController().signal, this.#depth === 0);
  }
  async #guarded(
    command: string,
    source: Source | undefined,
    isHandled: boolean,
    work: (signal: AbortSignal) => Promise<number>,
    onFailure: (failure: Failure) => void = () => {},
  ): Promise<boolean> {
    const abort = new AbortController();
    setMaxListeners(0, abort.signal); // one per request in flight
    const outer = this.#abort; // of the command that runs this one
    const giveUp = (): void => abort.abort(outer?.signal.reason);
    outer?.signal.addEventListener('abort', giveUp, { once: true });
    this.#abort = abort;
    this.#risk = 'read';
    const [outcome, running] = [this.#outcome, this.#running]; // of a script's own command each command of it has its own
    this.#outcome = new Outcome();
    this.#running = { command, source };
    this.graceMs = GRACE_MS;
    this.removesOwn = false;
    this.#isEndless = false;
    const [wasNeeded, hadSaid] = [this.isNeeded, this.#hasSaid]; // of the command that runs this one
    this.isNeeded = false;
    this.#hasSaid = false;
    try {
      this.lastStatus = await work(abort.signal);
      await this.ports.settled();
      return true;
    } catch (error) {
      await this.ports.settled();
      if (abort.signal.reason === NOBODY_READS) {
        this.lastStatus = 0;
        return true;
      }
      // C-c in a question is an answer; anywhere else it is why the command ended
      const isAnswer = error instanceof Failure && error.exit === 31;
      const found = this.#failureOf(abort.signal.aborted && !isAnswer ? abort.signal.reason : error);
      const failure = await namedChroot(found, () => this.ports.session.client());
      this.lastStatus = failure.exit;
      const isOver = !isHandled || this.#isInterrupted;
      if (isOver) this.firstFailure ??= failure.exit;
      if (isOver && source !== undefined) this.#countFailed(source);
      onFailure(failure);
      const isItsEnd =
        failure.exit === 130 && this.#isQuietlyEnded && (this.ports.interactive || source?.isScript !== true);
      if (isItsEnd) this.ports.endedByUser();
      else this.#tell(failure, command, source);
      return false;
    } finally {
      outer?.signal.removeEventListener('abort', giveUp);
      this.#abort = outer;
      this.isNeeded ||= wasNeeded;
      this.#hasSaid ||= hadSaid;
      this.hasSent ||= this.#outcome.hasSent;
      this.#outcome = outcome;
      this.#running = running;
    }
  }
  #risk: CommandSpec['risk'] = 'read';
  /** Of the changes of the command that runs. */
  #outcome = new Outcome();
  #failureOf(error: unknown): Failure {
    return failureOf(error, this.#outcome.isOpen ? 'lost' : isOfRead(error) ? 'read' : this.#risk);
  }
  /** What ended a command within another one that goes on. @throws what ends that one, too */
  failedWithin(error: unknown): Failure {
    if (error === NOBODY_READS) throw error;
    const failure = this.#failureOf(error);
    this.hasSent ||= this.#outcome.hasSent;
    this.#outcome = new Outcome();
    return failure;
  }

  async #command({ text: name, block }: Arg, args: readonly Arg[], signal: AbortSignal): Promise<Output | undefined> {
    if (block !== undefined) return this.#pipelines.block(block, signal);
    const found = this.ports.registry.find(name);
    if (found === undefined) throw unknownCommand(name, this.ports.registry);
    const bound = bind(found, args, name, {
      resolve: (typed, keepSlash, isPattern) => resolvePath(this.cwd, typed, keepSlash, isPattern),
      stdin: this.ports.stdin,
    });
    if (bound.help) return helpOf(found);
    const risk = found.riskOf?.(bound.values as never) ?? found.risk;
    const spec: CommandSpec = risk === found.risk ? found : { ...found, risk };
    this.#risk = spec.risk;
    this.#pipelines.hasChanged ||= spec.risk !== 'read';
    this.isNeeded ||= spec.risk !== 'read';
    const kept = this.ports.dryRun ? found.keeps?.(bound.values as never) : undefined;
    if (kept !== undefined) throw cannotShow(kept);
    const route = this.changes.route(spec, this.ports.dryRun || bound.dryRun);
    await admit(spec, { isReal: route.isReal, isOpen: this.changes.isOpen }, this.ports);
    await expandWords(spec, bound, async () => route.wrap(await orAbort(this.client(), signal)), signal);
    const draft = route.isReal ? this.#drafts.of(spec, name, args, bound.values) : undefined;
    this.removesOwn ||= spec.removesOwn === true;
    this.#outcome.isPassing = spec.isPassing === true;
    this.#isEndless ||= spec.isEndless?.(bound.values as never) ?? false;
    const taken = route.isReal ? 'sent' : this.changes.isOpen ? 'waits' : 'dry';
    const shownBefore = this.#shown; // by the command that runs this one
    this.#shown = undefined;
    const work = async (): Promise<Output | undefined> => {
      try {
        const answer = await spec.run(bound.values as never, contextOf(this, spec, bound, route, signal, draft));
        const output = withUndo(route.settle(answer), draft);
        this.#lastResult.answered(this.#shown ?? answer, taken);
        return output;
      } catch (error) {
        if (this.#shown === undefined) this.#lastResult.failed();
        else this.#lastResult.answered(this.#shown, taken);
        throw error;
      } finally {
        this.#shown = shownBefore;
      }
    };
    return this.#drafts.during(draft, work, spec.runsForMany);
  }

  /** `client`, whose changes are noted for undo where that is wanted. */
  recording(client: Client): Client {
    return this.#drafts.recording(client);
  }
}
