/**
 * Many clients at once, by hand: `node dist/test/bench/crowd.js [COUNT] [SLOW]`. Idle sessions and what the server needs for
 * them, all of them back after it was killed and started again, and what another client feels of a flood of connections, at
 * a server that does nothing too, and of handshakes that never end. The server, the crowd and the other client are processes
 * of their own.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../e2e/process.ts';
import type { Bystanding } from './bystander-job.ts';
import type { CrowdOrder, CrowdReport } from './crowd-job.ts';

const job = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

/** A process with a crowd in it; ended when disposed. */
export class Crowd implements Disposable {
  private readonly child: ChildProcess;
  constructor() {
    this.child = fork(job('crowd-job'));
  }
  /** At the lowest priority from now on, as if it ran on a machine of its own, or at another; it is never raised. */
  calmDown(priority: number = constants.priority.PRIORITY_LOW): void {
    const pid = this.child.pid as number;
    setPriority(pid, Math.max(getPriority(pid), priority));
  }
  tell(order: CrowdOrder): Promise<CrowdReport> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error('the crowd has gone'));
      this.child.once('exit', gone);
      this.child.once('message', (report: CrowdReport) => {
        this.child.removeListener('exit', gone);
        resolve(report);
      });
      this.child.send(order);
    });
  }
  /** Until all are there, or the time is over; ms. */
  async until(count: number, mostMs: number): Promise<CrowdReport & { readonly ms: number }> {
    const began = performance.now();
    for (;;) {
      const report = await this.tell({ what: 'look' });
      const ms = performance.now() - began;
      if (report.open >= count || ms > mostMs) return { ...report, ms };
      await sleep(20);
    }
  }
  [Symbol.dispose](): void {
    this.child.removeAllListeners();
    this.child.on('error', () => {});
    this.child.kill('SIGKILL');
  }
}

/** What another client feels for so long: ms of its requests, one every 5 ms. */
export function bystand(port: number, ms: number): Promise<Bystanding> {
  const child = fork(job('bystander-job'), [String(port), String(ms)]);
  return new Promise((resolve, reject) => {
    child.once('message', resolve as (message: unknown) => void);
    child.once('exit', (code) => reject(new Error(`the other client ended with ${code}`)));
  });
}

/** Bytes that a process has of the system's memory now, and had at most. */
export function residentOf(pid: number): { readonly now: number; readonly most: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) * 1024;
  return { now: of('VmRSS'), most: of('VmHWM') };
}

export interface CrowdFigures {
  readonly openMs: number;
  /** Bytes, with all sessions idle. */
  readonly resident: number;
  /** From the line `ready` of the server started again to the last one back, ms. */
  readonly backMs: number;
  readonly back: number;
  readonly expired: number;
  /** After they came back. */
  readonly residentBack: number;
}

/** So many idle sessions, and all of them back after the server was killed. */
export async function crowdOf(server: ServerProcess, count: number, idleMs: number): Promise<CrowdFigures> {
  using crowd = new Crowd();
  await crowd.tell({ what: 'open', port: server.port, count });
  const opened = await crowd.until(count, 120_000);
  if (opened.open < count) throw new Error(`${opened.open} of ${count} sessions in 120 s`);
  await sleep(idleMs);
  const resident = residentOf(server.pid as number).now;
  await server.kill('SIGKILL');
  await server.start();
  const back = await crowd.until(count, 60_000);
  return {
    ...{ openMs: opened.ms, resident, backMs: back.ms, back: back.open, expired: back.expired },
    residentBack: residentOf(server.pid as number).most,
  };
}

export interface Siege {
  readonly calm: Bystanding;
  readonly flood: Bystanding;
  readonly floodPerSecond: number;
  /** The same flood at a server that only takes connections in and answers with fixed bytes. */
  readonly bareFlood: Bystanding;
  readonly slow: Bystanding;
  readonly slowOpen: number;
}
/** Fewer connections a second are none. */
export const LEAST_FLOOD = 100;
/** Beside others that want the processor the lowest priority may get next to nothing of it: then a higher one. */
const { PRIORITY_LOW, PRIORITY_BELOW_NORMAL, PRIORITY_NORMAL } = constants.priority;
const HIGHER = [PRIORITY_BELOW_NORMAL, PRIORITY_NORMAL];

async function floodAt(
  port: number,
  ms: number,
  priority: number,
): Promise<{ readonly flood: Bystanding; readonly floodPerSecond: number }> {
  using crowd = new Crowd();
  crowd.calmDown(priority);
  await crowd.tell({ what: 'flood', port });
  const flood = await bystand(port, ms);
  return { flood, floodPerSecond: ((await crowd.tell({ what: 'look' })).connections / ms) * 1000 };
}

/** A server that only takes connections in and answers with fixed bytes: what it costs, the machine costs. */
async function withBare<T>(run: (port: number) => Promise<T>): Promise<T> {
  const child = fork(job('bare-job'));
  try {
    const port = await new Promise<number>((resolve, reject) => {
      child.once('message', (given) => resolve(Number(given)));
      child.once('exit', () => reject(new Error('the bare server ended')));
    });
    await bystand(port, 2000); // the code is warm from here on
    return await run(port);
  } finally {
    child.removeAllListeners();
    child.kill('SIGKILL');
  }
}

/** What another client feels of a flood, and of so many handshakes that go on for ever. */
export async function siege(server: ServerProcess, slowCount: number, ms: number): Promise<Siege> {
  await bystand(server.port, 2000); // the code is warm from here on
  const calm = await bystand(server.port, ms);
  let flooding: number = PRIORITY_LOW;
  let flooded = await floodAt(server.port, ms, flooding);
  for (const priority of HIGHER)
    if (flooded.floodPerSecond <= LEAST_FLOOD) flooded = await floodAt(server.port, ms, (flooding = priority));
  const { flood: bareFlood } = await withBare((port) => floodAt(port, ms, flooding));
  using crowd = new Crowd();
  await crowd.tell({ what: 'slow', port: server.port, count: slowCount });
  const { open } = await crowd.until(slowCount, 120_000);
  crowd.calmDown(); // they are all there: what follows is theirs to disturb, not their processor's
  const slow = await bystand(server.port, ms);
  return { calm, ...flooded, bareFlood, slow, slowOpen: open };
}

/** Connections a second of the floods that are compared; undefined: as many as it can open. */
const RATES = [1000, 4000, undefined];
const RATE_MS = 5000;
const ROUNDS = 5;

/** A client of the server and one of a bare server in turn, calm and beside floods: medians of p99, ms. */
async function besideBare(zoosh: number): Promise<void> {
  await withBare(async (bare) => {
    const ports = { zoosh, bare };
    const felt = new Map<string, number[]>();
    const note = (key: string, { p99 }: Bystanding): unknown => felt.set(key, [...(felt.get(key) ?? []), p99]);
    await bystand(zoosh, 2000);
    for (let round = 0; round < ROUNDS; round++)
      for (const [name, port] of Object.entries(ports)) {
        note(`${name}, calm`, await bystand(port, RATE_MS));
        for (const perSecond of RATES) {
          using crowd = new Crowd();
          crowd.calmDown();
          await crowd.tell({ what: 'flood', port, ...(perSecond !== undefined && { perSecond }) });
          note(`${name}, ${perSecond ?? 'all it can'}`, await bystand(port, RATE_MS));
        }
      }
    for (const [key, all] of felt) {
      all.sort((a, b) => a - b);
      const at = (part: number): string => (all[Math.floor((all.length - 1) * part)] as number).toFixed(2);
      console.log(`${key}: p99 of ${ROUNDS} rounds: ${at(0.5)} ms (${at(0)} to ${at(1)})`);
    }
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [count = 10_000, slowCount = 5000] = process.argv.slice(2).map(Number);
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
  {
    await using server = await new ServerProcess(['maxClientCnxns=0']).start();
    const empty = residentOf(server.pid as number).now;
    const { openMs, resident, backMs, back, expired, residentBack } = await crowdOf(server, count, 15_000);
    console.log(
      `${count} sessions opened in ${(openMs / 1000).toFixed(1)} s; resident ${mb(empty)} MB empty, ${mb(resident)} MB with them`,
    );
    console.log(
      `after kill -9 and a start: ${back} back ${(backMs / 1000).toFixed(2)} s after ready, ${expired} expired; at most ${mb(residentBack)} MB`,
    );
  }
  for (const limit of [60, 0]) {
    await using server = await new ServerProcess([`maxClientCnxns=${limit}`]).start();
    const { calm, flood, floodPerSecond, bareFlood, slow, slowOpen } = await siege(server, slowCount, 10_000);
    const shown = ({ p50, p99, most }: Bystanding): string =>
      `${p50.toFixed(2)} / ${p99.toFixed(2)} / ${most.toFixed(1)}`;
    console.log(`maxClientCnxns=${limit}: another client's p50 / p99 / longest, ms: calm ${shown(calm)}`);
    console.log(`  a flood of ${floodPerSecond.toFixed(0)} connections a second: ${shown(flood)}`);
    console.log(`  and at a bare server: ${shown(bareFlood)}`);
    console.log(`  ${slowOpen} handshakes of a byte a second: ${shown(slow)}`);
  }
  await using server = await new ServerProcess(['maxClientCnxns=0']).start();
  await besideBare(server.port);
}
