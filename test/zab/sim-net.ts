/** Time and network of simulated members: votes get lost and overtake each other, links keep order until they break. */
import type { Random } from '../../src/base/random.ts';

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Events in order of time; what is due at once keeps its order. */
export class Agenda {
  now = 0;
  private readonly heap: Event[] = [];
  private order = 0;

  add(delay: number, run: () => void): void {
    this.at(this.now + delay, run);
  }
  at(at: number, run: () => void): void {
    const { heap } = this;
    const event = { at, order: this.order++, run };
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const up = (i - 1) >> 1;
      const above = heap[up] as Event;
      if (before(above, event)) break;
      heap[i] = above;
      i = up;
    }
    heap[i] = event;
  }
  /** Runs the next event; false when there is none up to `end`. */
  next(end: number): boolean {
    const { heap } = this;
    const first = heap[0];
    if (first === undefined || first.at > end) return false;
    const last = heap.pop() as Event;
    if (heap.length > 0) {
      let i = 0;
      for (;;) {
        let down = 2 * i + 1;
        if (down >= heap.length) break;
        if (down + 1 < heap.length && before(heap[down + 1] as Event, heap[down] as Event)) down++;
        if (before(last, heap[down] as Event)) break;
        heap[i] = heap[down] as Event;
        i = down;
      }
      heap[i] = last;
    }
    this.now = Math.max(this.now, first.at);
    first.run();
    return true;
  }
}
const before = (a: Event, b: Event): boolean => (a.at !== b.at ? a.at < b.at : a.order < b.order);

/** A connection between two members; each direction keeps its order, and nothing passes once it is broken. */
export class Link {
  readonly id: number;
  readonly ends: readonly [number, number];
  broken = false;
  private readonly due: [number, number] = [0, 0];
  constructor(id: number, dialler: number, listener: number) {
    this.id = id;
    this.ends = [dialler, listener];
  }
  other(sid: number): number {
    return sid === this.ends[0] ? this.ends[1] : this.ends[0];
  }
  /** When something sent now arrives at `to`, never before what was sent earlier. */
  arrival(to: number, at: number): number {
    const way = to === this.ends[0] ? 0 : 1;
    this.due[way] = Math.max(this.due[way], at);
    return this.due[way];
  }
}

/** Who reaches whom, and how slowly. */
export class Weather {
  readonly random: Random;
  /** Group of each member; different groups do not reach each other. */
  readonly group = new Map<number, number>();
  /** Pairs that do not reach each other, whatever their groups. */
  readonly cut = new Set<string>();
  calm = false;
  constructor(random: Random) {
    this.random = random;
  }
  reaches(a: number, b: number): boolean {
    if ((this.group.get(a) ?? 0) !== (this.group.get(b) ?? 0)) return false;
    return !this.cut.has(a < b ? `${a} ${b}` : `${b} ${a}`);
  }
  delay(): number {
    const { random } = this;
    if (!this.calm && random.below(40) === 0) return 20 + random.below(150);
    return 1 + random.below(8);
  }
  loses(): boolean {
    return !this.calm && this.random.below(12) === 0;
  }
}
