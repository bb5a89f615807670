import { closeSync, constants, existsSync, lstatSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The kernel's limit of a socket's path, without the byte that ends it. */
export const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/**
 * What lies at the path of a socket. `dead`: a socket that nobody listens at any more, left by a process that was killed.
 * `living`: somebody is there, or may be: his backlog may be full, or this user may not ask him. `other`: no socket.
 */
export type Found = 'nothing' | 'dead' | 'living' | 'other';

/** Asks whoever listens at `path`, which has at most {@link MAX_SOCKET_PATH} bytes. Rejects with the errno's Error where nobody may look. */
export function findListener(path: string): Promise<Found> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('living');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      try {
        // the kernel refuses what is no socket as it refuses one that nobody listens at
        const stat = code === 'ENOTDIR' ? undefined : lstatSync(path, { throwIfNoEntry: false });
        if (stat === undefined) resolve('nothing');
        else if (!stat.isSocket()) resolve('other');
        else resolve(code === 'ECONNREFUSED' ? 'dead' : 'living');
      } catch (why) {
        reject(why);
      }
    });
  });
}

/** A path of a folder that is short enough for the sockets in it, until it is disposed. */
export interface ShortWay extends Disposable {
  readonly path: string;
}

/** To sockets in `folder`, an absolute path, whose names have up to `nameBytes`. @throws the errno's Error */
export function shortWay(folder: string, nameBytes: number): ShortWay {
  const fits = (path: string): boolean => Buffer.byteLength(path) + 1 + nameBytes <= MAX_SOCKET_PATH;
  if (fits(folder)) return { path: folder, [Symbol.dispose]() {} };
  return wayByDescriptor(folder) ?? wayByLink(folder, fits(tmpdir() + LINK) ? tmpdir() : '/tmp');
}
/** Needs no place to write, which a container may not have; undefined where there is no /proc. */
function wayByDescriptor(folder: string): ShortWay | undefined {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  const path = `/proc/self/fd/${fd}`;
  const dispose = (): void => closeSync(fd);
  if (existsSync(path)) return { path, [Symbol.dispose]: dispose };
  dispose();
  return undefined;
}
const LINK = '/zoosh-XXXXXX/d';
export function wayByLink(folder: string, temporary: string): ShortWay {
  const made = mkdtempSync(join(temporary, 'zoosh-'));
  const path = join(made, 'd');
  symlinkSync(folder, path);
  return { path, [Symbol.dispose]: () => rmSync(made, { recursive: true, force: true }) };
}
