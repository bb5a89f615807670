import type { Verdicts } from '../check/verdicts.ts';
import type { Links } from '../world/links.ts';
import type { Configs } from './configs.ts';
import type { Member } from './member.ts';

export interface StuckAround {
  readonly members: readonly Member[];
  readonly configs: Pick<Configs, 'voters' | 'incarnationOf' | 'decides'>;
  readonly verdicts: Verdicts;
  readonly links: Pick<Links, 'isTroubled'>;
  /** As what a server's directory was named last. */
  incarnationOf(sid: number): string;
  /** It has the last config record. */
  knowsMembers(sid: number): boolean;
  readonly tickMs: number;
  now(): number;
}

/**
 * A leader whose own log hangs leads no longer when a quorum of the others is there, in its epoch, with disks and links that do
 * nothing unusual: they could have committed whatever it waits for, and its clients and every sync wait with it.
 */
export class Stuck {
  private readonly since = new Map<number, { readonly at: number; readonly epoch: number; readonly life: number }>();
  private readonly around: StuckAround;
  /** For so long it may go on, ms. */
  private readonly patienceMs: number;

  constructor(around: StuckAround, patienceMs: number) {
    this.around = around;
    this.patienceMs = patienceMs;
  }
  look(): void {
    const { members, verdicts } = this.around;
    const now = this.around.now();
    for (const member of members) {
      const { sid, host, program, isHung } = member;
      const epoch = isHung && host.alive && !host.paused ? program?.leads : undefined;
      if (epoch === undefined || !this.othersCould(member, epoch)) {
        this.since.delete(sid);
        continue;
      }
      const known = this.since.get(sid);
      if (known?.epoch !== epoch || known.life !== host.life) this.since.set(sid, { at: now, epoch, life: host.life });
      else if (now - known.at > this.patienceMs) {
        const ms = Math.round(now - known.at);
        verdicts.fail(
          'stuck',
          `server ${sid} leads epoch ${epoch}, its log hangs, and the others could go on for ${ms} ms`,
        );
        this.since.delete(sid);
      }
    }
  }
  private othersCould(leader: Member, epoch: number): boolean {
    const { members, configs, links, tickMs } = this.around;
    const now = this.around.now();
    const well = members.filter(
      (member) =>
        member !== leader &&
        member.host.alive &&
        !member.host.paused &&
        member.program?.serves === true &&
        member.program.epoch === epoch &&
        member.isWell(tickMs) &&
        this.around.knowsMembers(member.sid) &&
        configs.incarnationOf(member.sid) === this.around.incarnationOf(member.sid) &&
        !links.isTroubled(leader.host.name, member.host.name, now),
    );
    return configs.decides(configs.voters, (sid) => well.some((member) => member.sid === sid));
  }
}
