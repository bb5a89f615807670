import type { Random } from '../../../src/base/random.ts';
import type { Client, CreateMode, CreateOptions, MultiOp } from '../../../src/client/api.ts';
import { exponential, oneIn, pick } from '../world/chance.ts';
import { SimClient } from './client.ts';
import type { Ensemble } from './ensemble.ts';
import { isKnown, Registers, SHARED_BY } from './registers.ts';
import { RudeClient } from './rude.ts';

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
  /** Every other client takes a server that only shows what it has. */
  readonly readOnly?: boolean;
  /** Nodes may have a time to live, and children. */
  readonly ttl?: boolean;
  /** So many things a lane begins at once, at most; one unless said. */
  readonly pipeline?: number;
}

const READ_ONLY = [{ perms: 1, scheme: 'world', id: 'anyone' }];
const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];

const MODES: readonly CreateMode[] = ['persistent', 'persistent', 'ephemeral', 'ephemeral', 'container'];
const NUMBERED: readonly CreateMode[] = ['persistentSequential', 'ephemeralSequential'];
/** Longer than a run, so that not all go; and what most have at most, ms. */
const LONGEST_TTL_MS = 2 ** 40 - 1;
const TTL_MS = 4000;
/** A node that is asked for all the time and due nearly always, so that changes of it are under way when it is found so. */
const BRIEF = '/t/brief';
const BRIEF_MS = 20;

const LOST = new Set(['ConnectionLoss', 'SessionExpired', 'Closing', 'OperationTimeout', 'SessionMoved']);

/** Many clients that do a bit of everything; what some of them see is kept for the black-box checker. */
export class EnsembleWorkload {
  readonly clients: SimClient[];
  /** Requests answered as asked, refused by rule, and never answered. */
  readonly counts = { done: 0, refused: 0, lost: 0 };
  private readonly ensemble: Ensemble;
  private readonly options: WorkloadOptions;
  private readonly registers = new Registers();
  private readonly rude: RudeClient;
  /** How many times as fast as planned it goes. */
  rush = 1;
  private running = false;
  private under: Promise<unknown> = Promise.resolve();
  private serial = 0;

  constructor(ensemble: Ensemble, options: WorkloadOptions) {
    this.ensemble = ensemble;
    this.options = options;
    this.rude = new RudeClient(ensemble, options.timeoutMs);
    this.clients = Array.from(
      { length: options.clients },
      (_, i) =>
        new SimClient(
          i + 1,
          ensemble,
          options.timeoutMs,
          ensemble.options.servers,
          [],
          options.readOnly === true && i % 2 === 1,
        ),
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
      if (!reads && lane === 0 && owner.number <= SHARED_BY && oneIn(random, 2)) {
        await this.asked(this.registers.use(client, owner.number, random));
        continue;
      }
      const turn = (): Promise<unknown> => (reads ? this.readOnly(client, random) : this.anything(client, random));
      await Promise.all(Array.from({ length: 1 + random.below(this.options.pipeline ?? 1) }, turn));
    }
  }
  /** Waits for what comes of a request, and counts it; undefined when it was not done. */
  private async asked<T>(request: Promise<T>): Promise<T | undefined> {
    try {
      const answer = await request;
      this.counts.done++;
      return answer;
    } catch (error) {
      if (!isKnown(error)) throw error;
      if (LOST.has(error.code) && error.code !== 'Closing') this.counts.lost++;
      else this.counts.refused++;
      return undefined;
    }
  }

  private readOnly(client: Client, random: Random): Promise<unknown> {
    const path = this.path(random);
    const watch = oneIn(random, 3) ? { watch: () => {} } : {};
    switch (random.below(4)) {
      case 0:
        return this.asked(client.exists(path, watch));
      case 1:
        return this.asked(client.getChildren('/t/a', watch));
      default:
        return Promise.all([this.asked(client.sync(path)), this.asked(client.exists(path))]);
    }
  }

  // --- everything else -----------------------------------------------------------------------------------------------

  private path(random: Random): string {
    const folder = pick(random, ['/t', '/t/a', '/t/b']);
    return `${folder}/${random.below(12)}`;
  }
  /** Or one below, or the one that is soon over, where that is of use. */
  private place(random: Random): string {
    const path = this.path(random);
    if (this.options.ttl !== true) return path;
    if (oneIn(random, 10)) return BRIEF;
    return oneIn(random, 5) ? `${path}/${random.below(2)}` : path;
  }
  /** One of these modes, or one with a time to live where there are such. */
  private mode(random: Random, modes: readonly CreateMode[], timed: CreateMode, path = ''): CreateOptions {
    if (path === BRIEF) return { mode: timed, ttlMs: 1 + random.below(BRIEF_MS) };
    if (this.options.ttl !== true || !oneIn(random, 4)) return { mode: pick(random, modes) };
    return { mode: timed, ttlMs: oneIn(random, 8) ? LONGEST_TTL_MS : 1 + random.below(TTL_MS) };
  }
  private data(random: Random): Buffer {
    const bytes = oneIn(random, 12) ? random.below(this.options.mostBytes) : random.below(64);
    return Buffer.from(`${++this.serial}:`.padEnd(bytes, 'x'));
  }
  private anything(client: Client, random: Random): Promise<unknown> {
    const path = this.place(random);
    const watch = oneIn(random, 3) ? { watch: () => {} } : {};
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2:
        return this.asked(client.create(path, this.data(random), this.mode(random, MODES, 'ttl', path)));
      case 3:
        return this.numbered(client, random);
      case 4:
      case 5:
        return this.asked(client.set(path, this.data(random), oneIn(random, 4) ? random.below(4) : -1));
      case 6:
      case 7:
        return this.removeOne(client, random, path);
      case 8:
        return this.asked(client.get(path, watch));
      case 9:
        return this.asked(client.exists(path, watch));
      case 10:
        return this.asked(client.getChildren(pick(random, ['/t', '/t/a', '/t/b', path]), watch));
      case 11:
      case 12:
        return this.asked(client.multi(this.parts(random)));
      case 13:
        return this.asked(client.sync(path));
      case 14:
        return this.rarely(client, random, path);
      default: {
        const three = [client.set(path, this.data(random)), client.get(path), client.set(path, this.data(random))];
        return Promise.all(three.map((each) => this.asked<unknown>(each)));
      }
    }
  }
  private numbered(client: Client, random: Random): Promise<unknown> {
    const options = this.mode(random, NUMBERED, 'ttlSequential');
    return this.asked(client.create(`${this.path(random)}-`, this.data(random), options));
  }
  /** Keeps the tree from growing: what has a number in its name goes, too. */
  private async removeOne(client: Client, random: Random, path: string): Promise<void> {
    if (oneIn(random, 2)) return this.asked(client.delete(path, oneIn(random, 6) ? random.below(3) : -1));
    const folder = pick(random, ['/t', '/t/a', '/t/b']);
    const { children = [] } = (await this.asked(client.getChildren(folder))) ?? {};
    const numbered = children.filter((name) => name.includes('-'));
    if (numbered.length > 0) await this.asked(client.delete(`${folder}/${pick(random, numbered)}`));
  }
  private parts(random: Random): MultiOp[] {
    return Array.from({ length: 1 + random.below(4) }, (): MultiOp => {
      const path = this.place(random);
      switch (random.below(4)) {
        case 0:
          return {
            op: 'create',
            path,
            data: this.data(random),
            options: oneIn(random, 3) ? { mode: 'ephemeral' } : this.mode(random, ['persistent'], 'ttl', path),
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
        await this.asked(client.setAcl(path, oneIn(random, 3) ? READ_ONLY : OPEN));
        return;
      case 1:
        await this.asked(client.getAcl(path));
        return;
      case 2:
        await this.asked(client.getEphemerals());
        return;
      case 3:
        await this.asked(client.getAllChildrenNumber('/t'));
        return;
      case 4: {
        const recursive = oneIn(random, 2);
        const watch = await this.asked(client.addWatch(pick(random, ['/t', '/t/a', path]), () => {}, { recursive }));
        if (oneIn(random, 2) && watch !== undefined) await this.asked(watch.remove());
        return;
      }
      case 5:
        if (oneIn(random, 2)) await this.asked(client.close());
        else await this.rude.offend(pick(random, this.ensemble.options.servers));
        return;
      default:
        await this.asked(client.getAllChildrenNumber(path));
    }
  }
}
