/** Thousands with commas. */
export const showCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** `1 node`, `2 nodes`; `many` where an s does not do. */
export const plural = (count: number, word: string, many = `${word}s`): string =>
  `${showCount(count)} ${count === 1 ? word : many}`;
