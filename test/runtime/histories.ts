/** Lives of a whole server on a simulated machine; also a worker's job: the histories of some seeds. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { Disk } from '../../src/ports/disk.ts';
import { Machine, type MachineOptions } from '../sim/machine.ts';

/** Ends of a life in one history. Of five, four are of the power of the machine and one of the process alone. */
export const LIVES = 25;

export interface History {
  readonly faults: string[];
  readonly acknowledged: number;
  readonly inFlight: number;
  readonly survived: number;
  readonly calls: number;
  /** What the server was doing with its files when power went. */
  readonly during: Readonly<Record<string, number>>;
}

/** Tells what the last change of names was for. */
const observed = (disk: Disk, tell: (what: string) => void): Disk => ({
  ...disk,
  open: (path, options) => {
    if (options.exclusive === true) tell(/(identity|snapshot|log)/.exec(path.replace(/^.*[/]/, ''))?.[0] ?? path);
    return disk.open(path, options);
  },
  unlink: (path) => {
    if (!path.endsWith('.tmp')) tell('purge');
    return disk.unlink(path);
  },
});

/** Power is cut, or the process ended, at any call of the disk, over and over; ends at the first fault. */
export async function history(options: MachineOptions): Promise<History> {
  let doing = '';
  const during: Record<string, number> = {};
  const wrap = (disk: Disk): Disk =>
    observed(options.wrap?.(disk) ?? disk, (what) => {
      doing = what;
    });
  await using machine = new Machine({ ...options, wrap });
  const { disk, random } = machine.world;
  let faults: string[] = [];
  for (let life = 0; life <= LIVES && faults.length === 0; life++) {
    disk.cutAt = life === LIVES ? Number.POSITIVE_INFINITY : disk.calls + 1 + random.below(life % 3 === 0 ? 80 : 800);
    disk.cutsPower = life % 5 !== 3;
    faults = await machine.live(life === LIVES ? async () => {} : undefined);
    if (life < LIVES) during[doing] = (during[doing] ?? 0) + 1;
  }
  faults.push(...machine.failures, ...machine.errors);
  const { acknowledged = 0, inFlight = 0, survived = 0 } = machine.load ?? {};
  return { faults, acknowledged, inFlight, survived, calls: disk.calls, during };
}

async function histories(seeds: readonly number[]): Promise<History[]> {
  const all: History[] = [];
  for (const seed of seeds) all.push(await history({ seed }));
  return all;
}

if (!isMainThread) histories(workerData as number[]).then((all) => parentPort?.postMessage(all));
