/** Examples that begin servers, which test/documents/documents.test.ts does not run. */
import { test } from 'node:test';
import { PLAYS, perform, RUNS } from './served.ts';

for (const play of PLAYS.filter(({ by }) => by === RUNS.here))
  test(`the block of ${play.file} that begins with ${play.first} does what it says`, () => perform(play));
