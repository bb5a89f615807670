/** Where bytes of a long answer go: a file, or what the shell shows. Nobody gets more than they take. */
import { once } from 'node:events';
import { closeSync, constants, fchownSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip, type Gzip } from 'node:zlib';
import { unwritable } from './file-reason.ts';
import { type FileTarget, fileTarget } from './file-target.ts';

export interface Sink {
  /** Resolves when there is room for more. */
  write(text: string | Uint8Array): Promise<void>;
  /** What was written counts. */
  end(): Promise<void>;
  /** It does not: a file goes away again. */
  abandon(): void;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * Small pieces to chunks worth writing. Text becomes bytes at once: a thousand lines that wait as strings outlive the young
 * generation, and what was moved out of it stays until the next full collection of garbage.
 */
export function gathered(write: (chunk: Uint8Array) => Promise<void>): Sink {
  let chunk = Buffer.alloc(0);
  let size = 0;
  const send = async (): Promise<void> => {
    if (size === 0) return;
    const full = chunk.subarray(0, size);
    chunk = Buffer.alloc(0); // whoever takes it may keep it for a while
    size = 0;
    await write(full);
  };
  return {
    async write(piece) {
      const most = typeof piece === 'string' ? piece.length * MOST_BYTES : piece.length;
      if (size + most > chunk.length) {
        await send();
        chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, most));
      }
      if (typeof piece === 'string') size += chunk.utf8Write(piece, size);
      else {
        chunk.set(piece, size);
        size += piece.length;
      }
    },
    end: send,
    abandon() {},
  };
}
/** Of one unit of a string in UTF-8. */
const MOST_BYTES = 3;

/**
 * A file that only its owner reads, whoever could read the one that was there: what it holds now may be hidden from others.
 * There is either all of it or, under this name, what was there before. What is no regular file, a device or a pipe, is written to as it is. `signal`: ends to wait
 * for who reads a pipe. @throws Failure (2)
 */
export function fileSink(file: string, signal?: AbortSignal): Sink {
  const target = fileTarget(file);
  return target.kind === 'pipe' || target.kind === 'open'
    ? openSink(file, target.kind === 'pipe', signal)
    : wholeSink(file, target);
}

/** Beside the file until it is whole. */
function wholeSink(file: string, { path, owner }: FileTarget): Sink {
  const draft = `${path}.${process.pid}.part`;
  let fd: number;
  try {
    fd = openSync(draft, 'w', 0o600);
  } catch (error) {
    throw unwritable(file, error);
  }
  let isOpen = true;
  const abandon = (): void => {
    if (!isOpen) return;
    isOpen = false;
    closeSync(fd);
    rmSync(draft, { force: true });
  };
  const gather = gathered(async (chunk) => {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    } catch (error) {
      abandon();
      throw unwritable(file, error);
    }
  });
  return {
    write: gather.write,
    async end() {
      await gather.end();
      if (owner !== undefined) ownedAsBefore(fd, owner);
      isOpen = false;
      closeSync(fd);
      try {
        renameSync(draft, path);
      } catch (error) {
        rmSync(draft, { force: true });
        throw unwritable(file, error);
      }
    },
    abandon,
  };
}

/** Whose file was replaced, his it is again. */
function ownedAsBefore(fd: number, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    const { uid: ownUid, gid: ownGid } = fstatSync(fd);
    if (uid !== ownUid || gid !== ownGid) fchownSync(fd, uid, gid);
  } catch {
    // only a superuser gives files away: it is ours
  }
}

/**
 * Never blocks, so that Ctrl-C is heard while nobody reads. It is opened at once, a pipe that nobody reads yet when there
 * is something to write.
 */
function openSink(file: string, isPipe: boolean, signal: AbortSignal | undefined): Sink {
  let fd: number | undefined;
  /** False: nobody reads the pipe yet. @throws Failure (2) */
  const open = (): boolean => {
    try {
      // what a process has open is a file perhaps: what is in it stays
      fd = openSync(file, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
      return true;
    } catch (error) {
      if (isPipe && (error as NodeJS.ErrnoException).code === 'ENXIO') return false;
      throw unwritable(file, error);
    }
  };
  open();
  const gather = gathered(async (chunk) => {
    for (; fd === undefined && !open(); await sleep(PAUSE_MS)) signal?.throwIfAborted();
    let pause = 1;
    for (let at = 0; at < chunk.length; )
      try {
        signal?.throwIfAborted();
        at += writeSync(fd as number, chunk, at);
        pause = 1;
      } catch (error) {
        if (signal?.aborted) throw error;
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw unwritable(file, error);
        await sleep(pause);
        pause = Math.min(2 * pause, PAUSE_MS);
      }
  });
  const close = (): void => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  return {
    write: gather.write,
    async end() {
      await gather.end();
      close();
    },
    abandon: close,
  };
}
/** Between two looks whether somebody reads. */
const PAUSE_MS = 50;

/** Compresses on the way to `inner`. */
export function gzipSink(inner: Sink): Sink {
  const gzip: Gzip = createGzip();
  let failure: unknown;
  const pump = (async (): Promise<void> => {
    for await (const chunk of gzip) await inner.write(chunk as Buffer);
  })();
  pump.catch((error: unknown) => {
    failure = error;
    gzip.destroy();
  });
  const gather = gathered(async (chunk) => {
    if (failure !== undefined) throw failure;
    if (!gzip.write(chunk)) await Promise.race([once(gzip, 'drain'), pump]);
    if (failure !== undefined) throw failure;
  });
  return {
    write: gather.write,
    async end() {
      await gather.end();
      gzip.end();
      await pump;
      await inner.end();
    },
    abandon() {
      gzip.destroy();
      inner.abandon();
    },
  };
}
