/** Standard output, which may lose its reader or its room before all is said. */
import { fileWords } from '../base/file-words.ts';
import { type Failure, usage } from '../shell/failure.ts';

/** Set once nothing more can be written: what is still said is dropped. */
let isLost = false;

export function writeOut(bytes: Uint8Array | string): void {
  if (!isLost) process.stdout.write(bytes);
}

/** From now on nothing is written, and nobody waits for room. */
export function loseOut(): void {
  isLost = true;
  process.stdout.emit('drain');
}

/** Resolves when standard output has room for more. */
export function drained(): Promise<void> {
  return !isLost && process.stdout.writableNeedDrain
    ? new Promise((resolve) => void process.stdout.once('drain', resolve))
    : Promise.resolve();
}

/** A reader that has seen enough (`| head`) is no failure. */
export const isReaderGone = (error: NodeJS.ErrnoException): boolean => error.code === 'EPIPE';

/** Why it cannot be written. `hasChanged`: what was done before is not undone by that. */
export const unwritableOut = (error: unknown, hasChanged: boolean): Failure =>
  usage(
    `standard output cannot be written: ${fileWords(error)}`,
    hasChanged ? 'what was changed before stays changed: only the answer is lost' : undefined,
  );
