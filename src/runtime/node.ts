import { showSession, zxid } from '../base/ids.ts';
import { PEER_LEVEL } from '../records/peer-frame.ts';
import { KIND } from '../records/txns.ts';
import type { ServerConfig } from '../server/config.ts';
import { Pressure } from '../server/pressure.ts';
import { Server } from '../server/server.ts';
import { isDiskFull, StorageRefusal } from '../storage/errors.ts';
import { snapshotName } from '../storage/files.ts';
import type { Storage } from '../storage/storage.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { Peer } from '../zab/peer.ts';
import type { Effect, Input } from '../zab/types.ts';
import { Chores } from './chores.ts';
import type { Served } from './client-doors.ts';
import { keysForClients } from './client-keys.ts';
import { ClientPort } from './clients.ts';
import { DamageNotes, noteDamage } from './damage-notes.ts';
import { Elections } from './elections.ts';
import { Ensemble } from './ensemble.ts';
import { Founding } from './founding.ts';
import { Journey } from './journey.ts';
import { watchLimits } from './limit-watch.ts';
import { type Loaded, loadTree, ownId, refuseStart } from './load.ts';
import { LoginNotes } from './login-notes.ts';
import { watchLoop } from './loop-delay.ts';
import { pastOf } from './member-past.ts';
import { REAL_PORTS, type RunningServer, type ServerPorts, type StartOptions } from './node-options.ts';
import { peerNetworkFor } from './peer-trust.ts';
import { ReadOnlyMode } from './read-only.ts';
import { reportedVersion } from './reported-version.ts';
import { Scrubber } from './scrubber.ts';
import { serverOptionsOf } from './server-options.ts';
import { SlowWrites } from './slow-writes.ts';
import { Snapshotter } from './snapshotter.ts';
import { startWarnings } from './start-warnings.ts';
import { Tally } from './tally.ts';
import { openWeb, type WebSide } from './web/web-side.ts';
import type { LearnerRow } from './words/context.ts';

/** Between two looks whether a leader has handed over. */
const LOOK_MS = 10;
/** Cuts and staged histories of one life, at most: each is a generation of the log. */
const GENERATIONS_PER_LIFE = 2 ** 32;
/** How long SIGTERM waits for writes under way to be answered. */
const DRAIN_MS = 5000;

/**
 * One server over its ports, alone or a member of an ensemble: carries what happens to zab and to the server, and does what
 * they say must happen. The directory is made and locked by the caller.
 */
export class ServerNode {
  readonly options: StartOptions;
  readonly ports: ServerPorts;
  server!: Server;
  storage!: Storage;
  private readonly unlock: () => void;
  port!: ClientPort;
  private snapshotter!: Snapshotter;
  private scrubber!: Scrubber;
  /** What was damaged since the start of the process. */
  readonly damage: DamageNotes;
  private readonly pressure: Pressure;
  /** What words and metrics tell of this process. */
  readonly tally = new Tally();
  readonly journey = new Journey(this);
  /** Undefined for a server alone. */
  ensemble: Ensemble | undefined;
  private readonly readOnly: ReadOnlyMode | undefined;
  /** Joins the other members anew, in each life. */
  private join: (() => Ensemble) | undefined;
  /** What this member waits for before it takes part again, a short phrase. */
  waits: string | undefined;
  private reloading = false;
  /** The disk has no room: this life ends as soon as the lead is handed over. */
  private isFull = false;
  /** Settled when no reload is under way: until then the directory is in its hands. */
  private reloaded: Promise<void> = Promise.resolve();
  private generations = 0;
  private readonly chores: Chores;
  private ending = false;
  private served: () => void = () => {};
  private readonly elections: Elections;
  private readonly founding = new Founding(this);
  private stopped = false;
  private web: WebSide | undefined;
  private loopSeen: () => void = () => {};
  private keptNet: Disposable | undefined;
  private readonly logins = new LoginNotes(this);

  constructor(options: StartOptions, unlock: () => void, ports: ServerPorts = REAL_PORTS) {
    this.options = options;
    this.ports = ports;
    this.unlock = unlock;
    this.pressure = options.pressure ?? new Pressure();
    this.damage = new DamageNotes(ports.clock);
    this.elections = new Elections(ports.clock, this.tally, options.logger);
    this.chores = new Chores({
      config: options.config,
      clock: ports.clock,
      server: () => this.server,
      clocks: () => this.clocks(),
      turn: () => this.turn(),
      purge: () => this.snapshotter.purge(),
    });
    const { config, logger } = options;
    if (config.readOnlyModeEnabled && config.ensemble !== undefined)
      this.readOnly = new ReadOnlyMode({
        tickMs: config.tickTimeMs,
        server: () => this.server,
        isWhole: () =>
          this.storage.damage === undefined &&
          (!this.storage.identity.amnesiac || this.server.tree.config !== undefined) &&
          !this.server.peer.repairing,
        begun: () => logger.warn('no leader: what this member has is served to those who only read, and to them only'),
        ended: () => this.port.dropAll(),
      });
  }
  private get config(): ServerConfig {
    return this.options.config;
  }
  /** How long it took last from looking for a leader to serving, ms. */
  get electionMs(): number | undefined {
    return this.elections.lastMs;
  }
  get sid(): number {
    return ownId(this.config);
  }

  async start(): Promise<RunningServer> {
    const { config, ports, tally, damage } = this;
    const keys = await keysForClients(config, this.options.logger, ports.clock.wall());
    const loaded = await this.load();
    await refuseStart(this.options, loaded, this.sid);
    const { ensemble } = config;
    if (ensemble !== undefined) {
      const kept = ports.peerNetwork ?? (await peerNetworkFor(ensemble, this.options.logger, ports.clock, tally.shown));
      if ('net' in kept) this.keptNet = kept; // its keys are looked after for as long as this server runs
      this.join = () => new Ensemble(this, ensemble, 'net' in kept ? kept.net : kept);
    }
    this.begin(loaded);
    const version = reportedVersion(config);
    const { clock } = ports;
    const learners = (): readonly LearnerRow[] => this.ensemble?.learners() ?? [];
    const words = { version, started: clock.monotonic(), tally, damage, learners };
    this.port = new ClientPort(
      this.server,
      config,
      words,
      () => this.clocks(),
      () => this.turn(),
      ports,
      this.options.logger,
      keys,
    );
    const serving = new Promise<void>((resolve) => {
      this.served = resolve;
    });
    // members may be asked for words before a quorum is there; a server alone opens its port when it serves
    const early = this.ensemble === undefined ? undefined : await this.open();
    this.tally.looked();
    this.step({ type: 'start' });
    if (early === undefined) await serving;
    const at = early ?? (await this.open());
    this.chores.start();
    watchLimits(this, () => this.port.size, this.chores);
    this.ensemble?.startTimers(this.chores);
    if (!config.forceSync)
      this.options.logger.warn(
        'forceSync=no: writes are acknowledged before they are on the disk; a power cut loses them',
      );
    serving.then(() => {
      for (const sentence of startWarnings(this.options, this.server.tree)) this.options.logger.warn(sentence);
    });
    this.loopSeen = watchLoop({ logger: this.options.logger, clock, tally, pauses: config.pauses });
    return { ...at, serving, stop: () => this.stop(), [Symbol.asyncDispose]: () => this.stop() };
  }
  private async load(): Promise<Loaded> {
    this.generations += GENERATIONS_PER_LIFE;
    const began = this.ports.clock.monotonic();
    const ignoreApache = this.options.ignoreApacheData === true;
    const loaded = await loadTree(this.config, this.sid, ignoreApache, this.generations, this.ports);
    this.tally.took('dbinittime', this.ports.clock.monotonic() - began);
    this.tally.loaded(loaded);
    return loaded;
  }
  /** A life begins: from what the directory holds. */
  private begin(loaded: Loaded): void {
    const { config, ports } = this;
    const { logger } = this.options;
    this.storage = loaded.storage;
    noteDamage(this.storage, this.damage, this.options.logger);
    this.ensemble = this.join?.();
    const peer = this.makePeer(loaded);
    this.server = this.makeServer(loaded.tree, peer);
    for (const numbered of loaded.tail) this.server.append(numbered);
    this.snapshotter = new Snapshotter({
      ...{ config, logger, notes: this.damage },
      ...ports,
      server: () => this.server,
      storage: this.storage,
      took: (ms) => this.tally.took('snapshottime', ms),
      failed: () => void this.tally.snapshots.failed++,
      taken: (at) => this.tally.snapshotTaken(at, ports.clock.wall()),
      stands: (at) => void (peer.isMember && this.step({ type: 'snapshotTaken', at })),
    });
    this.scrubber = new Scrubber({
      ...ports,
      storage: this.storage,
      logger,
      notes: this.damage,
      scrubbed: (whole) => this.tally.scrubbed(whole),
      intervalMs: config.scrubIntervalMs,
      snapshot: () => this.snapshotter.takeNow(),
      heal: this.ensemble === undefined ? undefined : () => void this.loadAgain(),
    });
    const { events } = this.storage.log;
    const { tally, journey } = this;
    const slow = new SlowWrites({ tally, journey, logger, clock: ports.clock, thresholdMs: config.fsyncWarningMs });
    events.writing = (count, bytes) => slow.began(count, bytes);
    events.persisted = (generation, hi, lo) => {
      slow.ended();
      this.step({ type: 'persisted', generation, upTo: { epoch: hi, counter: lo >>> 0 } });
      this.snapshotter.consider();
    };
    events.failed = (error) => this.diskFailed(error);
  }
  /** A full disk costs a member its place until there is room, whatever it was to write; any other failure is the end (D10, D11). */
  diskFailed(error: Error): void {
    this.tally.diskFailed = true;
    if (this.ensemble === undefined || !isDiskFull(error)) return this.options.onFailed(error);
    if (this.reloading || this.isFull) return; // this life ends already
    this.isFull = true;
    this.options.logger.error(`the disk is full: ${error.message}. This member leaves the quorum until there is room`);
    this.step({ type: 'diskFailed' });
    // a leader hands over first, if somebody can take it
    const { clock } = this.ports;
    const until = clock.monotonic() + 2 * this.config.tickTimeMs;
    const look = (): void => {
      if (this.server.peer.role === 'stopped' || clock.monotonic() >= until) this.reload();
      else clock.after(LOOK_MS, look);
    };
    look();
  }
  /**
   * Ends this life and begins another from the disk, without a new process: for what zab cannot go on from. `first` is done
   * before the storage is closed. Tried again every tick while the disk refuses.
   */
  reload(first: (isStopped: () => boolean) => Promise<unknown> = async () => {}): void {
    if (this.reloading || this.stopped) return;
    this.reloading = true;
    this.isFull = false;
    const { clock } = this.ports;
    const { logger } = this.options;
    const again = async (): Promise<void> => {
      for (let said = ''; ; ) {
        try {
          const loaded = await this.load();
          if (this.stopped) await loaded.storage.close();
          else this.begin(loaded);
          return;
        } catch (error) {
          if (!(error instanceof StorageRefusal) || error.exitCode !== 40) throw error;
          if (error.message !== said) logger.warn(`${error.message}; tried again until it goes`);
          said = error.message;
          await new Promise<void>((resolve) => void clock.after(this.config.tickTimeMs, resolve));
          if (this.stopped) return;
        }
      }
    };
    const run = async (): Promise<void> => {
      await new Promise<void>((resolve) => void clock.after(0, resolve)); // the turn that asked for it ends first
      this.server.look();
      this.port.dropAll();
      this.ensemble?.flush();
      this.ensemble?.close();
      await this.scrubber.stop();
      await this.snapshotter.stop();
      await first(() => this.stopped);
      await this.storage.close();
      await again();
      if (this.stopped) return;
      this.port.attach(this.server);
      await this.ensemble?.listen();
      this.reloading = false;
      this.step({ type: 'start' });
    };
    this.reloaded = run().catch((error: Error) => {
      this.options.onFailed(error);
    });
  }
  /** As {@link reload}, but a leader hands over first. */
  private async loadAgain(): Promise<void> {
    await this.ensemble?.handOver();
    this.reload();
  }
  private makePeer(loaded: Loaded): Peer {
    const { generation } = loaded.storage.log;
    return new Peer(pastOf(loaded, this.sid), generation, this.options.lastCounter, this.ensemble?.past(loaded));
  }
  /** A server over this tree; a learner gets another when it is given a snapshot. */
  makeServer(tree: DataTree, peer: Peer): Server {
    const { storage, ensemble } = this;
    const server: Server = new Server(tree, peer, serverOptionsOf(this.config, this.sid), {
      log: ensemble?.log ?? storage,
      random: this.ports.random,
      audit: this.options.audit,
      pressure: this.pressure,
      close: (connection) => this.port.close(connection),
      failed: (connection, fault) => this.port.failed(connection, fault),
      effect: (effect) => this.perform(effect),
      hand: () => ensemble?.hand(),
      later: () => void setImmediate(() => this.proceed(server)),
      configured: () => ensemble?.configured(),
      expired: (id, timeoutMs) => {
        this.tally.expired++;
        this.options.logger.info(`Expiring session ${showSession(id)}, timeout of ${timeoutMs}ms exceeded`);
      },
      leaderLevel: () => ensemble?.leaderLevel ?? PEER_LEVEL,
      logins: this.logins,
      toLeader: (message) => ensemble?.toLeader(message),
      toLearner: (link, message) => ensemble?.toLearner(link, message),
    });
    if (this.server !== undefined) server.handshakes.follow(this.server.handshakes);
    return server;
  }
  /** The state is another one from now on: nobody is attached to the old. */
  replaceServer(server: Server): void {
    this.server = server;
    this.port.attach(server);
  }
  /** Opens the ports; when one cannot be had, everything is closed again. @throws StartError */
  private async open(): Promise<Served> {
    try {
      await this.ensemble?.listen();
      const at = await this.port.listen();
      this.web = await openWeb({
        ...{ config: this.config, logger: this.options.logger, clock: this.ports.clock, tally: this.tally },
        context: () => this.port.context(),
        turn: () => this.turn(),
        snapshot: () => this.snapshot(),
      });
      return at;
    } catch (error) {
      this.keptNet?.[Symbol.dispose]();
      this.port.drain();
      await this.port.stop();
      this.ensemble?.close();
      await this.scrubber.stop();
      await this.storage.close();
      throw error;
    }
  }

  /** Writes a snapshot now. Resolves with its zxid and where it lies. @throws Error that says why there is none */
  async snapshot(): Promise<{ readonly zxid: bigint; readonly path: string }> {
    const made = await this.snapshotter.takeNow();
    if (made instanceof Error) throw new Error(`no snapshot was written: ${made.message}`, { cause: made });
    const at = { hi: made.epoch, lo: made.counter };
    return { zxid: zxid.of(at.hi, at.lo), path: `${this.config.dataDir}/zoosh-1/${snapshotName(at)}` };
  }

  /** Removes what is older than so many snapshots, as autopurge does; resolves with the names of the files. */
  purge(retain: number): Promise<string[]> {
    return this.snapshotter.purgeTo(retain);
  }

  /** The server is told what time it is: before each input. */
  clocks(): void {
    this.server.now = this.ports.clock.monotonic();
    this.server.wall = this.ports.clock.wall();
  }
  /** Something happened that zab must know. */
  step(input: Input): void {
    if (this.reloading) return;
    this.clocks();
    this.ensemble?.hand();
    this.server.step(input);
    this.readOnly?.consider();
    this.turn();
  }
  /** After every input: bytes to the clients now, transactions and packets at the end of this turn of the loop. */
  turn(): void {
    this.port.flush();
    if (this.ending || (this.ensemble === undefined && this.storage.log.pending === 0)) return;
    this.ending = true;
    setImmediate(() => {
      this.ending = false;
      if (!this.reloading) this.endTurn();
    });
  }
  private endTurn(): void {
    const { server, ensemble } = this;
    this.clocks();
    if (ensemble !== undefined) ensemble.endTurn();
    const { epoch, counter } = server.peer.committed;
    this.storage.flush(epoch, counter);
    if (ensemble !== undefined) {
      ensemble.flush();
      this.port.flush();
    }
  }
  /** The next part of a large transaction; when it was the last, the requests that waited for it. */
  private proceed(server: Server): void {
    if (server !== this.server) return; // of a state that a snapshot has replaced
    this.clocks();
    server.goOn();
    if (server.applying) return this.port.flush();
    this.turn();
    this.port.goOn();
  }
  private perform(effect: Effect): void {
    const { server, storage, ensemble, port } = this;
    const { logger } = this.options;
    switch (effect.type) {
      case 'commit':
        this.journey.commits(effect.upTo);
        this.tally.committedAt = server.now;
        return server.commit(effect.upTo);
      case 'storeEpochs': {
        const { accepted, current, install } = effect;
        storage
          .storeEpochs(accepted, current, install)
          .then(() => this.step({ type: 'epochsStored', accepted, current }))
          .catch((error: Error) => this.diskFailed(error));
        return;
      }
      case 'established':
        logger.info(`leading epoch ${effect.epoch}`);
        return server.lead();
      case 'serve':
        return this.serve(ensemble === undefined || ensemble.isNamed ? undefined : ensemble.named);
      case 'looking':
        this.elections.looking(effect.reason);
        server.look();
        return port.dropAll();
      case 'proposeFound':
        return this.founding.found(effect.config);
      case 'proposeSeen': {
        const { sid, incarnation, tag } = effect;
        return this.founding.propose({ kind: KIND.seen, sid, incarnation, tag });
      }
      case 'proposeNoop':
        return this.founding.propose({ kind: KIND.noop });
      case 'proposeConfig':
        return server.proposeConfig(effect.config);
      case 'drain':
        return server.drainDesk();
      case 'undrain':
        if (port.stopping) return; // what is asked of a server that stops goes to the next leader
        server.undrainDesk();
        return port.goOn();
      case 'takeSnapshot':
        return this.snapshotter.demand(effect.doubted);
      default:
        ensemble?.perform(effect);
    }
  }
  private serve(after: Promise<void> | undefined): void {
    if (after !== undefined) {
      const { server } = this;
      const { ended } = this.elections;
      after.then(() => {
        if (this.server !== server || this.elections.ended !== ended || this.stopped) return; // that term is over
        this.clocks();
        this.serve(undefined);
        this.turn();
      });
      return;
    }
    this.server.serve();
    this.elections.serves(this.server.peer);
    this.served();
    this.port.goOn();
  }
  private async stop(): Promise<void> {
    if (this.stopped) return;
    this.loopSeen();
    await this.web?.stop();
    this.port.drain();
    const { clock } = this.ports;
    const until = clock.monotonic() + DRAIN_MS;
    const rest = (): Promise<void> => new Promise((resolve) => void clock.after(2, resolve));
    // what learners ask for goes to the next leader
    const { server } = this;
    server.drainDesk();
    const isOpen = (): boolean => (server.peer.leader === undefined ? server.outstanding : server.unapplied) > 0;
    while (server.serving && (isOpen() || this.storage.log.pending > 0) && clock.monotonic() < until) await rest();
    await this.ensemble?.handOver();
    this.stopped = true;
    this.keptNet?.[Symbol.dispose]();
    this.ensemble?.close(); // at once: while we are connected our vote is waited for
    this.chores.stop();
    await this.port.stop();
    await this.scrubber.stop();
    await this.snapshotter.stop();
    await this.reloaded;
    await this.storage.close();
    this.unlock();
  }
}
