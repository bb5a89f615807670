import type { Client, PersistentWatch, WatchEvent } from '../client/api.ts';
import { addWatch } from '../recipes/repeated-watch.ts';
import { Failure } from '../shell/failure.ts';
import type { EventLine } from '../shell/output.ts';
import { showCount } from '../shell/units.ts';

/** Events held for a reader that is slow, at most; then the oldest go. */
const MOST_HELD = 10_000;

/** Events of watches in the order of coming, for one who takes them. */
export class WatchQueue implements AsyncDisposable {
  readonly #client: Client;
  readonly #warn: (line: string) => void;
  readonly #wanted: (event: WatchEvent) => boolean;
  readonly #offs: (() => void)[] = [];
  readonly #watches: PersistentWatch[] = [];
  #held: EventLine[] = [];
  #dropped = 0;
  #failure: Failure | undefined;
  #wake = (): void => {};

  constructor(client: Client, warn: (line: string) => void, wanted: (event: WatchEvent) => boolean) {
    this.#client = client;
    this.#warn = warn;
    this.#wanted = wanted;
    this.#offs.push(
      client.on('state', ({ state }) => {
        if (state === 'expired') this.#fail(new Failure(5, 'SessionExpired', 'the session expired, and its watches'));
        else if (state === 'closed') this.#fail(new Failure(3, 'Closing', 'the session was closed, and its watches'));
      }),
      client.on('gap', () => warn('the connection was lost: changes in between may be missing')),
    );
  }

  async add(path: string, recursive: boolean, signal: AbortSignal): Promise<void> {
    const warn = this.#warn;
    this.#watches.push(await addWatch(this.#client, path, (event) => this.#take(event), { recursive, signal, warn }));
  }

  #take(event: WatchEvent): void {
    if (event.type === 'PersistentWatchRemoved')
      return this.#fail(new Failure(25, 'NoWatcher', `the watch on ${event.path} was removed`, { path: event.path }));
    if (!this.#wanted(event)) return;
    this.#held.push({ at: Date.now(), event });
    if (this.#held.length > MOST_HELD) {
      this.#held.shift();
      this.#dropped++;
    }
    this.#wake();
  }
  #fail(failure: Failure): void {
    this.#failure ??= failure;
    this.#wake();
  }

  /** The next one. @throws Failure (5, 25) when no more can come, the signal's reason */
  async next(signal: AbortSignal): Promise<EventLine> {
    while (this.#held.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const end = (): void => {
          signal.removeEventListener('abort', end);
          this.#wake = () => {};
          resolve();
        };
        this.#wake = end;
        signal.addEventListener('abort', end, { once: true });
      });
    }
    if (this.#dropped > 0) this.#warn(`events came too fast: ${showCount(this.#dropped)} of them left out`);
    this.#dropped = 0;
    return this.#held.shift() as EventLine;
  }

  /** All that wait. */
  rest(): readonly EventLine[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const off of this.#offs) off();
    await Promise.all(this.#watches.map((watch) => watch.remove()));
  }
}
