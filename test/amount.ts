/** `npm run test:long` does all of what `npm test`, which has five minutes, does a part of. */
export const LONG = process.env.ZOOSH_TEST === 'long';

/** How many: the whole in the long run, else the part. */
export const amount = (whole: number, part: number): number => (LONG ? whole : part);
