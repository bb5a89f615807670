import type { SessionId } from '../base/ids.ts';
import type { Writer } from '../protocol/bytes.ts';
import { areCarried, type Identity } from './acl.ts';
import type { AuditedRequest } from './audit.ts';
import type { SaslLogin } from './sasl-login.ts';
import type { TrackedSession } from './sessions.ts';

/** A request of a connection that waits its turn, in the order sent. */
export interface Waiting {
  /**
   * `write`: until its transaction is applied. `sync`: until everything proposed before it is. `request`: until those before it
   * are answered. `held`: a write behind a sync that another member has to confirm; numbered only then. `refused`: never
   * done, and told so in its turn; its frame is its xid alone.
   */
  readonly kind: 'write' | 'sync' | 'request' | 'held' | 'refused';
  /** For `request` and `held`: a copy of its frame. For `sync`: too, since its path is echoed. */
  readonly frame: Buffer | undefined;
  /** For `sync`: everything that it waits for is applied. */
  ready: boolean;
  readonly since: number;
}

/** Where a connection stands: before its ConnectRequest, waiting for its session, in use, told to end. */
export type ConnectionState = 'new' | 'connecting' | 'open' | 'closing';

/** Figures of one connection, as `cons` shows them. Times are monotonic ms except `established`. */
export interface ConnectionStats {
  received: number;
  sent: number;
  /** Wall ms. */
  readonly established: number;
  /** Of the newest request, -1 before it. */
  lastXid: number;
  lastOp: number;
  /** Of the newest answer. */
  lastZxidHi: number;
  lastZxidLo: number;
  lastResponse: number;
  lastLatency: number;
  /** Of `answered` requests, whole ms. */
  answered: number;
  minLatency: number;
  maxLatency: number;
  totalLatency: number;
}
const noStats = (established: number): ConnectionStats => ({
  received: 0,
  sent: 0,
  established,
  lastXid: -1,
  lastOp: 0,
  lastZxidHi: -1,
  lastZxidLo: -1,
  lastResponse: 0,
  lastLatency: 0,
  answered: 0,
  minLatency: 0,
  maxLatency: 0,
  totalLatency: 0,
});

/** One client's connection, as the server sees it. Bytes for it gather in `out`; the runtime sends them once a turn. */
export class ClientConnection {
  readonly id: number;
  /** As Java prints it. */
  readonly ip: string;
  readonly port: number;
  state: ConnectionState = 'new';
  /** Bytes to be sent, undefined when there are none. */
  out: Writer | undefined;
  /** Up to where `out` was counted. */
  told = 0;
  session: SessionId = 0n as SessionId;
  tracked: TrackedSession | undefined;
  /** Its session is attached elsewhere by now: it ends with the next thing that it says. */
  moved = false;
  timeoutMs = 0;
  /** False for clients before 3.4, which know no read-only byte. */
  modern = true;
  identities: Identity[];
  /** It came by TLS. */
  secure = false;
  /** Its login by SASL, once it began one. */
  sasl: SaslLogin | undefined;
  /** A credential of its was refused, which ends it: that is not told at once. */
  refused = false;
  /** Requests that wait, oldest first, from `waitingFrom` on. */
  waiting: Waiting[] = [];
  waitingFrom = 0;
  /** One of them may take long: no more is taken before they are answered. */
  costly = false;
  /** One of the writes among them is large: what is read behind it may be, too. */
  grows = false;
  /** How many of them were answered in this life. */
  finished = 0;
  /** How many of them are syncs. */
  syncs = 0;
  /** The write that is being decided, for the audit log. */
  asked: AuditedRequest | undefined;
  /** Its client has gone, and writes that a sync holds back are done all the same: see {@link leave}. */
  left = false;
  /** Where the next write stands: in the place of one that was held back; -1: behind all that waits. */
  private place = -1;
  /** Paths watched, so that a closing connection leaves none behind. */
  readonly watched = new Set<string>();
  stats: ConnectionStats;
  /** What the runtime keeps with it. */
  owner: unknown;
  constructor(id: number, ip: string, port: number, established: number) {
    this.id = id;
    this.ip = ip;
    this.port = port;
    this.identities = [{ scheme: 'ip', id: ip }];
    this.stats = noStats(established);
  }
  /** Its session is this member's own: it cannot own an ephemeral. */
  get local(): boolean {
    return this.tracked?.local === true;
  }
  /** Adds what was proved and is not known yet; false, with nothing added, when that is more than one connection may have. */
  prove(identities: readonly Identity[]): boolean {
    const fresh = identities.filter(
      ({ scheme, id }) => !this.identities.some((have) => have.scheme === scheme && have.id === id),
    );
    const all = [...this.identities, ...fresh];
    if (fresh.length > 0 && !areCarried(all)) return false;
    this.identities = all;
    return true;
  }
  /** As `crst` does: all but when it was established. */
  resetStats(): void {
    this.stats = noStats(this.stats.established);
  }
  /** A request was answered after `latency` whole ms, at `now`, with this zxid. */
  answered(latency: number, now: number, zxidHi: number, zxidLo: number): void {
    const { stats } = this;
    if (stats.answered === 0 || latency < stats.minLatency) stats.minLatency = latency;
    if (latency > stats.maxLatency) stats.maxLatency = latency;
    stats.answered++;
    stats.totalLatency += latency;
    stats.lastLatency = latency;
    stats.lastResponse = now;
    stats.lastZxidHi = zxidHi;
    stats.lastZxidLo = zxidLo;
  }
  /** A certificate says whose it is. */
  get isCertified(): boolean {
    return this.identities.some(({ scheme }) => scheme === 'x509');
  }
  /** Requests accepted and not answered yet. */
  get outstanding(): number {
    return this.waiting.length - this.waitingFrom;
  }
  /** A write is under way, since `now`: behind all that waits, or where it was held back. */
  beginWrite(now: number): void {
    if (this.place >= 0) this.place = -1;
    else this.waiting.push({ kind: 'write', frame: undefined, ready: false, since: now });
  }
  /**
   * Writes that were held back and have no unconfirmed sync before them any more, in order, each as its frame: to be begun at
   * once, where they stand.
   */
  *released(): Iterable<Buffer> {
    for (let at = this.waitingFrom; at < this.waiting.length; at++) {
      const { kind, ready, frame, since } = this.waiting[at] as Waiting;
      if (kind === 'sync' && !ready) return;
      if (kind !== 'held') continue;
      this.waiting[at] = { kind: 'write', frame: undefined, ready: false, since };
      this.place = at;
      yield frame as Buffer;
    }
  }
  /** A write waits for a sync to be confirmed. */
  get holdsBack(): boolean {
    return this.syncs > 0 && this.waiting.some((each) => each?.kind === 'held');
  }
  /** Bytes of the writes that are held back. */
  get heldBytes(): number {
    return this.waiting.reduce((sum, each) => sum + (each?.kind === 'held' ? (each.frame as Buffer).length : 0), 0);
  }
  /** Nobody hears the answers any more: of what waits only the writes that are held back are of use, and what they wait for. */
  leave(): void {
    this.left = true;
    this.waiting = this.waiting.slice(this.waitingFrom).filter(({ kind }) => kind === 'sync' || kind === 'held');
    this.waitingFrom = 0;
  }
  /** Nothing that waits is of use to anybody. */
  drop(): void {
    this.left = false;
    this.waiting.length = 0;
    this.waitingFrom = 0;
    this.syncs = 0;
  }
  /** The one that was released last is no write after all: it is answered in its turn. */
  answerInPlace(frame: Buffer): void {
    const { since } = this.waiting[this.place] as Waiting;
    this.waiting[this.place] = { kind: 'request', frame, ready: false, since };
    this.place = -1;
  }
  head(): Waiting | undefined {
    return this.waiting[this.waitingFrom];
  }
  shift(): void {
    this.waiting[this.waitingFrom] = undefined as unknown as Waiting;
    this.waitingFrom++;
    this.finished++;
    if (this.waitingFrom === this.waiting.length) {
      this.waiting.length = 0;
      this.waitingFrom = 0;
    } else if (this.waitingFrom > 1024) {
      this.waiting.splice(0, this.waitingFrom);
      this.waitingFrom = 0;
    }
  }
}
