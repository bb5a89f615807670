import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileWords } from '../base/file-words.ts';

const NOT_ALLOWED = new Set(['EACCES', 'EPERM']);
const named = (uid: number): string => (uid === 0 ? 'root' : `user ${uid}, or as root`);

/** The owner of a path, or of the nearest folder above it that is there. */
function ownerOf(path: string): number | undefined {
  for (let at = path; ; at = dirname(at)) {
    try {
      return statSync(at).uid;
    } catch {
      if (dirname(at) === at) return undefined;
    }
  }
}

/** Why a file was not touched, and as who to try again where this user may not; `path`: whose owner may. */
export function whyNot(path: string, error: unknown): string {
  const owner = ownerOf(path);
  const isOthers = owner !== undefined && owner !== process.getuid?.();
  const mayOthers = NOT_ALLOWED.has((error as NodeJS.ErrnoException).code ?? '') && isOthers;
  return `${fileWords(error)}${mayOthers ? `; do it as ${named(owner)}` : ''}`;
}

/** The same of a file that is to be made: what is missing is the folder for it. */
export function whyNotMade(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there is no folder ${dirname(path)}`;
  return code === 'EISDIR' ? 'it is a folder; name a file in it' : whyNot(path, error);
}

/** Who runs a process, where that can be seen. */
export function userOfProcess(pid: number): string {
  try {
    return named(statSync(`/proc/${pid}`).uid);
  } catch {
    return 'the user who started it, or as root';
  }
}
