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

/** Small pieces to chunks worth writing. */
export function gathered(write: (chunk: Uint8Array) => Promise<void>): Sink {
  let pieces: string[] = [];
  let bytes: Uint8Array[] = [];
  let size = 0;
  const take = (): Uint8Array => {
    if (pieces.length > 0) bytes.push(Buffer.from(pieces.join('')));
    const all = bytes.length === 1 ? (bytes[0] as Uint8Array) : Buffer.concat(bytes);
    pieces = [];
    bytes = [];
    size = 0;
    return all;
  };
  return {
    async write(piece) {
      if (typeof piece === 'string') pieces.push(piece);
      else {
        if (pieces.length > 0) bytes.push(Buffer.from(pieces.join('')));
        pieces = [];
        bytes.push(piece);
      }
      size += piece.length;
      if (size >= CHUNK_BYTES) await write(take());
    },
    async end() {
      if (size > 0) await write(take());
    },
    abandon() {},
  };
}

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
