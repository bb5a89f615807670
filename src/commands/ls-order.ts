/** Many children in an order that their stats tell. */
import { setImmediate } from 'node:timers/promises';
import { KeeperError } from '../base/errors.ts';
import { joinPath } from '../base/path.ts';
import type { Stat } from '../client/api.ts';
import type { CommandContext } from '../shell/command.ts';
import { eachOf } from '../shell/walk.ts';
import { inflightOf } from './support.ts';

/** Numbers sorted in one go. */
const RUN = 16_384;

/**
 * The names with the highest number first, equal ones as they stand; of each stat only the number is kept. What is gone or
 * may not be read is left out, the latter told to `denied`.
 */
export async function inOrderOf(
  parent: string,
  names: readonly string[],
  number: (stat: Stat) => number,
  context: CommandContext,
  denied: (path: string) => void,
): Promise<string[]> {
  const client = await context.client();
  const { signal } = context;
  const keys = new Float64Array(names.length).fill(Number.NaN);
  using progress = context.progress(`sorting ${parent}`);
  let seen = 0;
  await eachOf(names, inflightOf(context), signal, async (name, index) => {
    const path = joinPath(parent, name);
    try {
      const stat = await client.exists(path, { signal });
      if (stat !== undefined) keys[index] = number(stat);
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoAuth') throw error;
      denied(path);
    }
    progress.update(++seen, names.length);
  });
  const out: string[] = [];
  for (const at of await descending(keys, signal)) out.push(names[at] as string);
  return out;
}

/** Places of the numbers, the highest first, equal ones in their order; NaN is left out. Others have turns in between. */
export async function descending(keys: Float64Array, signal: AbortSignal): Promise<Uint32Array> {
  let from = new Uint32Array(keys.length);
  let count = 0;
  for (let at = 0; at < keys.length; at++) if (!Number.isNaN(keys[at])) from[count++] = at;
  from = from.subarray(0, count);
  const key = (place: number): number => keys[place] as number;
  for (let start = 0; start < count; start += RUN) {
    from.subarray(start, start + RUN).sort((a, b) => key(b) - key(a) || a - b);
    await turn(signal);
  }
  let to = new Uint32Array(count);
  for (let width = RUN; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const middle = Math.min(start + width, count);
      const end = Math.min(start + 2 * width, count);
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        const takesLeft = left < middle && (right >= end || key(from[left] as number) >= key(from[right] as number));
        to[at] = from[takesLeft ? left++ : right++] as number;
        if (at % RUN === 0) await turn(signal);
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

async function turn(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}
