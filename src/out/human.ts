import { cut, textWidth } from '../base/width.ts';
import type { Stat } from '../client/api.ts';
import { permWords, showAcl } from '../shell/acl-text.ts';
import { isMasked } from '../shell/node-record.ts';
import type { Column, Difference, Output, TreeNode } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';
import type { Change } from '../shell/recorder.ts';
import { hex, plural, showAge, showBytes, showCount } from '../shell/units.ts';
import { branchLine } from './branches.ts';
import { base64, hexdump, isText, prettyJson, unpack, visible, visibleLine } from './data.ts';
import { differencesLines } from './differences.ts';
import { changeLines } from './events.ts';
import { fold, foldPage, LEAST } from './fold.ts';
import { oneList } from './one-list.ts';
import { kindOf, statJson } from './stat.ts';
import { drawTable } from './table.ts';
import type { Theme } from './theme.ts';

export interface Screen {
  readonly theme: Theme;
  /** Characters in a row. */
  readonly width: number;
  /** ms since 1970, for ages. */
  readonly now: number;
}

/** What a person on a terminal sees; may change between versions. Lines without their newlines. */
export function toHuman(output: Output, screen: Screen): string[] {
  const { theme } = screen;
  switch (output.type) {
    case 'created':
      return [
        output.created
          ? `${theme.good('created')} ${quoteWord(output.path)}`
          : `${quoteWord(output.path)} already exists`,
      ];
    case 'written':
      return [
        `set ${quoteWord(output.path)} v${output.stat.version} (${showBytes(output.bytes)})`,
        ...(output.showStat ? statLines(output.stat, screen) : []),
      ];
    case 'deleted':
      if (output.part === 'first' || output.part === 'next') return [];
      return [deletedLine(output, screen)];
    case 'node':
      return nodeLines(output, screen);
    case 'many': {
      const list = oneList(output.parts);
      if (list !== undefined) return listingLines(list, screen);
      return output.parts.flatMap((part, at) => {
        const named = part.type === 'node' || part.type === 'stat' || part.type === 'listing' || part.type === 'acl';
        const head = named ? [...(at > 0 ? [''] : []), theme.path(`${quoteWord(part.path)}:`)] : [];
        return [...head, ...toHuman(part, screen)];
      });
    }
    case 'listing':
      return listingLines(output, screen);
    case 'stat':
      return statLines(output.stat, screen);
    case 'acl':
      return [
        quoteWord(showAcl(output.acl)),
        ...output.acl.map((entry) => {
          const who = visibleLine(`${entry.scheme}:${entry.id}`);
          const note = isMasked(entry) ? theme.attention('  hash hidden: you lack admin here') : '';
          return `${theme.dim(` ${who}: ${permWords(entry.perms) || 'nothing'}`)}${note}`;
        }),
        ...(output.stat ? statLines(output.stat, screen) : []),
      ];
    case 'tree':
      return [...treeLines(output.root, '', '', output.sizes, screen), ...stoppedLines(output, screen)];
    case 'branches':
      return [
        ...output.branches.map((branch) => branchLine(branch, output.sizes, theme)),
        ...(output.part === 'first' || output.part === 'next' ? [] : stoppedLines(output, screen)),
      ];
    case 'differences':
      return [
        ...differencesLines(output.differences, screen),
        ...(output.summary === undefined ? [] : fold(visibleLine(output.summary), screen.width, 2)),
      ];
    case 'matches':
      return output.matches.map(({ path, line, text, isContext }) => {
        const mark = isContext ? '-' : ':';
        const place = theme.dim(line === undefined ? mark : `${mark}${line}${mark}`);
        const { marks } = output;
        const shown = visibleLine(text);
        const isMarked = marks !== undefined && line !== undefined && isContext !== true;
        const told = isMarked ? shown.replace(marks, (found) => (found === '' ? '' : theme.bold(found))) : shown;
        return `${theme.path(quoteWord(path))}${place}${told}`;
      });
    case 'value':
      return output.isPath === true ? [quoteWord(output.text)] : visible(output.text).split('\n');
    case 'page':
      return foldPage(visible(output.text), screen.width);
    case 'fields': {
      const fields = output.humanFields ?? output.fields;
      const width = Math.max(0, ...fields.map(([name]) => name.length));
      return fields.flatMap(([name, value]) => named(visibleLine(name).padEnd(width), value, screen));
    }
    case 'table':
      if (output.rows.length === 0)
        return output.part === undefined && output.isTold !== true ? [theme.dim('(none)')] : [];
      return [
        ...withGap(
          fittingTable(
            output.columns,
            (output.humanRows ?? output.rows).map((row) =>
              row.map((cell, at) => (output.columns[at]?.isPath === true ? quoteWord(cell) : visibleLine(cell))),
            ),
            screen,
          ),
          (output.foot?.length ?? 0) > 0,
        ),
        ...(output.foot ?? []).flatMap((line) => fold(` ${visibleLine(line)}`, screen.width, 3)),
      ];
    case 'plan':
      return [
        ...differencesLines(output.changes.map(planned), screen),
        ...fold(`${output.summary}.  Nothing was sent.`, screen.width, 2),
      ];
    case 'lines':
      return output.lines.map(({ label, text }) =>
        label === '+' || label === '-'
          ? (label === '+' ? theme.good : theme.bad)(` ${label} ${visibleLine(text)}`)
          : `${labelled(label, theme)} ${visibleLine(text)}`,
      );
    case 'steps':
      return output.lines.flatMap((line) => fold(visibleLine(line), screen.width, 2));
    case 'findings':
      return [
        ...output.findings.flatMap(({ verdict, what, fix }) => {
          const paint = { ok: theme.good, warn: theme.attention, FAIL: theme.bad }[verdict];
          const [first = '', ...more] = fold(visibleLine(what), screen.width - 8);
          const advice = fix === undefined ? [] : fold(`fix: ${visibleLine(fix)}`, screen.width - 8, 5).map(theme.dim);
          return [` ${paint(verdict.padEnd(4))}  ${first}`, ...[...more, ...advice].map((line) => `       ${line}`)];
        }),
        output.summary,
      ];
    case 'events':
      return output.events.flatMap((each) => changeLines(each, theme, screen.width));
    case 'counts':
    case 'state':
    case 'done':
      return output.text === ''
        ? []
        : fold(visibleLine(output.text), screen.width, 2).map((line) =>
            line.replace(UNDO, (words) => theme.dim(words)),
          );
  }
}

/** What would take it back, which is said of all that can be. */
const UNDO = / *\(undo: undo \d+\)$/;

/** The names, where they are few and fit. */
function deletedLine(
  { paths, count, part, isTree, note }: Extract<Output, { type: 'deleted' }>,
  { theme, width }: Screen,
): string {
  const more = note === undefined ? '' : ` ${visibleLine(note)}`;
  const names = paths.map(quoteWord).join(' ') || 'nothing';
  const isShort = paths.length <= NAMED && textWidth(`deleted ${names}${more}`) <= width;
  const isNamed = part !== 'last' && isTree !== true && (paths.length < 2 || isShort);
  return `deleted ${isNamed ? names : plural(count, 'node')}${note === undefined ? '' : theme.dim(more)}`;
}

/** A name and its value, which goes on below itself where it is too long. */
function named(name: string, value: string, { theme, width }: Pick<Screen, 'theme' | 'width'>): string[] {
  const indent = name.length + 3;
  const [first = '', ...more] = fold(visibleLine(value), width - indent);
  return [` ${theme.dim(name)}  ${first}`.trimEnd(), ...more.map((line) => ' '.repeat(indent) + line)];
}

/** Blocks have an empty line before what follows them, too. */
const withGap = (lines: string[], isFollowed: boolean): string[] =>
  isFollowed && lines.includes('') ? [...lines, ''] : lines;

/** A table; where the screen is too narrow, without its lesser columns, and at last a block for each row of `whole`. */
function fittingTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { theme, width }: Screen,
  whole: { readonly columns: readonly Column[]; readonly rows: readonly (readonly string[])[] } = { columns, rows },
): string[] {
  const table = drawTable(columns, rows, theme.dim);
  if (table.every((line) => shownWidth(line) <= width)) return table;
  const last = columns.length - 1;
  if (columns[last]?.folds === true || columns[last]?.cuts === true) {
    const cells = (at: number): string[] => [columns[at]?.name ?? '', ...rows.map((row) => row[at] ?? '')];
    const others = columns.slice(0, -1).map((_, at) => Math.max(...cells(at).map(shownWidth)));
    const room = width - 1 - others.reduce((sum, each) => sum + each + 2, 0);
    if (room >= LEAST)
      return drawTable(
        columns,
        rows.flatMap((row) =>
          (columns[last]?.cuts === true ? [cut(row[last] ?? '', room).shown] : fold(row[last] ?? '', room)).map(
            (text, at) => [...row.slice(0, -1).map((cell) => (at === 0 ? cell : '')), text],
          ),
        ),
        theme.dim,
      );
  }
  const least = columns.reduce<number | undefined>(
    (found, { drop }, at) => (drop !== undefined && drop < (columns[found ?? -1]?.drop ?? Infinity) ? at : found),
    undefined,
  );
  if (least !== undefined) {
    const kept = <T>(cells: readonly T[]): T[] => cells.filter((_, at) => at !== least);
    return fittingTable(kept(columns), rows.map(kept), { theme, width, now: 0 }, whole);
  }
  const name = Math.max(...whole.columns.map((column) => column.name.length));
  return whole.rows.flatMap((row, at) => [
    ...(at > 0 ? [''] : []),
    ...row.flatMap((cell, place) =>
      cell === '' ? [] : named((whole.columns[place]?.name ?? '').padEnd(name), cell, { theme, width }),
    ),
  ]);
}

/** Deleted nodes are named up to so many. */
const NAMED = 10;

const shownWidth = (line: string): number => textWidth(line.replace(/\x1b\[[\d;]*m/g, ''));

const SIGNS = { create: '+', set: '~', delete: '-', check: '~', acl: '~', reconfig: '~' } as const;
/** What a node is open to that has no ACL of its own: not worth a word. */
const OPEN = 'world:anyone:cdrwa';

/** As differences are shown, which a plan is of. */
const planned = ({ kind, path, version, before, after, note }: Change): Difference => {
  const [mode, acl] = (note ?? '').match(/^(?:([a-zA-Z]+)(?: |$))?(.*)$/s)?.slice(1) ?? [];
  const told =
    kind === 'acl'
      ? [`acl ${note}`]
      : kind === 'create'
        ? [mode ?? '', acl === '' || acl === OPEN ? '' : `acl ${acl}`]
        : [note ?? ''];
  const notes = told.filter((each) => each !== '');
  return {
    sign: SIGNS[kind],
    path,
    ...(version !== undefined && { version }),
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    ...(notes.length > 0 && { notes }),
  };
};

/** A label in a colour of its own, the same each time. */
export function labelled(label: string, theme: Theme): string {
  const colours = [theme.path, theme.ephemeral, theme.good, theme.attention];
  const sum = [...label].reduce((total, unit) => total * 10 + (unit.codePointAt(0) ?? 0), 0);
  return (colours[sum % colours.length] as Theme['path'])(`${visibleLine(label)} |`);
}

function nodeLines(
  { data, form, noPretty, showStat, stat }: Extract<Output, { type: 'node' }>,
  screen: Screen,
): string[] {
  const { theme } = screen;
  const lines = ((): string[] => {
    if (data === null) return [theme.dim('(null)')];
    if (data.length === 0) return [theme.dim('(empty)')];
    if (form === 'base64') return [base64(data)];
    const unpacked = form === 'text' ? unpack(data) : undefined;
    if (unpacked === undefined && (form === 'hex' || !isText(data))) return hexdump(data, screen.width);
    const text = Buffer.from(unpacked?.data ?? data).toString();
    const shown = form === 'text' && noPretty !== true ? prettyJson(text) : undefined;
    const note =
      unpacked === undefined ? [] : [theme.dim(`(unpacked from ${showBytes(data.length)} of ${unpacked.kind})`)];
    return [
      ...colourJson(visible(shown ?? text), shown !== undefined, theme)
        .replace(/\n$/, '')
        .split('\n'),
      ...note,
    ];
  })();
  return [...lines, ...(showStat ? statLines(stat, screen) : [])];
}

const colourJson = (text: string, isJson: boolean, theme: Theme): string =>
  isJson && theme.color
    ? text.replace(/"(?:[^"\\\n]|\\.)*"(?=:)|"(?:[^"\\\n]|\\.)*"/g, (found, at: number) =>
        text[at + found.length] === ':' ? theme.path(found) : theme.text(found),
      )
    : text;

function listingLines(output: Extract<Output, { type: 'listing' }>, screen: Screen): string[] {
  const { theme, width, now } = screen;
  const after = output.stat ? statLines(output.stat, screen) : [];
  if (output.names.length === 0 && output.part !== undefined) return after; // nothing was left for the last part
  if (output.long !== undefined) {
    if (output.long.length === 0) return [theme.dim('(no children)'), ...after];
    const rows = output.long.map(({ name, stat }) => [
      stat.ephemeralOwner === 0n ? kindOf(stat) : theme.ephemeral(kindOf(stat)),
      String(stat.version),
      showBytes(stat.dataLength),
      showCount(stat.numChildren),
      showAge(stat.mtime, now),
      quoteWord(name),
    ]);
    const columns = [
      { name: 'kind' },
      { name: 'ver', right: true },
      { name: 'size', right: true },
      { name: 'children', right: true },
      { name: 'modified' },
      { name: 'name' },
    ];
    if (width >= 60) return [...drawTable(columns, rows, theme.dim), ...after];
    return [
      ...rows.flatMap(([kind, version, size, , age, name], at) => [
        name as string,
        ...belowName(
          kind as string,
          `v${version} ${size}, ${plural(output.long?.[at]?.stat.numChildren ?? 0, 'child', 'children')}, ${age}`,
          width,
        ),
      ]),
      ...after,
    ];
  }
  const names = output.names.map(quoteWord);
  if (names.length === 0)
    return output.isPaths ? [theme.dim('(none)'), ...after] : [theme.dim('(no children)'), ...after];
  return [...(output.onePerLine ? names : inColumns(names, width)), ...after];
}

/** What is said of a node below its name; `kind` may be coloured. */
function belowName(kind: string, rest: string, width: number): string[] {
  const bare = 'x'.repeat(shownWidth(kind)); // one word, whatever it is
  const [first = '', ...more] = fold(`  ${bare} ${rest}`, width, 4);
  return [first.replace(bare, kind), ...more];
}

/** Names in as many columns as fit, read downwards, as ls shows them. */
export function inColumns(names: readonly string[], width: number): string[] {
  let cell = 0; // not Math.max(...): there may be more names than a call takes arguments
  for (const name of names) cell = Math.max(cell, textWidth(name) + 2);
  const columns = Math.max(1, Math.floor((width + 1) / cell));
  const rows = Math.ceil(names.length / columns);
  return Array.from({ length: rows }, (_, row) => {
    const line: string[] = [];
    for (let at = row; at < names.length; at += rows) line.push(padded(names[at] as string, cell));
    return line.join('').trimEnd();
  });
}

const padded = (text: string, cells: number): string => text + ' '.repeat(Math.max(0, cells - textWidth(text)));

/** Cells for the names and a time behind them; where there are fewer, what is said stands below its name. */
const LEAST_STAT = 36;

function statLines(stat: Stat, { theme, now, width: columns }: Screen): string[] {
  const json = statJson(stat);
  const kindText = kindOf(stat) === 'ephemeral' ? `ephemeral, session ${hex(stat.ephemeralOwner)}` : 'persistent';
  // what a server was born with has no time
  const whenOf = (at: number, time: string, zxid: string): [string, string] =>
    at === 0 ? ['-', `zxid ${zxid}`] : [time, `${showAge(at, now)}, zxid ${zxid}`];
  const rows: [string, string, string][] = [
    ['kind', kindText, ''],
    ['data', `${showBytes(stat.dataLength)}`, `version ${stat.version}`],
    ['children', showCount(stat.numChildren), `version ${stat.cversion}`],
    ['acl', '', `version ${stat.aversion}`],
    ['created', ...whenOf(stat.ctime, json.ctime, json.czxid)],
    ['modified', ...whenOf(stat.mtime, json.mtime, json.mzxid)],
    ['pzxid', json.pzxid, 'last change of the children'],
  ];
  const width = Math.max(...rows.map(([, value]) => (value.length > 30 ? 0 : value.length)));
  return rows.flatMap(([name, value, note]) => {
    if (columns < LEAST_STAT)
      return [
        ` ${theme.dim(name)}`,
        ...[value, note].flatMap((text) => (text === '' ? [] : fold(`   ${text}`, columns, 3))),
      ];
    const head = ` ${theme.dim(name.padEnd(9))} `;
    if (note === '') return [`${head}${value}`];
    if (11 + width + 2 + note.length <= columns) return [`${head}${value.padEnd(width)}  ${theme.dim(note)}`];
    if (value === '') return [`${head}${theme.dim(note)}`];
    return [`${head}${value}`, `${' '.repeat(11)}${theme.dim(note)}`];
  });
}

function stoppedLines(
  { truncated, shown, total }: { readonly truncated: boolean; readonly shown: number; readonly total?: number },
  { theme, width }: Screen,
): string[] {
  const of = total === undefined ? '' : ` of ${showCount(total)}`;
  const said = `stopped after ${plural(shown, 'node')}${of}; --limit shows more`;
  return truncated ? fold(said, width).map(theme.attention) : [];
}

function treeLines(node: TreeNode, head: string, indent: string, sizes: boolean, screen: Screen): string[] {
  const { theme } = screen;
  const [tee, corner, bar] = theme.ascii ? ['|- ', '`- ', '|  '] : ['├─ ', '└─ ', '│  '];
  const isEphemeral = node.stat !== undefined && kindOf(node.stat) === 'ephemeral';
  const name = isEphemeral ? theme.ephemeral(quoteWord(node.name)) : quoteWord(node.name);
  const notes = [
    ...(sizes && node.stat ? [showBytes(node.stat.dataLength)] : []),
    ...(isEphemeral ? ['ephemeral'] : []),
  ];
  const lines = [`${head}${name}${notes.length > 0 ? theme.dim(`  ${notes.join(' ')}`) : ''}`];
  const last = node.children.length - 1;
  for (const [at, child] of node.children.entries()) {
    const isLast = at === last && node.more === 0;
    lines.push(...treeLines(child, indent + (isLast ? corner : tee), indent + (isLast ? '   ' : bar), sizes, screen));
  }
  if (node.more > 0) lines.push(`${indent}${corner}${theme.dim(`... ${node.more} more`)}`);
  return lines;
}
