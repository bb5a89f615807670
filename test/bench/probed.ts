/** A member with loop-probe.js in it. */
export const probed = (_id: number, command: readonly string[]): string[] => [
  'env',
  `NODE_OPTIONS=--import ${new URL('./loop-probe.js', import.meta.url).href}`,
  ...command,
];
