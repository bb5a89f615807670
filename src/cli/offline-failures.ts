import { ApacheDamage } from '../apache/damage.ts';
import { FolderError } from '../base/file-words.ts';
import { DiskError } from '../ports/disk.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { explainStart } from './start-failures.ts';
import { errorText } from './width.ts';

/** What cannot be read is said as people say it; nothing of it is a bug of ours. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read or written by this user',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EROFS: 'the disk is read-only',
};

/** A file is not what the command is for: no usage helps. */
export class WrongFile extends Error {}

/** Says why files of a server were not read or made; returns the exit code. Anything unexpected is thrown on. */
export function explainOffline(error: unknown, usage: string): number {
  if (error instanceof ApacheDamage)
    return explainStart(new StorageRefusal(44, `data damaged: ${error.message}`), usage);
  if (error instanceof FolderError) {
    process.stderr.write(errorText(`cannot make a folder: ${error.message}`));
    return error.code === 'ENOTDIR' ? 2 : 40;
  }
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (error instanceof DiskError || (error instanceof Error && typeof code === 'string' && code in REASONS)) {
    const { code: found = '', path = '' } = error as DiskError;
    process.stderr.write(errorText(`cannot use ${path}: ${REASONS[found] ?? found}`));
    return found === 'ENOENT' || found === 'EISDIR' || found === 'ENOTDIR' ? 2 : 40;
  }
  if (error instanceof WrongFile) {
    process.stderr.write(errorText(error.message));
    return 2;
  }
  return explainStart(error, usage);
}
