import type { Client, WatchListener } from '../client/api.ts';
import type { ZkVersion } from './texts.ts';
import type { OptionSpec, ParsedWords } from './words.ts';

/** What a command of zkCli may use. */
export interface ZkContext {
  /** Of the session that is; waits for its connection. */
  client(): Promise<Client>;
  /** Standard output and error, text with its newlines. */
  out(text: string): void;
  err(text: string): void;
  readonly version: ZkVersion;
  /** Takes the events of watches. */
  readonly watch: WatchListener;
  readFile(file: string): string;
  /** Presents a credential; nobody waits for the answer. */
  addAuth(scheme: string, auth: string): void;
  readonly programVersion: string;
}

export interface ZkCommand {
  readonly options?: Readonly<Record<string, OptionSpec>>;
  /** Those only the newer version has. */
  readonly newOptions?: Readonly<Record<string, OptionSpec>>;
  /** Words there must be, the command's name counted. */
  readonly words: number;
  /** An older spelling: a third word means this option; the text says so. */
  readonly old?: { readonly option: string; readonly text: string };
  run(parsed: ParsedWords, context: ZkContext): Promise<void>;
}

/** The command fails with this text and status 1. */
export class CommandFault extends Error {}

/** Java has an uncaught exception here, which ends the shell. */
export class Crash extends Error {
  constructor(kind: string, message: string) {
    super(`Exception in thread "main" java.lang.${kind}: ${message}`);
  }
}

/** A Java int. @throws Crash */
export function intOf(text: string): number {
  const value = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value > 0x7fff_ffff || value < -0x8000_0000)
    throw new Crash('NumberFormatException', `For input string: "${text}"`);
  return value;
}
