import { type Config, KIND } from '../../../src/records/txns.ts';
import { type Committed, hex, type Ledger } from '../check/ledger.ts';
import type { Verdicts } from '../check/verdicts.ts';
import { decide, EQUAL, type Shares } from './shares.ts';

/** Who belongs to an ensemble and as what, by server number. */
export type Roles = ReadonlyMap<number, 'participant' | 'observer'>;
/** A change that was asked for: of the config of this version, to these. */
export interface Asked {
  readonly version: bigint;
  readonly roles: Roles;
}
/** A config record of the history. */
interface Known {
  readonly zxid: bigint;
  /** Its place in the history. */
  readonly place: number;
  readonly roles: Roles;
  readonly voters: readonly number[];
  /** Of which an incarnation is listed: the others count for nothing before they are admitted. */
  readonly listed: ReadonlySet<number>;
  /** Under which incarnation each counts. */
  readonly incarnations: ReadonlyMap<number, string | null>;
  /** Place of the first no-op behind it: whoever wrote what follows knew that this config is committed. */
  noop: number | undefined;
}
/** Records looked at, newest first, for one that a quorum holds. */
const LOOK_BACK = 40;

const votersOf = (roles: Roles): number[] => [...roles].flatMap(([sid, role]) => (role === 'participant' ? [sid] : []));
export const rolesOf = (config: Config | undefined): Roles =>
  new Map((config?.members ?? []).map(({ sid, role }) => [sid, role]));
export const sameRoles = (a: Roles, b: Roles): boolean =>
  a.size === b.size && [...a].every(([sid, role]) => b.get(sid) === role);
/** Who votes: by the committed history, and by what may yet be committed. */
export class Configs {
  private readonly known: Known[] = [];
  private readonly asked = new Set<Asked>();
  private readonly ledger: Ledger;
  private readonly verdicts: Verdicts;
  /** What each of them counts. */
  shares: Shares = EQUAL;
  /** Voters of zoo.cfg, who founded it. */
  first: readonly number[];

  constructor(ledger: Ledger, verdicts: Verdicts, first: readonly number[]) {
    this.ledger = ledger;
    this.verdicts = verdicts;
    this.first = first;
  }
  /** Whether those of `voters` for whom `holds` is true are a quorum of them. */
  decides(voters: readonly number[], holds: (sid: number) => boolean): boolean {
    return decide(voters, holds, this.shares);
  }
  private get last(): Known | undefined {
    return this.known.at(-1);
  }
  /** Of the last config that is committed. */
  get voters(): readonly number[] {
    return this.last?.voters ?? this.first;
  }
  /** The record of it, and its place in the history. */
  get record(): Committed | undefined {
    return this.last && this.ledger.history[this.last.place];
  }
  get roles(): Roles {
    return this.last?.roles ?? new Map();
  }
  get version(): bigint {
    return this.last?.zxid ?? 0n;
  }
  /** It is a member under an incarnation that counts. */
  isListed(sid: number): boolean {
    return this.last?.listed.has(sid) ?? true;
  }
  /** They decide in the last config that is committed, or in the one before. */
  decideLately(holds: (sid: number) => boolean): boolean {
    const { first, known } = this;
    const lately = known.length === 0 ? [first] : known.slice(-2).map(({ voters }) => voters);
    return lately.some((voters) => this.decides(voters, holds));
  }
  /** Some config of the history has it. */
  wasListed(sid: number): boolean {
    return this.known.some(({ roles }) => roles.has(sid));
  }
  /** Under which it counts; null: under none yet, undefined: no config says. */
  incarnationOf(sid: number): string | null | undefined {
    return this.last?.incarnations.get(sid);
  }
  /** Changes of the members in the history; a new directory of a voter is none. */
  changes = 0;
  /** Records that give a voter another incarnation. */
  admissions = 0;

  /** Told of every transaction of the history, in order. */
  take({ envelope: { txn }, zxid }: Committed): void {
    if (txn.kind !== KIND.found && txn.kind !== KIND.config) return;
    const roles = rolesOf(txn.config);
    const { last } = this;
    if (last !== undefined) {
      const wanted = [...this.asked].some((each) => each.version === last.zxid && sameRoles(each.roles, roles));
      if (sameRoles(last.roles, roles)) this.admissions++;
      else if (wanted) this.changes++;
      else this.verdicts.fail('oracle', `${hex(zxid)} makes ${show(roles)} the members; nobody asked for that`);
    }
    this.asked.clear(); // what was asked of the config before this one is refused by its version
    const listed = new Set(txn.config.members.flatMap(({ sid, incarnation }) => (incarnation === null ? [] : [sid])));
    const incarnations = new Map(txn.config.members.map(({ sid, incarnation }) => [sid, incarnation]));
    const place = this.ledger.history.length - 1;
    this.known.push({ zxid, place, roles, voters: votersOf(roles), listed, incarnations, noop: undefined });
  }
  /** A request for these members is on its way. */
  ask(roles: Roles): Asked {
    const asked: Asked = { version: this.version, roles };
    this.asked.add(asked);
    return asked;
  }
  /** It was refused for good. */
  refused(asked: Asked): void {
    this.asked.delete(asked);
  }
  /**
   * Voters of each config that counts, or may come to count, at some member. One counts as long as no quorum of the next
   * knows on its disk that the next is committed: those for whom `knows` is true, after a harm that is thought of. A voter that
   * counts there under an incarnation it has no more is there by a number that is nobody's.
   */
  possible(knows: (sid: number) => boolean = () => true): (readonly number[])[] {
    const sets: (readonly number[])[] = [this.voters, ...[...this.asked].map(({ roles }) => votersOf(roles))];
    for (let at = this.known.length - 1; at > 0; at--) {
      if (this.isDone(this.known[at] as Known, knows)) break;
      const { voters, incarnations } = this.known[at - 1] as Known;
      sets.push(voters.map((sid) => (incarnations.get(sid) === this.last?.incarnations.get(sid) ? sid : -sid)));
    }
    return sets;
  }
  private isDone(config: Known, knows: (sid: number) => boolean): boolean {
    const { history, holdings } = this.ledger;
    for (let at = config.place + 1; config.noop === undefined && at < history.length; at++)
      if ((history[at] as Committed).envelope.txn.kind === KIND.noop) config.noop = at;
    if (config.noop === undefined) return false;
    for (let at = history.length - 1; at >= config.noop && at >= history.length - LOOK_BACK; at--) {
      const { chain } = history[at] as Committed;
      const holds = (sid: number): boolean => knows(sid) && holdings.get(sid)?.durable.has(chain) === true;
      if (this.decides(config.voters, holds)) return true;
    }
    return false;
  }
  /**
   * Whether a majority of the voters of some config would know of none after it, when each has what `has` says, by chain: they
   * would elect one another, and nobody could tell them better.
   */
  isForgotten(has: (sid: number, chain: string) => boolean): boolean {
    const { history } = this.ledger;
    return this.known.some(({ voters }, at) => {
      const next = this.known[at + 1];
      if (next === undefined) return false;
      const isOld = (sid: number): boolean => !history.slice(next.place).some(({ chain }) => has(sid, chain));
      return this.decides(voters, isOld);
    });
  }
  /** Whether these servers could commit what stands at this place of the history. */
  isQuorum(sids: readonly number[], zxid: bigint): boolean {
    let at = this.known.length - 1;
    while (at >= 0 && (this.known[at] as Known).zxid > zxid) at--;
    const config = this.known[at];
    const sets = [config?.voters ?? this.first];
    // a config record needs the voters of the config before it, too
    if (config?.zxid === zxid && at > 0) sets.push((this.known[at - 1] as Known).voters);
    return sets.every((voters) => this.decides(voters, (sid) => sids.includes(sid)));
  }
}
export const show = (roles: Roles): string =>
  [...roles]
    .sort(([a], [b]) => a - b)
    .map(([sid, role]) => `${sid}${role === 'observer' ? ' (observer)' : ''}`)
    .join();
