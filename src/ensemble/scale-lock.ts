import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../shell/failure.ts';
import { processOf } from './process.ts';

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};
const isAlive = (text: string): boolean => {
  const [pid = '', since] = text.trim().split('\n');
  return /^\d+$/.test(pid) && processOf(Number(pid))?.since === since;
};

/**
 * One change of an ensemble's size at a time: two would undo each other. The file says which process it is and since when,
 * so that one that was killed holds nobody up. @throws Failure (42) while another is at work
 */
export function lockScale(folder: string, name: string): Disposable {
  const file = join(folder, 'scale.lock');
  const own = `${file}.${process.pid}`;
  const text = `${process.pid}\n${processOf(process.pid)?.since ?? ''}\n`;
  writeFileSync(own, text);
  try {
    for (;;) {
      try {
        linkSync(own, file); // whole as soon as it is there
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const held = read(file);
      if (held !== undefined && isAlive(held)) throw busy(name, held);
      if (held !== undefined) takeAway(file, held, name);
    }
  } finally {
    rmSync(own, { force: true });
  }
  return {
    [Symbol.dispose]() {
      if (read(file) === text) rmSync(file, { force: true });
    },
  };
}

/** Of two that find it left behind, the second must not take away what the first has put there since. */
function takeAway(file: string, seen: string, name: string): void {
  const aside = `${file}.${process.pid}.old`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const found = read(aside);
  if (found !== seen && found !== undefined) {
    renameSync(aside, file);
    throw busy(name, found);
  }
  rmSync(aside, { force: true });
}

const busy = (name: string, held: string): Failure =>
  new Failure(42, 'Busy', `${name} is being scaled already, by process ${held.split('\n')[0]}`, {
    hint: 'wait until that is done, or end it (Ctrl-C) first: what it began stays whole',
  });
