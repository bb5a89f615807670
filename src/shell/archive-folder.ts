import { closeSync, type Dirent, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { joinPath } from '../base/path.ts';
import type { Archive, Lost, OnUnread } from './archive-read.ts';
import { DATA_FILE, INCOMPLETE_FILE, LIST_FILE, NODE_FILE } from './archive-write.ts';
import { Failure } from './failure.ts';
import { checkedHeader, type ExportHeader, nodeOf, unreadOf } from './node-json.ts';
import { type NodeRecord, OPEN_ACL } from './node-record.ts';

const nameOfFile = (file: string): string =>
  file.replace(/%([0-9A-F]{2})/g, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

interface NodeFile {
  readonly export?: Partial<ExportHeader>;
  readonly kind?: unknown;
  readonly ttl?: unknown;
  readonly acl?: unknown;
}

/**
 * A folder of folders, one a node, as `export --format dir` writes it or a person made it: the data in `__data__`, all
 * else in `__node__.json`. Without a header its root is the folder's own name. @throws Failure (2, 44)
 */
export function folderNodes(folder: string, onUnread: OnUnread): Archive {
  if (existsSync(join(folder, INCOMPLETE_FILE)))
    throw new Failure(44, 'Damaged', `${folder} is damaged: an export that broke off`, {
      hint: `export again; without ${INCOMPLETE_FILE} in it, it is taken for all there was`,
    });
  // any folder could be taken for nodes: the root of the file system, say
  if (!existsSync(join(folder, NODE_FILE)) && !existsSync(join(folder, DATA_FILE)))
    throw new Failure(2, 'BadExport', `${folder} is not an export: it holds neither ${NODE_FILE} nor ${DATA_FILE}`);
  const top = nodeFile(folder);
  const header = top.export === undefined ? undefined : checkedHeader(top.export, join(folder, NODE_FILE));
  const root = header?.root ?? joinPath('/', nameOfFile(basename(resolve(folder))));
  const hasAcl = header?.acl ?? false;
  // what copies folders may leave out empty ones, as git does
  const written = header?.nodes ?? 0;
  let losses: Losses | undefined;
  const counted = async function* (): AsyncGenerator<NodeRecord> {
    let count = 0;
    const unread: OnUnread = (path) => {
      count++;
      onUnread(path);
    };
    for await (const node of below(folder, root, hasAcl, unread)) {
      count++;
      yield node;
    }
    const found = new Losses(written);
    for (const own of listedIn(folder)) {
      found.look(folder, own);
      if (found.looked % LOOKED_AT_ONCE === 0) await turn();
    }
    losses = found.counted(count);
  };
  /** Whoever writes a copy asks before he has read it. */
  const lost = (): Lost | undefined => {
    if (losses === undefined) {
      losses = new Losses(written);
      for (const own of listedIn(folder)) losses.look(folder, own);
      losses.counted(foldersIn(folder, written));
    }
    return losses.told(root);
  };
  return {
    root,
    acl: hasAcl,
    get isUnmarked() {
      return lost() !== undefined;
    },
    get lost() {
      return lost();
    },
    nodes: counted(),
    close: async () => {},
  };
}

/** Nodes looked for before others have their turn: Ctrl-C, too. */
const LOOKED_AT_ONCE = 500;

/** What was written into a folder and is in it no more. */
class Losses {
  looked = 0;
  private readonly written: number;
  private gone = 0;
  private first: string | undefined;
  /** The number of nodes the header gives; 0 for a folder that a person made: nothing is missing from that. */
  constructor(written: number) {
    this.written = written;
  }
  /** `own`: a line of the list. */
  look(folder: string, own: string): void {
    this.looked++;
    if (statSync(join(folder, own), { throwIfNoEntry: false })?.isDirectory() === true) return;
    this.gone++;
    this.first ??= own;
  }
  /**
   * So many are there. Without a list, as older exports have none, fewer than were written are all that tells; and with one
   * where two names are the same for a file system.
   */
  counted(there: number): this {
    this.gone = Math.max(this.gone, this.written - there);
    return this;
  }
  told(root: string): Lost | undefined {
    if (this.gone <= 0 || this.written === 0) return undefined;
    const first = this.first?.split('/').map(nameOfFile).join('/');
    return { written: this.written, missing: this.gone, ...(first !== undefined && { first: joinPath(root, first) }) };
  }
}

const LIST_CHUNK = 64 * 1024;
/** The lines of the list, as systems end them; none where there is no list. @throws Failure (2) */
function* listedIn(folder: string): Generator<string> {
  const file = join(folder, LIST_FILE);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return;
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    const chunk = Buffer.allocUnsafe(LIST_CHUNK);
    let rest: Uint8Array = Buffer.alloc(0);
    for (let size = 1; size > 0; ) {
      size = readSync(fd, chunk);
      const bytes = Buffer.concat([rest, chunk.subarray(0, size)]);
      const end = size === 0 ? bytes.length : bytes.lastIndexOf(10) + 1;
      rest = bytes.subarray(end);
      for (const line of bytes.toString('utf8', 0, end).split(/\r?\n/)) if (line !== '') yield line;
    }
  } catch (error) {
    throw new Failure(2, 'BadExport', `cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** In a name of a node the first dot is escaped: `.git` is what the folder is kept in, with folders of its own. */
const isNode = (entry: Dirent): boolean => entry.isDirectory() && !entry.name.startsWith('.');

async function* below(folder: string, path: string, hasAcl: boolean, onUnread: OnUnread): AsyncGenerator<NodeRecord> {
  const { export: _header, ...rest } = nodeFile(folder);
  const unread = unreadOf({ path, ...rest }, folder);
  if (unread !== undefined) return onUnread(unread);
  const node = nodeOf({ path, ...rest }, folder);
  yield { ...node, data: dataIn(folder), acl: node.acl ?? (hasAcl ? OPEN_ACL : undefined) };
  const names = readdirSync(folder, { withFileTypes: true })
    .filter(isNode)
    .map(({ name }) => ({ file: name, name: nameOfFile(name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { file, name } of names) yield* below(join(folder, file), joinPath(path, name), hasAcl, onUnread);
}

/** How many nodes there are, up to `most`. */
function foldersIn(folder: string, most: number): number {
  let count = 1;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (count >= most) break;
    if (isNode(entry)) count += foldersIn(join(folder, entry.name), most - count);
  }
  return count;
}

function dataIn(folder: string): Uint8Array | null {
  return contents(join(folder, DATA_FILE)) ?? null;
}

function nodeFile(folder: string): NodeFile {
  const file = join(folder, NODE_FILE);
  const text = contents(file);
  if (text === undefined) return {};
  try {
    return JSON.parse(text.toString().replace(/^\ufeff/, '')) as NodeFile;
  } catch (error) {
    throw new Failure(2, 'BadExport', `${file}: ${(error as Error).message}`);
  }
}

/** Undefined when there is no such file. */
function contents(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new Failure(2, 'BadExport', `cannot read ${file}: ${code}`);
  }
}
