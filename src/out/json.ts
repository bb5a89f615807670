import { joinPath } from '../base/path.ts';
import { aclJson, dataJson as dataOf } from '../shell/node-json.ts';
import type { Difference, Match, Output, TreeNode } from '../shell/output.ts';
import { branchesJson } from './branches.ts';
import { base64, isText } from './data.ts';
import { changeJson } from './events.ts';
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
        acl: aclJson(output.acl),
        ...(output.stat && { stat: statJson(output.stat) }),
      };
    case 'tree':
      return { ...treeJson(output.root), truncated: output.truncated };
    case 'branches':
      // of a part it is a list; a document it is as text
      if (output.part === undefined) return JSON.parse(branchesJson(output, undefined));
      return output.branches.map(({ depth, name, path, stat, more }) =>
        more === undefined ? { depth, name, path, ...(stat && { stat: statJson(stat) }) } : { depth, more },
      );
    case 'differences':
      return { differences: output.differences.map(differenceJson), ...output.counts };
    case 'matches':
      return { matches: output.matches.map(matchJson) };
    case 'findings':
      return output.findings;
    case 'events':
      return output.events.map(changeJson);
    case 'counts':
      return { ...output.counts, ...(output.changes && { changes: output.changes.map(differenceJson) }) };
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
    case 'state':
    case 'done':
    case 'page':
    case 'steps':
      return output.json;
  }
}

/** What programs that read line by line get a line each of; what sums it up comes last. */
export function entriesOf(output: Output): readonly unknown[] | undefined {
  switch (output.type) {
    case 'matches':
      return output.matches.map(matchJson);
    case 'differences':
      return [...output.differences.map(differenceJson), ...(output.counts === undefined ? [] : [output.counts])];
    case 'events':
      return toJson(output) as unknown[];
    case 'counts':
      return output.changes && [...output.changes.map(differenceJson), output.counts];
    case 'listing':
      return output.isPaths ? nodesOf(output) : undefined;
    case 'steps':
      return output.entries;
    case 'findings':
      return output.findings;
    case 'lines':
      return output.lines;
    case 'table':
      return Array.isArray(output.json) ? output.json : undefined;
    default:
      return undefined;
  }
}

/** Nodes of a subtree, one by one; what is said about its root comes last. */
function nodesOf({ path, names, long, stat }: Extract<Output, { type: 'listing' }>): readonly unknown[] {
  const nodes =
    long?.map((each) => ({ path: each.name, stat: statJson(each.stat) })) ?? names.map((name) => ({ path: name }));
  return stat === undefined ? nodes : [...nodes, { path, stat: statJson(stat) }];
}

const differenceJson = ({ sign, path, version, before, after, notes }: Difference) => ({
  change: { '+': 'create', '-': 'delete', '~': 'change', '!': 'impossible' }[sign],
  path,
  ...(version !== undefined && { version }),
  ...(before !== undefined && { before: dataOf(before) }),
  ...(after !== undefined && { after: dataOf(after) }),
  ...(notes !== undefined && notes.length > 0 && { notes }),
});
const matchJson = ({ path, line, text, isContext, count }: Match) => ({
  path,
  ...(line !== undefined && { line }),
  ...(count === undefined ? { text } : { count }),
  ...(isContext && { context: true }),
});

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
