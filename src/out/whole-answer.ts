import type { Branch, Output, Part } from '../shell/output.ts';
import { isDivided } from './json-parts.ts';

/**
 * Fields that are chosen of an answer whose document is one object are those of this object, so that an answer in parts is
 * put together first. Of its entries only as many are kept as are asked for. Lists go by in their parts.
 */
export class WholeAnswer {
  readonly #chosen: ReadonlySet<string>;
  /** Those of the answer that comes. */
  #kept: unknown[] = [];

  constructor(fields: readonly string[]) {
    this.#chosen = new Set(fields.map((name) => name.split('.')[0] as string));
  }

  /** What is to be shown now: any other answer as it is, such a one with its last part; undefined: nothing yet. */
  take(output: Output): Output | undefined {
    if (!isDivided(output)) return output;
    switch (output.type) {
      case 'listing':
      case 'table':
        return output;
      case 'branches': {
        const { part, ...rest } = output;
        const kept = this.#chosen.has('children') ? rest.branches : rest.branches.filter(isOfRoot);
        return this.#gather(part, kept, (branches) => ({ ...rest, branches, previous: undefined }));
      }
      case 'deleted': {
        const { part, ...rest } = output;
        return this.#gather(part, this.#asked('paths', rest.paths), (paths) => ({ ...rest, paths }));
      }
      case 'differences': {
        const { part, ...rest } = output;
        const asked = this.#asked('differences', rest.differences);
        return this.#gather(part, asked, (differences) => ({ ...rest, differences }));
      }
      case 'matches': {
        const { part, ...rest } = output;
        return this.#gather(part, this.#asked('matches', rest.matches), (matches) => ({ ...rest, matches }));
      }
    }
  }

  #asked<T>(name: string, entries: readonly T[]): readonly T[] {
    return this.#chosen.has(name) ? entries : [];
  }
  /** What sums an answer up is in its last part. */
  #gather<T>(part: Part, entries: readonly T[], whole: (all: readonly T[]) => Output): Output | undefined {
    if (part === 'first') this.#kept = [];
    for (const each of entries) this.#kept.push(each);
    if (part !== 'last') return undefined;
    const all = this.#kept as T[];
    this.#kept = [];
    return whole(all);
  }
}

/** It is the root, or says how many of its children are not drawn. */
const isOfRoot = ({ depth, more }: Branch): boolean => depth === 0 || (depth === 1 && more !== undefined);
