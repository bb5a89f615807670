/** Columns of standard error to break sentences at; in a file they stay whole. */
export const errWidth = (): number =>
  process.stderr.isTTY === true ? process.stderr.columns || 80 : Number.POSITIVE_INFINITY;
