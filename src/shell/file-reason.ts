const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EMFILE: 'too many files are open',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk may only be read',
};

/** Why a file could not be read or written, in a few words. */
export function fileReason(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return REASONS[code ?? ''] ?? code ?? message ?? String(error);
}
