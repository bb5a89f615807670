import type { PeerChannel } from './peer-channel.ts';
import { isSameProcess } from './peer-hello.ts';

/** A channel whose two ends know each other. */
export interface Met {
  readonly channel: PeerChannel;
  readonly sid: number;
  readonly purpose: 'election' | 'quorum';
  /** By this server; otherwise by the other one. */
  readonly dialled: boolean;
  /** Of the other server. */
  readonly incarnation: string;
  readonly tag: string;
  readonly attempt: number;
}

/**
 * What becomes of a second channel where there is one already. `replace`: the new one stays. `stale`: the present one
 * does. `probe`: that depends on whether the present one is alive.
 */
export type Verdict = 'replace' | 'stale' | 'probe';

/**
 * Judges by the rule of ZooKeeper's elections, that of two connections the one dialled by the larger id stays; of two
 * dialled by one process the later stays, since it gave the earlier up. Both ends come to the same end.
 */
export function judgeSecond(newcomer: Met, present: Met, self: number): Verdict {
  if (!isSameProcess(newcomer, present)) return 'probe';
  if (newcomer.dialled === present.dialled) return newcomer.attempt > present.attempt ? 'replace' : 'stale';
  return newcomer.dialled === self > newcomer.sid ? 'replace' : 'probe';
}

/** The channels there are: one per server and purpose; on the quorum port one per direction, who dials being the learner. */
export class PeerTable {
  private readonly places = new Map<string, Met>();
  private readonly byNumber = new Map<number, Met>();
  private readonly place = ({ sid, purpose, dialled }: Pick<Met, 'sid' | 'purpose' | 'dialled'>): string =>
    purpose === 'election' ? `election ${sid}` : `quorum ${sid} ${dialled ? 'out' : 'in'}`;

  get size(): number {
    return this.places.size;
  }
  at(place: Pick<Met, 'sid' | 'purpose' | 'dialled'>): Met | undefined {
    return this.places.get(this.place(place));
  }
  election(sid: number): Met | undefined {
    return this.at({ sid, purpose: 'election', dialled: false });
  }
  numbered(channel: number): Met | undefined {
    return this.byNumber.get(channel);
  }
  all(): Met[] {
    return [...this.places.values()];
  }
  /** As {@link all}, without a copy: one that goes meanwhile is left out. */
  each(): IterableIterator<Met> {
    return this.places.values();
  }
  add(met: Met): void {
    this.places.set(this.place(met), met);
    this.byNumber.set(met.channel.number, met);
  }
  remove(met: Met): void {
    this.byNumber.delete(met.channel.number);
    if (this.at(met) === met) this.places.delete(this.place(met));
  }
}
