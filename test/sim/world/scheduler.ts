import { setImmediate as loopTurn } from 'node:timers';
import type { Random } from '../../../src/base/random.ts';
import type { Trace } from './trace.ts';

/** Something that will happen. `run` is gone once it happened or was taken back. */
export interface Task {
  readonly at: number;
  readonly tie: number;
  readonly kind: number;
  readonly who: number;
  run: (() => void) | undefined;
}
/** Kinds of events, for the trace. */
export const EVENT_KIND = { timer: 1, io: 2, soon: 3, script: 4 } as const;

/** Events in one turn of the real loop: the thread must hear its owner now and then. */
const EVENTS_A_TURN = 2000;
/**
 * Runs whatever promises and ticks are ready, until none is. Node has it for its own use between two immediates; a turn of the
 * real loop for each event instead takes as long as everything else together.
 */
const drain = (process as unknown as { readonly _tickCallback: () => void })._tickCallback;

const before = (a: Task, b: Task): boolean => a.at < b.at || (a.at === b.at && a.tie < b.tie);

/**
 * Time. One heap of events, ordered by when they happen and, at one moment, by chance. After each event everything that
 * the program does because of it is done (promises included) before the next.
 */
export class Scheduler {
  /** Milliseconds, with fractions. */
  now = 0;
  private readonly heap: Task[] = [];
  private readonly ties: Random;
  readonly trace: Trace;
  /** Called after each event: what must hold at every moment is looked at here. */
  afterEach: () => void = () => {};

  constructor(ties: Random, trace: Trace) {
    this.ties = ties;
    this.trace = trace;
  }
  get pending(): number {
    return this.heap.length;
  }
  at(time: number, kind: number, who: number, run: () => void): Task {
    const task: Task = { at: Math.max(time, this.now), tie: this.ties.below(2 ** 32), kind, who, run };
    const { heap } = this;
    let i = heap.length;
    heap.push(task);
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up] as Task;
      if (!before(task, parent)) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = task;
    return task;
  }
  after(ms: number, kind: number, who: number, run: () => void): Task {
    return this.at(this.now + ms, kind, who, run);
  }
  /** Resolves after `ms` of simulated time. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, EVENT_KIND.script, 0, resolve));
  }
  private pop(): Task | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Task, heap[child] as Task)) child++;
      const down = heap[child] as Task;
      if (!before(down, last)) break;
      heap[i] = down;
      i = child;
    }
    heap[i] = last;
    return first;
  }
  /** The next event and all that follows from it. False when nothing is to come. Not to be called by what a promise waits for. */
  private step(): boolean {
    let task = this.pop();
    while (task !== undefined && task.run === undefined) task = this.pop();
    if (task === undefined) return false;
    const { run } = task;
    task.run = undefined;
    this.now = task.at;
    this.trace.event(task.at, task.kind, task.who, this.heap.length);
    (run as () => void)();
    drain();
    this.afterEach();
    return true;
  }
  private steps(done: () => boolean): void {
    for (let left = EVENTS_A_TURN; left > 0 && !done(); left--)
      if (!this.step()) throw new Error('nothing is to come any more');
  }
  /** Goes on until `done` says so. @throws when nothing is to come any more */
  async runUntil(done: () => boolean): Promise<void> {
    while (!done())
      await new Promise<void>((resolve, reject) => {
        loopTurn(() => {
          try {
            this.steps(done);
            resolve();
          } catch (error) {
            reject(error);
          }
        });
      });
  }
}
