import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** A file that is mounted by itself, as containers have them, can be written and not be replaced. */
const MOUNTED = new Set(['EBUSY', 'EXDEV']);

/**
 * Writes a small file so that all of it is there or nothing, and only `mode` may be done with it, whoever could read what was there
 * before. Whoever finds it may take it for whole: a full disk or a kill leaves no part of it. @throws Error with an errno `code`
 */
export function writeWholeFile(path: string, text: string, mode: number): void {
  const target = targetOf(path);
  const temp = `${target}.${process.pid}.tmp`;
  try {
    fill(temp, text, mode);
    try {
      renameSync(temp, target);
    } catch (error) {
      if (!MOUNTED.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      writeFileSync(target, text);
    }
  } finally {
    rmSync(temp, { force: true });
  }
}

/** What a link leads to is replaced, and the link stays. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function fill(path: string, text: string, mode: number): void {
  const fd = openSync(path, 'wx', mode);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
