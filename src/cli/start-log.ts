import { fileWords } from '../base/file-words.ts';
import { bytesOf } from '../operate/jvm-flags.ts';
import { isLogLevel, type LogFormat, type Logger, type LogLevel, makeLogger } from '../runtime/log.ts';
import { LogFile } from '../runtime/log-file.ts';
import { StartError } from '../runtime/start-error.ts';
import { UsageError } from './start-failures.ts';

/** What the words of `start` say about its log. */
export interface LogWish {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly file: { readonly path: string; readonly maxBytes: number; readonly maxFiles: number } | undefined;
}

const MAX_BYTES = 50 * 1024 * 1024;
const MAX_FILES = 10;
const LEAST_BYTES = 4096;

type Said = Readonly<
  Partial<Record<'log-level' | 'log-format' | 'log-file' | 'log-max-size' | 'log-max-files', string>>
>;

/** @param asked a level that the environment asks for. @throws UsageError */
export function logWish(values: { readonly [Key in keyof Said]?: string | undefined }, asked?: string): LogWish {
  const level = values['log-level'] ?? asked ?? 'info';
  const format = values['log-format'] ?? 'text';
  if (!isLogLevel(level)) throw new UsageError(`no log level ${level}`);
  if (format !== 'text' && format !== 'ndjson') throw new UsageError(`no log format ${format}`);
  const [size, count, path] = [values['log-max-size'], values['log-max-files'], values['log-file']];
  if (path === undefined) {
    if (size !== undefined || count !== undefined)
      throw new UsageError(`${size === undefined ? '--log-max-files' : '--log-max-size'} is about a --log-file`);
    return { level, format, file: undefined };
  }
  const maxBytes = size === undefined ? MAX_BYTES : bytesOf(size);
  if (maxBytes === undefined || maxBytes < LEAST_BYTES)
    throw new UsageError(`--log-max-size ${size}: write 50M, 1G or bytes, ${LEAST_BYTES} at least`);
  const maxFiles = count === undefined ? MAX_FILES : Number(count);
  if (!Number.isInteger(maxFiles) || maxFiles < 1 || maxFiles > 1000)
    throw new UsageError(`--log-max-files ${count}: write a number from 1 to 1000`);
  return { level, format, file: { path, maxBytes, maxFiles } };
}

/** The log of a server that starts, and its file when it has one. @throws StartError (40) */
export function openLog({ level, format, file }: LogWish): { logger: Logger; file: LogFile | undefined } {
  if (file === undefined) return { logger: makeLogger(level, format), file: undefined };
  try {
    const opened = new LogFile(
      file,
      (sentence) => void process.stderr.write(`the log cannot be written: ${sentence}\n`),
    );
    return { logger: makeLogger(level, format, opened), file: opened };
  } catch (error) {
    throw new StartError(40, `--log-file ${file.path} cannot be opened: ${fileWords(error)}`);
  }
}
