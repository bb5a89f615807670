import { textWidth } from '../base/width.ts';
import type { Column } from '../shell/output.ts';
import type { Screen } from './human.ts';
import { drawTable } from './table.ts';

/** A table in the width there is: the least important columns go first; where the rest does not fit, a block a row. */
export function fittingTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { theme, width }: Pick<Screen, 'theme' | 'width'>,
): string[] {
  const kept = columns.map((_column, at) => at);
  const widths = columns.map(({ name }, at) => {
    let most = name.length;
    for (const row of rows) most = Math.max(most, textWidth(row[at] ?? ''));
    return most;
  });
  const needed = (): number => kept.reduce((sum, at) => sum + (widths[at] as number) + 2, 0);
  while (needed() > width) {
    const [least] = kept
      .filter((at) => columns[at]?.least !== undefined)
      .sort((a, b) => (columns[a]?.least as number) - (columns[b]?.least as number));
    if (least === undefined) break;
    kept.splice(kept.indexOf(least), 1);
  }
  if (needed() <= width || kept.length < 3)
    return drawTable(
      kept.map((at) => columns[at] as Column),
      rows.map((row) => kept.map((at) => row[at] ?? '')),
      theme.dim,
    );
  const label = Math.max(...columns.map(({ name }) => name.length));
  return rows.flatMap((row, at) => [
    ...(at > 0 ? [''] : []),
    ...columns.map(({ name }, column) => ` ${theme.dim(name.padEnd(label))}  ${row[column] ?? ''}`),
  ]);
}
