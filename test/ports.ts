/** Ports of ensembles in tests: test files run side by side, and no two of them may choose the same before either listens. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyBlock, freeBlock } from '../src/ensemble/ports.ts';

const FOLDER = join(tmpdir(), 'zoosh-test-ports');
/** Below what `with` and its like choose from, and below what the system hands out. Each has room for a few blocks. */
const FIRSTS = [3000, 4000, 5000, 6000, 7000, 8000, 9000];
/** Where a block begins within; its ports lie up to 400 further on. */
const STARTS = 9;
let own: number | undefined;

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Takes a thousand ports for this process; undefined when all are taken. */
function take(): number | undefined {
  mkdirSync(FOLDER, { recursive: true });
  for (let at = 0; at < 2 * FIRSTS.length; at++) {
    const first = FIRSTS[(process.pid + at) % FIRSTS.length] as number;
    const file = join(FOLDER, String(first));
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
    } catch {
      // of a process that was killed: free the next time round
      try {
        if (!lives(Number(readFileSync(file, 'utf8')))) rmSync(file, { force: true });
      } catch {}
      continue;
    }
    process.once('exit', () => rmSync(file, { force: true }));
    return first;
  }
  return undefined;
}

/** The first port of a block for `count` members that no other test process chooses from. */
export function ownBlock(host: string, count: number): Promise<number> {
  own ??= take();
  if (own === undefined) return anyBlock(host, count);
  return freeBlock(host, own + 10 * Math.floor(Math.random() * STARTS), count, new Set());
}
