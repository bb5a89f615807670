/** Where bytes of a long answer go: a file, or what the shell shows. Nobody gets more than they take. */
import { once } from 'node:events';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createGzip, type Gzip } from 'node:zlib';
import { usage } from './failure.ts';

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

/** A file only its owner reads; there is either all of it or, under this name, none. @throws Failure (2) */
export function fileSink(file: string): Sink {
  const draft = `${file}.${process.pid}.part`;
  let fd: number;
  try {
    fd = openSync(draft, 'w', 0o600);
  } catch (error) {
    throw usage(`cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
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
      throw usage(`cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
    }
  });
  return {
    write: gather.write,
    async end() {
      await gather.end();
      isOpen = false;
      closeSync(fd);
      renameSync(draft, file);
    },
    abandon,
  };
}

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
