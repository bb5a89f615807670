/** A drawing of a subtree that comes in parts. */
import type { Branch, Output } from '../shell/output.ts';
import { quoteWord, showName } from '../shell/paths.ts';
import { showBytes } from '../shell/units.ts';
import { kindOf, statJson } from './stat.ts';
import type { Theme } from './theme.ts';

type Branches = Extract<Output, { type: 'branches' }>;

/** For people: each line with what leads to it. */
export function branchLine({ depth, name, stat, isLast, lasts, more }: Branch, sizes: boolean, theme: Theme): string {
  const [tee, corner, bar] = theme.ascii ? ['|- ', '`- ', '|  '] : ['├─ ', '└─ ', '│  '];
  const indent = [...lasts].map((each) => (each === '1' ? '   ' : bar)).join('');
  const head = depth === 0 ? '' : `${indent}${isLast ? corner : tee}`;
  if (more !== undefined) return `${head}${theme.dim(`... ${more} more`)}`;
  const isEphemeral = stat !== undefined && kindOf(stat) === 'ephemeral';
  const notes = [...(sizes && stat ? [showBytes(stat.dataLength)] : []), ...(isEphemeral ? ['ephemeral'] : [])];
  const shown = isEphemeral ? theme.ephemeral(quoteWord(name)) : quoteWord(name);
  return `${head}${shown}${notes.length > 0 ? theme.dim(`  ${notes.join(' ')}`) : ''}`;
}

/** For pipes: a TAB for each level. */
export const branchText = ({ depth, name, stat, more }: Branch, sizes: boolean): string =>
  `${'\t'.repeat(depth)}${more === undefined ? `${showName(name)}${sizes && stat ? `\t${stat.dataLength}` : ''}` : `... ${more} more`}\n`;

/** The text of a part of the document in which each node holds its children; where it begins is told by the branch before. */
export function branchesJson({ branches, previous, truncated, part }: Branches, indent: number | undefined): string {
  const line = (level: number): string => (indent === undefined ? '' : `\n${' '.repeat(indent * level)}`);
  const key = (depth: number, name: string): string =>
    `${line(2 * depth + 1)}"${name}":${indent === undefined ? '' : ' '}`;
  let text = '';
  // nodes that are not closed yet, the last of them at depth `open` - 1
  let open = 0;
  let isEmpty = true;
  let moreOfRoot: number | undefined;
  const close = (more?: number): void => {
    const depth = --open;
    text += `${isEmpty ? '' : line(2 * depth + 1)}]${more === undefined ? '' : `,${key(depth, 'more')}${more}`}`;
    if (depth === 0) text += `,${key(0, 'truncated')}${truncated}`;
    text += `${line(2 * depth)}}`;
    isEmpty = false;
  };
  const passed = ({ depth, more }: Branch): void => {
    if (more === undefined) [open, isEmpty] = [depth + 1, true];
    else if (depth === 1) [open, moreOfRoot] = [1, more];
    else [open, isEmpty] = [depth - 1, false];
  };
  if (previous !== undefined) passed(previous);
  // what stands before the number of those of the root that are not shown is a node at least
  if (previous?.more !== undefined && previous.depth === 1) isEmpty = false;
  for (const branch of branches) {
    const { depth, name, path, stat, more } = branch;
    while (open > depth) close();
    if (more === undefined) {
      text += `${isEmpty ? '' : ','}${depth === 0 ? '' : line(2 * depth)}{${key(depth, 'name')}${JSON.stringify(name)},`;
      text += `${key(depth, 'path')}${JSON.stringify(path)},`;
      if (stat !== undefined)
        text += `${key(depth, 'stat')}${JSON.stringify(statJson(stat), null, indent).replaceAll('\n', line(2 * depth + 1))},`;
      text += `${key(depth, 'children')}[`;
    } else if (depth > 1) close(more);
    passed(branch);
  }
  if (part === 'first' || part === 'next') return text;
  while (open > 1) close();
  close(moreOfRoot);
  return `${text}\n`;
}
