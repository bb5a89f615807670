import type { Random } from '../../../src/base/random.ts';
import type { Client } from '../../../src/client/api.ts';
import { oneIn, pick } from '../world/chance.ts';
import { SimClient } from './client.ts';
import { SUPER } from './config.ts';
import { type Asked, type Roles, show } from './configs.ts';
import type { Coverage } from './coverage.ts';
import type { DiskHarm } from './disk-harm.ts';
import type { Ensemble } from './ensemble.ts';
import { type Member, nameOfServer, PORT } from './member.ts';
import { promise } from './promise.ts';
import { isKnown } from './registers.ts';
import { decide } from './shares.ts';

/** Whoever is made a voter has promised so many epochs more than it took part in, at most. */
const PROMISES = 4;
/** For it to come back, ticks. */
const PATIENCE = 30;
/** Voters that are left at least, and more than these are not wanted. */
const LEAST = 2;
const MOST = 7;
/** After these the members are what they were, and stay so unless somebody asks again. */
const FOR_GOOD = new Set(['NewConfigNoQuorum', 'BadVersion', 'BadArguments', 'NoAuth', 'ReconfigDisabled']);

type Change = Parameters<Client['reconfig']>[0];
const line = (sid: number, role: string): string =>
  `server.${sid}=${nameOfServer(sid)}:${PORT.quorum}:${PORT.election}:${role};${PORT.client}`;

/** Who changes the members while everything else goes on, one change at a time. */
export class Operator {
  private readonly ensemble: Ensemble;
  private readonly coverage: Coverage;
  private readonly isHealthy: (sid: number) => boolean;
  private readonly isHarmed: (sid: number) => boolean;
  private readonly client: SimClient;
  /** Servers that nobody starts for now. */
  private readonly held: Set<number>;
  private busy = false;

  constructor(
    { ensemble, coverage, held }: { ensemble: Ensemble; coverage: Coverage; held: Set<number> },
    harm: Pick<DiskHarm, 'isHealthy' | 'harmed'>,
    timeoutMs: number,
  ) {
    this.ensemble = ensemble;
    this.coverage = coverage;
    this.held = held;
    this.isHealthy = (sid) => harm.isHealthy(sid);
    this.isHarmed = (sid) => harm.harmed.has(sid);
    this.client = new SimClient(98, ensemble, timeoutMs, ensemble.options.servers, [SUPER]);
  }
  /** Asks for a change; in words, undefined when none is sensible now. */
  change(random: Random): string | undefined {
    const { configs } = this.ensemble;
    const { roles } = configs;
    const next = this.draw(random, roles);
    if (this.busy || roles.size === 0 || next === undefined) return undefined;
    const newcomer = oneIn(random, 4) ? undefined : this.newcomer(next);
    const asked = configs.ask(next);
    this.busy = true;
    const change = changeTo(roles, next, configs.version, oneIn(random, 4));
    const made =
      newcomer === undefined
        ? this.ask(asked, change)
        : this.askAbove(asked, change, newcomer, 1 + random.below(PROMISES));
    void made.finally(() => {
      this.busy = false;
    });
    return `${show(roles)} to ${show(next)}`;
  }
  /** One that becomes a voter and was never listed: of all others a leader hears what they have promised as soon as they come. */
  private newcomer(next: Roles): Member | undefined {
    const { configs, members } = this.ensemble;
    return members.find(
      ({ sid }) =>
        next.get(sid) === 'participant' && !configs.wasListed(sid) && !this.held.has(sid) && !this.isHarmed(sid),
    );
  }
  /**
   * It has promised a later epoch than the one that is led, to leaders that never came to be: the term ends, and asked again the next one
   * takes it (13.11).
   */
  private async askAbove(asked: Asked, change: Change, newcomer: Member, more: number): Promise<void> {
    const { scheduler, trace, options } = this.ensemble;
    const { sid } = newcomer;
    this.held.add(sid);
    const epoch = await promise(newcomer, more).catch(() => undefined);
    this.held.delete(sid);
    this.ensemble.say(`s${sid} has promised epoch ${epoch}`);
    for (let left = PATIENCE; left > 0 && newcomer.program?.serves !== true; left--)
      await scheduler.sleep(options.tickMs);
    const words = `looking for a leader: server ${sid} has accepted epoch ${epoch}`;
    trace.count(words);
    await this.ask(asked, change);
    if (trace.said(words) === 0) return;
    this.coverage.reach('terms ended for a new voter');
    await this.ask(asked, change);
  }
  private draw(random: Random, roles: Roles): Roles | undefined {
    const next = new Map(roles);
    const all = this.ensemble.options.servers;
    for (let steps = 1 + random.below(2); steps > 0; steps--) {
      const sid = pick(random, all);
      const wish = pick(random, ['participant', 'participant', 'observer', 'gone'] as const);
      if (wish === 'gone') next.delete(sid);
      else next.set(sid, wish);
    }
    const voters = [...next].flatMap(([sid, role]) => (role === 'participant' ? [sid] : []));
    const differs = [...all].some((sid) => next.get(sid) !== roles.get(sid));
    // as with damage: never so that the healthy are no quorum
    const healthy = decide(voters, this.isHealthy);
    return differs && healthy && voters.length >= LEAST && voters.length <= MOST ? next : undefined;
  }
  private async ask(asked: Asked, change: Change): Promise<void> {
    const { ensemble, coverage } = this;
    try {
      const client = await this.client.get();
      const { stat } = await client.reconfig(change);
      coverage.tell('op.reconfig');
      this.check(asked, stat.mzxid);
    } catch (error) {
      if (!isKnown(error)) throw error;
      ensemble.say(`the members are not changed: ${error.code}`);
      if (FOR_GOOD.has(error.code)) ensemble.configs.refused(asked);
    }
  }
  /** What is answered is in the history, where a record needs the disks of a quorum of those before and of those after (A4). */
  private check({ roles }: Asked, version: bigint): void {
    const { ledger, verdicts } = this.ensemble;
    if (ledger.at(version) === undefined)
      verdicts.fail('I3', `members ${show(roles)} are answered and not in the history`);
  }
}

/** The request that makes these of those: what leaves and what joins, or all anew. */
function changeTo(roles: Roles, next: Roles, version: bigint, whole: boolean): Change {
  if (whole) return { members: [...next].map(([sid, role]) => line(sid, role)).join('\n'), version };
  const leaving = [...roles.keys()].filter((sid) => !next.has(sid));
  const joining = [...next].filter(([sid, role]) => roles.get(sid) !== role);
  return {
    ...(leaving.length === 0 ? {} : { leaving: leaving.join() }),
    ...(joining.length === 0 ? {} : { joining: joining.map(([sid, role]) => line(sid, role)).join() }),
    version,
  };
}
