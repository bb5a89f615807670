import type { ServerConfig } from '../../../src/server/config.ts';
import type { Violation } from '../check/verdicts.ts';
import { auditDisk } from '../run/audit.ts';
import { SimClient } from '../run/client.ts';
import { configOf } from '../run/config.ts';
import { Ensemble } from '../run/ensemble.ts';
import type { Member } from '../run/member.ts';
import { nameOfServer } from '../run/member.ts';
import { serverNode } from '../run/program.ts';
import { type Plan, planOf } from '../run/swarm.ts';
import { EnsembleWorkload } from '../run/workload.ts';

export interface StoryOptions {
  readonly seed: number;
  readonly voters?: number;
  /** Further servers, that are in nobody's zoo.cfg and do not run at first. */
  readonly spare?: number;
  readonly plan?: Partial<Plan>;
  readonly config?: Partial<ServerConfig>;
}
const TICK_MS = 200;
/** Nothing that a story waits for takes longer, ms of simulated time. */
const PATIENCE_MS = 60_000;

/** An ensemble to which one thing after another is done; all checkers watch, and the end is audited. */
export class Story implements Disposable {
  readonly ensemble: Ensemble;
  readonly plan: Plan;
  /** Those that are no members, or not yet. */
  readonly out: Set<number>;
  private readonly config: Partial<ServerConfig>;
  private load: EnsembleWorkload | undefined;
  private clients = 0;
  private names = 0;

  constructor({ seed, voters = 3, spare = 0, plan = {}, config = {} }: StoryOptions) {
    this.config = config;
    const drawn = planOf(seed, { profile: 'calm', voters });
    this.plan = {
      ...drawn,
      // servers of stories are 1, 2, 3
      shares: new Map([...drawn.shares].map(([sid, share]) => [drawn.ids.indexOf(sid) + 1 || sid, share])),
      ...{
        observers: 0,
        tickMs: TICK_MS,
        sessionMs: 20 * TICK_MS,
        snapCount: 20,
        meanDelayMs: 0.5,
        diskMs: 0.15,
        logMs: 0,
        scrubMs: 4000,
        sessions: 'shared',
        readOnly: false,
        ids: [],
        lastCounter: undefined,
        transfer: undefined,
        ttl: false,
      },
      ...{ clients: 3, writers: 3, slowness: 1, lanes: 2, thinkMs: 15, mostBytes: 500 },
      ...plan,
    };
    const { voters: count, observers, spares } = this.plan;
    const present = count + observers + spares;
    const servers = Array.from({ length: present + spare }, (_, i) => i + 1);
    this.out = new Set(servers.slice(present));
    this.ensemble = new Ensemble({
      seed,
      servers,
      tickMs: this.plan.tickMs,
      boot: serverNode,
      config: (sid) => this.configOf(sid, this.out.has(sid) ? sid - this.plan.observers : this.plan.voters),
      sessions: this.plan.sessions,
    });
    this.ensemble.voters = servers.slice(0, this.plan.voters);
    this.ensemble.network.links.meanMs = this.plan.meanDelayMs;
    for (const member of this.ensemble.members) {
      member.diskMs = this.plan.diskMs;
      member.logMs = this.plan.logMs;
    }
  }
  get violations(): readonly Violation[] {
    return this.ensemble.verdicts.violations;
  }
  member(sid: number): Member {
    return this.ensemble.member(sid);
  }
  get sids(): number[] {
    return this.ensemble.members.map(({ sid }) => sid).filter((sid) => !this.out.has(sid));
  }
  others(...sids: number[]): number[] {
    return this.sids.filter((sid) => !sids.includes(sid));
  }
  start(...sids: number[]): void {
    for (const sid of sids.length === 0 ? this.sids : sids) this.member(sid).start();
  }
  run(ms: number): Promise<void> {
    return this.ensemble.run(ms);
  }
  /** Goes on until it is so. @throws after a minute of simulated time */
  async until(what: string, done: () => boolean, ms = PATIENCE_MS): Promise<void> {
    const { scheduler, verdicts } = this.ensemble;
    const end = scheduler.now + ms;
    await scheduler.runUntil(() => done() || scheduler.now > end || !verdicts.clean);
    if (!done() && verdicts.clean) verdicts.fail('I12', `waited in vain: ${what}`);
    if (!verdicts.clean) throw new StoryOver();
  }
  /** The leader, once there is one; its number. */
  async leader(not?: number): Promise<number> {
    const { ensemble } = this;
    await this.until('a leader', () => ensemble.leader !== undefined && ensemble.leader.sid !== not);
    return ensemble.leader?.sid ?? 0;
  }
  async serving(...sids: number[]): Promise<void> {
    const wanted = sids.length === 0 ? this.sids : sids;
    await this.until(`${wanted} serve`, () => wanted.every((sid) => this.member(sid).program?.serves === true));
  }
  /** The directory that it has now counts again. */
  async admitted(sid: number): Promise<void> {
    await this.until(`${sid} is admitted`, () => {
      const { program } = this.member(sid);
      const listed = this.ensemble.leader?.program?.tree?.config?.members.find((each) => each.sid === sid);
      return listed !== undefined && listed.incarnation === program?.incarnation;
    });
    // and enough of the others know that this is committed
    await this.run(5 * this.plan.tickMs);
  }
  async settled<T>(promise: Promise<T>): Promise<T | undefined> {
    let over = false;
    let value: T | undefined;
    promise.then(
      (result) => {
        value = result;
        over = true;
      },
      () => {
        over = true;
      },
    );
    await this.until('an answer', () => over);
    return value;
  }
  clientOf(...sids: number[]): SimClient {
    return new SimClient(50 + ++this.clients, this.ensemble, this.plan.sessionMs, sids.length === 0 ? this.sids : sids);
  }
  /** A node is made through `client`; its path when that was answered. */
  async write(client: SimClient, data = 'x'): Promise<string | undefined> {
    const connection = await client.get();
    const path = `/n${++this.names}`;
    return this.settled(connection.create(path, data).then(() => path));
  }
  /** Everybody does a bit of everything from now on. */
  async beginLoad(): Promise<void> {
    this.load = new EnsembleWorkload(this.ensemble, {
      clients: this.plan.clients,
      writers: this.plan.writers,
      slowness: this.plan.slowness,
      timeoutMs: this.plan.sessionMs,
      thinkMs: this.plan.thinkMs,
      lanes: this.plan.lanes,
      mostBytes: this.plan.mostBytes,
    });
    await this.settled(this.load.prepare());
    this.load.start();
  }
  crash(power: boolean, ...sids: number[]): void {
    for (const sid of sids.length === 0 ? this.sids : sids) this.member(sid).crash(power);
  }
  wipe(sid: number): void {
    const member = this.member(sid);
    member.crash(true);
    member.disk.become(new Map());
    this.ensemble.ledger.lose(sid);
  }
  /** Nobody dies at a call any more; all that died come back. */
  calm(): void {
    for (const member of this.ensemble.members) {
      member.disk.cutAt = Number.POSITIVE_INFINITY;
      member.start();
    }
  }
  private pairs(a: readonly number[], b: readonly number[]): [string, string][] {
    return a.flatMap((x) =>
      b.flatMap((y): [string, string][] => [
        [nameOfServer(x), nameOfServer(y)],
        [nameOfServer(y), nameOfServer(x)],
      ]),
    );
  }
  partition(a: readonly number[], b: readonly number[]): void {
    for (const [from, to] of this.pairs(a, b)) this.ensemble.network.links.block({ from, to, channel: undefined });
  }
  heal(): void {
    this.ensemble.network.links.heal();
  }
  /** This server starts from now on with a zoo.cfg that names the first `voters`. */
  configure(sid: number, voters: number): void {
    this.member(sid).config = this.configOf(sid, voters);
  }
  private configOf(sid: number, voters: number): ServerConfig {
    return { ...configOf(sid, { ...this.plan, voters }), ...this.config };
  }
  /** Everybody is started, serves, and stands where the others stand; then every directory is read by itself. */
  async end(): Promise<void> {
    const { ensemble } = this;
    const members = this.sids.map((sid) => this.member(sid));
    this.heal();
    for (const { host } of members) host.resume();
    for (const member of members) {
      member.disk.fault = () => undefined;
      member.disk.cutAt = Number.POSITIVE_INFINITY;
    }
    // those that fell at their last call come back as well
    await this.until('all serve', () => {
      for (const member of members) member.start();
      return members.every(({ program }) => program?.serves === true);
    });
    if (this.load !== undefined) {
      await this.settled(this.load.stop());
      this.load.judge();
    }
    const where = (): Set<string> =>
      new Set(members.map(({ program }) => `${program?.tree?.zxidHi}/${program?.tree?.zxidLo}`));
    await this.until('all stand at one place', () => where().size === 1);
    for (const member of members) ensemble.compare(member);
    for (const member of members) {
      member.crash(false);
      await auditDisk(ensemble, member);
    }
  }
  [Symbol.dispose](): void {
    this.ensemble[Symbol.dispose]();
  }
}
/** Something was violated: the rest need not be told. */
export class StoryOver extends Error {
  override readonly name = 'StoryOver';
}
export type Tale = (story: Story) => Promise<void>;
/** A history, and the ensemble it is about. */
export interface Named {
  readonly options: Omit<StoryOptions, 'seed'>;
  readonly tale: Tale;
}
/** Tells it; what was violated stands in the story. */
export async function tell({ options, tale }: Named, seed: number): Promise<Story> {
  const story = new Story({ seed, ...options });
  try {
    story.start();
    await story.serving();
    await tale(story);
    await story.end();
  } catch (error) {
    if (!(error instanceof StoryOver)) throw error;
  }
  return story;
}
