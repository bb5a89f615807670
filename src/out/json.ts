import { joinPath } from '../base/path.ts';
import { showPerms } from '../shell/acl-text.ts';
import type { Output, TreeNode } from '../shell/output.ts';
import { base64, isText } from './data.ts';
import { statJson } from './stat.ts';

/** The document of a result, for programs. Keys are never removed or renamed within a major version. */
export function toJson(output: Output): unknown {
  switch (output.type) {
    case 'created':
      return { path: output.path, created: output.created, ...(output.stat && { stat: statJson(output.stat) }) };
    case 'written':
      return { path: output.path, created: false, version: output.stat.version, stat: statJson(output.stat) };
    case 'deleted':
      return { deleted: output.count, paths: output.paths };
    case 'node':
      return { path: output.path, ...dataJson(output.data, output.form), stat: statJson(output.stat) };
    case 'many':
      return output.parts.map(toJson);
    case 'listing':
      return {
        path: output.path,
        children:
          output.long?.map(({ name, stat }) => ({
            path: output.isPaths ? name : joinPath(output.path, name),
            stat: statJson(stat),
          })) ?? output.names,
        ...(output.stat && { stat: statJson(output.stat) }),
      };
    case 'stat':
      return { path: output.path, ...statJson(output.stat) };
    case 'acl':
      return {
        path: output.path,
        aversion: output.aversion,
        acl: output.acl.map(({ scheme, id, perms }) => ({ scheme, id, perms: showPerms(perms) })),
        ...(output.stat && { stat: statJson(output.stat) }),
      };
    case 'tree':
      return { ...treeJson(output.root), truncated: output.truncated };
    case 'value':
      return output.value;
    case 'fields':
      return output.json ?? Object.fromEntries(output.fields);
    case 'lines':
      return output.lines;
    case 'plan':
      return {
        dryRun: true,
        changes: output.changes.map(({ kind, path, version, before, after, note }) => ({
          change: kind,
          path,
          ...(version !== undefined && { version }),
          ...(before !== undefined && { before: dataJson(before, 'text') }),
          ...(after !== undefined && { after: dataJson(after, 'text') }),
          ...(note !== undefined && { note }),
        })),
      };
    case 'table':
    case 'done':
    case 'page':
      return output.json;
  }
}

function dataJson(data: Uint8Array | null, form: string): { data: string | null; encoding: string } {
  if (data === null) return { data: null, encoding: 'null' };
  return form === 'text' && isText(data)
    ? { data: Buffer.from(data).toString(), encoding: 'utf8' }
    : { data: base64(data), encoding: 'base64' };
}

const treeJson = (node: TreeNode): Record<string, unknown> => ({
  name: node.name,
  path: node.path,
  ...(node.stat && { stat: statJson(node.stat) }),
  children: node.children.map(treeJson),
  ...(node.more > 0 && { more: node.more }),
});
