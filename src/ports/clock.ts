/** The two times of a server: one that never goes back, one that people read. */
export interface Clock {
  /** Milliseconds since some moment, never going back, not touched by changes of the wall clock. */
  monotonic(): number;
  /** Milliseconds since 1970. */
  wall(): number;
  /** Calls `run` once after `ms`; disposing earlier cancels it. */
  after(ms: number, run: () => void): Disposable;
}
