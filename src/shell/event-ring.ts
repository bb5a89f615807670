import type { WatchEvent } from '../client/api.ts';

/** An event and when it came, ms since 1970. */
export interface KeptEvent {
  readonly at: number;
  readonly event: WatchEvent;
}

/** The latest events of the watches, oldest first. */
export class EventRing {
  readonly #most: number;
  #kept: KeptEvent[] = [];
  #listener: (() => void) | undefined;
  /** So many came since the beginning. */
  total = 0;

  constructor(most = 10_000) {
    this.#most = most;
  }
  add(event: WatchEvent, at: number): void {
    this.total++;
    this.#kept.push({ at, event });
    // half at a time, so that a storm does not shift the whole list for each of its events
    if (this.#kept.length > this.#most * 1.5) this.#kept = this.#kept.slice(-this.#most);
    this.#listener?.();
  }
  list(): readonly KeptEvent[] {
    return this.#kept.slice(-this.#most);
  }
  clear(): void {
    this.#kept = [];
  }
  /** Resolves when there is one more, or when `signal` gives up. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#listener = undefined;
        reject(signal.reason);
      };
      if (signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      this.#listener = () => {
        this.#listener = undefined;
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
    });
  }
}
