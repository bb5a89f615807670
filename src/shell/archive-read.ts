/** Files of nodes, whoever wrote them. */

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { constants, createReadStream, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { fileWords } from '../base/file-words.ts';
import { folderNodes } from './archive-folder.ts';
import { ARCHIVE_MAGIC } from './archive-write.ts';
import { ByteReader } from './byte-reader.ts';
import { Failure, usage } from './failure.ts';
import { pairNodes, shellBackupNodes } from './foreign-backups.ts';
import { checkedHeader, type ExportHeader, isLast, nodeOf, unreadOf } from './node-json.ts';
import type { NodeRecord } from './node-record.ts';
import { plural } from './units.ts';
import { textOf } from './utf8.ts';

/** A file of nodes that is open. */
export interface Archive {
  /** The subtree it holds. */
  readonly root: string;
  /** False: it says nothing about ACLs. */
  readonly acl: boolean;
  /** It says nothing about what is below that node. */
  readonly alone?: boolean;
  /**
   * Nothing in it would tell if its end were missing: older exports, lists of paths and values; of a folder there are fewer
   * nodes than were written. Known once its nodes were read where it is for lines without their root.
   */
  readonly isUnmarked?: boolean;
  /** Of a folder: how many nodes were written into it, and how many of these it has no more. */
  readonly lost?: Lost | undefined;
  /** Each before what is below it, names by code unit. @throws Failure (2, 15, 44) for what is not as it should be */
  readonly nodes: AsyncIterable<NodeRecord>;
  close(): Promise<void>;
}

export interface Lost {
  readonly written: number;
  readonly missing: number;
  /** One of them, where the folder has a list of what was written into it. */
  readonly first?: string;
}

const bad = (name: string, what: string): Failure => new Failure(2, 'BadExport', `${name}: ${what}`);
const damaged = (name: string, what: string): Failure => new Failure(44, 'Damaged', `${name} is damaged: ${what}`);

/** Told of a node that could not be read when the file was made, before any that stands behind it. */
export type OnUnread = (path: string) => void;

/** What a file lacks that is not whole: all nodes, the root as well, or its end. */
export type Lack = 'root' | 'end';
/** Told behind the last node of a file that is not whole. */
export type OnCut = (lack: Lack) => void;
export const lackText = (lack: Lack): string =>
  lack === 'root' ? 'it does not hold the root it names' : 'it ends before its last node';

/**
 * `signal`: ends to wait for what a pipe gives. `onCut` absent: what is not whole is damaged, and refused behind its last
 * node. @throws Failure (2)
 */
export async function openArchive(
  file: string,
  signal?: AbortSignal,
  onUnread: OnUnread = () => {},
  onCut?: OnCut,
): Promise<Archive> {
  let isFolder: boolean;
  try {
    isFolder = statSync(file).isDirectory();
  } catch (error) {
    throw usage(`cannot read ${file}: ${fileWords(error)}`);
  }
  if (isFolder) return folderNodes(file, onUnread);
  return readArchive(bytesOf(file, signal), file, onUnread, onCut);
}

/** @throws Failure (2) */
async function* bytesOf(file: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  let stream: Readable | undefined;
  // a FIFO that nobody writes to would be waited for beyond Ctrl-C
  const stop = (): void => void stream?.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    stream = statSync(file).isFIFO() ? fifo(file) : createReadStream(file, { highWaterMark: 64 * 1024 });
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    signal?.throwIfAborted();
    throw usage(`cannot read ${file}: ${fileWords(error)}`);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Opened at once and without a thread, which would wait for whoever writes. */
const fifo = (file: string): Readable =>
  new Socket({ fd: openSync(file, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });

const BOM = Buffer.from('\ufeff');

/** `name` is what errors call it. @throws Failure (2) */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  name: string,
  onUnread: OnUnread = () => {},
  onCut: OnCut = (lack) => {
    const byHand = '; without "ends" in its first line it is taken for one that was written by hand';
    throw new Failure(44, 'Damaged', `${name} is damaged: ${lackText(lack)}`, {
      hint: `export again${lack === 'end' ? byHand : ''}`,
    });
  },
): Promise<Archive> {
  let from = new ByteReader(source);
  const start = await from.peek(2);
  if (start[0] === 0x1f && start[1] === 0x8b) from = new ByteReader(gunzipped(from, name));
  // as editors of Windows write it
  if ((await from.peek(BOM.length)).equals(BOM)) await from.take(BOM.length);
  const mark = await from.peek(ARCHIVE_MAGIC.length);
  const close = (): Promise<void> => from.close();
  if (mark.equals(ARCHIVE_MAGIC)) return { ...(await packedNodes(from, name, onUnread)), close };
  const [first] = (await from.peek(64)).toString('latin1').trimStart();
  if (first === undefined) throw bad(name, 'there is nothing in it');
  if (first === '/' || first === '#')
    return { ...pairNodes(textOf(await from.rest(), name), name), isUnmarked: true, close };
  if (first !== '{') throw bad(name, 'not an export, not a backup of zk_shell, not a list of PATH=VALUE');
  return jsonNodes(from, name, onUnread, onCut);
}

async function* gunzipped(from: ByteReader, name: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const input = Readable.from(from.remaining());
  input.on('error', (error) => gunzip.destroy(error));
  input.pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    throw damaged(name, (error as Error).message);
  }
}

type Opened = Omit<Archive, 'close'>;

/** Lines of our own, or one document of somebody else's. */
async function jsonNodes(from: ByteReader, name: string, onUnread: OnUnread, onCut: OnCut): Promise<Archive> {
  const close = (): Promise<void> => from.close();
  const line = (await from.line()) ?? Buffer.alloc(0);
  const header = parsed(line.toString()) as Partial<ExportHeader> | undefined;
  if (header?.zoosh !== 'export') {
    const text = Buffer.concat([line, Buffer.from('\n'), await from.rest()]);
    return { ...shellBackupNodes(textOf(text, name), name), close };
  }
  const { root, acl, alone, ends } = checkedHeader(header, name);
  let [count, hasRoot, hasLast] = [0, false, ends === undefined];
  return {
    root,
    acl,
    ...(alone && { alone }),
    // lines taken out by hand are no damage, nor is the root among them: levels above a node are made
    get isUnmarked() {
      return ends === undefined || (count > 0 && !hasRoot);
    },
    close,
    nodes: (async function* () {
      for (let number = 2; ; number++) {
        const next = await from.line();
        if (next === undefined) {
          if (count === 0 || !hasLast) onCut(count === 0 ? 'root' : 'end');
          return;
        }
        if (next.length === 0) continue;
        if (!isUtf8(next)) throw bad(`${name}:${number}`, 'not UTF-8 text');
        const value = parsed(next.toString());
        if (value === undefined) throw bad(`${name}:${number}`, 'not JSON');
        const unread = unreadOf(value, `${name}:${number}`);
        count++;
        hasRoot ||= (value as { path?: unknown } | null)?.path === root;
        hasLast ||= isLast(value);
        if (unread !== undefined) onUnread(unread);
        else yield nodeOf(value, `${name}:${number}`);
      }
    })(),
  };
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const MAX_RECORD = 128 * 1024 * 1024;
async function packedNodes(from: ByteReader, name: string, onUnread: OnUnread): Promise<Opened> {
  // loaded by those who need it only
  const { unpack } = await import('../records/pack.ts');
  const hash = createHash('sha256').update(await from.take(ARCHIVE_MAGIC.length));
  let at = 0;
  const next = async (): Promise<{ value: unknown; before: string }> => {
    const head = Buffer.from(await from.take(4));
    if (head.length < 4) throw damaged(name, `it ends after ${plural(at, 'node')}, without its trailer`);
    const length = head.readUInt32BE();
    if (length > MAX_RECORD) throw damaged(name, `a record of ${length} bytes after ${plural(at, 'node')}`);
    const body = await from.take(length);
    if (body.length < length) throw damaged(name, `it ends after ${plural(at, 'node')}, within a record`);
    const value = orUndefined(() => unpack(body));
    const isEnd = (value as { end?: unknown } | undefined)?.end === true;
    const before = isEnd ? hash.copy().digest('hex') : '';
    hash.update(head).update(body);
    return { value, before };
  };
  const { root, acl } = checkedHeader(((await next()).value ?? {}) as Partial<ExportHeader>, name);
  return {
    root,
    acl,
    nodes: (async function* () {
      for (;;) {
        const { value, before } = await next();
        const end = value as { end?: unknown; count?: unknown; sha256?: unknown } | undefined;
        if (end?.end === true) {
          if (end.sha256 !== before || end.count !== at) throw damaged(name, 'its checksum does not fit');
          return;
        }
        const unread = unreadOf(value, `${name}: after ${plural(at, 'node')}`);
        if (unread !== undefined) {
          onUnread(unread);
          continue;
        }
        at++;
        yield packedNode(value, `${name}: record ${at}`);
      }
    })(),
  };
}

function orUndefined(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined; // said with its place by whoever reads on
  }
}

/** Data comes as bytes, all else as in a line of JSON. */
function packedNode(value: unknown, where: string): NodeRecord {
  const { data, ...rest } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (data !== null && !(data instanceof Uint8Array)) throw damaged(where, 'its data is not bytes');
  return { ...nodeOf({ ...rest, data: null }, where), data: data === null ? null : Buffer.from(data) };
}
