import { Reader } from '../protocol/bytes.ts';
import { Stat } from '../protocol/data.ts';
import { OPERATIONS } from '../protocol/operations.ts';
import type { Stat as StatOf } from './api.ts';

/** A folder with more children than this is decoded and sorted in parts. */
const MANY = 20_000;
/** Names decoded, and sorted, between two turns of the loop: some 20 ms of work. */
const RUN = 20_000;
/** Names merged between two turns: some 15 ms of work. */
const MERGED = 20_000;

/** A folder's. */
export interface Children {
  readonly children: string[];
  readonly stat: StatOf;
}

/**
 * What `getChildren2` answers, the names sorted by code unit. A million names take two seconds to sort: of many the promise is
 * settled later, and others have their turns meanwhile; it rejects with the reason of `signal` when that is aborted.
 */
export function readChildren(from: Reader, signal: AbortSignal | undefined): Children | Promise<Children> {
  const { at } = from;
  const count = from.within('children', () => from.count());
  if (count <= MANY) {
    from.at = at;
    const { children, stat } = OPERATIONS.getChildren2.answer.read(from);
    return { children: (children ?? []).map((name) => name ?? '').sort(), stat };
  }
  const start = from.at;
  from.within('children', () => {
    for (let i = 0; i < count; i++) {
      const length = from.length();
      from.at += Math.max(0, length);
    }
  });
  const names = Buffer.from(from.bytes.subarray(start, from.at)); // the frame is not ours to keep
  const stat = from.within('stat', Stat.read);
  return sortedNames(new Reader(names), count, signal).then((children) => ({ children, stat }));
}

async function sortedNames(from: Reader, count: number, signal: AbortSignal | undefined): Promise<string[]> {
  const pause = async (): Promise<void> => {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    signal?.throwIfAborted();
  };
  let runs: string[][] = [];
  for (let done = 0; done < count; done += RUN) {
    const run: string[] = [];
    for (let i = done; i < Math.min(count, done + RUN); i++) run.push(from.text() ?? '');
    runs.push(run.sort());
    await pause();
  }
  while (runs.length > 1) {
    const next: string[][] = [];
    for (let at = 0; at < runs.length; at += 2) next.push(await merge(runs[at] as string[], runs[at + 1] ?? [], pause));
    runs = next;
  }
  return runs[0] ?? [];
}
async function merge(a: string[], b: string[], pause: () => Promise<void>): Promise<string[]> {
  const [last, first] = [a.at(-1), b[0]];
  if (last === undefined || first === undefined || last <= first) return a.concat(b);
  const all: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const isFirst = (a[i] as string) <= (b[j] as string);
    all.push((isFirst ? a[i++] : b[j++]) as string);
    if (all.length % MERGED === 0) await pause();
  }
  return all.concat(i < a.length ? a.slice(i) : b.slice(j));
}
