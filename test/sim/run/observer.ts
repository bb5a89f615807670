import type { DataTree } from '../../../src/tree/data-tree.ts';
import { digest } from '../../../src/tree/snapshot.ts';
import type { AckWatch } from '../check/acks.ts';
import { hex, type Ledger } from '../check/ledger.ts';
import { chainKey } from '../check/log-tap.ts';
import type { Oracle } from '../check/oracle.ts';
import { treeFaults, zxidOfTree } from '../check/trees.ts';
import type { Verdicts } from '../check/verdicts.ts';
import type { Member } from './member.ts';

/** Trees are compared with the model as a whole after this many transactions, and at the end. */
const COMPARE_EVERY = 150;

/** A state as it was seen last. */
interface Seen {
  readonly tree: DataTree;
  readonly zxid: bigint;
  /** Before the event in which it changed, and which that was. */
  readonly before: bigint;
  readonly event: number;
  readonly compared: number;
}
export interface ObserverAround {
  readonly oracle: Oracle;
  readonly ledger: Ledger;
  readonly verdicts: Verdicts;
  readonly acks: AckWatch;
  /** Events so far, and now, ms. */
  events(): number;
  now(): number;
  say(text: string): void;
}

/** Looks at members after each event: who leads, and what they applied. */
export class Observer {
  /** Who led which epoch, and since when, ms. */
  /** Who led each, ms of simulated time; `until`: when it was seen to last. */
  readonly epochs = new Map<number, { readonly sid: number; readonly since: number; until: number }>();
  private readonly seen = new Map<number, Seen>();
  /** The life of each member whose beginning was looked at. */
  private readonly begun = new Map<number, number>();
  /** What the whole state came to at each place where one was looked at. */
  private readonly digests = new Map<bigint, string>();
  private readonly around: ObserverAround;

  constructor(around: ObserverAround) {
    this.around = around;
  }
  /** The moment of a server's state; and the one before the event that is under way. */
  momentOf(sid: number): number | undefined {
    return this.around.oracle.state.momentOf(this.seen.get(sid)?.zxid ?? 0n);
  }
  beforeOf(sid: number): number | undefined {
    const seen = this.seen.get(sid);
    const zxid = seen?.event === this.around.events() ? seen.before : seen?.zxid;
    return this.around.oracle.state.momentOf(zxid ?? 0n);
  }
  /** Up to where it was seen to have applied, in its present or last life. */
  appliedBy(sid: number): bigint {
    return this.seen.get(sid)?.zxid ?? 0n;
  }
  look(member: Member): void {
    const { sid, host, program } = member;
    if (program === undefined || !host.alive) return;
    this.lookAtStart(member);
    this.lookAtRole(sid, program.leads);
    const { tree } = program;
    if (tree === undefined) return;
    const last = this.seen.get(sid);
    const before = last?.tree === tree ? last.zxid : -1n;
    if (last?.tree === tree && isSame(before, tree)) return;
    const { verdicts, ledger, oracle, acks } = this.around;
    const zxid = zxidOfTree(tree);
    if (zxid < before) verdicts.fail('I2', `server ${sid} went back from ${hex(before)} to ${hex(zxid)}`);
    const chain = chainKey(tree.chainHi, tree.chainLo);
    ledger.applied(sid, zxid, chain);
    if (!ledger.holdingsOf(sid).has(chain) && !acks.isThere(sid, zxid))
      verdicts.fail('I11', `server ${sid} applied ${hex(zxid)}, which its own disk does not hold`);
    const { now } = oracle.state;
    const due = now - (last?.compared ?? 0) >= COMPARE_EVERY && !program.inParts;
    const compared = due ? now : (last?.compared ?? 0);
    this.seen.set(sid, { tree, zxid, before: last?.zxid ?? 0n, event: this.around.events(), compared });
    if (due) this.compare(member);
  }
  /** What a life found in its directory, once. */
  private lookAtStart({ sid, host, program }: Member): void {
    if (program === undefined || this.begun.get(sid) === host.life) return;
    const { startedWith } = program;
    if (startedWith === undefined) return;
    this.begun.set(sid, host.life);
    this.around.acks.started(sid, startedWith);
  }
  /** It takes part in the latest epoch. */
  isPresent({ program }: Member): boolean {
    return program?.epoch !== undefined && program.epoch === this.latest;
  }
  isDeposed({ program }: Member): boolean {
    return program?.leads !== undefined && program.leads < this.latest;
  }
  private latest = 0;
  private readonly waiting: (() => void)[] = [];
  /** Resolves in the moment in which somebody begins to lead. */
  nextLeader(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
  private lookAtRole(sid: number, epoch: number | undefined): void {
    if (epoch === undefined) return;
    const known = this.epochs.get(epoch);
    if (known?.sid === sid) {
      known.until = this.around.now();
      return;
    }
    if (known !== undefined)
      return this.around.verdicts.fail('I1', `servers ${known.sid} and ${sid} both led epoch ${epoch}`);
    this.latest = Math.max(this.latest, epoch);
    const now = this.around.now();
    this.epochs.set(epoch, { sid, since: now, until: now });
    for (const told of this.waiting.splice(0)) told();
    if (epoch > 0) this.around.acks.leads(sid, epoch);
    this.around.say(`s${sid} leads epoch ${epoch}`);
  }
  /** A member's tree against the model, whole. */
  compare({ sid, program }: Member): void {
    if (program?.tree === undefined) return;
    const { verdicts, oracle } = this.around;
    const faults = treeFaults(program.tree, oracle.state);
    if (faults.length > 0)
      verdicts.fail('I6', `server ${sid} differs in ${faults.length} places: ${faults.slice(0, 3).join('; ')}`);
    // passwords, members and boot tags are no part of the model: replicas are compared with each other
    const zxid = zxidOfTree(program.tree);
    const own = digest(program.tree);
    const known = this.digests.get(zxid);
    if (known === undefined) this.digests.set(zxid, own);
    else if (known !== own)
      verdicts.fail('I6', `server ${sid} has another digest at ${hex(zxid)} than was seen before`);
  }
}
const isSame = (zxid: bigint, tree: DataTree): boolean =>
  Number(zxid & 0xffff_ffffn) === tree.zxidLo >>> 0 && Number(zxid >> 32n) === tree.zxidHi;
