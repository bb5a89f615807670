/**
 * The commands that scripts ask most, by themselves. A command line that is one of these by name reads no other: a tenth of a
 * second of a program that runs once is what it reads.
 */
import { registryOf } from '../shell/command.ts';
import createCommand from './create.ts';
import deleteCommand from './delete.ts';
import existsCommand from './exists.ts';
import getCommand from './get.ts';
import lsCommand from './ls.ts';
import putCommand from './put.ts';
import setCommand from './set.ts';
import statCommand from './stat.ts';

export const few = registryOf([
  getCommand,
  lsCommand,
  setCommand,
  createCommand,
  deleteCommand,
  existsCommand,
  putCommand,
  statCommand,
]);
