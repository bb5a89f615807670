import { hex } from '../check/ledger.ts';
import { overdue, setClocks, silentSessions, someoneToCut } from './aftermath.ts';
import { auditDisk, verifyDirectory } from './audit.ts';
import { SimClient } from './client.ts';
import { rolesOf, sameRoles, show } from './configs.ts';
import { Coverage } from './coverage.ts';
import { Crowd } from './crowd.ts';
import { DiskHarm } from './disk-harm.ts';
import type { Ensemble } from './ensemble.ts';
import { both } from './fault.ts';
import type { Member } from './member.ts';
import { Nemesis } from './nemesis.ts';
import { Operator } from './operator.ts';
import { RawSession } from './raw.ts';
import { Supervisor } from './supervisor.ts';
import { HIGH_ID, type Plan } from './swarm.ts';
import { EnsembleWorkload } from './workload.ts';

/** What a leader says whose counter has come to its end. */
export const USED_UP = 'the counter of the epoch is used up';
/** Marks that servers speak of themselves. */
export const SAID: Readonly<Record<string, string>> = {
  'snapshots to learners': 'began anew from a snapshot',
  'handed over': 'handed over to server',
  'damage met': 'data damaged',
  'given again by others': 'what was damaged is whole again',
  'old copy found': 'this directory is an old copy',
  'disk full met': 'the disk is full',
  'left a log that stood still': 'looking for a leader: the disk stands still',
  'terms ended for a later promise': 'has accepted epoch',
  'counters used up': USED_UP,
};
/** What a member says that was sent such a thing. */
export const STRANGE = 'the leader sent what does not follow';
/** Everything must be well again within this much simulated time after the last fault, ms. */
const HEAL_MS = 120_000;
const WARM_UP_MS = 60_000;
/** Whoever is cut off for so long has left the leader, and is left by it. */
const GONE_TICKS = 8;
/** Clients beyond those of the load, and of the operator, and of members alone. */
const FIRST_VISITOR = 1000;
/** A wall clock that goes back goes so far. */
const BACK_MS = 3_600_000;
/** Without faults a session outlives this. */
const OFTEN_MS = 500;

/** How long it took, simulated ms: until the first request, the chaos, and until everything was well again. */
export interface Spans {
  readonly warmUp: number;
  readonly chaos: number;
  readonly heal: number;
}

/** What a run goes through: warm-up, chaos, heal, liveness, audit (reliability.md 6.5). */
export class Phases {
  readonly coverage = new Coverage();
  readonly load: EnsembleWorkload;
  readonly nemesis: Nemesis;
  /** Requests of clients that were answered during the chaos. */
  chaosOperations = 0;
  /** Sessions that ended without being asked to, before one was made to. */
  private expired: number | undefined;
  private readonly ensemble: Ensemble;
  private readonly plan: Plan;
  private readonly harm: DiskHarm;
  private readonly supervisor: Supervisor;
  private readonly crowd: Crowd | undefined;
  private visitors = 0;
  /** How far each member's own client came in the end. */
  private readonly stages = new Map<number, string>();

  constructor(ensemble: Ensemble, plan: Plan, mask: ReadonlySet<string> | undefined) {
    this.ensemble = ensemble;
    this.plan = plan;
    const { tickMs } = plan;
    this.harm = new DiskHarm(ensemble, this.coverage, verifyDirectory);
    this.supervisor = new Supervisor(ensemble, this.harm, tickMs);
    this.load = new EnsembleWorkload(ensemble, {
      clients: plan.clients,
      writers: plan.writers,
      slowness: plan.slowness,
      timeoutMs: plan.sessionMs,
      thinkMs: plan.thinkMs,
      lanes: plan.lanes,
      mostBytes: plan.mostBytes,
      pipeline: plan.pipeline,
      readOnly: plan.readOnly,
      ttl: plan.ttl,
    });
    if (plan.crowd > 0) this.crowd = new Crowd(ensemble, plan.crowd, plan.sessionMs, tickMs);
    const world = {
      ensemble,
      coverage: this.coverage,
      harm: this.harm,
      tickMs,
      operator: plan.reconfigures
        ? new Operator(
            { ensemble, coverage: this.coverage, held: this.supervisor.held },
            this.harm,
            Math.max(plan.sessionMs, 8 * tickMs),
          )
        : undefined,
      held: this.supervisor.held,
      burst: (on: boolean) => {
        this.load.rush = on ? 8 : 1;
      },
      raw: () =>
        new RawSession(ensemble, RawSession.machine(ensemble, FIRST_VISITOR + this.visitors++), plan.sessionMs),
      visitor: (sids: readonly number[]) =>
        new SimClient(FIRST_VISITOR + this.visitors++, ensemble, plan.sessionMs, sids),
    };
    this.nemesis = new Nemesis(world, plan.faults, mask);
  }
  async all(): Promise<Spans> {
    const { ensemble } = this;
    const { verdicts, scheduler } = ensemble;
    const at = (): number => scheduler.now;
    ensemble.start();
    this.supervisor.start();
    await this.within(WARM_UP_MS, this.load.prepare(), 'no quorum served after the first start');
    const warm = at();
    if (verdicts.clean) {
      this.load.start();
      await ensemble.run(1000);
      this.nemesis.start();
      this.crowd?.start(ensemble.chance.stream('crowd'), (this.plan.chaosMs * 2) / 3);
      const before = this.load.operations;
      await this.chaos();
      this.chaosOperations = this.load.operations - before;
    }
    const chaos = at();
    this.nemesis.stop();
    this.crowd?.stop();
    this.calm();
    if (verdicts.clean) await this.heal();
    const heal = at();
    if (verdicts.clean) this.load.judge();
    if (verdicts.clean) await this.audit();
    this.tell();
    return { warmUp: warm, chaos: chaos - warm, heal: heal - chaos };
  }
  private async chaos(): Promise<void> {
    const { ensemble, plan } = this;
    const end = ensemble.scheduler.now + plan.chaosMs;
    while (ensemble.scheduler.now < end && ensemble.verdicts.clean) {
      await ensemble.run(OFTEN_MS);
      this.harm.keepCopies();
      await this.drained(this.harm.mend());
    }
  }
  /** No fault from here on; all that were killed come back, but for those left dead. */
  private calm(): void {
    const { ensemble, plan } = this;
    ensemble.network.links.heal();
    ensemble.network.cutOneIn = 0;
    this.harm.calm();
    for (const member of ensemble.members) {
      const { disk } = member;
      disk.fault = () => undefined;
      disk.redirect = undefined;
      disk.misread = undefined;
      disk.room = 1e12;
      disk.cutAt = Number.POSITIVE_INFINITY;
      member.diskMs = plan.diskMs;
      member.crashLoop = 0;
      member.host.drift(1);
      member.host.resume();
      // damage that nobody has read yet is read now
      if (this.harm.harmed.get(member.sid)?.met === false) member.crash(false);
    }
    if (plan.ttl) setClocks(ensemble.members);
    const alive = ensemble.voters.filter((sid) => this.harm.isHealthy(sid) && ensemble.knowsMembers(sid));
    const { configs } = ensemble;
    // while who votes is undecided all are needed
    const decided = configs.possible().length === 1;
    const dead: number[] = [];
    for (const sid of alive) {
      const isLeft = (each: number): boolean => alive.includes(each) && each !== sid && !dead.includes(each);
      if (decided && dead.length < plan.leftDead && configs.decides(ensemble.voters, isLeft)) dead.push(sid);
    }
    for (const sid of dead) {
      this.supervisor.leave.add(sid);
      ensemble.member(sid).crash(false);
    }
  }
  /** Within the bound everybody serves, answers, and is where everybody else is (I12). */
  private async heal(): Promise<void> {
    const { ensemble } = this;
    await this.within(HEAL_MS, this.load.stop(), 'requests are without an answer');
    if (this.crowd !== undefined)
      await this.within(HEAL_MS, this.crowd.over, 'a session with thousands of ephemerals does not end');
    const left = ensemble.members.filter(({ sid }) => !this.supervisor.leave.has(sid));
    await this.within(
      HEAL_MS,
      Promise.all(left.map(({ sid }) => this.ask(sid))),
      () =>
        `not everybody answers: ${left.map(({ sid, state, program, reason }) => `${sid} ${state}, ${program?.serves === true ? 'serves' : (reason ?? 'does not serve')}, ${this.stages.get(sid)}`).join('; ')}`,
    );
    await this.within(
      HEAL_MS,
      this.mended(),
      () => `not mended: ${[...this.harm.harmed].map(([sid, { kind }]) => `${sid} (${kind})`).join(', ')}`,
    );
    await this.within(
      HEAL_MS,
      this.ended(),
      () =>
        `sessions that were told to be expired live on: ${[...ensemble.border.toldExpired].map((id) => id.toString(16)).join()}`,
    );
    await this.within(
      HEAL_MS,
      this.silentEnd(),
      () => `sessions of which nobody hears live on: ${silentSessions(ensemble, this.plan.tickMs).map(hex).join()}`,
    );
    if (this.plan.ttl)
      await this.within(HEAL_MS, this.reaped(), () => `long due and still there: ${overdue(ensemble).join()}`);
    await this.vanish();
    await this.within(HEAL_MS, this.sameEverywhere(left.map(({ sid }) => sid)), 'members do not come to one state');
    await this.quietReturn(left);
    for (const { sid } of left) ensemble.compare(ensemble.member(sid));
    this.sameMembers(left);
  }
  /** A client of that member alone writes and reads. */
  private async ask(sid: number): Promise<void> {
    const { ensemble, plan } = this;
    const prober = new SimClient(100 + sid, ensemble, Math.max(plan.sessionMs, 4 * plan.tickMs), [sid]);
    const { stages } = this;
    for (;;)
      try {
        stages.set(sid, 'no session');
        const client = await prober.get();
        await client.sync('/');
        stages.set(sid, 'no answer to a write');
        await client.create('/t/asked-', null, { mode: 'persistentSequential' });
        stages.set(sid, 'no end of a session');
        await client.close();
        stages.set(sid, 'answers');
        return;
      } catch (error) {
        stages.set(sid, `${stages.get(sid)}: ${(error as Error).message}`);
        await ensemble.scheduler.sleep(plan.tickMs);
      }
  }
  /** Everything that was damaged is whole again, but for the left. */
  private async mended(): Promise<void> {
    const { harm, supervisor, ensemble } = this;
    for (;;) {
      await harm.mend();
      if ([...harm.harmed.keys()].every((sid) => supervisor.leave.has(sid))) return;
      await ensemble.scheduler.sleep(this.plan.tickMs);
    }
  }
  private async ended(): Promise<void> {
    const { border, oracle, scheduler } = this.ensemble;
    while ([...border.toldExpired].some((id) => oracle.state.isLive(id))) await scheduler.sleep(this.plan.tickMs);
  }
  private async silentEnd(): Promise<void> {
    while (silentSessions(this.ensemble, this.plan.tickMs).length > 0)
      await this.ensemble.scheduler.sleep(this.plan.tickMs);
  }
  private async reaped(): Promise<void> {
    const { ensemble } = this;
    while (ensemble.leader === undefined || overdue(ensemble).length > 0)
      await ensemble.scheduler.sleep(this.plan.tickMs);
  }
  private get expirations(): number {
    return this.load.clients.reduce((sum, each) => sum + each.expired, 0);
  }
  /** A client goes without a word: its session ends, whatever the clocks did. */
  private async vanish(): Promise<void> {
    const { ensemble, load } = this;
    this.expired = this.expirations;
    const lives = (id: bigint): boolean =>
      ensemble.oracle.state.isLive(id) ||
      ensemble.members.some(({ program }) => [...(program?.locals ?? [])].some((each) => each.id === id));
    const gone = load.clients.find(({ client }) => client?.state === 'connected');
    const session = gone?.client?.sessionId;
    if (gone === undefined || session === undefined || !lives(session)) return;
    for (const { host } of ensemble.members)
      for (const [from, to] of both(gone.host.name, host.name))
        ensemble.network.links.block({ from, to, channel: undefined });
    // whoever leads has heard of it for the last time, and what its wall clock says is not the time that passes
    await ensemble.run(2 * this.plan.tickMs);
    for (const { host } of ensemble.members) host.wallOffset -= BACK_MS;
    const ended = async (): Promise<void> => {
      while (lives(session)) await ensemble.scheduler.sleep(this.plan.tickMs);
    };
    await this.within(HEAL_MS, ended(), `the session ${hex(session)} of a client that is gone lives on`);
  }
  /** A member that missed something comes back while nobody writes: what UPTODATE tells is all that it hears. */
  private async quietReturn(left: readonly Member[]): Promise<void> {
    const { ensemble } = this;
    const { leader, verdicts } = ensemble;
    const away = someoneToCut(this.ensemble, left);
    if (leader === undefined || away === undefined || !verdicts.clean) return;
    away.cut(true);
    await this.within(HEAL_MS, this.ask(leader.sid), `one member is cut off, and ${leader.sid} does not answer`);
    // a stream that outlives it brings everything after all
    await ensemble.run(GONE_TICKS * this.plan.tickMs);
    away.cut(false);
    const sids = left.map(({ sid }) => sid);
    await this.within(HEAL_MS, this.sameEverywhere(sids), `${away.sid} came back while nobody wrote, and stays behind`);
  }
  private async sameEverywhere(sids: readonly number[]): Promise<void> {
    const { ensemble } = this;
    const where = (sid: number): string => {
      const { program } = ensemble.member(sid);
      const tree = program?.tree;
      return tree === undefined || program?.inParts === true ? '' : `${tree.zxidHi}/${tree.zxidLo}`;
    };
    for (;;) {
      const all = new Set(sids.map(where));
      if (all.size === 1 && !all.has('')) return;
      await ensemble.scheduler.sleep(this.plan.tickMs);
    }
  }
  /** All say of the members what the history says. */
  private sameMembers(left: readonly Member[]): void {
    const { configs, verdicts } = this.ensemble;
    for (const { sid, program } of left) {
      const told = rolesOf(program?.tree?.config);
      if (!sameRoles(told, configs.roles))
        verdicts.fail('I6', `server ${sid} takes ${show(told)} for the members, by the history ${show(configs.roles)}`);
    }
  }
  private async audit(): Promise<void> {
    const { ensemble } = this;
    this.supervisor.stop();
    for (const member of ensemble.members) {
      member.crash(false);
      if (!this.harm.harmed.has(member.sid)) await this.drained(auditDisk(ensemble, member));
    }
  }
  /** Goes on until the promise is settled; too late is a violation. */
  private async within(ms: number, promise: Promise<unknown>, text: string | (() => string)): Promise<void> {
    const { ensemble } = this;
    const { scheduler, verdicts } = ensemble;
    const end = scheduler.now + ms;
    let state = 'open' as 'open' | 'done' | 'late';
    let fault: unknown;
    promise.then(
      () => {
        if (state === 'open') state = 'done';
      },
      (error: unknown) => {
        fault = error;
        state = 'done';
      },
    );
    scheduler.at(end, 4, 0, () => {
      if (state === 'open') state = 'late';
    });
    await scheduler.runUntil(() => state !== 'open' || !verdicts.clean);
    if (fault !== undefined) throw fault;
    if (state === 'late') verdicts.fail('I12', `${typeof text === 'string' ? text : text()} after ${ms} ms`);
  }
  /** What needs no simulated time is done when the microtasks are. */
  private async drained(promise: Promise<unknown>): Promise<void> {
    await promise;
  }
  private tell(): void {
    const { ensemble, coverage, harm, supervisor } = this;
    coverage.reach('members changed', ensemble.configs.changes);
    coverage.reach('voters admitted', ensemble.configs.admissions);
    coverage.reach('refused to start', supervisor.refusals);
    coverage.reach('repaired', harm.repaired);
    for (const [mark, words] of Object.entries(SAID)) coverage.reach(mark, ensemble.trace.said(words));
    for (const [type, times] of Object.entries(ensemble.acks.synchronised))
      coverage.reach(`synchronised by ${type}`, times);
    coverage.reach('snapshots resumed', ensemble.acks.resumed);
    coverage.reach('syncs answered', ensemble.border.counts.syncs);
    coverage.reach('syncs at a deposed leader', ensemble.border.counts.deposedSyncs);
    coverage.reach('events told', ensemble.border.counts.events);
    const { locals, border, oracle, observer } = ensemble;
    const led = [...observer.epochs.values()].filter(({ sid }) => sid >= HIGH_ID);
    coverage.reach('led by an id from 128 on', led.length);
    coverage.reach('sessions of ids from 128 on', [...oracle.state.sessions.keys()].filter((id) => id < 0n).length);
    coverage.reach('local sessions', locals.counts.begun);
    coverage.reach('local sessions resumed', locals.counts.resumed);
    coverage.reach('local sessions upgraded', locals.counts.upgraded);
    coverage.reach('local sessions gone with their term', locals.counts.ended);
    coverage.reach('ephemerals refused to local sessions', oracle.refusals);
    coverage.reach('sessions with thousands ended', oracle.crowds);
    coverage.reach('nodes reaped after their time', oracle.reaped.timed);
    coverage.reach('containers reaped', oracle.reaped.containers);
    coverage.reach('read-only sessions', border.counts.shown);
    coverage.reach('read by read-only sessions', border.counts.shownReads);
    coverage.reach('refused to read-only sessions', border.counts.refusedWrites);
    // the chain finds it, and the server mends itself: but whose log and memory agree with what was told is never told that
    const strange = ensemble.trace.said(STRANGE);
    if (strange > 0) ensemble.verdicts.fail('I6', `a learner was sent what does not follow its log, ${strange} times`);
    const expired = this.expired ?? this.expirations;
    coverage.reach('sessions expired', expired);
    if (this.plan.profile === 'calm' && (expired > 0 || this.load.counts.lost > 0))
      ensemble.verdicts.fail(
        'calm',
        `${expired} sessions expired and ${this.load.counts.lost} requests were lost without a fault`,
      );
  }
}
