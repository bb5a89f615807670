/** One line of a text as it was (`-`), as it is (`+`), or in both (a blank). */
export interface DiffLine {
  readonly sign: '-' | '+' | ' ';
  readonly text: string;
}

/** Beyond so many comparisons the middle is told as replaced. */
const MAX_CELLS = 4_000_000;

/** The shortest way from one text to the other, line by line. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const same = (text: string): DiffLine => ({ sign: ' ', text });
  return [
    ...before.slice(0, start).map(same),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

function middle(a: readonly string[], b: readonly string[]): DiffLine[] {
  const removed = (text: string): DiffLine => ({ sign: '-', text });
  const added = (text: string): DiffLine => ({ sign: '+', text });
  if (a.length * b.length > MAX_CELLS) return [...a.map(removed), ...b.map(added)];
  // longest[i][j]: lines that a from i on and b from j on have in common
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] as number;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const out: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ sign: ' ', text: a[i] as string });
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) out.push(removed(a[i++] as string));
    else out.push(added(b[j++] as string));
  }
  return out;
}

/** Only what differs, with `around` lines of what stands beside it; `...` where something is left out. */
export function hunks(lines: readonly DiffLine[], around = 2): (DiffLine | undefined)[] {
  const near = new Array<boolean>(lines.length).fill(false);
  for (const [at, { sign }] of lines.entries())
    if (sign !== ' ') near.fill(true, Math.max(0, at - around), Math.min(lines.length, at + around + 1));
  const out: (DiffLine | undefined)[] = [];
  for (const [at, line] of lines.entries())
    if (near[at]) out.push(line);
    else if (at === 0 || near[at - 1]) out.push(undefined);
  return out;
}
