import type { Logger } from '../../../src/runtime/log.ts';
import type { Transfer } from '../../../src/runtime/snapshot-sender.ts';
import type { ServerConfig } from '../../../src/server/config.ts';
import type { AckWatch } from '../check/acks.ts';
import type { Border } from '../check/border.ts';
import type { Ledger } from '../check/ledger.ts';
import { SimDisk } from '../disk.ts';
import type { Chance } from '../world/chance.ts';
import { exponential, oneIn } from '../world/chance.ts';
import { clientListener } from '../world/client-net.ts';
import { Host } from '../world/host.ts';
import type { Network } from '../world/network.ts';
import { peerNetwork } from '../world/peer-net.ts';
import { EVENT_KIND, type Scheduler } from '../world/scheduler.ts';
import type { Boot, Program } from './program.ts';

export const PORT = { client: 2181, quorum: 2888, election: 3888 } as const;
/** Machines of clients are numbered from here on: servers have numbers of their own, to 254. */
export const FIRST_CLIENT = 1000;
export const nameOfServer = (sid: number): string => `10.0.0.${sid}`;

export interface MemberWorld {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly chance: Chance;
  readonly ledger: Ledger;
  readonly border: Border;
  readonly acks: AckWatch;
  readonly boot: Boot;
  /** Something worth a line in the trace. */
  say(text: string): void;
  /** Its process is about to end. */
  ending(member: Member): void;
  /** A server threw what nobody caught. */
  threw(sid: number, error: unknown): void;
}

/** A server on a machine of its own: it can die, come back, and have its disk hurt. */
export class Member {
  readonly sid: number;
  readonly host: Host;
  disk: SimDisk;
  config: ServerConfig;
  program: Program | undefined;
  /** Why it ended by itself or would not start, the latest. */
  reason: string | undefined;
  /** How the present life ended or goes: `refused` and `failed` are its own doing. */
  state: 'down' | 'running' | 'failed' | 'refused' = 'down';
  /** Mean ms of a call to the disk. */
  diskMs = 0.15;
  /** Mean ms by which a write of the log takes longer than that: it lies on a device of its own. */
  logMs = 0;
  /** See {@link ProgramOptions.lastCounter}; from the next start on. */
  lastCounter: number | undefined;
  /** See {@link ProgramOptions.transfer}. */
  transfer: Transfer | undefined;
  /** Lives so far. */
  lives = 0;
  /** So many more times it dies soon after its start. */
  crashLoop = 0;
  /** Whoever starts it again leaves it alone until then. */
  stopping = false;
  private readonly world: MemberWorld;

  constructor(sid: number, config: ServerConfig, world: MemberWorld) {
    this.sid = sid;
    this.config = config;
    this.world = world;
    this.host = new Host(nameOfServer(sid), sid, world.scheduler);
    this.host.onThrow = (error) => {
      world.threw(sid, error);
      this.fail(error instanceof Error ? error.message : String(error));
    };
    world.network.add(this.host);
    this.disk = this.adopt(new SimDisk(world.chance.stream(`disk/${sid}`)));
  }
  /** This disk is in the machine from now on. */
  adopt(disk: SimDisk): SimDisk {
    const { chance, ledger, scheduler } = this.world;
    const random = chance.stream(`disk-pace/${this.sid}`);
    disk.pace = () =>
      new Promise((resolve) => {
        const ms = oneIn(random, 4) ? exponential(random, this.diskMs * 4) : this.diskMs;
        this.host.post(ms, EVENT_KIND.io, resolve);
      });
    disk.lag = (path) =>
      this.hung !== undefined && path.startsWith('/log/')
        ? this.waits(this.hung)
        : this.logMs === 0 || !path.startsWith('/log/')
          ? undefined
          : new Promise((resolve) => this.host.post(exponential(random, this.logMs), EVENT_KIND.io, resolve));
    disk.onWrite = (path, bytes, at) => ledger.wrote(this.sid, path, bytes, at);
    disk.onDurable = (path, durable, from, end) => ledger.holdingsOf(this.sid).reached(path, durable, from, end);
    disk.onCut = () => this.host.end(this.powerWent);
    void scheduler;
    this.disk = disk;
    return disk;
  }
  private powerWent = false;
  /** Writes of its log that do not end before they are let go; undefined while they end as they should. */
  private hung: { readonly life: number; readonly go: () => void }[] | undefined;

  /** From now on no write of its log ends. */
  hang(): void {
    this.hung ??= [];
  }
  letGo(): void {
    const all = this.hung ?? [];
    this.hung = undefined;
    for (const { go } of all) go();
  }
  /** A write of its present life does not end. */
  get isHung(): boolean {
    return this.hung?.some(({ life }) => life === this.host.life) === true;
  }
  /** Its disk does nothing unusual. */
  isWell(tickMs: number): boolean {
    return !this.isHung && this.diskMs < tickMs / 10 && this.logMs < tickMs / 2 && this.disk.room > 0;
  }
  private waits(hung: NonNullable<Member['hung']>): Promise<void> {
    return new Promise((resolve) => {
      hung.push({ life: this.host.life, go: () => this.host.post(0, EVENT_KIND.io, resolve) });
    });
  }
  get isUp(): boolean {
    return this.host.alive;
  }
  start(): void {
    if (this.host.alive) return;
    const { network, chance, border, acks, say } = this.world;
    this.host.boot();
    this.lives++;
    this.state = 'running';
    this.stopping = false;
    const { life } = this.host;
    const mine = (): boolean => this.host.life === life;
    const tell = (level: string) => (text: unknown) => {
      if (mine()) say(`s${this.sid} ${level} ${String(text)}`);
    };
    const logger = {
      debug() {},
      info: tell('info'),
      warn: tell('warn'),
      error: (text: string) => {
        tell('error')(text);
        // a bug that costs a client its connection is none the less one: it ends the life, which is looked into
        if (text.startsWith('a bug of')) throw new Error(text);
      },
      fatal: tell('fatal'),
    } as unknown as Logger;
    say(`s${this.sid} starts`);
    this.host.enter(() => {
      const program = this.world.boot(
        {
          config: this.config,
          logger,
          ...(this.lastCounter === undefined ? {} : { lastCounter: this.lastCounter }),
          ...(this.transfer === undefined ? {} : { transfer: this.transfer }),
          onFailed: (error) => {
            if (mine()) this.fail(error.message);
          },
        },
        {
          disk: this.disk.plug(),
          clock: this.host.clock(),
          random: chance.stream(`server/${this.sid}`),
          listener: clientListener(network, this.host, border),
          peerNetwork: peerNetwork(network, this.host, (port) => (port === PORT.election ? 'election' : 'quorum'), {
            said: (bytes, link) => acks.said(this.sid, bytes, link),
            told: (bytes, link) => acks.told(this.sid, bytes, link),
          }),
        },
      );
      this.program = program;
      program.started.then(
        () => {
          if (mine()) say(`s${this.sid} serves`);
        },
        (error: Error) => {
          if (!mine()) return;
          this.end(false, 'refused', error.message);
        },
      );
    });
  }
  private fail(reason: string): void {
    if (this.host.alive) this.end(false, 'failed', reason);
  }
  private end(power: boolean, state: Member['state'], reason: string | undefined): void {
    this.world.ending(this); // what it did in this very event counts
    this.state = state;
    this.reason = reason;
    this.program = undefined;
    this.powerWent = power;
    this.world.say(`s${this.sid} ${state}${reason === undefined ? '' : `: ${reason}`}`);
    if (power) this.disk.powerCut();
    else this.disk.unplug();
  }
  /** The process dies; with `power` the machine does, and what was not synced may be lost. */
  crash(power: boolean): void {
    if (this.host.alive) this.end(power, 'down', power ? 'power cut' : 'killed');
    else if (power) this.disk.powerCut();
  }
  /** As SIGTERM asks it to. */
  stop(): void {
    const { program, host } = this;
    if (program === undefined || !host.alive || this.stopping) return;
    const { life } = host;
    this.stopping = true;
    this.world.say(`s${this.sid} is asked to stop`);
    let stopped!: Promise<void>;
    host.enter(() => {
      stopped = program.stop();
    });
    const gone = (reason: string): void => {
      if (host.life === life) this.end(false, 'down', reason);
    };
    stopped.then(
      () => gone('stopped'),
      (error: Error) => gone(`stopped: ${error.message}`),
    );
  }
  /** It dies at one of its next calls to the disk. */
  crashAtCall(calls: number, power: boolean): void {
    const { disk } = this;
    disk.cutsPower = power;
    this.powerWent = power;
    disk.cutAt = disk.calls + calls;
    const kept = disk.onCut;
    disk.onCut = () => {
      disk.onCut = kept;
      if (!this.host.alive) return kept();
      this.world.ending(this);
      this.state = 'down';
      this.reason = power ? 'power cut at a call' : 'killed at a call';
      this.program = undefined;
      this.powerWent = power;
      this.world.say(`s${this.sid} down: ${this.reason}`);
      kept();
    };
  }
}
