/** One pipeline of a line: `NAME word*`, with what stands behind it: a program, a file, a block, `$(...)`. */
import { isUtf8 } from 'node:buffer';
import { redact } from '../editor/redact.ts';
import { noRunner } from './blocks.ts';
import type { Changes } from './changes.ts';
import type { Arg } from './command.ts';
import type { ExitCode } from './exit-codes.ts';
import { Failure, usage } from './failure.ts';
import { isRegular } from './file-target.ts';
import { HeldOutput } from './held-output.ts';
import type { WordToken } from './lexer.ts';
import { unknownCommand } from './misspelt.ts';
import { orAbort } from './or-abort.ts';
import type { Output } from './output.ts';
import type { OutputRoute } from './output-route.ts';
import type { Pipeline } from './parser.ts';
import type { LineReader } from './reading.ts';
import { countLines, faultOf } from './script-text.ts';
import type { ShellPorts } from './shell-ports.ts';
import { notText } from './utf8.ts';
import { fill } from './variables.ts';

/** What a pipeline needs of the shell that runs it. */
export interface PipelineHost {
  readonly ports: ShellPorts;
  readonly output: OutputRoute;
  readonly reader: LineReader;
  readonly changes: () => Changes;
  /** Runs one command. @throws its failure */
  readonly command: (name: Arg, args: readonly Arg[], signal: AbortSignal) => Promise<Output | undefined>;
  readonly variable: (name: string) => string | undefined;
  /** Connects, where that has not been done. */
  readonly client: () => Promise<unknown>;
}

/** How one has ended. `failure`: that of a program, where a script asks for none. */
export interface Ended {
  readonly status: number;
  readonly failure?: Failure | undefined;
}

const NOTHING: Arg = { text: '', quote: 'none' };

export class Pipelines {
  readonly #host: PipelineHost;
  /** A command that changes something has run since the pipeline was begun: it is not to be cut short. */
  hasChanged = false;

  constructor(host: PipelineHost) {
    this.#host = host;
  }

  /** Runs one. @throws the failure of its command */
  async run(pipeline: Pipeline, signal: AbortSignal): Promise<Ended> {
    const { ports, reader } = this.#host;
    if (pipeline.os !== undefined) return endOf(pipeline.os, await ports.os(pipeline.os, signal, this.#isRecorded));
    reader.refuseGlued(pipeline.words);
    const words = await this.#filled(pipeline.words, signal);
    if (pipeline.block !== undefined) words.push({ ...(words.pop() as Arg), block: pipeline.block });
    const [name = NOTHING, ...args] = words;
    const other = pipeline.block && noRunner(words.slice(0, -1).map(({ text }) => text));
    if (other !== undefined) throw usage(`${other}: a transaction cannot be what it runs`, 'time and repeat run one');
    if (pipeline.substitution !== undefined)
      args.push({ text: await this.#substitute(pipeline.substitution, signal), quote: 'double' });
    const target = pipeline.file && (await this.#filled([pipeline.file.word], signal))[0]?.text;
    const { pipe } = pipeline;
    const open =
      target !== undefined
        ? () => ports.openFile(target, pipeline.file?.append === true)
        : pipe !== undefined
          ? () => ports.pipe(pipe, signal, this.#isRecorded)
          : undefined;
    if (open === undefined) {
      const output = await this.#host.command(name, args, signal);
      if (output !== undefined) this.#host.output.show(output);
      return { status: output?.exit ?? 0, failure: this.#failureIn(output, name.text) };
    }
    const { held: outer, isFile: wasFile } = this.#host.output; // of a line that runs a file, whose output goes elsewhere as a whole
    const held = new HeldOutput(open);
    this.#host.output.held = held;
    this.#host.output.isFile = target !== undefined && pipeline.file?.append !== true && isRegular(target);
    this.hasChanged = false;
    try {
      const output = await this.#host.command(name, args, signal);
      if (output !== undefined) this.#host.output.show(output);
      const status = await held.end();
      const failure = this.#failureIn(output, name.text);
      // a program that looks at a list need not see all of it; a copy that lacks something is not hidden by one
      const spec = ports.registry.find(name.text);
      const isCopy = spec?.group === 'bulk' && spec.name !== 'diff';
      if (pipe !== undefined && (status > 1 || failure === undefined || !isCopy)) return endOf(pipe, status);
      return { status: output?.exit ?? 0, failure };
    } catch (error) {
      if (error === NOBODY_READS) return endOf(pipe ?? '', await held.end());
      await held.abandon();
      throw error;
    } finally {
      this.#host.output.held = outer;
      this.#host.output.isFile = wasFile;
    }
  }

  /** A program failed, or a command did a part only: 1 is an answer. What went wrong has been said, by it or those within it. */
  #failureIn(output: Output | undefined, name: string): Failure | undefined {
    const ofProgram = failureOfProgram(output);
    const exit = output?.exit ?? 0;
    const { registry } = this.#host.ports;
    if (ofProgram !== undefined || exit <= 1 || registry.find(name)?.runsLines === true) return ofProgram;
    return new Failure(exit as ExitCode, 'Incomplete', `${name}: a part of it was not done`);
  }

  /** Each command is one record of JSON: what programs print goes beside it. */
  get #isRecorded(): boolean {
    return this.#host.output.recorded !== undefined;
  }

  /** Words with their variables; there is a session before its number is asked for. @throws Failure (2) */
  async #filled(words: readonly WordToken[], signal: AbortSignal): Promise<Arg[]> {
    const isAsked = words.some(({ parts }) => parts.some((part) => part.kind !== 'text' && part.name === 'session'));
    if (isAsked) await orAbort(this.#host.client(), signal);
    return words.map((word) => fill(word, this.#host.variable));
  }

  /** The operations of a transaction, one after the other. @throws Failure of the first that cannot be one */
  block(block: readonly Pipeline[], signal: AbortSignal): Promise<Output | undefined> {
    return this.#host.changes().block(async () => {
      for (const each of block) await this.#operation(each, signal);
    });
  }
  async #operation({ words, os, block }: Pipeline, signal: AbortSignal): Promise<void> {
    const [first, ...args] = await this.#filled(words, signal);
    const spec = first === undefined ? undefined : this.#host.ports.registry.find(first.text);
    if (first !== undefined && spec === undefined) throw unknownCommand(first.text, this.#host.ports.registry);
    if (os !== undefined || block !== undefined || first === undefined || spec?.transaction !== 'operation')
      throw usage(`${first?.text ?? '!'} cannot be part of a transaction`, 'create, set, delete and check can');
    await this.#host.command(first, args, signal);
  }

  /** The operations of a text, such as a file's. @throws Failure (2) with its line */
  async runOperations(text: string, file: string | undefined, signal: AbortSignal): Promise<void> {
    const parsed = this.#host.reader.parse(text);
    const where = (at: number): string => (file === undefined ? '' : `${file}:${1 + countLines(text, 0, at)}: `);
    const wrong = faultOf(parsed);
    if (wrong !== undefined) throw usage(`${where(wrong[1])}${wrong[0].message}`, wrong[0].hint);
    for (const each of parsed.pipelines)
      await this.#operation(each, signal).catch((error: unknown) => {
        if (!(error instanceof Failure) || error.exit === 130) throw error;
        const { exit, code, message, path, hint, lines } = error;
        throw new Failure(exit, code, `${where(each.from)}${message}`, { path, hint, lines, cause: error });
      });
  }

  /** What a command prints, without the newlines at its end. @throws its failure */
  async #substitute(text: string, signal: AbortSignal): Promise<string> {
    const { pipelines, fault, open } = this.#host.reader.parse(text);
    const [one, more] = pipelines;
    const isPlain =
      one !== undefined && more === undefined && one.os === undefined && one.pipe === undefined && !one.file;
    if (!isPlain || one.block !== undefined || fault !== undefined || open !== undefined)
      throw usage(`$(${text}) is not one command`, fault?.message ?? 'one command, without pipes and files');
    const [name, ...args] = await this.#filled(one.words, signal);
    const outer = this.#host.output.held;
    const mine = new HeldOutput();
    this.#host.output.held = mine;
    try {
      const output = await this.#host.command(name ?? NOTHING, args, signal);
      if (output !== undefined) this.#host.output.show(output);
      if (!isUtf8(mine.bytes)) throw notText(`$(${text})`, 'get PATH > FILE keeps the bytes, and @FILE gives them');
      return mine.bytes.toString().replace(/\n+$/, '');
    } finally {
      this.#host.output.held = outer;
    }
  }

  /** Resolves when what takes the output has room for more. `isLine`: no file of commands is being run. @throws NOBODY_READS */
  async drained(signal: AbortSignal, isLine: boolean): Promise<void> {
    const isWanted = await orAbort(this.#host.output.held?.drained() ?? Promise.resolve(true), signal);
    if (!isWanted && !this.hasChanged && isLine) throw NOBODY_READS;
  }
}

/** `ls -R / | head`: the program has ended, and what only reads ends with it. */
export const NOBODY_READS = new Error('nobody reads the output any more');

/** 1 is the answer of programs such as grep, and no word of the language could ask for it. */
const endOf = (program: string, status: number): Ended => ({
  status,
  failure: status > 1 ? programFailed(program, status) : undefined,
});
/** A command ran a program, and that one failed: `||` behind the command could have asked for it. */
export const failureOfProgram = (output: Output | undefined): Failure | undefined =>
  output?.program !== undefined && output.exit !== undefined && output.exit !== 0
    ? programFailed(output.program.join(' '), output.exit)
    : undefined;
/** A program of a script ended with `status`, which is the script's then. */
function programFailed(program: string, status: number): Failure {
  const name = redact(program.trim().replace(/\s+/g, ' '));
  const shown = name.length > 60 ? `${name.slice(0, 60)}...` : name;
  return new Failure(status as ExitCode, 'ProgramFailed', `${shown} ended with ${status}`);
}
