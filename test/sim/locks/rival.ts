import { Lock } from '../../../src/recipes/lock.ts';
import type { Style } from '../../../src/recipes/styles.ts';
import type { Hold } from '../../../src/recipes/tenure.ts';
import type { SimClient } from '../run/client.ts';
import { Host } from '../world/host.ts';

/** One who wants a lock again and again, on a machine of its own, and holds it for a while when it has it. */
export class Rival {
  readonly client: SimClient;
  /** Times that it was in, and that a hold was lost. */
  acquired = 0;
  lost = 0;
  private readonly path: string;
  private readonly style: Style;
  private readonly holdMs: () => number;
  private hold: Hold | undefined;
  private isOver = false;
  /** Told of each hold as it begins. */
  onHold: (hold: Hold) => void = () => {};

  constructor(client: SimClient, path: string, style: Style, holdMs: () => number) {
    this.client = client;
    this.path = path;
    this.style = style;
    this.holdMs = holdMs;
  }
  start(): void {
    this.client.host.enter(() => void this.contend());
  }
  stop(): void {
    this.isOver = true;
  }
  /** What the program on this machine would be told now; a paused one does not ask. */
  get believes(): boolean {
    const { hold } = this;
    const { host } = this.client;
    if (hold === undefined || host.paused) return false;
    const { current } = Host;
    const states: Hold['state'][] = [];
    host.enter(() => void states.push(hold.state));
    Host.current = current;
    return states.some((state) => state === 'held' || state === 'suspended');
  }
  private sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.client.host.clock().after(ms, resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  private async contend(): Promise<void> {
    while (!this.isOver) {
      try {
        const client = await this.client.get();
        const hold = await new Lock(client, this.path, { style: this.style }).acquire();
        this.hold = hold;
        this.acquired++;
        this.onHold(hold);
        await this.sleep(this.holdMs(), hold.signal);
        if (hold.state === 'lost') this.lost++;
        this.hold = undefined;
        await hold.release();
      } catch {
        this.hold = undefined; // the session ended: with the next one it stands in line again
      }
      await this.sleep(5);
    }
  }
}
