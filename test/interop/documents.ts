/** Examples that call openssl. */
import { test } from 'node:test';
import { PLAYS, perform, RUNS } from '../documents/served.ts';

for (const play of PLAYS.filter(({ by }) => by === RUNS.withOpenssl))
  test(`the block of ${play.file} that begins with ${play.first} does what it says`, () => perform(play));
