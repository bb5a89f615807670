import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import { ApacheDamage, FormatError } from './damage.ts';
import { isSnappyStream, SnappyStream } from './snappy.ts';
import { SnapshotParser, type SnapshotTaker } from './snapshot-parser.ts';

const PIECE = 1024 * 1024;
const GZIP = 0x1f8b;

/** How a file is compressed, by how it begins. */
export type Compression = 'none' | 'gzip' | 'snappy';

export interface ReadSnapshot {
  readonly parser: SnapshotParser;
  readonly compression: Compression;
  /** Bytes of the file, and of what it holds. */
  readonly size: number;
  readonly content: number;
}

/** Reads a snapshot whole and verifies every byte; what it holds is given as it comes. @throws ApacheDamage, DiskError */
export async function readSnapshot(disk: Disk, path: string, taker: SnapshotTaker): Promise<ReadSnapshot> {
  const parser = new SnapshotParser(taker);
  const file = await disk.open(path, { readonly: true });
  try {
    const size = await file.size();
    const compression = await compressionOf(file);
    try {
      await take(pieces(file, size), compression, parser);
      parser.end();
    } catch (error) {
      if (error instanceof FormatError)
        throw new ApacheDamage(path, error.offset ?? parser.at, error.message, { cause: error });
      if (isZlib(error))
        throw new ApacheDamage(path, undefined, `it cannot be unpacked: ${(error as Error).message}`, { cause: error });
      if (error instanceof DiskError && error.code === 'EIO')
        throw new ApacheDamage(path, parser.at, 'it cannot be read (EIO)');
      throw error;
    }
    return { parser, compression, size, content: parser.at };
  } finally {
    await file.close().catch(() => undefined);
  }
}

async function compressionOf(file: DiskFile): Promise<Compression> {
  const head = Buffer.alloc(8);
  const got = await file.read(head, 0);
  if (got >= 2 && head.readUInt16BE(0) === GZIP) return 'gzip';
  return got === 8 && isSnappyStream(head) ? 'snappy' : 'none';
}

async function* pieces(file: DiskFile, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const piece = Buffer.alloc(Math.min(PIECE, size - at));
    const got = await file.read(piece, at);
    if (got === 0) return;
    yield piece.subarray(0, got);
    at += got;
  }
}

async function take(source: AsyncIterable<Buffer>, compression: Compression, parser: SnapshotParser): Promise<void> {
  if (compression === 'none') {
    for await (const piece of source) parser.push(piece);
    return;
  }
  if (compression === 'gzip') {
    let wrong: unknown;
    const taken = pipeline(
      Readable.from(source),
      createGunzip({ chunkSize: PIECE }),
      async (unpacked: AsyncIterable<Buffer>) => {
        for await (const piece of unpacked)
          try {
            parser.push(piece);
          } catch (error) {
            wrong = error;
            throw error;
          }
      },
    );
    // where more was to come the pipeline says that it was aborted, and not why
    await taken.catch((error: unknown) => {
      throw wrong ?? error;
    });
    return;
  }
  const snappy = new SnappyStream();
  for await (const piece of source) {
    const blocks = snappy.push(piece);
    // its blocks are small: together they are as many as the parser likes at a time
    for (let at = 0; at < blocks.length; at += 32) parser.push(Buffer.concat(blocks.slice(at, at + 32)));
  }
  snappy.end();
}

const isZlib = (error: unknown): boolean => /^Z_|^ERR_ZLIB/.test(String((error as NodeJS.ErrnoException).code ?? ''));
