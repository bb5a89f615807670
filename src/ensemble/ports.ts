import { createServer } from 'node:net';
import { Failure } from '../shell/failure.ts';
import { PORT_STEPS } from './layout.ts';

/** Between the blocks that are tried. */
const BLOCK_STEP = 10;
const HIGHEST_BASE = 65_535 - PORT_STEPS.admin;

/** Whether nobody listens there. */
export const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });

/** All ports of `count` members whose first client port is `base`. */
export const blockPorts = (base: number, count: number): number[] =>
  [0, ...Object.values(PORT_STEPS)].flatMap((step) => Array.from({ length: count }, (_, at) => base + step + at));

/** The first port of a block that is taken, or undefined. */
export async function takenPort(
  host: string,
  base: number,
  count: number,
  reserved: ReadonlySet<number>,
): Promise<number | undefined> {
  for (const port of blockPorts(base, count)) if (reserved.has(port) || !(await isFree(host, port))) return port;
  return undefined;
}

/** The first block from `base` on that is free. @throws Failure (41) when there is none */
export async function freeBlock(
  host: string,
  base: number,
  count: number,
  reserved: ReadonlySet<number>,
): Promise<number> {
  const step = Math.max(BLOCK_STEP, count);
  for (let at = base; at + count <= HIGHEST_BASE; at += step)
    if ((await takenPort(host, at, count, reserved)) === undefined) return at;
  throw new Failure(41, 'PortInUse', `no free ports for ${count} members from ${base} on`);
}

/**
 * A block somewhere below the ports that the system hands out itself, for ensembles that nobody looks for: several are
 * started at the same time, so each begins to look elsewhere.
 */
export const anyBlock = (host: string, count: number): Promise<number> =>
  freeBlock(host, 10_000 + Math.floor(Math.random() * 2_000) * BLOCK_STEP, count, new Set());
