import { distance } from '../base/distance.ts';

/** A shorter word is another one two edits away, unless it begins with the same letter. */
const LONG = 8;

/** The names closest to `word`, at most two edits away and not by every letter, or those it begins; best first. */
export function nearest(word: string, names: readonly string[], limit = 2): string[] {
  const low = word.toLowerCase();
  return names
    .map((name) => ({ name, far: distance(low, name.toLowerCase(), limit) }))
    .filter(
      ({ name, far }) =>
        (far <= Math.min(limit, Math.max(1, Math.floor((word.length - 1) / 2))) &&
          far < Math.max(word.length, name.length) &&
          (far < 2 || word.length >= LONG || low[0] === name[0]?.toLowerCase())) ||
        (low.length > 1 && name.toLowerCase().startsWith(low)),
    )
    .sort((x, y) => x.far - y.far || (x.name < y.name ? -1 : 1))
    .map(({ name }) => name);
}
