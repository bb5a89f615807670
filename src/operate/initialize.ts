import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';
import { DataDirError } from '../runtime/start.ts';
import { StartError } from '../runtime/start-error.ts';
import { whyNot } from './whose.ts';

/** Folders of ours and of Apache's that hold a history. */
const HISTORIES = ['zoosh-1', 'version-2'];

/** The folders of a history that are there already. */
export const historiesIn = (dirs: readonly string[]): string[] =>
  [...new Set(dirs)].flatMap((dir) => HISTORIES.map((name) => join(dir, name))).filter((path) => existsSync(path));

/**
 * Makes the folders of a server that is to begin with nothing: histories, ours and Apache's, and an old `myid` go, a new one
 * is written. `initialize` is left as Apache's tool leaves it. @throws StartError (40)
 */
export function makeDataDir(dataDir: string, dataLogDir: string, myid: number | undefined): void {
  for (const path of historiesIn([dataDir, dataLogDir])) remove(path);
  for (const dir of new Set([dataDir, dataLogDir])) {
    try {
      makeFolders(dir, { mkdirSync, statSync });
    } catch (error) {
      throw new DataDirError(40, `the data directory ${dir} cannot be made: ${whyNot(dir, error)}`);
    }
    remove(join(dir, 'myid'));
  }
  if (myid !== undefined) write(join(dataDir, 'myid'), `${myid}\n`);
  write(join(dataDir, 'initialize'), '');
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw new StartError(40, `${path} cannot be removed: ${whyNot(dirname(path), error)}`);
  }
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new StartError(40, `${path} cannot be written: ${whyNot(path, error)}`);
  }
}
