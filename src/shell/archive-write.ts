/** Subtrees to files, in the three forms of `export`. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { makeFolders } from '../base/make-folders.ts';
import { usage } from './failure.ts';
import { unwritable } from './file-reason.ts';
import { aclJson, asLast, headerOf, nodeLine } from './node-json.ts';
import { isOpen, type NodeRecord } from './node-record.ts';
import type { Sink } from './sink.ts';
import { statJson } from './stat-json.ts';

/** Takes nodes in the order of a walk. */
export interface ArchiveWriter {
  node(record: NodeRecord): Promise<void>;
  /** One that could not be read, with what is below it: whoever reads the file must not take it for one that was not there. */
  unread(path: string): Promise<void>;
  end(): Promise<void>;
  abandon(): void;
}
export interface ArchiveOptions {
  readonly root: string;
  readonly acl: boolean;
  readonly stat: boolean;
  /** Of the root only the node itself is written. */
  readonly alone?: boolean;
  /** Nobody knows whether it is whole. */
  readonly isUnmarked?: boolean;
}

/** A header, then a line of JSON a node; the last one has a mark, so that a file that was cut is not taken for a whole one. */
export async function linesWriter(sink: Sink, options: ArchiveOptions): Promise<ArchiveWriter> {
  const { root, acl, stat, alone, isUnmarked = false } = options;
  await sink.write(`${JSON.stringify({ ...headerOf(root, acl, alone), ...(!isUnmarked && { ends: 'last' }) })}\n`);
  // a line is written once it is known whether another follows
  let held: string | undefined;
  const put = async (line: string): Promise<void> => {
    const before = held;
    held = line;
    if (before !== undefined) await sink.write(`${before}\n`);
  };
  return {
    node: (record) => put(nodeLine(record, stat)),
    unread: (path) => put(JSON.stringify({ path, unread: true })),
    async end() {
      if (held !== undefined) await sink.write(`${isUnmarked ? held : asLast(held)}\n`);
      await sink.end();
    },
    abandon: () => sink.abandon(),
  };
}

export const ARCHIVE_MAGIC = Buffer.from('ZKARCH1\n');

/**
 * A mark, then records of MessagePack, each after its length in four bytes, big-endian: the header, the nodes, and a
 * trailer with their number and the SHA-256 of all before it.
 */
export async function packedWriter(sink: Sink, { root, acl, stat }: ArchiveOptions): Promise<ArchiveWriter> {
  const { pack } = await import('../records/pack.ts');
  const hash = createHash('sha256');
  let count = 0;
  const put = async (value: unknown): Promise<void> => {
    const body = pack(value);
    const frame = Buffer.allocUnsafe(4 + body.length);
    frame.writeUInt32BE(body.length);
    frame.set(body, 4);
    hash.update(frame);
    await sink.write(frame);
  };
  hash.update(ARCHIVE_MAGIC);
  await sink.write(ARCHIVE_MAGIC);
  await put(headerOf(root, acl));
  return {
    node(record) {
      count++;
      return put({
        path: record.path,
        data: record.data,
        kind: record.kind,
        ...(record.ttlMs !== undefined && { ttl: record.ttlMs }),
        ...(record.acl !== undefined && { acl: aclJson(record.acl) }),
        ...(stat && record.stat?.czxid !== undefined && { stat: statJson(record.stat as never) }),
      });
    },
    unread: (path) => put({ path, unread: true }),
    async end() {
      const sha256 = hash.copy().digest('hex');
      await put({ end: true, count, sha256 });
      await sink.end();
    },
    abandon: () => sink.abandon(),
  };
}

export const DATA_FILE = '__data__';
export const NODE_FILE = '__node__.json';
/** The folders of the nodes that were written, without that of the root: a line each. */
export const LIST_FILE = '__nodes__';
/** What is written to the list at once. */
const LIST_CHUNK = 64 * 1024;

/** A name as a file can have it: what a file system may not take, and what begins like our own files, is escaped. */
export const fileName = (name: string): string =>
  name
    .replace(/[%<>:"\\|?*\u0000-\u001f]/g, escaped)
    .replace(/^(?:__|\.)/, (start) => [...start].map(escaped).join(''));
const escaped = (unit: string): string => `%${unit.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`;

/** There from the first node until the last one is written: what has it is a part. */
export const INCOMPLETE_FILE = '__incomplete__';
/** What file systems take, in bytes. */
const MOST_NAME = 255;

/** Before anything is read. @throws Failure (2) when the folder holds something already, or is none */
export function checkFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isDirectory()) throw usage(`${folder} is not a folder`, 'an export goes into a folder of its own');
  if (readdirSync(folder).length > 0) throw usage(`${folder} is not empty`, 'an export goes into a folder of its own');
}

/**
 * A folder a node, its data in `__data__`; `__node__.json` beside it when there is more to say: a kind, an ACL that does
 * not give everything to anyone, or in a folder that would have nothing in it, since git keeps none of these. The list in
 * the topmost tells which were written, so that one that is lost is known by its name. What is given up goes away again.
 * @throws Failure (2)
 */
export function folderWriter(folder: string, { root, acl }: ArchiveOptions): ArchiveWriter {
  checkFolder(folder);
  const write = (file: string, bytes: string | Uint8Array, flag: 'w' | 'a' = 'w'): void => {
    try {
      writeFileSync(file, bytes, { mode: 0o600, flag });
    } catch (error) {
      throw unwritable(file, error);
    }
  };
  const make = (path: string, place: string): string | undefined => {
    try {
      return makeFolders(place, { mkdirSync, statSync }, 0o700);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENAMETOOLONG')
        throw usage(`cannot make ${place}: ${fileWords(error)}`);
      const bytes = Math.max(...place.split(sep).map((name) => Buffer.byteLength(name)));
      const why =
        bytes > MOST_NAME
          ? `its name takes ${bytes} bytes, and ${MOST_NAME} are the most`
          : `its path takes ${Buffer.byteLength(resolve(place))} bytes, more than there may be`;
      throw usage(`export: ${path} cannot be a folder: ${why}`, 'ndjson and archive hold every name');
    }
  };
  // the topmost that was made, or the one that was there and was empty
  const made = make(root, folder);
  const mark = join(folder, INCOMPLETE_FILE);
  write(mark, '');
  /** Within the folder, with slashes on every system. */
  const ownOf = (path: string): string => {
    const rest = path === root ? '' : path.slice(root === '/' ? 1 : root.length + 1);
    return rest.split('/').map(fileName).join('/');
  };
  const placeOf = (path: string): string => join(folder, ownOf(path));
  let listed = '';
  const list = (line: string): void => {
    listed += line;
    if (line !== '' && listed.length < LIST_CHUNK) return;
    write(join(folder, LIST_FILE), listed, 'a');
    listed = '';
  };
  let count = 0;
  let top: { export: object } | undefined;
  const describe = (place: string, more: object): void =>
    write(join(place, NODE_FILE), `${JSON.stringify(more, null, 2)}\n`);
  /** The node before this one has no file: another below it keeps its folder. */
  let bare: string | undefined;
  const keepBare = (next?: string): void => {
    if (bare !== undefined && next?.startsWith(`${bare}/`) !== true) describe(placeOf(bare), {});
    bare = undefined;
  };
  return {
    async unread(path) {
      keepBare(path);
      count++;
      make(path, placeOf(path));
      if (path !== root) list(`${ownOf(path)}\n`);
      write(join(placeOf(path), NODE_FILE), `${JSON.stringify({ unread: true })}\n`);
    },
    async node({ path, data, acl: entries, kind, ttlMs }) {
      const place = placeOf(path);
      keepBare(path);
      count++;
      make(path, place);
      if (path !== root) list(`${ownOf(path)}\n`);
      if (data !== null) write(join(place, DATA_FILE), data);
      const own = {
        ...(kind !== 'persistent' && { kind }),
        ...(ttlMs !== undefined && { ttl: ttlMs }),
        ...(entries !== undefined && !isOpen(entries) && { acl: aclJson(entries) }),
      };
      if (path === root) top = { export: headerOf(root, acl), ...own };
      const more = path === root ? top : own;
      if (more !== undefined && Object.keys(more).length > 0) describe(place, more);
      else if (data === null) bare = path;
    },
    async end() {
      keepBare();
      list('');
      if (top !== undefined) describe(folder, { ...top, export: { ...top.export, nodes: count } });
      rmSync(mark);
    },
    abandon() {
      const all = made === undefined ? readdirSync(folder).map((name) => join(folder, name)) : [made];
      for (const each of all) rmSync(each, { recursive: true, force: true });
    },
  };
}
