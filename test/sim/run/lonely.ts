import type { Verdicts } from '../check/verdicts.ts';
import type { Configs } from './configs.ts';
import type { Member } from './member.ts';

export interface LonelyAround {
  readonly members: readonly Member[];
  readonly configs: Pick<Configs, 'voters' | 'incarnationOf' | 'decides'>;
  readonly verdicts: Verdicts;
  /** As what a server's directory was named last. */
  incarnationOf(sid: number): string;
  /** It has the last config record. */
  knowsMembers(sid: number): boolean;
  now(): number;
}

/**
 * A leader leads no longer when too few voters are left for a quorum: their processes are gone, or they came back with other
 * directories, as which they have no vote. What the network does is left out: who is cut off is heard of by the other checkers.
 */
export class Lonely {
  private readonly since = new Map<number, { readonly at: number; readonly epoch: number; readonly life: number }>();
  private readonly around: LonelyAround;
  /** For so long it may go on, ms. */
  private readonly patienceMs: number;

  constructor(around: LonelyAround, patienceMs: number) {
    this.around = around;
    this.patienceMs = patienceMs;
  }
  look(): void {
    const { members, verdicts } = this.around;
    const now = this.around.now();
    for (const { sid, host, program } of members) {
      const epoch = host.alive && !host.paused ? program?.leads : undefined;
      if (epoch === undefined || !this.around.knowsMembers(sid) || this.canBeHeard) {
        this.since.delete(sid);
        continue;
      }
      const known = this.since.get(sid);
      if (known?.epoch !== epoch || known.life !== host.life) this.since.set(sid, { at: now, epoch, life: host.life });
      else if (now - known.at > this.patienceMs) {
        verdicts.fail(
          'lonely',
          `server ${sid} leads epoch ${epoch} ${Math.round(now - known.at)} ms after the last quorum of voters was there`,
        );
        this.since.delete(sid);
      }
    }
  }
  /** Enough voters run, each with the directory as which it counts. */
  private get canBeHeard(): boolean {
    const { members, configs } = this.around;
    const isThere = (sid: number): boolean =>
      members.some((member) => member.sid === sid && member.host.alive) &&
      configs.incarnationOf(sid) === this.around.incarnationOf(sid);
    return configs.decides(configs.voters, isThere);
  }
}
