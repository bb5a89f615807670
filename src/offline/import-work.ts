import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Disk } from '../ports/disk.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { IMPORTING } from '../storage/files.ts';

const OURS = 'zoosh-1';
/** Where the history is made: no server starts beside it, and what an interrupted import left is removed by the next. */
const WORK = IMPORTING;

/** The directories that an import fills: beside the place first, then put in it as wholes. */
export class ImportWork {
  readonly dataDir: string;
  readonly logDir: string;
  private readonly into: readonly string[];
  private readonly disk: Disk;

  constructor(disk: Disk, dataDir: string, logDir: string) {
    this.disk = disk;
    this.into = [...new Set([dataDir, logDir])];
    this.dataDir = join(dataDir, WORK);
    this.logDir = join(logDir, WORK);
  }
  /** @throws StorageRefusal (42) when a history is there already */
  refuseTaken(): void {
    for (const dir of this.into) {
      const ours = join(dir, OURS);
      const [name] = existsSync(ours) ? readdirSync(ours) : [];
      if (name !== undefined)
        throw new StorageRefusal(
          42,
          `${ours} holds ${name}: a zoosh server was there already. An import needs a place without one: say --to, or move that folder away`,
        );
    }
  }
  prepare(): void {
    this.discard();
    for (const dir of this.into) mkdirSync(join(dir, WORK), { recursive: true });
  }
  /**
   * The data directory's part comes last: before it is there no server starts from this. When it cannot be put there the other
   * is taken back.
   */
  async publish(): Promise<void> {
    const done: string[] = [];
    try {
      for (const dir of this.into.toReversed()) {
        const ours = join(dir, OURS);
        if (existsSync(ours)) rmdirSync(ours);
        await this.disk.rename(join(dir, WORK, OURS), ours);
        done.push(dir);
        await this.disk.syncDir(dir);
      }
    } catch (error) {
      for (const dir of done) await this.disk.rename(join(dir, OURS), join(dir, WORK, OURS));
      throw error;
    }
    this.discard();
  }
  discard(): void {
    for (const dir of this.into) rmSync(join(dir, WORK), { recursive: true, force: true });
  }
}
