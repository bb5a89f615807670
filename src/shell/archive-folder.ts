import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { joinPath } from '../base/path.ts';
import type { Archive, OnUnread } from './archive-read.ts';
import { DATA_FILE, INCOMPLETE_FILE, NODE_FILE } from './archive-write.ts';
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
  let count = 0;
  let isRead = false;
  const missing = (): number => written - (isRead ? count : foldersIn(folder, written));
  const counted = async function* (): AsyncGenerator<NodeRecord> {
    const unread: OnUnread = (path) => {
      count++;
      onUnread(path);
    };
    for await (const node of below(folder, root, hasAcl, unread)) {
      count++;
      yield node;
    }
    isRead = true;
  };
  return {
    root,
    acl: hasAcl,
    // whoever writes a copy asks before he has read it
    get isUnmarked() {
      return missing() > 0;
    },
    get lost() {
      const lacking = missing();
      return lacking > 0 ? { written, missing: lacking } : undefined;
    },
    nodes: counted(),
    close: async () => {},
  };
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
