/** What the words of the system for a failure with a file mean. Whoever knows better what was wanted says it better. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  EEXIST: 'it is there already',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EROFS: 'the disk may only be read',
  EIO: 'the disk fails',
  EPIPE: 'nobody reads it any more',
};

/** Why folders could not be made: `path` is the one at which it ended, the message a few words. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
  /** The errno name. */
  readonly code: string;
  readonly path: string;
  constructor(code: string, path: string, words: string) {
    super(words);
    this.code = code;
    this.path = path;
  }
}

/** Why a file could not be read or written, in a few words. */
export function fileWords(error: unknown): string {
  if (error instanceof FolderError) return error.message;
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return WORDS[code ?? ''] ?? code ?? message ?? String(error);
}
