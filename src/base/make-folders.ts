import { FolderError, fileWords } from './file-words.ts';

/** What of node:fs is needed. */
export interface FolderDisk {
  mkdirSync(path: string, options: { mode: number }): unknown;
  statSync(path: string): { isDirectory(): boolean };
}

/**
 * Makes a folder and those above it that are missing, one by one, and returns the highest that it made, if any. Node's own
 * `recursive` never ends where the system says ENOENT to a folder whose parent is there, as below /proc, and calls a disk that
 * may only be read ENOENT, too. @throws FolderError
 */
export function makeFolders(path: string, disk: FolderDisk, mode = 0o777): string | undefined {
  const missing: string[] = [];
  for (let at = path; !isFolder(at, disk); at = parentOf(at)) missing.push(at);
  const made: string[] = [];
  for (const each of missing.reverse()) if (make(each, disk, mode)) made.push(each);
  return made[0];
}

/** False: it was made by another just now. */
function make(path: string, disk: FolderDisk, mode: number): boolean {
  try {
    disk.mkdirSync(path, { mode });
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EEXIST') throw new FolderError(code, path, wordsOf(code, path, error));
    if (isFolder(path, disk)) return false;
    throw new FolderError(code, path, `${path} is a link that leads nowhere`);
  }
}

function wordsOf(code: string, path: string, error: unknown): string {
  if (code === 'ENOENT') return `no folder can be made in ${parentOf(path)}`;
  if (code === 'EACCES' || code === 'EPERM') return `this user may not make ${path}`;
  return fileWords(error);
}

/** False: nothing is there. @throws FolderError for anything else than a folder */
function isFolder(path: string, disk: FolderDisk): boolean {
  let found: ReturnType<FolderDisk['statSync']>;
  try {
    found = disk.statSync(path);
  } catch (error) {
    const code = codeOf(error);
    // of which part it is not true, the way up tells
    if ((code === 'ENOENT' || code === 'ENOTDIR') && parentOf(path) !== path) return false;
    const isHidden = code === 'EACCES' || code === 'EPERM';
    throw new FolderError(code, path, isHidden ? `this user may not look into ${parentOf(path)}` : fileWords(error));
  }
  if (found.isDirectory()) return true;
  throw new FolderError('ENOTDIR', path, `${path} is not a folder`);
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);

function parentOf(path: string): string {
  const bare = path.replace(/\/+$/, '');
  const end = bare.lastIndexOf('/');
  if (end > 0) return bare.slice(0, end);
  return end === 0 || path.startsWith('/') ? '/' : '.';
}
