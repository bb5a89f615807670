import { createRequire } from 'node:module';
import type { Column } from '../shell/output.ts';

type TableClass = new (options: object) => { push(...rows: unknown[]): void; toString(): string };
let loaded: TableClass | undefined;
/** The package is loaded when the first table is drawn: most commands draw none. */
const tables = (): TableClass => {
  loaded ??= createRequire(import.meta.url)('cli-table3') as TableClass;
  return loaded;
};

const EMPTY = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, '']),
);

const ASCII = Object.fromEntries(
  Object.keys(EMPTY).map((name) => [
    name,
    /^(?:left|right|middle)$/.test(name) ? '|' : /left|right|-mid/.test(name) ? '+' : '-',
  ]),
);

/** The same with light borders, for `-o table`. */
export function drawBordered(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  ascii: boolean,
): string[] {
  const Table = tables();
  const table = new Table({
    head: columns.map(({ name }) => name),
    colAligns: columns.map(({ right }) => (right === true ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    ...(ascii && { chars: ASCII }),
  });
  table.push(...rows.map((row) => row.map((cell) => cell.replace(/\t/g, ' '))));
  return table.toString().split('\n');
}

/** Rows in columns without borders; cells may hold colours and wide characters. No lines without rows, no blank ends. */
export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  header: (text: string) => string,
): string[] {
  const Table = tables();
  const table = new Table({
    head: columns.map(({ name }) => header(name)),
    chars: { ...EMPTY, middle: '  ' },
    colAligns: columns.map(({ right }) => (right === true ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  table.push(...rows.map((row) => row.map((cell) => cell.replace(/\t/g, ' '))));
  return table
    .toString()
    .split('\n')
    .map((line) => ` ${line.trimEnd()}`);
}
