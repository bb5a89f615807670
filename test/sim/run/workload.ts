import type { Random } from '../../../src/base/random.ts';
import type { Client, CreateMode, MultiOp } from '../../../src/index.ts';
import { exponential, oneIn, pick } from '../world/chance.ts';
import { SimClient } from './client.ts';
import type { Ensemble } from './ensemble.ts';
import { isKnown, Registers, SHARED_BY } from './registers.ts';

export interface WorkloadOptions {
  readonly clients: number;
  /** So many of them change things; the others only read. */
  readonly writers: number;
  /** And these think so many times as long. */
  readonly slowness: number;
  readonly timeoutMs: number;
  /** Mean ms between a reply and the next request of a lane. */
  readonly thinkMs: number;
  readonly lanes: number;
  /** Largest data of a node, bytes. */
  readonly mostBytes: number;
}

const READ_ONLY = [{ perms: 1, scheme: 'world', id: 'anyone' }];
const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];

const LOST = new Set(['ConnectionLoss', 'SessionExpired', 'Closing', 'OperationTimeout', 'SessionMoved']);

/** Many clients that do a bit of everything; what some of them see is kept for the black-box checker. */
export class EnsembleWorkload {
  readonly clients: SimClient[];
  /** Answered as asked, refused by rule, and never answered. */
  readonly counts = { done: 0, refused: 0, lost: 0 };
  private readonly ensemble: Ensemble;
  private readonly options: WorkloadOptions;
  private readonly registers = new Registers();
  /** How many times as fast as planned it goes. */
  rush = 1;
  private running = false;
  private under: Promise<unknown> = Promise.resolve();
  private serial = 0;

  constructor(ensemble: Ensemble, options: WorkloadOptions) {
    this.ensemble = ensemble;
    this.options = options;
    this.clients = Array.from(
      { length: options.clients },
      (_, i) => new SimClient(i + 1, ensemble, options.timeoutMs, ensemble.options.servers),
    );
  }
  /** Makes the nodes that everything else lies below. */
  async prepare(): Promise<void> {
    const client = await (this.clients[0] as SimClient).get();
    for (const path of ['/r', '/t', '/t/a', '/t/b'])
      for (;;)
        try {
          await client.create(path);
          break;
        } catch (error) {
          if (isKnown(error) && error.code === 'NodeExists') break;
          if (!isKnown(error) || !LOST.has(error.code)) throw error;
        }
  }
  start(): void {
    this.running = true;
    this.under = Promise.all(
      this.clients.flatMap((client) =>
        Array.from({ length: this.options.lanes + 1 }, (_, lane) =>
          this.lane(client, lane, this.ensemble.chance.stream(`lane/${client.number}/${lane}`)),
        ),
      ),
    );
  }
  /** No lane begins anything new; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.running = false;
    await this.under;
  }
  async close(): Promise<void> {
    await this.stop();
    await Promise.all(this.clients.map((client) => client.close()));
  }
  /** Whether the registers can be explained by one order of what was done to them. */
  judge(): void {
    for (const fault of this.registers.faults()) this.ensemble.verdicts.fail('I7', fault);
  }
  get operations(): number {
    return this.counts.done + this.counts.refused;
  }

  private async lane(owner: SimClient, lane: number, random: Random): Promise<void> {
    // one lane only reads: at a leader that can commit nothing any more the others soon wait for ever. And some clients do
    // nothing else: at a leader with only such nothing is under way when it is deposed
    const { lanes, writers, thinkMs, slowness } = this.options;
    const reads = lane === lanes || owner.number > writers;
    while (this.running && this.ensemble.verdicts.clean) {
      await this.ensemble.scheduler.sleep(exponential(random, (thinkMs * (reads ? 1 : slowness)) / this.rush));
      if (!this.running) return;
      const client = await owner.get();
      try {
        if (reads) await this.readOnly(client, random);
        else if (lane === 0 && owner.number <= SHARED_BY && oneIn(random, 2))
          await this.registers.use(client, owner.number, random);
        else await this.anything(client, random);
        this.counts.done++;
      } catch (error) {
        if (!isKnown(error)) throw error;
        if (error.code === 'Closing') this.counts.refused++;
        else if (LOST.has(error.code)) this.counts.lost++;
        else this.counts.refused++;
      }
    }
  }

  private async readOnly(client: Client, random: Random): Promise<void> {
    const path = this.path(random);
    const watch = oneIn(random, 3) ? { watch: () => {} } : {};
    switch (random.below(4)) {
      case 0:
        await client.exists(path, watch);
        return;
      case 1:
        await client.getChildren('/t/a', watch);
        return;
      default: {
        const reads = [client.sync(path), client.exists(path)];
        for (const each of reads) each.catch(() => {});
        await Promise.all(reads);
      }
    }
  }

  // --- everything else -----------------------------------------------------------------------------------------------

  private path(random: Random): string {
    const folder = pick(random, ['/t', '/t/a', '/t/b']);
    return `${folder}/${random.below(12)}`;
  }
  private data(random: Random): Buffer {
    const bytes = oneIn(random, 12) ? random.below(this.options.mostBytes) : random.below(64);
    return Buffer.from(`${++this.serial}:`.padEnd(bytes, 'x'));
  }
  private async anything(client: Client, random: Random): Promise<void> {
    const path = this.path(random);
    const watch = oneIn(random, 3) ? { watch: () => {} } : {};
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2: {
        const mode = pick<CreateMode>(random, ['persistent', 'persistent', 'ephemeral', 'ephemeral', 'container']);
        await client.create(path, this.data(random), { mode });
        return;
      }
      case 3: {
        const mode = pick<CreateMode>(random, ['persistentSequential', 'ephemeralSequential']);
        await client.create(`${path}-`, this.data(random), { mode });
        return;
      }
      case 4:
      case 5:
        await client.set(path, this.data(random), oneIn(random, 4) ? random.below(4) : -1);
        return;
      case 6:
      case 7:
        await this.removeOne(client, random, path);
        return;
      case 8:
        await client.get(path, watch);
        return;
      case 9:
        await client.exists(path, watch);
        return;
      case 10:
        await client.getChildren(pick(random, ['/t', '/t/a', '/t/b', path]), watch);
        return;
      case 11:
      case 12:
        await client.multi(this.parts(random));
        return;
      case 13:
        await client.sync(path);
        return;
      case 14:
        await this.rarely(client, random, path);
        return;
      default: {
        const multi = [client.set(path, this.data(random)), client.get(path), client.set(path, this.data(random))];
        for (const each of multi) each.catch(() => {});
        await Promise.all(multi);
      }
    }
  }
  /** Keeps the tree from growing: what has a number in its name goes, too. */
  private async removeOne(client: Client, random: Random, path: string): Promise<void> {
    if (oneIn(random, 2)) return client.delete(path, oneIn(random, 6) ? random.below(3) : -1);
    const folder = pick(random, ['/t', '/t/a', '/t/b']);
    const { children } = await client.getChildren(folder);
    const numbered = children.filter((name) => name.includes('-'));
    if (numbered.length > 0) await client.delete(`${folder}/${pick(random, numbered)}`);
  }
  private parts(random: Random): MultiOp[] {
    return Array.from({ length: 1 + random.below(4) }, (): MultiOp => {
      const path = this.path(random);
      switch (random.below(4)) {
        case 0:
          return {
            op: 'create',
            path,
            data: this.data(random),
            options: oneIn(random, 3) ? { mode: 'ephemeral' } : {},
          };
        case 1:
          return { op: 'delete', path, version: -1 };
        case 2:
          return { op: 'check', path, version: oneIn(random, 2) ? -1 : random.below(3) };
        default:
          return { op: 'set', path, data: this.data(random), version: -1 };
      }
    });
  }
  private async rarely(client: Client, random: Random, path: string): Promise<void> {
    switch (random.below(7)) {
      case 0:
        await client.setAcl(path, oneIn(random, 3) ? READ_ONLY : OPEN);
        return;
      case 1:
        await client.getAcl(path);
        return;
      case 2:
        await client.getEphemerals();
        return;
      case 3:
        await client.getAllChildrenNumber('/t');
        return;
      case 4: {
        const watch = await client.addWatch(pick(random, ['/t', '/t/a', path]), () => {}, {
          recursive: oneIn(random, 2),
        });
        if (oneIn(random, 2)) await watch.remove();
        return;
      }
      case 5:
        if (oneIn(random, 4)) await client.close();
        return;
      default:
        await client.getAllChildrenNumber(path);
    }
  }
}
