import { closeSync, existsSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * A file that is mounted by itself, as containers have them, can be written and not be replaced; nor can any be made beside it in a
 * folder that is another user's.
 */
const IN_PLACE = new Set(['EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS']);

/**
 * Writes a small file so that all of it is there or nothing, and only `mode` may be done with it, whoever could read what was there
 * before. Whoever finds it may take it for whole: a full disk or a kill leaves no part of it. One that can only be written where it
 * is keeps the mode that it has. @throws Error with an errno `code`
 */
export function writeWholeFile(path: string, text: string, mode: number): void {
  const target = targetOf(path);
  const temp = `${target}.${process.pid}.tmp`;
  try {
    rmSync(temp, { force: true }); // one with the same number was killed there: in containers all have it
    fill(temp, text, mode);
    renameSync(temp, target);
  } catch (error) {
    if (!IN_PLACE.has((error as NodeJS.ErrnoException).code ?? '') || !existsSync(target)) throw error;
    writeFileSync(target, text);
  } finally {
    clear(temp);
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

function clear(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // what could not be made there is not there
  }
}
