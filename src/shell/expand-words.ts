import type { Client } from '../client/api.ts';
import type { Bound } from './bind.ts';
import type { CommandSpec } from './command.ts';
import { usage } from './failure.ts';
import { expandGlob } from './glob.ts';

/** Puts the paths that patterns stand for in their places in `bound`. @throws Failure (2, 10) */
export async function expandWords(
  spec: CommandSpec,
  bound: Bound,
  connected: () => Promise<Client>,
  signal: AbortSignal,
): Promise<void> {
  if (bound.globs.length === 0) return;
  const client = await connected();
  for (const key of new Set(bound.globs.map(({ param }) => param))) {
    const value = bound.values[key];
    if (!Array.isArray(value)) {
      const paths = await expandGlob(client, value as string, signal);
      if (paths.length > 1)
        throw usage(`${spec.name} takes one path, and ${value as string} stands for ${paths.length}`);
      bound.values[key] = paths[0];
      continue;
    }
    const patterns = new Set(bound.globs.filter(({ param }) => param === key).map(({ index }) => index));
    const out: string[] = [];
    // one by one: a pattern may stand for more names than a call takes arguments
    for (const [index, each] of value.entries())
      for (const path of patterns.has(index) ? await expandGlob(client, each, signal) : [each as string])
        out.push(path);
    bound.values[key] = out;
  }
}
