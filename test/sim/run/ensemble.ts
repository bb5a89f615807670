import type { ServerConfig } from '../../../src/server/config.ts';
import { AckWatch } from '../check/acks.ts';
import { Border } from '../check/border.ts';
import { Clocks } from '../check/clocks.ts';
import { Ledger } from '../check/ledger.ts';
import { Locals, type SessionMode } from '../check/locals.ts';
import { Oracle } from '../check/oracle.ts';
import { judgeExpiry } from '../check/sessions.ts';
import { Verdicts } from '../check/verdicts.ts';
import { Chance } from '../world/chance.ts';
import { patchGlobals } from '../world/globals.ts';
import { Host } from '../world/host.ts';
import { Links } from '../world/links.ts';
import { Network } from '../world/network.ts';
import { Scheduler } from '../world/scheduler.ts';
import { Trace } from '../world/trace.ts';
import { Configs } from './configs.ts';
import { Lonely } from './lonely.ts';
import { Member, type MemberWorld } from './member.ts';
import { Observer } from './observer.ts';
import type { Boot } from './program.ts';
import { Stuck } from './stuck.ts';
import { Touch } from './touch.ts';

export interface EnsembleOptions {
  readonly seed: number;
  readonly servers: readonly number[];
  readonly tickMs: number;
  readonly boot: Boot;
  readonly config: (sid: number) => ServerConfig;
  /** As `config` says; unless given, all sessions are everybody's. */
  readonly sessions?: SessionMode | undefined;
}

/** For so long a leader may go on without a quorum: three times syncLimit, whatever its clock does. */
const LONELY_TICKS = 15;
/** And with a log that hangs where others could go on: syncLimit, the time it looks for a successor, and as much again. */
const STUCK_TICKS = 15;
/** What was heard of a clock is believed until its server is given up, or what is on the way came. */
const CLOCK_TICKS = 25;
/** Events between two looks at everybody. */
const LOOK_AT_ALL = 16;

/** Several servers in one process, everything they stand on simulated, everything they say and keep checked. */
export class Ensemble implements Disposable {
  readonly chance: Chance;
  readonly trace = new Trace();
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly verdicts: Verdicts;
  readonly ledger: Ledger;
  readonly oracle: Oracle;
  readonly locals: Locals;
  readonly border: Border;
  readonly acks: AckWatch;
  readonly members: readonly Member[];
  readonly touch: Touch;
  private readonly lonely: Lonely;
  private readonly stuck: Stuck;
  private readonly clocks: Clocks;
  readonly observer: Observer;
  private readonly servers: ReadonlyMap<number, Member>;
  readonly configs: Configs;
  private readonly patched: Disposable;
  readonly options: EnsembleOptions;

  constructor(options: EnsembleOptions) {
    this.options = options;
    this.chance = new Chance(options.seed);
    this.scheduler = new Scheduler(this.chance.stream('ties'), this.trace);
    const now = (): number => this.scheduler.now;
    this.network = new Network(this.scheduler, new Links(this.chance.stream('links')), this.chance.stream('network'));
    this.network.links.shakenMs = 10 * options.tickMs;
    this.verdicts = new Verdicts(now);
    this.verdicts.onViolation = ({ rule, text }) => this.say(`VIOLATION ${rule}: ${text}`);
    const isQuorum = (sids: readonly number[]): boolean =>
      this.configs.decides(this.voters, (sid) => sids.includes(sid));
    this.ledger = new Ledger(this.verdicts, now, isQuorum);
    this.acks = new AckWatch({
      ledger: this.ledger,
      verdicts: this.verdicts,
      diskOf: (sid) => this.member(sid).disk,
      isVoter: (sid) => this.configs.voters.includes(sid),
    });
    this.locals = new Locals({
      mode: options.sessions ?? 'shared',
      verdicts: this.verdicts,
      now,
      termOf: (sid) => this.member(sid).program?.term,
      lifeOf: (sid) => this.member(sid).host.life,
    });
    this.oracle = new Oracle(this.verdicts, this.locals);
    this.configs = new Configs(this.ledger, this.verdicts, options.servers);
    this.ledger.onCommitted = (committed) => {
      this.configs.take(committed);
      this.oracle.take(committed);
    };
    this.observer = new Observer({
      oracle: this.oracle,
      ledger: this.ledger,
      verdicts: this.verdicts,
      acks: this.acks,
      events: () => this.trace.events,
      now,
      say: (text) => this.say(text),
    });
    this.border = new Border({
      oracle: this.oracle,
      ledger: this.ledger,
      verdicts: this.verdicts,
      locals: this.locals,
      now,
      sidOf: (host) => host.number,
      isDeposed: (sid) => this.observer.isDeposed(this.member(sid)),
      isPresent: (sid) => this.observer.isPresent(this.member(sid)),
      leader: () => {
        const { leader } = this;
        return leader === undefined ? '' : `${leader.sid}/${leader.host.life}/${leader.program?.leads}`;
      },
      isReadOnly: (sid) => this.member(sid).program?.readOnly,
      isEnding: (session) => this.members.some(({ program }) => program?.ends(session) === true),
      momentOf: (sid) => this.observer.momentOf(sid),
      beforeOf: (sid) => this.observer.beforeOf(sid),
    });
    const world: MemberWorld = {
      scheduler: this.scheduler,
      network: this.network,
      chance: this.chance,
      ledger: this.ledger,
      border: this.border,
      acks: this.acks,
      boot: options.boot,
      say: (text) => this.say(text),
      ending: (member) => this.observer.look(member),
      threw: (sid, error) => this.threw(`server ${sid}`, error),
    };
    this.members = options.servers.map((sid) => new Member(sid, options.config(sid), world));
    this.servers = new Map(this.members.map((member) => [member.sid, member]));
    this.touch = new Touch(this.members, this.network.links, now, () => this.leader?.sid);
    const around = {
      ...{ members: this.members, configs: this.configs, verdicts: this.verdicts, now },
      incarnationOf: (sid: number) => this.ledger.holdingsOf(sid).incarnation,
      knowsMembers: (sid: number) => this.knowsMembers(sid),
    };
    this.lonely = new Lonely(around, LONELY_TICKS * options.tickMs);
    const { links } = this.network;
    this.stuck = new Stuck({ ...around, links, tickMs: options.tickMs }, STUCK_TICKS * options.tickMs);
    this.clocks = new Clocks({
      ...{ verdicts: this.verdicts, now, patienceMs: CLOCK_TICKS * options.tickMs },
      offsets: () => this.members.map(({ sid, host }) => [sid, host.wallOffset] as const),
      termOf: (epoch) => this.observer.epochs.get(epoch),
      decides: (holds) => this.configs.decideLately(holds),
    });
    this.oracle.onReaped = (committed) => this.clocks.judge(committed);
    this.oracle.onExpired = (session, committed) =>
      judgeExpiry(
        {
          verdicts: this.verdicts,
          tickMs: options.tickMs,
          lastHeard: (id) => this.border.lastHeard.get(id) ?? [],
          timeoutMs: (id) => this.oracle.state.sessions.get(id)?.timeoutMs ?? 0,
          wasInTouch: (sid, from, until) => this.touch.held(sid, from, until),
          ledSince: (epoch) => this.observer.epochs.get(epoch)?.since,
        },
        session,
        committed,
      );
    this.scheduler.afterEach = () => this.look();
    this.patched = patchGlobals(this.scheduler, this.chance.stream('math'));
    process.on('unhandledRejection', this.onRejection);
  }
  private readonly onRejection = (error: unknown): void =>
    this.threw(Host.current === undefined ? 'the harness' : Host.current.name, error);
  private threw(who: string, error: unknown): void {
    this.verdicts.fail(
      'crash',
      `${who} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
  /** Who votes by the history; all that are no observers when it begins. */
  get voters(): readonly number[] {
    return this.configs.voters;
  }
  set voters(first: readonly number[]) {
    this.configs.first = first;
  }
  /** It knows who the members are. One that was made a voter and has not heard of it votes for nobody. */
  knowsMembers(sid: number): boolean {
    const { record } = this.configs;
    if (record === undefined || this.observer.appliedBy(sid) >= record.zxid) return true;
    return this.ledger.holdingsOf(sid).durable.has(record.chain);
  }
  say(text: string): void {
    this.trace.say(this.scheduler.now, text);
  }
  member(sid: number): Member {
    const found = this.members.find((each) => each.sid === sid);
    if (found === undefined) throw new Error(`no server ${sid}`);
    return found;
  }
  /** Who leads the latest epoch and runs. */
  get leader(): Member | undefined {
    let found: Member | undefined;
    let latest = -1;
    for (const member of this.members) {
      const { host, program } = member;
      const epoch = host.alive && !host.paused ? program?.leads : undefined;
      if (epoch === undefined || epoch < latest) continue;
      found = member;
      latest = epoch;
    }
    return found;
  }
  start(): void {
    for (const member of this.members) member.start();
  }
  /** What must hold at every moment. Only the machine that ran can have changed; now and then all are looked at. */
  private look(): void {
    const { events } = this.trace;
    const ran = Host.current === undefined ? undefined : this.servers.get(Host.current.number);
    if (ran !== undefined) this.observer.look(ran);
    if (events % LOOK_AT_ALL === 0) {
      for (const member of this.members) this.observer.look(member);
      this.touch.look();
      this.lonely.look();
      this.stuck.look();
      this.clocks.look();
    }
    this.border.settle();
  }
  /** A member's tree against the model, whole. */
  compare(member: Member): void {
    this.observer.compare(member);
  }
  async run(ms: number): Promise<void> {
    const end = this.scheduler.now + ms;
    let over = false;
    this.scheduler.at(end, 4, 0, () => {
      over = true;
    });
    await this.scheduler.runUntil(() => over || !this.verdicts.clean);
  }
  [Symbol.dispose](): void {
    for (const { host } of this.members) host.end(false);
    this.patched[Symbol.dispose]();
    process.off('unhandledRejection', this.onRejection);
  }
}
