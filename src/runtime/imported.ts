/** What an import leaves beside the history that it made, and what a start makes of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StorageRefusal } from '../storage/errors.ts';

/** Lies in zoosh-1 of the data directory: up to where Apache's files went that were imported, as 0x and hexadecimal. */
export const IMPORTED = 'imported';
/** `folders`: with Apache's files. One may be named for what was never whole in it, or was given up: that was there already. */
export function importedText(lastZxid: bigint, folders: Iterable<string>): string {
  let last = lastZxid;
  for (const folder of folders) for (const name of namesIn(folder)) if (zxidOf(name) > last) last = zxidOf(name);
  return `0x${last.toString(16)}\n`;
}

/**
 * What an Apache server wrote in these directories behind what was imported from there, as a sentence: it was started again, or had
 * not been stopped, and its clients were answered. Undefined: nothing.
 */
export function newerThanImported(dataDir: string, logDir: string): string | undefined {
  const last = lastImported(dataDir);
  if (last === undefined) return undefined;
  for (const root of new Set([dataDir, logDir])) {
    const newer = namesIn(join(root, 'version-2')).find((name) => zxidOf(name) > last);
    if (newer !== undefined)
      return `${root}/version-2 holds ${newer}, which an Apache ZooKeeper server wrote after its data was imported up to 0x${last.toString(16)}: zoosh has nothing of it`;
  }
  return undefined;
}
/** A server does not start beside such data. @throws StorageRefusal (42) */
export function refuseNewerApache(dataDir: string, logDir: string): void {
  const newer = newerThanImported(dataDir, logDir);
  if (newer !== undefined)
    throw new StorageRefusal(
      42,
      `${newer}. Stop that server. To keep what it wrote: zoosh import-apache ${dataDir} --to DIR, into a new directory. To go on without it: move version-2 away, or start with --ignore-apache-data`,
    );
}

function lastImported(dataDir: string): bigint | undefined {
  try {
    return BigInt(readFileSync(join(dataDir, 'zoosh-1', IMPORTED), 'utf8').trim());
  } catch {
    return undefined; // nothing was imported, or by a program that left no word
  }
}
const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
};
/** The first transaction of a log, the last of a snapshot; -1 for any other file. */
const zxidOf = (name: string): bigint => {
  const [, hex] = /^(?:log|snapshot)\.([0-9a-f]{1,16})(?:\.(?:gz|snappy))?$/.exec(name) ?? [];
  return hex === undefined ? -1n : BigInt(`0x${hex}`);
};
