/** What must never happen: core invariants and supporting checks of reliability.md 3, by their names there. */
export type RuleId =
  | 'I1' // one leader per epoch
  | 'I2' // one history
  | 'I3' // acknowledged means durable
  | 'I4' // zxids without gap
  | 'I5' // epochs on the disk
  | 'I6' // replicas are equal
  | 'I7' // linearizable
  | 'I8' // a session never goes back
  | 'I9' // sessions and ephemerals
  | 'I10' // watches
  | 'I11' // recovery
  | 'I12' // liveness after healing
  | 'P3' // sync then read
  | 'lonely' // a leader without a quorum leads on
  | 'stuck' // a leader whose log hangs leads on while the others could
  | 'oracle' // an answer that the model does not give
  | 'calm' // an error where nothing went wrong
  | 'crash'; // a server threw

export interface Violation {
  readonly rule: RuleId;
  /** Simulated time, ms. */
  readonly at: number;
  /** The two facts that contradict each other. */
  readonly text: string;
}

/** Gathers what was found wrong; the first is what a run is known by. */
export class Verdicts {
  readonly violations: Violation[] = [];
  private readonly now: () => number;
  onViolation: (violation: Violation) => void = () => {};
  constructor(now: () => number) {
    this.now = now;
  }
  fail(rule: RuleId, text: string): void {
    const violation = { rule, at: this.now(), text };
    if (this.violations.length < 50) this.violations.push(violation);
    this.onViolation(violation);
  }
  get clean(): boolean {
    return this.violations.length === 0;
  }
}
