import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { findListener, shortWay } from './unix-socket.ts';

export const LOCK_FILE = 'zoosh.lock';
/** A name under which one listens who wants to have the directory. */
const CANDIDATE = /^zoosh\.lock\.[0-9a-f]{16}$/;
/** A socket is made under this ending: it is there for a moment before anybody listens, and would look dead. */
const NEW = '.new';
const UNREADY = /^zoosh\.lock\.[0-9a-f]{16}\.new$/;
const LONGEST_NAME = Buffer.byteLength(`${LOCK_FILE}.${'0'.repeat(16)}${NEW}`);
/** How often one that stands behind is asked whether it has gone, and for how long, ms. */
const PAUSE_MS = 10;
const PATIENCE_MS = 5_000;
/** Whoever has the directory clears away what others left; a file that is not ready yet may be among it. */
const TRIES = 5;

/** The lock file and its candidates: no part of the data, and gone or void once nobody uses the directory. */
export const isLockFile = (name: string): boolean => name === LOCK_FILE || name.startsWith(`${LOCK_FILE}.`);

/** Something else has the lock's name; the message says what to do. */
export class LockError extends Error {
  override readonly name = 'LockError';
}

/** Held until released. */
export interface LockFile {
  release(): void;
}

/**
 * Makes this process the only holder of a directory's lock file, or returns undefined when there is another. The file is a
 * socket at which the holder listens: unlike an abstract one it is found from every network namespace that has the directory,
 * and unlike a number in a file it tells whether the holder lives. A file that nobody listens at is taken over.
 *
 * Two that find such a file must not both take it: one could remove what the other has just made. So nobody removes anything
 * before he is alone. Each listens under a name of its own first, then looks who else does. Of two at least the later one sees
 * the other: the greater name goes, the smaller one waits until it has gone or has the directory. Who sees nobody, and then
 * nobody at the file itself, renames his socket there. The order counts: a candidate that is missed because it was renamed
 * meanwhile is met at the file.
 * @throws LockError; the errno's Error where no socket can be made, and nobody listens at the file
 */
export async function lockFile(given: string): Promise<LockFile | undefined> {
  const folder = resolve(given);
  using way = shortWay(folder, LONGEST_NAME);
  if (await isHeld(folder, way.path)) return undefined;
  const own = await publish(folder, way.path);
  try {
    if (await isAlone(folder, way.path, own.name)) return await own.take(way.path);
    own.withdraw();
    return undefined;
  } catch (error) {
    own.withdraw();
    throw error;
  }
}

/** Somebody listens at the directory's lock file. @throws LockError */
export async function isLockFileHeld(given: string): Promise<boolean> {
  const folder = resolve(given);
  using way = shortWay(folder, LONGEST_NAME);
  return await isHeld(folder, way.path);
}

/** @throws LockError */
async function isHeld(folder: string, way: string): Promise<boolean> {
  const found = await findListener(join(way, LOCK_FILE));
  if (found !== 'other') return found === 'living';
  throw new LockError(
    `${join(folder, LOCK_FILE)} is no socket: the lock of the directory needs that name. Move it away`,
  );
}

/** Nobody else wants the directory, and nobody has it. */
async function isAlone(folder: string, way: string, own: string): Promise<boolean> {
  for (let waited = 0; ; waited += PAUSE_MS) {
    let isAwaited = false;
    for (const name of readdirSync(folder)) {
      if (!CANDIDATE.test(name) || name === own || (await findListener(join(way, name))) !== 'living') continue;
      if (name < own || waited >= PATIENCE_MS) return false;
      isAwaited = true;
    }
    if (!isAwaited) return !(await isHeld(folder, way));
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}

async function publish(folder: string, way: string): Promise<Candidate> {
  for (let left = TRIES; ; left--) {
    const name = `${LOCK_FILE}.${randomBytes(8).toString('hex')}`;
    const path = join(folder, name);
    const server = await listen(join(way, name + NEW));
    try {
      // it tells nobody anything, and who may not ask whether its holder lives would have to take it for living
      chmodSync(path + NEW, 0o666);
      renameSync(path + NEW, path);
      if ((await findListener(join(way, name))) !== 'living') throw Object.assign(new Error(), { code: 'ENOTSUP' });
      return new Candidate(folder, name, server);
    } catch (error) {
      rmSync(path, { force: true });
      rmSync(path + NEW, { force: true });
      server.close();
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || left <= 1) throw error;
    }
  }
}
function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((done, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', () => {}); // no descriptor to accept with: who asked was answered by the kernel
      server.unref();
      done(server);
    });
  });
}

/** Ours, under a name that nobody else has or will have. */
class Candidate {
  readonly name: string;
  private readonly folder: string;
  private readonly server: Server;
  constructor(folder: string, name: string, server: Server) {
    this.folder = folder;
    this.name = name;
    this.server = server;
  }
  withdraw(): void {
    this.end(join(this.folder, this.name));
  }
  async take(way: string): Promise<LockFile> {
    const path = join(this.folder, LOCK_FILE);
    renameSync(join(this.folder, this.name), path);
    const { dev, ino } = lstatSync(path);
    await this.clear(way).catch(() => {}); // the next one will
    let isReleased = false;
    return {
      release: () => {
        if (isReleased) return;
        isReleased = true;
        // somebody may have removed the file by hand, and another process has the name now
        const found = lstatSync(path, { throwIfNoEntry: false });
        this.end(found?.dev === dev && found.ino === ino ? path : undefined);
      },
    };
  }
  /** Removed while we listen still: one that is dead may be another's in the next moment. */
  private end(path: string | undefined): void {
    try {
      if (path !== undefined) rmSync(path, { force: true });
    } catch {
      // left behind, as by a process that was killed
    }
    this.server.close();
  }
  /** What candidates that were killed left. Nobody can tell of one that is not ready yet: who lives makes it anew. */
  private async clear(way: string): Promise<void> {
    for (const name of readdirSync(this.folder)) {
      const isDead = CANDIDATE.test(name) && (await findListener(join(way, name))) === 'dead';
      if (isDead || UNREADY.test(name)) rmSync(join(this.folder, name), { force: true });
    }
  }
}
