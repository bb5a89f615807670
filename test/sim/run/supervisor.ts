import { exponential } from '../world/chance.ts';
import type { DiskHarm } from './disk-harm.ts';
import type { Ensemble } from './ensemble.ts';
import type { Member } from './member.ts';

/** Starts a member that refuses so often before an operator empties its directory, as docs tell them to. */
const REFUSALS = 3;

/** Starts members again after they died, as systemd would; and is the operator for those that refuse to start. */
export class Supervisor {
  private readonly ensemble: Ensemble;
  private readonly harm: DiskHarm;
  private readonly meanMs: number;
  private readonly refused = new Map<number, number>();
  private running = false;
  /** Members that are left dead. */
  readonly leave = new Set<number>();
  /** And those that are left so for a while. */
  readonly held = new Set<number>();
  refusals = 0;

  constructor(ensemble: Ensemble, harm: DiskHarm, meanMs: number) {
    this.ensemble = ensemble;
    this.harm = harm;
    this.meanMs = meanMs;
  }
  start(): void {
    this.running = true;
    for (const member of this.ensemble.members) {
      void this.watch(member);
    }
  }
  stop(): void {
    this.running = false;
  }
  private async watch(member: Member): Promise<void> {
    const { scheduler, chance } = this.ensemble;
    const random = chance.stream(`supervisor/${member.sid}`);
    let life = -1;
    while (this.running) {
      await scheduler.sleep(Math.max(20, exponential(random, this.meanMs)));
      if (!this.running) return;
      if (member.isUp) {
        if (life !== member.host.life && member.program?.bootTag !== undefined) {
          life = member.host.life;
          this.harm.started(member);
        }
        continue;
      }
      if (this.leave.has(member.sid) || this.held.has(member.sid)) continue;
      if (member.state === 'refused') this.refuse(member);
      member.start();
      if (member.crashLoop > 0) {
        member.crashLoop--;
        member.crashAtCall(random.below(60), random.below(2) === 0);
      }
    }
  }
  private refuse(member: Member): void {
    this.refusals++;
    const count = (this.refused.get(member.sid) ?? 0) + 1;
    this.refused.set(member.sid, count);
    if (count < REFUSALS || !this.harm.isLost(member.sid)) return;
    this.refused.delete(member.sid);
    this.ensemble.say(`s${member.sid}: the operator empties its directory: ${member.reason}`);
    member.disk.become(new Map());
    this.ensemble.ledger.lose(member.sid);
    this.harm.emptied(member.sid);
  }
}
