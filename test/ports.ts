/** Ports of ensembles in tests: test files run side by side, and no two of them may choose the same before either listens. */
import { createServer } from 'node:net';
import { anyBlock, blockPorts, freeBlock, isFree } from '../src/ensemble/ports.ts';

/** Below what `with` and its like choose from, and below what the system hands out. Each has room for a few blocks. */
const FIRSTS = [3000, 4000, 5000, 6000, 7000, 8000, 9000];
/** Whoever listens on this port of a thousand has it; the system takes it back however that process ends. */
const KEY = 999;
/** Ports among these that `fetch` refuses to speak to, as browsers do: whoever asked a server there would never be answered. */
export const UNFETCHED: ReadonlySet<number> = new Set([
  ...[3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697],
]);
/** Where a block begins within; its ports lie up to 400 further on. */
const STARTS = 9;
/** Of a thousand: beyond all blocks, for servers that stand alone. */
const SINGLES = { from: 500, count: 400 };
let own: Promise<number | undefined> | undefined;
let next = Math.floor(Math.random() * STARTS);
let nextSingle = Math.floor(Math.random() * SINGLES.count);
/** Ports of blocks handed out last, where perhaps nobody listens yet. */
const recent: number[][] = [];
const MOST_RECENT = 3;

/** Listens until this process ends, which it does not hold up; false when another does. */
const hold = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.unref();
      resolve(true);
    });
  });

/** Takes a thousand ports for this process; undefined when all are taken. */
async function take(): Promise<number | undefined> {
  for (let at = 0; at < FIRSTS.length; at++) {
    const first = FIRSTS[(process.pid + at) % FIRSTS.length] as number;
    if (await hold(first + KEY)) return first;
  }
  return undefined;
}

/**
 * A free port that neither another test process nor the system gives to anybody: it is still there when a server that has
 * ended is started again. 0 when all are taken.
 */
export async function ownPort(host: string): Promise<number> {
  own ??= take();
  const first = await own;
  if (first === undefined) return 0;
  for (let tries = 0; tries < SINGLES.count; tries++) {
    const port = first + SINGLES.from + (nextSingle++ % SINGLES.count);
    if (!UNFETCHED.has(port) && (await isFree(host, port))) return port;
  }
  return 0;
}

/** The first port of a block for `count` members that no other test process chooses from, nor this one the next time. */
export async function ownBlock(host: string, count: number): Promise<number> {
  own ??= take();
  const first = await own;
  if (first === undefined) return anyBlock(host, count);
  const start = next;
  next = (next + Math.ceil(count / 10)) % STARTS;
  const base = await freeBlock(host, first + 10 * start, count, new Set([...UNFETCHED, ...recent.flat()]));
  recent.push(blockPorts(base, count));
  if (recent.length > MOST_RECENT) recent.shift();
  return base;
}
