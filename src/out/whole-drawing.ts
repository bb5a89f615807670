import type { Branch, Output } from '../shell/output.ts';

/**
 * Fields that are chosen of a drawing are those of its one document, so that one in parts is put together first. Of the
 * nodes only as many are kept as are asked for.
 */
export class WholeDrawing {
  readonly #keepsAll: boolean;
  #branches: Branch[] = [];

  constructor(fields: readonly string[]) {
    this.#keepsAll = fields.some((name) => name.split('.')[0] === 'children');
  }

  /** What is to be shown now: any other answer as it is, a drawing with its last part; undefined: nothing yet. */
  take(output: Output): Output | undefined {
    if (output.type !== 'branches' || output.part === undefined) return output;
    const { part, ...rest } = output;
    if (part === 'first') this.#branches = [];
    for (const branch of output.branches) if (this.#keepsAll || isOfRoot(branch)) this.#branches.push(branch);
    if (part !== 'last') return undefined;
    const branches = this.#branches;
    this.#branches = [];
    return { ...rest, branches, previous: undefined };
  }
}

/** It is the root, or says how many of its children are not drawn. */
const isOfRoot = ({ depth, more }: Branch): boolean => depth === 0 || (depth === 1 && more !== undefined);
