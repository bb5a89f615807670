import { type Client, connect } from '../../src/index.ts';
import type { Disk } from '../../src/ports/disk.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { ServerNode } from '../../src/runtime/node.ts';
import { checkConfig, parseProperties, type ServerConfig } from '../../src/server/config.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

/** Snapshots and new log files every few transactions, purges a hundred times a second of simulated time. */
const CONFIG: ServerConfig = {
  ...checkConfig(
    parseProperties(
      'dataDir=/data\ndataLogDir=/log\nclientPort=2181\ntickTime=2000\nsnapCount=40\nautopurge.purgeInterval=10ms\nscrub.interval=50ms',
      'zoo.cfg',
    ),
  ),
  preAllocBytes: 8192,
};
const HOSTS = '127.0.0.1:2181';
const TIMEOUT_MS = 20_000;
/** Many times what clients need to come back. */
const MOST_TURNS = 100_000;

export interface MachineOptions {
  readonly seed: number;
  /** False: nothing is ever synced. */
  readonly syncs?: boolean;
  /** What the server takes for its disk. */
  readonly wrap?: (disk: Disk) => Disk;
}

/** A whole server on a simulated machine, with a {@link Workload}; it dies and comes back. */
export class Machine implements AsyncDisposable {
  readonly world: World;
  /** What the server said when it could write no more (D10). */
  readonly failures: string[] = [];
  readonly errors: string[] = [];
  load: Workload | undefined;
  /** Resolves when the server of this life says that it can write no more. */
  failed: Promise<'failed'> = new Promise(() => {});
  private tellFailed: () => void = () => {};
  private readonly options: MachineOptions;
  private readonly clients: Promise<Client[]>;
  private turning = true;
  private readonly loop: Promise<void>;

  constructor(options: MachineOptions) {
    this.options = options;
    this.world = new World(options.seed, options.syncs);
    this.clients = Promise.all([this.client(true), this.client(true)]);
    this.loop = this.run();
  }
  private async run(): Promise<void> {
    while (this.turning) await this.world.turn();
  }
  private client(lazy: boolean, signal?: AbortSignal): Promise<Client> {
    const { random, clock, net } = this.world;
    const ports = { random, clock: clock.plug(() => true), dialer: net.dialer };
    return connect(HOSTS, { timeoutMs: TIMEOUT_MS, lazy, ...(signal === undefined ? {} : { signal }) }, ports);
  }
  /**
   * One life: starts, waits for the clients, looks at what is there, and then serves until `until` resolves, the server fails
   * or the machine crashes. Returns what is wrong.
   */
  async live(until: () => Promise<unknown> = () => this.world.crashed): Promise<string[]> {
    const { world } = this;
    const { crashed } = world;
    this.failed = new Promise((resolve) => {
      this.tellFailed = () => resolve('failed');
    });
    const ends = [crashed, this.failed];
    const abort = new AbortController();
    crashed.then(() => {
      this.load?.stop();
      abort.abort(new Error('crashed'));
    });
    try {
      const faults = await Promise.race([this.serve(abort.signal), ...ends]);
      if (typeof faults === 'string') return [];
      if (faults.length > 0) return faults;
      this.load?.start();
      await Promise.race([until(), ...ends]);
      return [];
    } catch (error) {
      return world.crashed === crashed ? [(error as Error).message] : [];
    }
  }
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  private async serve(signal: AbortSignal): Promise<string[]> {
    const { world } = this;
    const { life } = world;
    const alive = (): boolean => world.life === life;
    const disk = world.disk.plug();
    const logger = {
      info() {},
      warn() {},
      error: (text: string) => {
        this.errors.push(text);
        if (text.startsWith('a bug of')) throw new Error(text);
      },
    } as unknown as Logger;
    await new ServerNode(
      {
        config: CONFIG,
        logger,
        onFailed: (error) => {
          this.failures.push(error.message);
          this.tellFailed();
        },
      },
      () => {},
      {
        disk: this.options.wrap?.(disk) ?? disk,
        clock: world.clock.plug(alive),
        random: world.random,
        listener: world.net.listener,
      },
    ).start();
    let turns = 0;
    const pause = async (): Promise<boolean> => {
      await this.turn();
      if (++turns > MOST_TURNS) throw new Error('the clients did not come back');
      return alive();
    };
    const clients = await this.clients;
    if (this.load === undefined) {
      while (clients.some(({ state }) => state !== 'connected')) {
        if (clients.some(({ state }) => state === 'expired' || state === 'closed')) return ['a session ended'];
        if (!(await pause())) return [];
      }
      this.load = await Workload.begin(world.random, clients);
      return [];
    }
    if (!(await this.load.settled(pause))) return alive() ? this.load.surprises : [];
    const reader = await this.client(false, signal);
    try {
      const faults = await this.load.faults(reader);
      return alive() ? faults : [];
    } finally {
      reader.close();
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.load?.stop();
    this.world.crash();
    for (const client of await this.clients) await client.close();
    this.turning = false;
    await this.loop;
  }
}
