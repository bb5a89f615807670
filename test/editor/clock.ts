interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** What waits for promises has run, as before any timer. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await null;
}

/** Timers that fire only when told to: in place of the process's own as long as it lives. */
export class Clock implements Disposable {
  readonly #real = [globalThis.setTimeout, globalThis.clearTimeout, globalThis.setImmediate] as const;
  #timers: Timer[] = [];
  #now = 0;
  #order = 0;

  constructor() {
    globalThis.setTimeout = ((run: () => void, ms = 0) => this.#add(run, ms)) as never;
    globalThis.clearTimeout = ((timer: Timer) => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    }) as never;
    globalThis.setImmediate = ((run: () => void) => this.#add(run, 0)) as never;
  }

  #add(run: () => void, ms: number): Timer {
    const timer = { at: this.#now + ms, order: this.#order++, run };
    this.#timers.push(timer);
    return timer;
  }

  /** Lets time pass; what is due is done in its order, also what that asks for, and promises are kept in between. */
  async tick(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      let next: Timer | undefined;
      for (const each of this.#timers)
        if (
          each.at <= end &&
          (next === undefined || each.at < next.at || (each.at === next.at && each.order < next.order))
        )
          next = each;
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers.splice(this.#timers.indexOf(next), 1);
      next.run();
    }
    this.#now = end;
  }

  [Symbol.dispose](): void {
    [globalThis.setTimeout, globalThis.clearTimeout, globalThis.setImmediate] = this.#real;
  }
}
