import { dirname } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { Failure, usage } from './failure.ts';

/** Why a file cannot be written, and what to do about it. */
export function unwritable(file: string, error: unknown): Failure {
  const { code } = (error ?? {}) as { code?: string };
  const folder = dirname(file);
  if (code === 'ENOENT')
    return new Failure(2, NO_FOLDER, `cannot write ${file}: there is no folder ${folder}`, {
      hint: `mkdir -p ${folder} makes it`,
    });
  return usage(`cannot write ${file}: ${fileWords(error)}`, WAYS[code ?? '']);
}
const NO_FOLDER = 'NoFolder';

/** The same where commands of the operating system begin with `!`, and mkdir makes nodes. */
export function asTypedHere(failure: Failure): Failure {
  const { exit, code, message, path, hint, lines } = failure;
  if (code !== NO_FOLDER) return failure;
  return new Failure(exit, code, message, { path, hint: `!${hint}`, lines, cause: failure });
}

const WAYS: Readonly<Record<string, string>> = {
  EISDIR: 'name a file in it',
  EACCES: 'who may write there is up to its folder; another place may do',
  EROFS: 'name a file elsewhere',
  ENOSPC: 'make room, or name a file elsewhere',
};
