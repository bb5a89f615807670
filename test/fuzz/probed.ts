/** A server that tells at its end how long its loop stood still. Linux. */
import { readFileSync } from 'node:fs';
import { until } from '../e2e/members.ts';
import { ServerProcess } from '../e2e/process.ts';
import { PATIENCE_MS } from '../patience.ts';

const PROBE = new URL('../bench/loop-probe.js', import.meta.url).href;

/** A server with loop-probe.js in it; `lines`: more of its zoo.cfg. */
export const probedServer = (lines: readonly string[]): ServerProcess =>
  new ServerProcess(lines, 'info', ['--import', PROBE]);

export interface Blocks {
  /** The longest time that the loop stood still, ms. */
  readonly blockMs: number;
  /** Of one such time the most that its thread ran: the rest of it others had the processor. */
  readonly ranMs: number;
}
const SAID = /loop probe: longest block ([\d.]+) ms, ([\d.]+) ms running/g;

/** From now on its loop is looked at: a start is work for itself. */
export async function beginLooking(server: ServerProcess): Promise<void> {
  const said = (): number => [...server.stderr.matchAll(SAID)].length;
  const before = said();
  server.signal('SIGUSR2');
  await until(
    () => said() > before,
    PATIENCE_MS,
    () => server.stderr,
  );
}
/** What a server that has ended said of its loop. */
export function blocksOf({ stderr }: ServerProcess): Blocks {
  const [, block, ran] = [...stderr.matchAll(SAID)].at(-1) ?? [];
  if (block === undefined) throw new Error(`nothing is said of the loop: ${stderr}`);
  return { blockMs: Number(block), ranMs: Number(ran) };
}
export const showBlocks = ({ blockMs, ranMs }: Blocks): string =>
  `longest block of the server's loop: ${blockMs} ms, of which it ran at most ${ranMs} ms`;

/** Resident memory, MiB. */
export const residentMiB = (pid: number | undefined): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
