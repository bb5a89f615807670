import { dirname } from 'node:path';
import { type Failure, usage } from './failure.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EMFILE: 'too many files are open',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk may only be read',
  ELOOP: 'its links lead in a circle',
  EPIPE: 'nobody reads it any more',
};

/** Why a file could not be read or written, in a few words. */
export function fileReason(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return REASONS[code ?? ''] ?? code ?? message ?? String(error);
}

/** Why a file cannot be written, and what to do about it. */
export function unwritable(file: string, error: unknown): Failure {
  const { code } = (error ?? {}) as { code?: string };
  const folder = dirname(file);
  if (code === 'ENOENT')
    return usage(`cannot write ${file}: there is no folder ${folder}`, `mkdir -p ${folder} makes it`);
  return usage(`cannot write ${file}: ${fileReason(error)}`, WAYS[code ?? '']);
}
const WAYS: Readonly<Record<string, string>> = {
  EISDIR: 'name a file in it',
  EACCES: 'who may write there is up to its folder; another place may do',
  EROFS: 'name a file elsewhere',
  ENOSPC: 'make room, or name a file elsewhere',
};
