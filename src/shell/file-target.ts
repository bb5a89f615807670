/** What the name of a file to be written leads to. */
import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure, usage } from './failure.ts';
import { unwritable } from './file-reason.ts';

export interface FileTarget {
  /** Where the links lead to. */
  readonly path: string;
  /**
   * `new`: nothing is there; `file`: one that can be replaced as a whole; `pipe`: somebody reads it; `open`: a device, or
   * what a process has open and goes on with, so that it is written to as it is.
   */
  readonly kind: 'new' | 'file' | 'pipe' | 'open';
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** As many as the system follows. */
const MOST_LINKS = 40;
/** Names of what a process has open: /dev/stdout and /dev/fd/63 lead there. */
const OPENED = /^\/(?:proc|dev\/fd)\//;

/** @throws Failure (2) when it can be seen that nothing can be written there */
export function fileTarget(file: string): FileTarget {
  if (file === '') throw usage('cannot write: the name of the file is empty');
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    const isFolder = found?.isDirectory() ?? file.endsWith('/');
    if (isFolder) throw Object.assign(new Error(file), { code: 'EISDIR' });
    const { path, isOpened } = followed(file);
    if (found === undefined) return { path, kind: 'new' };
    if (found.isFIFO()) return { path: file, kind: 'pipe' };
    if (isOpened || !found.isFile()) return { path: file, kind: 'open' };
    return { path, kind: 'file', owner: { uid: found.uid, gid: found.gid } };
  } catch (error) {
    throw error instanceof Failure ? error : unwritable(file, error);
  }
}

/**
 * What is to be said when a file was replaced that others might read: it is its owner's alone now. Asked before; undefined:
 * nothing is taken from anybody.
 */
export function narrowing(file: string): string | undefined {
  const { path, kind } = fileTarget(file);
  const mode = kind === 'file' ? statSync(path).mode & 0o777 : 0;
  return (mode & 0o077) === 0 ? undefined : `${file} is now readable by its owner alone: mode 0600, was ${octal(mode)}`;
}
const octal = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`;

/** A regular file, or one that is to be made: no device, nobody who reads meanwhile, and nothing that a process has open. */
export function isRegular(file: string): boolean {
  try {
    const { kind } = fileTarget(file);
    return kind === 'new' || kind === 'file';
  } catch {
    return true; // opening it tells why not
  }
}

/** The end of the links, which need not be there: a new file is made where they lead to, not in their place. */
function followed(file: string): { path: string; isOpened: boolean } {
  let path = resolve(file);
  for (let links = 0; links < MOST_LINKS; links++) {
    path = join(folderOf(path, links > 0), basename(path));
    if (OPENED.test(path)) return { path, isOpened: true };
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return { path, isOpened: false };
    path = resolve(dirname(path), readlinkSync(path));
  }
  throw Object.assign(new Error(file), { code: 'ELOOP' });
}

/** `isLinked`: its own name is told when it is not there, since that of the link says nothing about it. @throws Failure (2) */
function folderOf(path: string, isLinked: boolean): string {
  try {
    return realpathSync(dirname(path));
  } catch (error) {
    throw isLinked ? unwritable(path, error) : error;
  }
}
