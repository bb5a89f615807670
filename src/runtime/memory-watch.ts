import { totalmem } from 'node:os';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import type { Pressure } from '../server/pressure.ts';
import type { Logger } from './log.ts';
import { MemoryJudge, roomOf } from './memory-judge.ts';

/** Between two looks at what the process has of the system's memory. */
const LOOK_MS = 1000;
/** While writes are refused and V8 has not collected by itself for so long, it is asked to: who allocates nothing collects nothing. */
const COLLECT_MS = 10_000;

/** A full collection, by the one way that needs no flag at the start. Nobody can connect to this session. */
async function collect(): Promise<void> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
  } finally {
    session.disconnect();
  }
}

/** What the system, or the control group, lets this process have, bytes. */
function systemLimit(): number {
  const own = process.constrainedMemory();
  return own > 0 ? Math.min(own, totalmem()) : totalmem();
}

/** Undefined while the system does not say, as to a process that has all the files open that it may. */
function residentBytes(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined;
  }
}

/**
 * Keeps `pressure` true to what memory there is: V8's heap after each full collection, when what is used is what is needed
 * (before one most of it may be garbage), and once a second what the system has given to the whole process, in which the
 * data of nodes lie, of at `most` bytes. Keeps no process.
 */
export function watchMemory(
  pressure: Pressure,
  logger: Pick<Logger, 'warn' | 'error'>,
  most = systemLimit(),
): Disposable {
  // from four fifths on V8 gives up a process that collects most of the time, whatever room is left: here writes are refused first
  setFlagsFromString('--no-detect-ineffective-gcs-near-heap-limit');
  const heap = new MemoryJudge(
    "V8's heap are in use after a collection",
    'raise memory.limit (or -Xmx) before nothing is left, and the process ends',
  );
  const resident = new MemoryJudge(
    'what the system lets it have are in use by this process',
    'give the machine or the container more before the system ends the process',
  );
  let collectedAt = performance.now();
  const say = (judge: MemoryJudge, used: number, limit: number): void => {
    const sentence = judge.judge(used, limit);
    if (sentence === undefined) return;
    pressure.full = heap.full || resident.full;
    if (sentence.full === true) logger.error(sentence.text);
    else logger.warn(sentence.text);
  };
  const lookAtHeap = (): void => {
    const found = getHeapStatistics();
    say(heap, found.used_heap_size, roomOf(found));
  };
  const observer = new PerformanceObserver((list) => {
    const isFull = list
      .getEntries()
      .some((entry) => (entry as { detail?: { kind?: number } }).detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR);
    if (!isFull) return;
    collectedAt = performance.now();
    lookAtHeap();
  });
  observer.observe({ entryTypes: ['gc'] });
  const timer = setInterval(() => {
    const used = residentBytes();
    if (used !== undefined) say(resident, used, most);
    if (!pressure.full || performance.now() - collectedAt < COLLECT_MS) return;
    collectedAt = performance.now();
    collect().then(lookAtHeap, () => {}); // the next look is as good
  }, LOOK_MS);
  timer.unref();
  return {
    [Symbol.dispose]: () => {
      observer.disconnect();
      clearInterval(timer);
    },
  };
}
