import { type Random, seededRandom } from '../../../src/base/random.ts';
import { GROUP_HEADER, SECTOR } from '../../../src/records/log-record.ts';
import { KIND } from '../../../src/records/txns.ts';
import { envelopesOf, isWholeGroup } from '../check/log-tap.ts';
import { SimDisk } from '../disk.ts';
import { oneIn, pick } from '../world/chance.ts';
import type { Coverage, FaultKind } from './coverage.ts';
import type { Ensemble } from './ensemble.ts';
import type { Injected } from './fault.ts';
import type { Member } from './member.ts';

/** Of the head of a group. */
const GROUP = 0x5a475250; // ZGRP

/** A directory as it once was, and who had been seen by then. */
interface OldCopy {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly durable: ReadonlySet<string>;
  readonly takenAt: number;
  /** Of its process, when it was taken: tags of later lives are not in it. */
  readonly life: number;
}
interface Harm {
  readonly kind: FaultKind;
  /** It was done: a call that is to go elsewhere has come. */
  took: boolean;
  /** In this life of its process or before: a later one meets it. */
  life: number;
  /** Its loader went over it. */
  met: boolean;
}
/** Reads a directory as the production loader does; resolves with what it says is wrong, undefined when it is whole. */
export type Verify = (member: Member, disk: SimDisk) => Promise<string | undefined>;

const once = (text: string): Injected => ({ text, forMs: 0, end: () => {} });

/**
 * Damage to disks, never so much that no healthy quorum is left (the atlas rule): a member that lost something counts as
 * lost until it serves again and its directory reads whole.
 */
export class DiskHarm {
  readonly harmed = new Map<number, Harm>();
  private readonly copies = new Map<number, OldCopy>();
  /** In which life of its process each tag came to be. */
  private readonly tags = new Map<string, number>();
  private readonly ensemble: Ensemble;
  private readonly coverage: Coverage;
  private readonly verify: Verify;
  repaired = 0;

  constructor(ensemble: Ensemble, coverage: Coverage, verify: Verify) {
    this.ensemble = ensemble;
    this.coverage = coverage;
    this.verify = verify;
  }
  /** Its directory counts as lost already: an operator may empty it. */
  isLost(sid: number): boolean {
    const harm = this.harmed.get(sid);
    return harm !== undefined && harm.kind !== 'disk.read_eio';
  }
  /** It lacks nothing, and its voice counts, or will once it is a voter: it is listed as what it is. */
  isHealthy(sid: number): boolean {
    const { configs, ledger } = this.ensemble;
    const { incarnation } = ledger.holdingsOf(sid);
    return (
      !this.harmed.has(sid) && configs.isListed(sid) && (configs.incarnationOf(sid) ?? incarnation) === incarnation
    );
  }
  private may(sid: number): boolean {
    if (this.harmed.has(sid)) return false;
    const { configs } = this.ensemble;
    const isLeft = (each: number): boolean => each !== sid && this.isHealthy(each);
    // whoever is empty and meets all voters of its zoo.cfg empty founds another ensemble: one of them keeps what it has
    if (!configs.first.some((each) => each !== sid && !this.harmed.has(each))) return false;
    const isHeard = (each: number): boolean => isLeft(each) && this.ensemble.knowsMembers(each);
    if (!configs.decides(configs.voters, isHeard)) return false;
    return configs.possible(isLeft).every((voters) => configs.decides(voters, isLeft));
  }
  private candidate(random: Random): Member | undefined {
    const open = this.ensemble.members.filter(({ sid, disk }) => this.may(sid) && disk.paths().length > 4);
    return open.length === 0 ? undefined : pick(random, open);
  }
  private note(member: Member, kind: FaultKind, text: string, took = true): Injected {
    this.harmed.set(member.sid, { kind, took, life: member.host.life, met: false });
    return once(`${member.host.name}: ${text}`);
  }
  /** A call went elsewhere: this start meets what came of it, or the next. */
  private happened({ sid, host }: Member, kind: FaultKind, meets: 'now' | 'later'): void {
    const harm = this.harmed.get(sid);
    if (harm?.kind !== kind) return;
    harm.took = true;
    harm.life = meets === 'now' ? host.life - 1 : host.life;
  }
  /** By the operator: whatever was to come of the harm that let them, the directory is lost now. */
  emptied(sid: number): void {
    const harm = this.harmed.get(sid);
    if (harm !== undefined) harm.took = true;
  }
  /** No call goes elsewhere any more; where none did nothing is harmed. */
  calm(): void {
    for (const [sid, { took }] of [...this.harmed]) if (!took) this.harmed.delete(sid);
  }
  /** Called when a member starts: its loader meets what was done to its disk. */
  started({ sid, program, host }: Member): void {
    const tag = program?.bootTag;
    if (tag !== undefined && !this.tags.has(tag)) this.tags.set(tag, host.life);
    const harm = this.harmed.get(sid);
    if (harm === undefined || harm.met || !harm.took || host.life <= harm.life) return;
    harm.met = true;
    this.coverage.tell(harm.kind);
  }
  private aFile(random: Random, { disk }: Member): string | undefined {
    const files = disk.paths().filter((path) => disk.raw(path).length > 0);
    return files.length === 0 ? undefined : pick(random, files);
  }
  bitrot(random: Random): Injected | undefined {
    const member = this.candidate(random);
    if (member === undefined) return undefined;
    const newest = oneIn(random, 2) ? newestLog(member.disk) : undefined;
    if (newest !== undefined) return this.lastGroup(random, member, newest);
    const path = this.aFile(random, member);
    if (path === undefined) return undefined;
    const bytes = member.disk.raw(path);
    const written = lastWritten(bytes);
    const bits = 1 + random.below(3);
    // what was written last is read and believed first
    const from = oneIn(random, 3) ? Math.max(0, written - 600) : 0;
    for (let i = 0; i < bits; i++) {
      const at = from + random.below(written - from);
      const bit = random.below(8);
      member.disk.flip(path, at, bit);
      this.ensemble.ledger.holdingsOf(member.sid).rotted(path, at, bit);
    }
    if (oneIn(random, 2)) member.crash(false);
    return this.note(member, 'disk.bitrot', `${bits} bits of ${path}`);
  }
  /** One bit of what was logged last, often of a head, and the next start is now: it may look as if it was never whole. */
  private lastGroup(random: Random, member: Member, path: string): Injected | undefined {
    const bytes = member.disk.raw(path);
    const written = lastWritten(bytes);
    const sector = Math.floor((written - 1) / SECTOR) - random.below(3);
    const isHead = !oneIn(random, 3);
    const inside = isHead || oneIn(random, 2) ? random.below(GROUP_HEADER) : random.below(SECTOR);
    const head = isHead ? lastHead(bytes, written) : Math.max(1, sector) * SECTOR;
    const at = Math.min(written - 1, head + inside);
    if (at < SECTOR) return undefined;
    const bit = random.below(8);
    member.disk.flip(path, at, bit);
    this.ensemble.ledger.holdingsOf(member.sid).rotted(path, at, bit);
    member.crash(false);
    return this.note(member, 'disk.bitrot', `a bit of ${path}, at ${at} of ${written}`);
  }
  misdirectWrite(random: Random): Injected | undefined {
    const member = this.candidate(random);
    const path = member === undefined ? undefined : this.aFile(random, member);
    if (member === undefined || path === undefined) return undefined;
    const { disk } = member;
    const at = 512 * random.below(Math.ceil(disk.raw(path).length / 512));
    disk.redirect = (from, where, bytes) => {
      disk.redirect = undefined;
      if ((from === path && where === at) || !disk.paths().includes(path)) return undefined;
      const holdings = this.ensemble.ledger.holdingsOf(member.sid);
      holdings.believed(from, where, where + bytes.length);
      // what is under way there is written over when it has come
      holdings.believed(path, at, at + bytes.length);
      if (envelopesOf(bytes).length > 0) landWhereLast(disk, from, Buffer.from(bytes), where);
      this.happened(member, 'disk.misdirected_write', 'later');
      return { path, at };
    };
    return this.note(member, 'disk.misdirected_write', `the next write goes to ${path} at ${at}`, false);
  }
  misdirectRead(random: Random): Injected | undefined {
    const member = this.candidate(random);
    if (member === undefined) return undefined;
    const { disk } = member;
    let after = random.below(10);
    disk.misread = (path, at) => {
      if (after-- > 0) return undefined;
      disk.misread = undefined;
      const elsewhere = 512 * random.below(Math.ceil((disk.raw(path).length + 1) / 512)) + (at % 512);
      if (elsewhere !== at) this.happened(member, 'disk.misdirected_read', 'now');
      return elsewhere;
    };
    member.crash(false);
    return this.note(member, 'disk.misdirected_read', 'a read comes from elsewhere', false);
  }
  wipe(random: Random): Injected | undefined {
    const member = this.candidate(random);
    if (member === undefined) return undefined;
    member.crash(true);
    member.disk.become(new Map());
    this.ensemble.ledger.lose(member.sid);
    return this.note(member, 'disk.wiped', 'wiped');
  }
  hideLog(random: Random): Injected | undefined {
    const member = this.candidate(random);
    if (member === undefined) return undefined;
    member.crash(false);
    for (const path of member.disk.paths()) if (path.startsWith('/log/')) member.disk.remove(path);
    this.ensemble.ledger.lose(member.sid);
    return this.note(member, 'disk.missing_log', 'the log volume is not there');
  }
  /**
   * One read fails. A member takes what it cannot read for lost and waits to be given it again, however whole the disk is: so
   * this counts as damage, from when it may happen until it is mended.
   */
  readError(random: Random, forMs: number): Injected | undefined {
    const alone = this.ensemble.members.length === 1;
    const member = alone ? this.ensemble.members[0] : this.candidate(random);
    if (member === undefined) return undefined;
    const { disk, sid } = member;
    let after = random.below(4);
    let failed = false;
    const fault = (call: string): string | undefined => {
      if (call !== 'read' || failed || after-- > 0) return undefined;
      failed = true;
      this.coverage.tell('disk.read_eio');
      const harm = this.harmed.get(sid);
      if (harm?.kind === 'disk.read_eio') harm.met = true;
      return 'EIO';
    };
    disk.fault = fault;
    if (!alone) this.harmed.set(sid, { kind: 'disk.read_eio', took: true, life: Number.POSITIVE_INFINITY, met: false });
    return {
      text: member.host.name,
      forMs,
      end: () => {
        if (disk.fault === fault) disk.fault = () => undefined;
        if (!failed && this.harmed.get(sid)?.kind === 'disk.read_eio') this.harmed.delete(sid);
      },
    };
  }
  /** Remembers how a directory is now; later it may be that again. */
  keepCopies(): void {
    for (const { sid, disk, host } of this.ensemble.members)
      if (!this.copies.has(sid) && disk.paths().length > 4 && !this.harmed.has(sid))
        this.copies.set(sid, {
          files: disk.durableFiles(),
          durable: this.ensemble.ledger.holdingsOf(sid).durableIn(disk.durableFiles()),
          takenAt: this.ensemble.scheduler.now,
          life: host.life,
        });
  }
  /** Whether others know of a start of it that this copy lacks: else the copy cannot be told from the present (13.16). */
  private isKnownOld(member: Member, copy: OldCopy): boolean {
    const { ledger, configs } = this.ensemble;
    const isOther = (sid: number): boolean => sid !== member.sid && !this.harmed.has(sid);
    const sets = configs.possible(isOther);
    return ledger.history.some(({ chain, envelope: { txn } }) => {
      if (txn.kind !== KIND.seen || txn.sid !== member.sid) return false;
      const since = this.tags.get(txn.tag);
      if (since === undefined || since <= copy.life) return false;
      const holds = (sid: number): boolean => isOther(sid) && ledger.holdingsOf(sid).durable.has(chain);
      return sets.every((voters) => configs.decides(voters, holds));
    });
  }
  /** With it, too many would know only of members that are others by now. */
  private isTooOld({ sid }: Member, copy: OldCopy): boolean {
    const { configs, ledger } = this.ensemble;
    return configs.isForgotten((each, chain) =>
      (each === sid ? copy.durable : ledger.holdingsOf(each).durable).has(chain),
    );
  }
  rollBack(random: Random): Injected | undefined {
    const open = this.ensemble.members.flatMap((member) => {
      const copy = this.may(member.sid) ? this.copies.get(member.sid) : undefined;
      if (copy === undefined || !this.isKnownOld(member, copy) || this.isTooOld(member, copy)) return [];
      return [{ member, copy }];
    });
    if (open.length === 0) return undefined;
    const { member, copy } = pick(random, open);
    this.copies.delete(member.sid);
    member.crash(true);
    member.disk.become(copy.files);
    this.ensemble.ledger.lose(member.sid, copy.durable);
    return this.note(member, 'disk.rolled_back', `as it was at ${Math.round(copy.takenAt)}`);
  }
  /** Members that serve again with a whole directory are no longer lost. */
  async mend(): Promise<void> {
    for (const [sid, harm] of [...this.harmed]) {
      const member = this.ensemble.member(sid);
      const { program } = member;
      if (!harm.met || program === undefined || !program.serves || program.damaged || !this.isAdmitted(member))
        continue;
      const copy = member.disk.copy(seededRandom(sid));
      const fault = await this.verify(member, copy);
      if (fault !== undefined || this.harmed.get(sid) !== harm) continue;
      this.harmed.delete(sid);
      this.repaired++;
      this.ensemble.say(`s${sid} has mended (${harm.kind})`);
    }
  }
  private isAdmitted({ sid, program }: Member): boolean {
    const config = this.ensemble.leader?.program?.tree?.config;
    if (config === undefined) return false;
    const known = config.members.find((each) => each.sid === sid);
    return known === undefined || known.incarnation === program?.incarnation;
  }
}

/**
 * The last group of a log that is not there looks as if it had never been written: no server can tell, and an ensemble that
 * counted on that copy forgets (13.16). So it counts as a copy that was lost only when something behind it shows the gap; else
 * it is put in its place when the log is looked at again.
 */
export function landWhereLast(disk: SimDisk, path: string, bytes: Buffer, at: number): void {
  disk.onOpen = (opened) => {
    if (opened !== path) return;
    disk.onOpen = undefined;
    if (isFollowed(disk.raw(path), at + bytes.length)) return;
    disk.land(path, bytes, at);
  };
}
/** Whether a whole group of a log lies behind a place. */
function isFollowed(log: Buffer, from: number): boolean {
  for (let at = Math.ceil(from / SECTOR) * SECTOR; at + GROUP_HEADER < log.length; at += SECTOR)
    if (isWholeGroup(log, at)) return true;
  return false;
}

/** The file that the log is written to. */
function newestLog(disk: SimDisk): string | undefined {
  let newest: { readonly path: string; readonly from: bigint } | undefined;
  for (const path of disk.paths()) {
    const from = /\/log\.([0-9a-f]+)\.[0-9a-f]+$/.exec(path)?.[1];
    if (from === undefined || disk.raw(path).length <= SECTOR) continue;
    if (newest === undefined || BigInt(`0x${from}`) > newest.from) newest = { path, from: BigInt(`0x${from}`) };
  }
  return newest?.path;
}
/** Bytes up to the last one that is not zero: what lies behind was only set aside. */
function lastWritten(bytes: Buffer): number {
  for (let at = bytes.length; at > 0; at--) if (bytes[at - 1] !== 0) return at;
  return bytes.length;
}
/** Where the last group of a log begins: the body of a group is masked, so that its first word is seen at heads alone. */
function lastHead(bytes: Buffer, written: number): number {
  let at = Math.floor((written - 1) / SECTOR) * SECTOR;
  while (at > SECTOR && bytes.readUInt32BE(at) !== GROUP) at -= SECTOR;
  return at;
}

export { SimDisk };
