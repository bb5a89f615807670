/** Nodes as lines of JSON: what `export` writes and `import` reads. */

import type { Zxid } from '../base/ids.ts';
import { pathFault } from '../base/path.ts';
import type { Acl } from '../client/api.ts';
import { parseAcl, showPerms } from './acl-text.ts';
import { Failure } from './failure.ts';
import { hasMasked, isMasked, type NodeKind, type NodeRecord, type RecordedStat } from './node-record.ts';
import { statJson } from './stat-json.ts';

/** The first line of an export. */
export interface ExportHeader {
  readonly zoosh: 'export';
  readonly version: 1;
  /** The node whose subtree it is. */
  readonly root: string;
  /** False: ACLs were left out. */
  readonly acl: boolean;
  /** The node without what is below it, of which the file says nothing. */
  readonly alone?: true;
  /** The last line says that it is the last. Older files do not have this; older programs read over it, and over the mark. */
  readonly ends?: 'last';
  /** Of a folder: how many nodes were written into it. */
  readonly nodes?: number;
}
export const headerOf = (root: string, acl: boolean, alone = false): ExportHeader => ({
  ...{ zoosh: 'export', version: 1, root, acl },
  ...(alone && { alone }),
});

/** @throws Failure (2) */
export function checkedHeader(header: Partial<ExportHeader>, name: string): ExportHeader {
  const { zoosh, version, root, acl, alone, ends, nodes } = header;
  if (zoosh !== 'export') throw bad(name, 'not an export');
  if (version !== 1) throw bad(name, `version ${String(version)} of the format; this program reads version 1`);
  if (typeof root !== 'string' || typeof acl !== 'boolean')
    throw bad(name, 'the header does not name the root of what was exported');
  return {
    zoosh,
    version,
    root,
    acl,
    ...(alone === true && { alone }),
    ...(ends === 'last' && { ends }),
    ...(typeof nodes === 'number' && { nodes }),
  };
}
/** A line as the last one of a file. */
export const asLast = (line: string): string => `${line.slice(0, -1)},"last":true}`;
export const isLast = (value: unknown): boolean => (value as { last?: unknown } | null)?.last === true;

/** Text of a node's data, or undefined when it is not valid UTF-8 or holds what does not belong into text. */
export function textOf(data: Uint8Array): string | undefined {
  if (data.length === 0) return '';
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  if (bytes.includes(0)) return undefined;
  const text = bytes.toString('utf8');
  // what cannot be decoded becomes U+FFFD and then is not what it was
  return text.includes('\ufffd') && !Buffer.from(text).equals(bytes) ? undefined : text;
}

export const dataJson = (data: Uint8Array | null): { data: string | null; encoding: 'utf8' | 'base64' | 'null' } => {
  if (data === null) return { data: null, encoding: 'null' };
  const text = textOf(data);
  return text === undefined
    ? { data: Buffer.from(data).toString('base64'), encoding: 'base64' }
    : { data: text, encoding: 'utf8' };
};

/** Entries for programs; a digest that was read without its hash says so. */
export const aclJson = (acl: readonly Acl[]) =>
  acl.map(({ scheme, id, perms }) => ({
    scheme,
    id,
    perms: showPerms(perms),
    ...(isMasked({ scheme, id }) && { masked: true }),
  }));

const ACL_TEXTS = new Map<string, string>();
/** Most nodes share few ACLs: their JSON is kept. */
function aclText(acl: readonly Acl[]): string {
  const only = acl.length === 1 ? acl[0] : undefined;
  const key = only === undefined ? undefined : `${only.perms}:${only.scheme}:${only.id}`;
  const known = key === undefined ? undefined : ACL_TEXTS.get(key);
  if (known !== undefined) return known;
  const text = JSON.stringify(aclJson(acl));
  if (key !== undefined && ACL_TEXTS.size < 1000) ACL_TEXTS.set(key, text);
  return text;
}

/** One line, its newline not included. */
export function nodeLine({ path, data, acl, kind, ttlMs, stat }: NodeRecord, keepsStat: boolean): string {
  const { data: text, encoding } = dataJson(data);
  let line = `{"path":${JSON.stringify(path)},"data":${JSON.stringify(text)},"encoding":"${encoding}","kind":"${kind}"`;
  if (ttlMs !== undefined) line += `,"ttl":${ttlMs}`;
  if (acl !== undefined) {
    line += `,"acl":${aclText(acl)}`;
    if (hasMasked(acl)) line += ',"masked":true';
  }
  if (keepsStat && stat?.mzxid !== undefined) line += `,"stat":${JSON.stringify(statJson(stat as never))}`;
  return `${line}}`;
}

const KINDS: ReadonlySet<unknown> = new Set(['persistent', 'ephemeral', 'container', 'ttl']);
const bad = (where: string, what: string): Failure => new Failure(2, 'BadExport', `${where}: ${what}`);

/** An object out of an export to the node it stands for. `where` is named by errors. @throws Failure (2, 15) */
export function nodeOf(value: unknown, where: string): NodeRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(where, 'not a node');
  const {
    path,
    data = null,
    encoding = 'utf8',
    kind = 'persistent',
    ttl,
    acl,
    stat,
  } = value as Record<string, unknown>;
  if (typeof path !== 'string') throw bad(where, 'a node without a path');
  const fault = pathFault(path);
  if (fault !== undefined) throw bad(where, `not a path: ${fault}`);
  if (!KINDS.has(kind)) throw bad(where, `${path} has a kind that there is not: ${String(kind)}`);
  if (ttl !== undefined && !(Number.isInteger(ttl) && (ttl as number) > 0))
    throw bad(where, `${path} has a ttl that is not a number of ms`);
  if (kind === 'ttl' && ttl === undefined) throw bad(where, `${path} is a ttl node without its ttl`);
  return {
    path,
    data: bytesOf(data, encoding, path, where),
    acl: acl === undefined ? undefined : aclOf(acl, path, where),
    kind: kind as NodeKind,
    ttlMs: ttl as number | undefined,
    stat: recordedStat(stat),
  };
}

function bytesOf(data: unknown, encoding: unknown, path: string, where: string): Uint8Array | null {
  if (data === null || encoding === 'null') return null;
  if (typeof data !== 'string') throw bad(where, `${path} has data that is not text`);
  if (encoding === 'utf8') return Buffer.from(data);
  if (encoding === 'base64') return Buffer.from(data, 'base64');
  throw bad(where, `${path} has an encoding that there is not: ${String(encoding)}`);
}

/** A list of entries, or the text that `getAcl` prints. */
function aclOf(value: unknown, path: string, where: string): readonly Acl[] {
  if (typeof value === 'string') return parseAcl(value);
  if (!Array.isArray(value) || value.length === 0) throw bad(where, `${path} has an acl that is not a list of entries`);
  return value.flatMap((entry: Partial<Record<'scheme' | 'id' | 'perms', unknown>>) => {
    const { scheme, id, perms } = entry ?? {};
    if (typeof scheme !== 'string' || typeof id !== 'string')
      throw bad(where, `${path} has an acl entry without a scheme or id`);
    if (typeof perms === 'number') return [{ scheme, id, perms }];
    if (typeof perms !== 'string') throw bad(where, `${path} has an acl entry without perms`);
    return perms === '' ? [{ scheme, id, perms: 0 }] : [{ scheme, id, perms: parseAcl(`x:y:${perms}`)[0]?.perms ?? 0 }];
  });
}

function recordedStat(value: unknown): RecordedStat | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { mtime, version, czxid } = value as Record<string, unknown>;
  const at = typeof mtime === 'string' ? Date.parse(mtime) : Number.NaN;
  if (Number.isNaN(at) || typeof version !== 'number') return undefined;
  const isId = typeof czxid === 'string' && /^0x[0-9a-f]{1,16}$/.test(czxid);
  return { mtime: at, version, ...(isId && { czxid: BigInt(czxid) as Zxid }) };
}

/** The path of one that could not be read when the file was made; undefined for any other. @throws Failure (2) */
export function unreadOf(value: unknown, where: string): string | undefined {
  const { path, unread } = (value ?? {}) as { path?: unknown; unread?: unknown };
  if (unread !== true) return undefined;
  if (typeof path !== 'string' || pathFault(path) !== undefined) throw bad(where, 'what could not be read has no path');
  return path;
}
