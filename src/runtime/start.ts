import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import type { ServerId } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import { realClock } from '../platform/clock.ts';
import { nodeDisk } from '../platform/disk.ts';
import { lockDirectory } from '../platform/lock.ts';
import { packageVersion } from '../platform/version.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import { type Config, KIND } from '../records/txns.ts';
import type { ServerConfig } from '../server/config.ts';
import { Server } from '../server/server.ts';
import { StorageRefusal } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { Peer } from '../zab/peer.ts';
import type { Effect } from '../zab/types.ts';
import { ClientPort, type Listener, tcpListener } from './clients.ts';
import { loadTree } from './load.ts';
import type { Logger } from './log.ts';
import { watchLoop } from './loop-delay.ts';
import type { RunningMetrics } from './metrics.ts';
import { Snapshotter } from './snapshotter.ts';
import { listenError, StartError } from './start-error.ts';

/** What a server stands on. */
export interface ServerPorts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly listener: Listener;
}
const REAL: ServerPorts = {
  disk: nodeDisk,
  clock: realClock,
  random: { below: (bound) => randomInt(bound), bytes: (count) => randomBytes(count) },
  listener: tcpListener,
};

export interface StartOptions {
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly ignoreApacheData?: boolean;
  /** Counter that ends an epoch; for tests, which cannot write 2^32 transactions. */
  readonly lastCounter?: number;
  /** The disk failed under the log: nothing more can be promised (D10). */
  readonly onFailed: (error: Error) => void;
}
export interface RunningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Stops taking requests, finishes what is under way, leaves the disk whole. */
  stop(): Promise<void>;
}

/** Opens the directories, leads alone, opens the client port. @throws StartError, StorageRefusal, DamageError */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { config } = options;
  if (config.ensemble !== undefined)
    throw new StartError(
      43,
      `${config.ensemble.servers.length} servers are named, and this version serves alone: remove the other server lines, or keep this ensemble on ZooKeeper`,
    );
  if (!existsSync(config.dataDir)) {
    if (config.dataDirMustExist) throw new StartError(40, `the data directory ${config.dataDir} does not exist`);
    try {
      mkdirSync(config.dataDir, { recursive: true });
    } catch (error) {
      throw new StartError(
        40,
        `the data directory ${config.dataDir} cannot be made: ${(error as NodeJS.ErrnoException).code}`,
      );
    }
  }
  const lock = await lockDirectory(config.dataDir);
  if (lock === undefined)
    throw new StorageRefusal(
      42,
      `another zoosh server uses ${config.dataDir}. Stop it, or give this one a dataDir of its own`,
    );
  try {
    return await new StandaloneServer(options, () => lock.release()).start();
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** One server over its ports; {@link startServer} first makes and locks the directory. */
export class StandaloneServer {
  private readonly options: StartOptions;
  private readonly ports: ServerPorts;
  private readonly unlock: () => void;
  private server!: Server;
  private storage!: Storage;
  private port!: ClientPort;
  private readonly timers = new Set<Disposable>();
  private flushing = false;
  private served: () => void = () => {};
  private snapshotter!: Snapshotter;
  private stopped = false;
  private reaping = false;
  private metrics: RunningMetrics | undefined;
  private loopSeen: () => void = () => {};

  constructor(options: StartOptions, unlock: () => void, ports: ServerPorts = REAL) {
    this.options = options;
    this.ports = ports;
    this.unlock = unlock;
  }
  private get config(): ServerConfig {
    return this.options.config;
  }

  async start(): Promise<RunningServer> {
    const { config } = this;
    const sid = Math.max(1, config.serverId);
    const loaded = await loadTree(config, sid, this.options.ignoreApacheData === true, this.ports);
    const { tree } = loaded;
    this.storage = loaded.storage;
    for (const note of this.storage.notes) this.options.logger.warn(note);
    const { identity } = this.storage;
    const position = { epoch: this.storage.last.hi, counter: this.storage.last.lo };
    const committed = { epoch: this.storage.committed.hi, counter: this.storage.committed.lo };
    const peer = new Peer(
      {
        sid,
        incarnation: identity.incarnation,
        bootTag: this.storage.bootTag,
        acceptedEpoch: identity.acceptedEpoch,
        currentEpoch: identity.currentEpoch,
        last: position,
        committed,
        config: tree.config,
        seenTags: new Set(),
      },
      this.storage.log.generation,
      this.options.lastCounter,
    );
    this.server = new Server(
      tree,
      peer,
      {
        sid,
        tickMs: config.tickTimeMs,
        minSessionTimeoutMs: config.minSessionTimeoutMs,
        maxSessionTimeoutMs: config.maxSessionTimeoutMs,
        extendedTypes: config.extendedTypesEnabled,
        enforceQuota: config.enforceQuota,
        reconfigEnabled: config.reconfigEnabled,
        auth: {
          superDigest: config.digestAuth.superDigest,
          digestAlgorithm: config.digestAuth.algorithm,
          digestEnabled: config.digestAuth.enabled,
        },
        reaperMaxPerMinute: config.containers.maxPerMinute,
        reaperMaxNeverUsedMs: config.containers.maxNeverUsedMs,
      },
      {
        log: this.storage,
        random: this.ports.random,
        close: (connection) => this.port.close(connection),
        effect: (effect) => this.perform(effect),
        later: () => void setImmediate(() => this.proceed()),
      },
    );
    this.snapshotter = new Snapshotter({
      config,
      logger: this.options.logger,
      ...this.ports,
      server: this.server,
      storage: this.storage,
    });
    const version = config.reportedVersion ?? `3.9.5-zoosh.${packageVersion()}, built on ${buildDate}`;
    const { clock, listener } = this.ports;
    const words = { version, started: clock.monotonic() };
    this.port = new ClientPort(this.server, config, words, () => this.turn(), clock, listener);
    this.storage.log.onPersisted = (generation, hi, lo) => {
      this.clocks();
      this.server.persisted(generation, { epoch: hi, counter: lo });
      this.turn();
      this.snapshotter.consider();
    };
    this.storage.log.onFailed = (error) => this.options.onFailed(error);
    const serving = new Promise<void>((resolve) => {
      this.served = resolve;
    });
    this.clocks();
    for (const effect of peer.step({ type: 'start' })) this.perform(effect);
    await serving;
    const { host, port } = await this.listen();
    await this.exportMetrics();
    this.startTimers();
    this.loopSeen = watchLoop(this.options.logger);
    return { host, port, stop: () => this.stop(), [Symbol.asyncDispose]: () => this.stop() };
  }
  /** Loaded and started only when zoo.cfg asks for it. */
  private async exportMetrics(): Promise<void> {
    const { metrics } = this.config;
    if (!metrics.exporter) return;
    const { startMetrics } = await import('./metrics.ts');
    try {
      this.metrics = await startMetrics(metrics, () => this.port.context());
      this.options.logger.info(`metrics on ${metrics.address}:${this.metrics.port}`);
    } catch (error) {
      this.port.drain();
      await this.port.stop();
      await this.storage.close();
      throw listenError(error, `${metrics.address}:${metrics.port}`, metrics.address, 'metricsProvider.httpPort');
    }
  }
  private async listen(): Promise<{ host: string; port: number }> {
    try {
      return await this.port.listen();
    } catch (error) {
      await this.storage.close();
      const { clientPortAddress, clientPort } = this.config;
      throw listenError(error, `${clientPortAddress ?? '0.0.0.0'}:${clientPort}`, clientPortAddress, 'clientPort');
    }
  }

  private clocks(): void {
    this.server.now = this.ports.clock.monotonic();
    this.server.wall = this.ports.clock.wall();
  }
  /** After every input: bytes to the clients now, transactions to the log at the end of this turn of the loop. */
  private turn(): void {
    this.port.flush();
    if (this.flushing || this.storage.log.pending === 0) return;
    this.flushing = true;
    setImmediate(() => {
      this.flushing = false;
      const leader = this.server.peer.leader;
      this.storage.log.flush(leader?.epoch ?? 0, leader?.lastCommitted ?? 0);
      this.clocks();
    });
  }
  /** The next part of a large transaction; when it was the last, the requests that waited for it. */
  private proceed(): void {
    this.clocks();
    this.server.goOn();
    if (this.server.applying) return;
    this.turn();
    this.port.goOn();
  }
  private perform(effect: Effect): void {
    const { server, storage } = this;
    const { peer } = server;
    switch (effect.type) {
      case 'storeEpochs':
        storage.storeEpochs(effect.accepted, effect.current).then(
          () => {
            const { accepted, current } = effect;
            for (const next of peer.step({ type: 'epochsStored', accepted, current })) this.perform(next);
          },
          (error: Error) => this.options.onFailed(error),
        );
        return;
      case 'established':
        this.clocks();
        this.snapshotter.epochBegan();
        this.options.logger.info(`leading epoch ${effect.epoch}`);
        server.resumeSessions();
        return;
      case 'proposeFound': {
        const { incarnation } = storage.identity;
        const sid = Math.max(1, this.config.serverId) as ServerId;
        const ensembleId = Buffer.from(this.ports.random.bytes(16)).toString('hex');
        const alone: Config = {
          members: [{ sid, role: 'participant', incarnation, addresses: [], client: null }],
          maxTxnBytes: this.config.maxBufferBytes * 2,
        };
        peer.adopt(alone);
        storage.setEnsembleId(ensembleId).then(
          () => this.proposeFirst({ kind: KIND.found, ensembleId, config: alone }),
          (error: Error) => this.options.onFailed(error),
        );
        return;
      }
      case 'proposeSeen': {
        const { incarnation } = storage.identity;
        this.proposeFirst({
          kind: KIND.seen,
          sid: Math.max(1, this.config.serverId),
          incarnation,
          tag: storage.bootTag,
        });
        return;
      }
      case 'serve':
        server.serving = true;
        this.served();
        this.port.goOn();
        return;
      case 'commit':
        return;
    }
  }
  private proposeFirst(txn: Parameters<Server['propose']>[4]): void {
    this.clocks();
    this.server.peer.proposedFirst(this.server.propose(undefined, 0n, 0, 0, txn, [], undefined));
    this.turn();
  }

  private startTimers(): void {
    const { config, options, server } = this;
    const { tickTimeMs, containers, purgeIntervalMs } = config;
    let expected = this.ports.clock.monotonic() + tickTimeMs;
    this.every(tickTimeMs, () => {
      this.clocks();
      // after a lag of the loop or a pause of the process, clients get a full turn to be heard first (foundations.md 10)
      const late = server.now - expected > tickTimeMs;
      expected = server.now + tickTimeMs;
      if (late) server.tracker.renewAll(server.now);
      else if (server.expire() > 0) this.turn();
    });
    const share = Math.max(
      1,
      Math.floor((containers.maxPerMinute * Math.min(containers.checkIntervalMs, 60_000)) / 60_000),
    );
    this.every(containers.checkIntervalMs, () => {
      if (!this.reaping) this.reap(share);
    });
    if (purgeIntervalMs > 0) this.every(purgeIntervalMs, () => this.snapshotter.purge());
    if (!config.forceSync)
      options.logger.warn('forceSync=no: writes are acknowledged before they are on the disk; a power cut loses them');
  }
  /** One round of the reaper, slice by slice with a rest between, until `share` nodes are gone. */
  private reap(share: number): void {
    this.clocks();
    const { reaped, done } = this.server.reap(share);
    if (reaped > 0) this.turn();
    this.reaping = !done && reaped < share && !this.stopped;
    if (this.reaping) setTimeout(() => this.reap(share - reaped), REAP_REST_MS).unref();
  }
  private every(ms: number, run: () => void): void {
    let timer: Disposable;
    const arm = (): void => {
      timer = this.ports.clock.after(ms, () => {
        this.timers.delete(timer);
        arm();
        run();
      });
      this.timers.add(timer);
    };
    arm();
  }
  private async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.loopSeen();
    await this.metrics?.stop();
    for (const timer of this.timers) timer[Symbol.dispose]();
    this.port.drain();
    const { clock } = this.ports;
    const until = clock.monotonic() + DRAIN_MS;
    while ((this.server.outstanding > 0 || this.storage.log.pending > 0) && clock.monotonic() < until)
      await new Promise<void>((resolve) => void clock.after(2, resolve));
    await this.port.stop();
    await this.snapshotter.stop();
    await this.storage.close();
    this.unlock();
  }
}

/** Between two slices of the reaper's round. */
const REAP_REST_MS = 10;
/** How long SIGTERM waits for writes under way to be answered. */
const DRAIN_MS = 5000;
/** The compiled file's own date is that of the build. */
const buildDate = `${statSync(new URL(import.meta.url))
  .mtime.toISOString()
  .slice(0, 16)
  .replace('T', ' ')} UTC`;
