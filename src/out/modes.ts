/** How results look. */
export const MODES = ['human', 'plain', 'json', 'ndjson', 'table', 'zkcli'] as const;
export type Mode = (typeof MODES)[number];
