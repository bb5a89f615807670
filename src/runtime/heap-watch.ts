import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/**
 * Parts of the limit: above the first it is told, below the second it may be told again. From 0.8 on V8 ends a process that
 * does little but collect, so it is said before.
 */
const FULL = 0.75;
const EASED = 0.65;
const MIB = 1 << 20;
/** V8 counts three times its young half-space (16 MiB) as part of the limit; what lives on has no room there. */
const YOUNG = 48 * MIB;

/** What V8 uses, and may use, bytes. */
export interface Heap {
  readonly used_heap_size: number;
  readonly heap_size_limit: number;
}

/** Says when the heap is nearly full, once each time. What it is asked about is what a collection has left. */
export class HeapJudge {
  private isTold = false;
  /** A sentence, or undefined when there is nothing new to say. */
  judge({ used_heap_size: used, heap_size_limit: all }: Heap): string | undefined {
    const limit = all > 2 * YOUNG ? all - YOUNG : all;
    const part = used / limit;
    if (part < EASED) this.isTold = false;
    if (part < FULL || this.isTold) return undefined;
    this.isTold = true;
    const [have, most] = [used, limit].map((bytes) => Math.round(bytes / MIB));
    return `memory: ${have} of ${most} MiB of V8's heap are in use after a collection. Raise memory.limit (or -Xmx) before nothing is left, and the process ends`;
  }
}

/**
 * Looks at the heap after each full collection, when what is used is what is needed: before one most of it may be garbage.
 * Nothing else is asked, and it keeps no process.
 */
export function watchHeap(warn: (sentence: string) => void): Disposable {
  const judge = new HeapJudge();
  const observer = new PerformanceObserver((list) => {
    const isFull = list
      .getEntries()
      .some((entry) => (entry as { detail?: { kind?: number } }).detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR);
    const sentence = isFull ? judge.judge(getHeapStatistics()) : undefined;
    if (sentence !== undefined) warn(sentence);
  });
  observer.observe({ entryTypes: ['gc'] });
  return { [Symbol.dispose]: () => observer.disconnect() };
}
