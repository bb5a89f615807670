/** What members say of their own disks to each other, against the disks (I5): promises, acknowledgements, votes. */
import { crc32 } from 'node:zlib';
import { PackReader } from '../../../src/records/pack.ts';
import { PEER_HEADER } from '../../../src/records/peer-frame.ts';
import { type PeerMessage, readMessages } from '../../../src/records/peer-messages.ts';
import type { SimDisk } from '../disk.ts';
import { type EpochRecord, epochsOf } from './epochs.ts';
import { hex, type Ledger } from './ledger.ts';
import type { RuleId, Verdicts } from './verdicts.ts';

interface Position {
  readonly epoch: number;
  readonly counter: number;
}
/** What a server found in its directory when it started. */
export interface StartedWith {
  readonly incarnation: string;
  readonly acceptedEpoch: number;
  /** Where its log ends, and what it may have acknowledged when that is damaged. */
  readonly end: bigint;
  readonly mayHaveAcked: bigint | undefined;
}
export interface AcksAround {
  readonly ledger: Ledger;
  readonly verdicts: Verdicts;
  diskOf(sid: number): SimDisk;
  /** By the last committed config. */
  isVoter(sid: number): boolean;
}
const COPIES = ['/data/zoosh-1/identity', '/log/zoosh-1/identity'];
const zxidOf = ({ epoch, counter }: Position): bigint => (BigInt(epoch) << 32n) | BigInt(counter);

/** Looks at every packet to a leader and at every vote as it is sent, and at what a leader sends up to NEWLEADER. */
export class AckWatch {
  private readonly around: AcksAround;
  private readonly reader = new PackReader(Buffer.alloc(0));
  /** By incarnation: in which epoch it acknowledged last, and up to where. */
  private readonly acked = new Map<string, { epoch: number; upTo: bigint }>();
  /** Servers that started with damage and are not mended. */
  private readonly damaged = new Set<number>();
  /** By server: what its directory said at the last start. */
  private readonly incarnations = new Map<number, string>();
  /** By link: where the history ends that came before NEWLEADER. */
  private readonly histories = new WeakMap<object, { end: bigint; isWhole: boolean }>();
  /** Incarnation and epoch: one is promised once, to one leader. */
  private readonly promised = new Set<string>();

  /** How often a learner was told to go on, to cut, and to begin anew. */
  readonly synchronised = { DIFF: 0, TRUNC: 0, SNAP: 0 };
  /** How often a learner asked to go on with a snapshot where an earlier link had broken. */
  resumed = 0;

  constructor(around: AcksAround) {
    this.around = around;
  }
  /** Frames that server `sid` sends to a leader or in an election, whole. */
  said(sid: number, bytes: Uint8Array, link: object): void {
    for (const message of this.messages(bytes)) this.look(sid, message, link);
  }
  /** And to a learner. */
  told(sid: number, bytes: Uint8Array, link: object): void {
    const history = this.histories.get(link) ?? { end: 0n, isWhole: false };
    if (history.isWhole) return;
    this.histories.set(link, history);
    for (const message of this.messages(bytes))
      switch (message.type) {
        case 'LEADERINFO':
          this.starts(sid, message.tags);
          break;
        case 'DIFF':
          this.synchronised.DIFF++;
          history.end = zxidOf(message.from);
          break;
        case 'TRUNC':
          this.synchronised.TRUNC++;
          history.end = zxidOf(message.to);
          break;
        case 'SNAP':
          this.synchronised.SNAP++;
          history.end = zxidOf(message.at);
          break;
        case 'PROPOSAL':
        case 'INFORM':
          if (!history.isWhole) for (const entry of message.entries) history.end = zxidOf(entry);
          break;
        case 'NEWLEADER':
          history.isWhole = true;
      }
  }
  private *messages(bytes: Uint8Array): Iterable<PeerMessage> {
    const frames = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + PEER_HEADER <= frames.length; ) {
      const start = at + PEER_HEADER;
      at = start + frames.readUInt32BE(at + 8);
      this.reader.reset(frames, start, at);
      yield* readMessages(this.reader);
    }
  }
  private look(sid: number, message: PeerMessage, link: object): void {
    switch (message.type) {
      case 'VOTE': {
        const { state, vote } = message;
        if (state !== 'looking' || vote?.sid !== sid) return;
        // whoever claims nothing for itself takes up what it hears, votes for what it once was among it: a newer incarnation,
        if (vote.incarnation !== message.incarnation) return;
        // one that was voted out,
        if (!this.around.isVoter(sid)) return;
        // an old copy: discovery turns it away
        if (!this.around.ledger.holdingsOf(sid).isTrue) return;
        // who is damaged says what it may have had, by what it could read, and leads nobody
        if (this.damaged.has(sid)) return;
        this.epochs(sid, 'votes for itself', (record) => record.currentEpoch === vote.epoch);
        return this.holds(sid, vote.last, 'votes for itself');
      }
      case 'RESUME':
        this.resumed++;
        return;
      case 'FOLLOWERINFO':
        return this.starts(sid, message.tags);
      case 'ACKEPOCH': {
        const { epoch, currentEpoch, last } = message;
        if (currentEpoch !== null) {
          this.epochs(sid, `promises epoch ${epoch}`, (record) => record.acceptedEpoch >= epoch);
          const promise = `${this.around.ledger.holdingsOf(sid).incarnation} ${epoch}`;
          if (this.promised.has(promise)) this.fail('I5', sid, `promises epoch ${epoch} a second time`);
          this.promised.add(promise);
        }
        // a repairing one says what it may have held, with no chain
        if (last.chainHi !== 0 || last.chainLo !== 0) this.holds(sid, last, `promises epoch ${epoch}`);
        return;
      }
      case 'ACKNEWLEADER': {
        const { epoch, upTo } = message;
        this.epochs(sid, `is in epoch ${epoch}`, (record) => record.currentEpoch >= epoch);
        this.holds(sid, upTo, `acknowledges the history of epoch ${epoch}`);
        const end = this.histories.get(link)?.end ?? 0n;
        if (zxidOf(upTo) < end)
          this.fail('I5', sid, `is in epoch ${epoch} with ${hex(zxidOf(upTo))}, it was sent a history to ${hex(end)}`);
        this.damaged.delete(sid);
        this.acked.set(message.incarnation, { epoch, upTo: zxidOf(upTo) });
        return;
      }
      case 'ACK':
        if (zxidOf(message.upTo) === 0n) return; // before ACKNEWLEADER: it acknowledges nothing, and takes nothing back
        this.holds(sid, message.upTo, 'acknowledges');
        this.acked.set(message.incarnation, { epoch: message.epoch, upTo: zxidOf(message.upTo) });
    }
  }
  private fail(rule: RuleId, sid: number, text: string): void {
    this.around.verdicts.fail(rule, `server ${sid} ${text}`);
  }
  /** Both copies of its record would say so after a power cut now; one that we damaged says nothing. */
  private epochs(sid: number, what: string, fits: (record: EpochRecord) => boolean): void {
    const disk = this.around.diskOf(sid);
    for (const path of COPIES)
      for (const bytes of disk.afterPowerCut(path)) {
        if (bytes === undefined || !isWhole(bytes)) {
          if (bytes === undefined && this.around.ledger.holdingsOf(sid).isTrue)
            this.fail('I5', sid, `${what} and might have no ${path} after a power cut`);
          continue;
        }
        const record = epochsOf(bytes) as EpochRecord;
        const { acceptedEpoch, currentEpoch } = record;
        if (!fits(record))
          this.fail('I5', sid, `${what}; ${path} may say ${currentEpoch}, accepted ${acceptedEpoch} after a power cut`);
      }
  }
  /** Others may write down that they saw this start: its directory must know of it after a power cut now (I11). */
  private starts(sid: number, tags: readonly string[]): void {
    const tag = tags[tags.length - 1] ?? '';
    const disk = this.around.diskOf(sid);
    for (const path of COPIES)
      for (const bytes of disk.afterPowerCut(path))
        if (bytes !== undefined && isWhole(bytes) && epochsOf(bytes)?.bootTags.includes(tag) !== true)
          this.fail('I11', sid, `tells of a start that ${path} may not know after a power cut`);
  }
  private holds(sid: number, upTo: Position, what: string): void {
    const zxid = zxidOf(upTo);
    if (!this.isThere(sid, zxid))
      this.fail('I5', sid, `${what} ${hex(zxid)}, which its disk does not hold for certain`);
  }
  /** Its log holds that place, or a snapshot ends there. */
  isThere(sid: number, zxid: bigint): boolean {
    const { ledger, diskOf } = this.around;
    if (zxid === 0n || ledger.holdingsOf(sid).hasZxid(zxid)) return true;
    const disk = diskOf(sid);
    const path = `/data/zoosh-1/snapshot.${zxid.toString(16)}`;
    const staged = `${path}.staged`;
    if (!disk.afterPowerCut(path).includes(undefined)) return true;
    // what only a part came of stays for the next link, and holds nothing
    if (disk.afterPowerCut(staged).every((bytes) => bytes !== undefined && (disk.hurt || hasTrailer(bytes))))
      return true;
    // a start between the rename and the sync of the folder finds it under either name, and so does the next
    return disk.isUnderEither(staged, path);
  }
  /** It leads this epoch from now on. */
  leads(sid: number, epoch: number): void {
    this.epochs(sid, `leads epoch ${epoch}`, (record) => record.currentEpoch >= epoch);
  }
  /** What it acknowledged is there again, or it knows what is missing (I11). */
  started(sid: number, { incarnation, acceptedEpoch, end, mayHaveAcked }: StartedWith): void {
    const life = this.incarnations.get(sid);
    this.incarnations.set(sid, incarnation);
    if (mayHaveAcked === undefined) this.damaged.delete(sid);
    else this.damaged.add(sid);
    if (!this.around.diskOf(sid).hurt) {
      if (mayHaveAcked !== undefined) this.fail('I11', sid, 'finds its directory damaged, which nobody hurt');
      if (life !== undefined && life !== incarnation)
        this.fail('I11', sid, 'does not know any more who it was, and nobody hurt its directory');
    }
    const known = this.acked.get(incarnation);
    // what a later leader cut was promised to it before
    if (known === undefined || known.epoch !== acceptedEpoch || !this.around.ledger.holdingsOf(sid).isTrue) return;
    const has = mayHaveAcked ?? end;
    if (has < known.upTo)
      this.fail('I11', sid, `starts with ${hex(has)}, it had acknowledged ${hex(known.upTo)} in the epoch it is in`);
  }
}
/** It ends as a snapshot does; the checker asks this at each acknowledgement, and a checksum of the whole would be slow. */
const hasTrailer = (bytes: Buffer): boolean => {
  const at = bytes.length - TRAILER_BYTES;
  return at > 0 && bytes.readUInt32BE(at) === 0xffff_ffff && bytes.readBigUInt64BE(at + 8) === BigInt(at);
};
const TRAILER_BYTES = 24;
const isWhole = (bytes: Buffer): boolean =>
  bytes.length > 16 && crc32(bytes.subarray(0, bytes.length - 4)) === bytes.readUInt32BE(bytes.length - 4);
