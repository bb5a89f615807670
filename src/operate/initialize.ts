import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';

/** Folders of ours and of Apache's that hold a history. */
const HISTORIES = ['zoosh-1', 'version-2'];

/** The folders of a history that are there already. */
export const historiesIn = (dirs: readonly string[]): string[] =>
  [...new Set(dirs)].flatMap((dir) => HISTORIES.map((name) => join(dir, name))).filter((path) => existsSync(path));

/**
 * Makes the folders of a server that is to begin with nothing: histories, ours and Apache's, and an old `myid` go, a new one
 * is written. `initialize` is left as Apache's tool leaves it.
 */
export function makeDataDir(dataDir: string, dataLogDir: string, myid: number | undefined): void {
  for (const path of historiesIn([dataDir, dataLogDir])) rmSync(path, { recursive: true });
  for (const dir of new Set([dataDir, dataLogDir])) {
    makeFolders(dir, { mkdirSync, statSync });
    rmSync(join(dir, 'myid'), { force: true });
  }
  if (myid !== undefined) writeFileSync(join(dataDir, 'myid'), `${myid}\n`);
  writeFileSync(join(dataDir, 'initialize'), '');
}
