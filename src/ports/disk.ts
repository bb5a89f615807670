import { fileWords } from '../base/file-words.ts';

/** Why a disk operation failed: the errno name (`EIO`, `ENOSPC`, `ENOENT`, `EEXIST`, `EACCES`, `EROFS`, `EMFILE`). */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: string;
  readonly path: string;
  constructor(code: string, path: string, doing: string) {
    const words = fileWords({ code });
    super(`${doing} ${path}: ${words === code ? code : `${words} (${code})`}`);
    this.code = code;
    this.path = path;
  }
}

export interface OpenOptions {
  /** Make the file when it is not there. */
  readonly create?: boolean;
  /** Refuse (EEXIST) when it is there. */
  readonly exclusive?: boolean;
  /** Every write returns only after its bytes and what is needed to find them are on the disk (O_DSYNC). */
  readonly dsync?: boolean;
  /** Reading only. */
  readonly readonly?: boolean;
}

/** An open file. Offsets and lengths are bytes. */
export interface DiskFile {
  readonly path: string;
  /** Fills `into` from offset `at`; returns how many bytes there were, fewer only at the end of the file. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Writes all of `bytes` at offset `at`, or rejects with a {@link DiskError}; a short write is retried inside. */
  write(bytes: Uint8Array, at: number): Promise<void>;
  /** Returns when everything written is on the disk. A failure is final for this file: what was written is unknown. */
  sync(): Promise<void>;
  size(): Promise<number>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** File operations and nothing above them. Paths are absolute or relative to the process; all rejections are {@link DiskError}. */
export interface Disk {
  open(path: string, options: OpenOptions): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Names in a folder, in no order; ENOENT when there is none. */
  readdir(path: string): Promise<string[]>;
  /** Makes the folder and those above it; fine when it is there. */
  mkdir(path: string): Promise<void>;
  /** Returns when the folder's entries (new, renamed and removed names) are on the disk. */
  syncDir(path: string): Promise<void>;
  /** Rejects when nobody can tell: a folder that may not be searched, a disk that fails. */
  exists(path: string): Promise<boolean>;
  /** Bytes free for us on the volume of `path`. */
  free(path: string): Promise<number>;
}
