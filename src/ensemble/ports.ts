import { createServer } from 'node:net';
import { Failure, usage } from '../shell/failure.ts';
import { PORT_STEPS } from './layout.ts';

/** Between the blocks that are tried. */
const BLOCK_STEP = 10;
const HIGHEST_BASE = 65_535 - PORT_STEPS.admin;

/** Why nothing can listen there, as the system's code; undefined when something can. */
const refusalOf = (host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
/** Whether nobody listens there. */
export const isFree = async (host: string, port: number): Promise<boolean> =>
  (await refusalOf(host, port)) === undefined;

/** @throws Failure (2) for what is no address of this machine */
export async function checkHost(host: string): Promise<void> {
  const code = await refusalOf(host, 0);
  if (code === undefined) return;
  const hint = '--host is an address of this machine; 127.0.0.1 unless said';
  if (code === 'EADDRNOTAVAIL') throw usage(`${host} is not an address of this machine`, hint);
  throw usage(`nothing can listen on ${host}: ${NAMELESS.has(code) ? 'no such name or address' : code}`, hint);
}
const NAMELESS: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EINVAL']);

/** Why a port that was asked for cannot be had; `owner`: whose it is, if that is known. */
export async function whyTaken(host: string, port: number, owner: string | undefined): Promise<Failure> {
  const hint = 'leave out --base-port to have free ones chosen';
  const code = await refusalOf(host, port);
  if (owner !== undefined || code === undefined || code === 'EADDRINUSE')
    return new Failure(41, 'PortInUse', `port ${port} is in use by ${owner ?? 'another process'}`, { hint });
  const why = code === 'EACCES' ? 'this user may not; ports below 1024 need rights' : code;
  return new Failure(40, 'CannotListen', `nothing can listen on port ${port}: ${why}`, { hint });
}

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
