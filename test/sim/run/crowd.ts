import type { Random } from '../../../src/base/random.ts';
import type { Client, MultiOp } from '../../../src/client/api.ts';
import { pick } from '../world/chance.ts';
import { SimClient } from './client.ts';
import type { Ensemble } from './ensemble.ts';
import { isKnown } from './registers.ts';

const PARTS = 100;
/** So many more requests than are needed may be lost. */
const MORE = 3;
/** What it may be refused with and go on. */
const GONE = new Set(['SessionExpired', 'Closing', 'SessionMoved']);

/**
 * A session that makes thousands of ephemerals, more than a server takes away in one turn, and then ends: by its client's wish,
 * where it was or at another server, or since its client went without a word.
 */
export class Crowd {
  /** Settled when it has ended, or was left to its timeout. */
  over: Promise<void> = Promise.resolve();
  private readonly ensemble: Ensemble;
  private readonly client: SimClient;
  private readonly size: number;
  private readonly tickMs: number;
  private running = true;

  constructor(ensemble: Ensemble, size: number, timeoutMs: number, tickMs: number) {
    this.ensemble = ensemble;
    this.size = size;
    this.tickMs = tickMs;
    this.client = new SimClient(97, ensemble, timeoutMs, ensemble.options.servers);
  }
  /** At some time within `ms`. */
  start(random: Random, ms: number): void {
    this.over = this.run(random, random.below(Math.floor(ms)));
  }
  /** It makes no more. */
  stop(): void {
    this.running = false;
  }
  private async run(random: Random, after: number): Promise<void> {
    const { scheduler } = this.ensemble;
    await scheduler.sleep(after);
    const client = await this.client.get();
    const made = await this.fill(client);
    const end = pick(random, ['close', 'move', 'vanish'] as const);
    this.ensemble.say(`${this.client.host.name} has made ${made} ephemerals, and will ${end}`);
    if (end === 'vanish') return this.client.host.end(true);
    if (end === 'move') {
      for (const stream of [...this.ensemble.network.streams])
        if (stream.channel === 'client' && stream.ends[0].host === this.client.host) stream.break(2);
      await scheduler.sleep(2 * this.tickMs);
    }
    await this.client.close();
  }
  private async fill(client: Client): Promise<number> {
    let made = 0;
    for (let turn = 0; this.running && made < this.size && turn < (this.size / PARTS) * MORE; turn++)
      try {
        if (turn === 0) await client.create('/many').catch(() => {});
        await client.multi(
          Array.from({ length: PARTS }, (_, i): MultiOp => {
            return { op: 'create', path: `/many/${turn}-${i}`, data: Buffer.alloc(0), options: { mode: 'ephemeral' } };
          }),
        );
        made += PARTS;
      } catch (error) {
        if (!isKnown(error)) throw error;
        if (GONE.has(error.code)) break;
        if (error.code === 'NoNode') await client.create('/many').catch(() => {});
        await this.ensemble.scheduler.sleep(this.tickMs);
      }
    return made;
  }
}
