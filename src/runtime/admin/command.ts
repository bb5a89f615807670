import type { WordContext } from '../words/context.ts';
import type { JsonObject } from './json.ts';

/** What a command can ask for besides what words can. */
export interface CommandContext extends WordContext {
  readonly query: URLSearchParams;
  /** Of a POST; empty otherwise. */
  readonly body: Buffer;
  /** Writes a snapshot; resolves with its zxid and where it lies. @throws Error that says why there is none */
  snapshot(): Promise<{ readonly zxid: bigint; readonly path: string; readonly bytes: number }>;
  /** What was done is to be sent. */
  turn(): void;
}

/** A file that is the answer instead of fields. */
export interface FileAnswer {
  readonly file: string;
}
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fields: JsonObject | FileAnswer;
}

export interface Command {
  /** The first is what answers name. */
  readonly names: readonly [string, ...string[]];
  /** Of `admins` credentials are asked for: it tells of clients, paths or settings, or changes something. */
  readonly for: 'everybody' | 'admins';
  readonly method: 'GET' | 'POST';
  /** It changes something: who asked for it is told in the log. */
  readonly changes?: true;
  /** It is answered also while the server does not serve. */
  readonly always?: true;
  run(context: CommandContext): Answer | Promise<Answer>;
}

/** A command that could not be done: HTTP's number and a sentence, or none, as ZooKeeper has it. */
export class CommandError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const fields = (object: JsonObject): Answer => ({ fields: object });
