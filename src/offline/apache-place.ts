import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ApacheFolders } from '../apache/load.ts';
import { logsAmong, snapshotsAmong } from '../apache/names.ts';

export const VERSION_2 = 'version-2';

/** Where an Apache server keeps its data. */
export interface ApachePlace {
  /** dataDir, where `myid` lies. */
  readonly root: string;
  readonly folders: ApacheFolders;
}

/** What `dir` and `logDir` mean: dataDir and dataLogDir, or their `version-2`; undefined when neither is there. */
export function apachePlace(dir: string, logDir: string | undefined): ApachePlace | undefined {
  const data = filesIn(dir);
  const log = filesIn(logDir ?? dir);
  if (data === undefined || log === undefined) return undefined;
  return { root: data === dir && basename(dir) === VERSION_2 ? dirname(dir) : dir, folders: { data, log } };
}

function filesIn(dir: string): string | undefined {
  const inner = join(dir, VERSION_2);
  if (existsSync(inner)) return inner;
  if (basename(dir) === VERSION_2 && existsSync(dir)) return dir;
  const names = existsSync(dir) && statSync(dir).isDirectory() ? readdirSync(dir) : [];
  return snapshotsAmong(names).length + logsAmong(names).length > 0 ? dir : undefined;
}

/** A number in a small file: `myid`, `acceptedEpoch`; undefined when there is none. */
export function numberIn(file: string): number | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/** The highest epoch that the server of these folders promised or took part in, by its files. */
export const epochIn = (folder: string): number =>
  Math.max(numberIn(join(folder, 'acceptedEpoch')) ?? 0, numberIn(join(folder, 'currentEpoch')) ?? 0);
