/** What other tools write. */
import { pathFault } from '../base/path.ts';
import type { Acl } from '../client/api.ts';
import { Failure } from './failure.ts';
import { comparePaths, type NodeRecord } from './node-record.ts';

interface Foreign {
  readonly root: string;
  readonly acl: boolean;
  readonly nodes: AsyncIterable<NodeRecord>;
}
const bad = (where: string, what: string): Failure => new Failure(2, 'BadExport', `${where}: ${what}`);

/** In the order of an export; what they have in common is the root. */
function inOrder(found: readonly NodeRecord[], acl: boolean): Foreign {
  const sorted = [...found].sort((a, b) => comparePaths(a.path, b.path));
  let root = sorted[0]?.path ?? '/';
  for (const { path } of sorted)
    while (root !== '/' && path !== root && !path.startsWith(`${root}/`))
      root = root.slice(0, root.lastIndexOf('/')) || '/';
  return {
    root,
    acl,
    nodes: (async function* () {
      yield* sorted;
    })(),
  };
}

/** `/path=value`, one a line; `#` begins a comment. */
export function pairNodes(text: string, name: string): Foreign {
  const found: NodeRecord[] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const where = `${name}:${at + 1}`;
    const path = (equals < 0 ? line : line.slice(0, equals)).trim();
    const fault = pathFault(path);
    if (fault !== undefined) throw bad(where, `not PATH=VALUE: ${fault}`);
    const data = equals < 0 ? null : Buffer.from(line.slice(equals + 1));
    found.push({ path, data, acl: undefined, kind: 'persistent' });
  }
  return inOrder(found, false);
}

/** The line at which a text is no JSON; `message` is the engine's, which tells the place of some faults only. */
function faultyLine(text: string, message: string): number {
  const told = / position (\d+)/.exec(message)?.[1];
  const word = /\s*(?:"(?:[^"\\\n]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[[\]{},:])/y;
  let end = 0;
  while (told === undefined && word.test(text)) end = word.lastIndex;
  const place = told === undefined ? end + (/^\s*/.exec(text.slice(end))?.[0].length ?? 0) : Number(told);
  return text.trimEnd().slice(0, place).split('\n').length;
}

const isBase64 = (text: string): boolean => Buffer.from(text, 'base64').toString('base64') === text;

/**
 * The JSON that zk_shell copies to: paths with `content` and `acls`. Its later versions write content in base64 and ACLs,
 * its first ones neither: one file is of one kind.
 */
export function shellBackupNodes(text: string, name: string): Foreign {
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw bad(`${name}:${faultyLine(text, message)}`, `not JSON: ${message}`);
  }
  const entries = Object.entries(tree as Record<string, { content?: unknown; acls?: unknown } | null>);
  const texts = entries.map(([, node]) => node?.content).filter((content) => typeof content === 'string');
  const coded = texts.every(isBase64);
  let hasAcl = false;
  const found = entries.map(([path, node]): NodeRecord => {
    const fault = pathFault(path);
    if (fault !== undefined || typeof node !== 'object' || node === null || !('content' in node))
      throw bad(name, `neither an export nor a backup of zk_shell: ${path.slice(0, 60)}`);
    const { content, acls } = node;
    if (content !== null && typeof content !== 'string') throw bad(name, `${path} has content that is not text`);
    const acl =
      Array.isArray(acls) && acls.length > 0 ? acls.map((each) => entryOf(each, `${name}: ${path}`)) : undefined;
    hasAcl ||= acl !== undefined;
    const data = content === null ? null : Buffer.from(content, coded ? 'base64' : 'utf8');
    return { path, data, acl, kind: 'persistent' };
  });
  return inOrder(found, hasAcl);
}

function entryOf(value: unknown, where: string): Acl {
  const { perms, scheme, id } = (value ?? {}) as Record<string, unknown>;
  if (typeof perms !== 'number' || typeof scheme !== 'string' || typeof id !== 'string')
    throw bad(where, 'an ACL entry without perms, scheme or id');
  return { perms, scheme, id };
}
