import { showAcl } from '../shell/acl-text.ts';
import type { Match, Output, TreeNode } from '../shell/output.ts';
import { showName } from '../shell/paths.ts';
import { hex } from '../shell/units.ts';
import { branchText } from './branches.ts';
import { base64, hexdump, isText } from './data.ts';
import { differenceFields } from './differences.ts';
import { changeText } from './events.ts';
import { oneList } from './one-list.ts';
import { kindOf, statJson } from './stat.ts';

type Chunk = string | Uint8Array;

/** One record per line, TAB between fields, data as it is: what pipes and files get, stable between versions. */
export const toPlain = (output: Output): Uint8Array =>
  Buffer.concat([...chunks(output)].map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)));

const row = (cells: readonly unknown[]): string => `${cells.map((cell) => showName(String(cell))).join('\t')}\n`;

function* chunks(output: Output): Generator<Chunk> {
  switch (output.type) {
    case 'created':
      yield row([output.path]);
      break;
    case 'written':
      yield row([output.stat.version]);
      if (output.showStat) yield* chunks({ type: 'stat', path: output.path, stat: output.stat });
      break;
    case 'deleted':
      if (output.isTree) yield row([output.count]);
      else for (const path of output.paths) yield row([path]);
      break;
    case 'node':
      yield* nodeChunks(output);
      break;
    case 'many': {
      const list = oneList(output.parts);
      if (list !== undefined) return yield* chunks(list);
      for (const [at, part] of output.parts.entries()) {
        const needsHeader = part.type === 'node' || part.type === 'stat' || part.type === 'listing';
        if (needsHeader) yield `${at > 0 ? '\n' : ''}${showName(part.path)}:\n`;
        yield* chunks(part);
      }
      break;
    }
    case 'listing':
      if (output.long !== undefined)
        for (const { name, stat } of output.long)
          yield row([
            kindOf(stat),
            stat.version,
            stat.dataLength,
            stat.numChildren,
            statJson(stat).mtime,
            hex(stat.ephemeralOwner),
            name,
          ]);
      else for (const name of output.names) yield row([name]);
      if (output.stat) yield* chunks({ type: 'stat', path: output.path, stat: output.stat });
      break;
    case 'stat':
      for (const [name, value] of Object.entries(statJson(output.stat))) yield row([name, value]);
      break;
    case 'acl':
      yield row([showAcl(output.acl)]);
      if (output.stat) yield* chunks({ type: 'stat', path: output.path, stat: output.stat });
      break;
    case 'tree':
      yield* treeChunks(output.root, 0, output.sizes);
      if (output.truncated) yield `...\n`;
      break;
    case 'branches':
      for (const branch of output.branches) yield branchText(branch, output.sizes);
      if (output.truncated && output.part !== 'first' && output.part !== 'next') yield `...\n`;
      break;
    case 'differences':
      for (const difference of output.differences) yield row(differenceFields(difference));
      break;
    case 'matches':
      for (const match of output.matches) yield `${matchText(match)}\n`;
      break;
    case 'value':
    case 'page':
      yield `${output.text}\n`;
      break;
    case 'findings':
      for (const { verdict, what, fix } of output.findings)
        yield row([verdict, what, ...(fix === undefined ? [] : [fix])]);
      break;
    case 'events':
      for (const { at, event, change } of output.events)
        yield row([
          new Date(at).toISOString(),
          event.type,
          event.path,
          ...(change === undefined ? [] : [changeText(change)]),
        ]);
      break;
    case 'counts':
      for (const [name, count] of Object.entries(output.counts)) yield row([name, count]);
      break;
    case 'fields':
      for (const field of output.fields) yield row(field);
      break;
    case 'table':
      for (const cells of output.rows) yield row(cells);
      break;
    case 'lines':
      for (const { label, text } of output.lines) yield row([label, text]);
      break;
    case 'steps':
      for (const line of output.lines) yield `${showName(line)}\n`;
      break;
    case 'plan':
      for (const { kind, path, version, note } of output.changes)
        yield row([kind, path, version ?? (kind === 'reconfig' ? note : undefined) ?? '']);
      break;
    case 'state':
      yield row(output.fields);
      break;
    case 'done':
      break;
  }
}

/** `path:line:text`, a context line with dashes, as grep prints them. */
function matchText({ path, line, text, isContext }: Match): string {
  const mark = isContext ? '-' : ':';
  return [showName(path), ...(line === undefined ? [] : [String(line)]), showName(text)].join(mark);
}

function* nodeChunks({ data, form, showStat, stat, path }: Extract<Output, { type: 'node' }>): Generator<Chunk> {
  if (data !== null) {
    if (form === 'base64') yield `${base64(data)}\n`;
    else if (form === 'hex')
      yield hexdump(data)
        .map((line) => `${line}\n`)
        .join('');
    else {
      yield data;
      if (form === 'text' && data.at(-1) !== 10 && isText(data)) yield '\n';
    }
  }
  if (showStat) yield* chunks({ type: 'stat', path, stat });
}

function* treeChunks(node: TreeNode, depth: number, sizes: boolean): Generator<string> {
  yield `${'\t'.repeat(depth)}${showName(node.name)}${sizes && node.stat ? `\t${node.stat.dataLength}` : ''}\n`;
  for (const child of node.children) yield* treeChunks(child, depth + 1, sizes);
  if (node.more > 0) yield `${'\t'.repeat(depth + 1)}... ${node.more} more\n`;
}
