import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import { holdingsOf } from '../storage/accept-loss.ts';
import { DamageError, StorageRefusal } from '../storage/errors.ts';
import { readWhole, UNFINISHED, writeWhole } from '../storage/files.ts';
import { findIdentity, identityPlaces } from '../storage/identity.ts';

const OURS = 'zoosh-1';
const WORK = UNFINISHED;
/** How many directories that were set aside may lie beside each other. */
const MOST_ASIDE = 1000;
/** In the folder of the work while it is put in its place: under which name the history goes aside that was there. */
const ASIDE = 'aside';
/** Bytes of that file. */
const LONGEST_NAME = 255;

/** A history that is given up for another. */
export interface Sacrifice {
  /** `none`: it was never founded; `unknown`: it is too damaged to say. */
  readonly ensembleId: string;
  /** The highest that its server had promised anybody, as far as is known. */
  readonly epoch: number;
}

/**
 * The history that lies in these directories and was said to be given up, by the id of its ensemble or by eight digits of it at
 * least; undefined when there is none and nobody said so. @throws StorageRefusal (42) when it is another
 */
export async function sacrificeOf(
  disk: Disk,
  dataDir: string,
  logDir: string,
  said: string | undefined,
): Promise<Sacrifice | undefined> {
  if (said === undefined) return undefined;
  const found = await heldIn(disk, dataDir, logDir);
  if (found === undefined)
    throw new StorageRefusal(42, `there is nothing to sacrifice in ${dataDir}: leave --sacrifice out`);
  const { ensembleId } = found;
  if (said === ensembleId || (said.length >= 8 && ensembleId.startsWith(said))) return found;
  throw new StorageRefusal(42, `${dataDir} belongs to ensemble ${ensembleId}, not ${said}: nothing is sacrificed`);
}
async function heldIn(disk: Disk, dataDir: string, logDir: string): Promise<Sacrifice | undefined> {
  const [data, log] = [join(dataDir, OURS), join(logDir, OURS)];
  const isEmpty = [data, log].every((folder) => !existsSync(folder) || readdirSync(folder).length === 0);
  if (isEmpty) return undefined;
  try {
    const { identity } = await findIdentity(disk, identityPlaces(data, log));
    if (identity === undefined) return { ensembleId: 'unknown', epoch: 0 };
    return {
      ensembleId: identity.ensembleId ?? 'none',
      epoch: Math.max(identity.acceptedEpoch, identity.currentEpoch),
    };
  } catch (error) {
    if (error instanceof DamageError) return { ensembleId: 'unknown', epoch: 0 };
    throw error;
  }
}

/** The server of these directories is of no ensemble, promised nobody anything, and never had a transaction. */
async function holdsNothing(disk: Disk, dataDir: string, logDir: string): Promise<boolean> {
  try {
    const { identity } = await findIdentity(disk, identityPlaces(join(dataDir, OURS), join(logDir, OURS)));
    if (identity === undefined || identity.amnesiac || identity.ensembleId !== null || identity.acceptedEpoch > 0)
      return false;
    return (await holdingsOf(disk, dataDir, logDir)) === undefined;
  } catch (error) {
    if (error instanceof DamageError) return false;
    throw error;
  }
}

/** As what a work that was cut off set aside the history of this directory, or was about to; undefined when it did not get so far. */
async function asideFor(disk: Disk, dir: string): Promise<string | undefined> {
  try {
    const name = (await readWhole(disk, join(dir, WORK, ASIDE), LONGEST_NAME)).toString();
    return name.startsWith(`${OURS}.sacrificed-`) && !name.includes('/') ? name : undefined;
  } catch (error) {
    if (error instanceof DiskError) return undefined;
    throw error;
  }
}

/** Of the server whose folder this is; undefined when that cannot be told. */
async function incarnationIn(disk: Disk, folder: string): Promise<string | undefined> {
  try {
    return (await findIdentity(disk, identityPlaces(folder, folder))).identity?.incarnation;
  } catch (error) {
    if (error instanceof DamageError) return undefined;
    throw error;
  }
}

/**
 * The directories that an import or a restoration fills: beside the place first, where nothing counts and what was interrupted is
 * removed by the next; then put in it as wholes.
 */
export class ImportWork {
  readonly dataDir: string;
  readonly logDir: string;
  private readonly places: readonly [string, string];
  private readonly into: readonly string[];
  private readonly disk: Disk;
  /** What lies there holds nothing and makes room. */
  private isBlank = false;
  /** What lies beside the place is this work's own. */
  private isPrepared = false;

  constructor(disk: Disk, dataDir: string, logDir: string) {
    this.disk = disk;
    this.places = [dataDir, logDir];
    this.into = [...new Set(this.places)];
    this.dataDir = join(dataDir, WORK);
    this.logDir = join(logDir, WORK);
  }
  /**
   * What an earlier work had put in its place when it was cut off before the rest is taken back, so that this one begins anew: it
   * is of the same incarnation as what lies beside the place still. What had gone aside for it lies in its place again.
   */
  async takeBack(): Promise<void> {
    const [data, log] = this.places;
    const left = await incarnationIn(this.disk, join(this.dataDir, OURS));
    if (left === undefined) return;
    if (data !== log && left === (await incarnationIn(this.disk, join(log, OURS)))) {
      makeFolders(this.logDir, { mkdirSync, statSync });
      await this.disk.rename(join(log, OURS), join(this.logDir, OURS));
    }
    for (const dir of this.into) {
      const name = await asideFor(this.disk, dir);
      if (name === undefined || existsSync(join(dir, OURS)) || !existsSync(join(dir, name))) continue;
      await this.disk.rename(join(dir, name), join(dir, OURS));
      await this.disk.syncDir(dir);
    }
  }
  /** A server that only ever waited for others is in nobody's way. @throws StorageRefusal (42) when a history is there already */
  async refuseTaken(what: 'import' | 'restoration'): Promise<void> {
    this.isBlank = await holdsNothing(this.disk, ...this.places);
    for (const dir of this.isBlank ? [] : this.into) {
      const ours = join(dir, OURS);
      const [name] = existsSync(ours) ? readdirSync(ours) : [];
      if (name === undefined) continue;
      const remedy =
        what === 'import'
          ? 'An import needs a place without one: say --to, or move that folder away'
          : 'A restoration needs a place without one: say another --to, or --sacrifice with the id of the ensemble that is given up (zoosh verify tells it)';
      throw new StorageRefusal(42, `${ours} holds ${name}: a zoosh server was there already. ${remedy}`);
    }
  }
  prepare(): void {
    this.isPrepared = true;
    this.discard();
    for (const dir of this.into) makeFolders(join(dir, WORK), { mkdirSync, statSync });
  }
  /**
   * The data directory's part comes last: before it is there no server starts from this. When it cannot be put there the other
   * is taken back. What is sacrificed is set aside; returns where to. Between the two no server starts either, since the work is
   * still there.
   */
  async publish(sacrifice?: Sacrifice): Promise<string[]> {
    const done: string[] = [];
    const aside: (readonly [string, string])[] = [];
    try {
      for (const dir of this.into.toReversed()) {
        const ours = join(dir, OURS);
        if (existsSync(ours) && sacrifice !== undefined) {
          const to = freeName(`${ours}.sacrificed-${sacrifice.ensembleId.slice(0, 8)}`);
          const work = join(dir, WORK);
          await writeWhole(this.disk, work, join(work, ASIDE), Buffer.from(basename(to)));
          await this.disk.rename(ours, to);
          aside.push([ours, to]);
        } else if (this.isBlank) rmSync(ours, { recursive: true, force: true });
        else if (existsSync(ours)) rmdirSync(ours);
        await this.disk.rename(join(dir, WORK, OURS), ours);
        done.push(dir);
        await this.disk.syncDir(dir);
      }
    } catch (error) {
      for (const dir of done) await this.disk.rename(join(dir, OURS), join(dir, WORK, OURS));
      for (const [ours, to] of aside) await this.disk.rename(to, ours);
      throw error;
    }
    this.discard();
    return aside.map(([, to]) => to);
  }
  /** Removes this work; what another left when it was cut off stays, and with it what keeps a server from starting beside it. */
  discard(): void {
    if (!this.isPrepared) return;
    for (const dir of this.into) rmSync(join(dir, WORK), { recursive: true, force: true });
  }
}

/** Makes directories; disposing takes away again those that it made and nobody put anything into. */
export function directories(dirs: readonly string[]): Disposable {
  const made = [...new Set(dirs)].filter((dir) => !existsSync(dir));
  for (const dir of made) makeFolders(dir, { mkdirSync, statSync });
  return {
    [Symbol.dispose]() {
      for (const dir of made)
        try {
          rmdirSync(dir);
        } catch {
          // it holds something now
        }
    },
  };
}

/** @throws StorageRefusal (42) */
function freeName(path: string): string {
  for (let i = 1; i <= MOST_ASIDE; i++) {
    const name = i === 1 ? path : `${path}.${i}`;
    if (!existsSync(name)) return name;
  }
  throw new StorageRefusal(42, `too much was set aside: ${path}`);
}
