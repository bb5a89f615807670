import { foreignGreeting } from '../platform/peer-foreign.ts';
import type { Clock } from '../ports/clock.ts';
import type { ConnectionHandler } from '../ports/network.ts';
import type { PeerLink, PeerProof } from '../ports/peer-network.ts';
import { PackReader, PackWriter, RecordError } from '../records/pack.ts';
import {
  beginFrame,
  GREETING_LEVEL,
  MAX_PEER_FRAME,
  PEER_HEADER,
  PeerFrameCutter,
  sealFrame,
} from '../records/peer-frame.ts';
import { MAX_MESSAGES, type PeerMessage, readMessages, writeMessage } from '../records/peer-messages.ts';

/** A frame from a server that has not said who it is: a hello fits ten times over. */
export const GREETING_BYTES = 4096;
/** A frame is closed when its body is larger; one message may be larger than that alone. */
const BATCH_BYTES = 256 * 1024;
/** Buffers beyond this size are not kept for the next turn. */
const SPARE_BYTES = 1024 * 1024;
/** How long the last bytes of a connection may take. */
const FINISH_MS = 1000;
/** Of the first bytes, what tells who speaks. */
const HEAD_BYTES = 16;

/** Bounds of one channel. */
export interface ChannelLimits {
  /** Bytes waiting above which `send` asks its caller to pause. */
  readonly highWater: number;
  /** Bytes waiting above which the channel is cut: its other end does not keep up. */
  readonly mostWaiting: number;
}

const isOfConnections = ({ type }: PeerMessage): boolean => type === 'ALIVE' || type === 'ALIVE_ACK';

/** What a channel tells its owner. */
export interface ChannelOwner {
  /** Messages of one frame, in order; those that keep the channel alive are not among them. */
  messages(channel: PeerChannel, messages: readonly PeerMessage[]): void;
  /** Room again after `send` said no. */
  drained(channel: PeerChannel): void;
  /** Last, once. `reason` is a clause. */
  closed(channel: PeerChannel, reason: string): void;
}

/**
 * A connection to one server for one purpose: messages out, gathered to one write a turn; frames in, verified. It knows
 * when it last heard anything, and cuts itself off when the other end does not take what it is sent.
 */
export class PeerChannel {
  /** Never used twice in the life of a process. */
  readonly number: number;
  /** The level that both ends keep to; frames of a higher one are refused. */
  level = GREETING_LEVEL;
  /** What it will be once the other end knows, too. */
  agreed = GREETING_LEVEL;
  /** When something arrived last, ms of the monotonic clock. */
  heardAt: number;
  /** Why it ended; undefined while it lives. */
  ended: string | undefined;
  private link: PeerLink | undefined;
  /** Who is told; changes once, when both ends know each other. */
  owner: ChannelOwner;
  /** Messages since it is there, or since they were counted anew; and since when it is there, ms since 1970. */
  readonly traffic = { sent: 0, received: 0 };
  readonly established: number;
  private readonly clock: Clock;
  private readonly limits: ChannelLimits;
  private readonly cutter = new PeerFrameCutter(GREETING_BYTES);
  private readonly reader = new PackReader(Buffer.alloc(0));
  private head: Buffer | undefined = Buffer.alloc(0);
  private out: PackWriter | undefined;
  private spare: PackWriter | undefined;
  /** Where the open frame begins in `out`, and how many messages are in it. */
  private frameAt = 0;
  private gathered = 0;
  /** The newest of messages of which only the newest counts. */
  private latest: PeerMessage | undefined;
  private full = false;
  private askedAt = Number.NEGATIVE_INFINITY;
  private probeNumber = 0;
  private probes = new Map<number, (alive: boolean) => void>();

  constructor(number: number, owner: ChannelOwner, clock: Clock, limits: ChannelLimits) {
    this.number = number;
    this.owner = owner;
    this.clock = clock;
    this.limits = limits;
    this.heardAt = clock.monotonic();
    this.established = clock.wall();
  }
  /** While it waits for its last bytes to be read. */
  private finishing: Disposable | undefined;
  readonly handler: ConnectionHandler = {
    data: (bytes) => this.data(bytes),
    drained: () => this.hasRoom(),
    closed: (reason) => {
      this.finishing?.[Symbol.dispose]();
      this.close(reason?.message ?? 'it hung up');
    },
  };
  bind(link: PeerLink): void {
    this.link = link;
    if (this.ended !== undefined) link.destroy();
  }
  get remote(): string {
    const { remoteAddress = '', remotePort = 0 } = this.link ?? {};
    return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
  }
  get proof(): PeerProof | undefined {
    return this.link?.proof;
  }
  /** The other end says which server it is; false when the network between the two is cut. */
  identify(sid: number): boolean {
    return this.link?.identify?.(sid) ?? true;
  }
  /** Not a byte came. */
  get saidNothing(): boolean {
    return this.head?.length === 0;
  }
  /** Bytes that wait here or in the system. */
  get waiting(): number {
    return (this.link?.waiting ?? 0) + (this.out?.at ?? 0);
  }
  /** Both ends know each other: frames may be as large as they get. */
  open(level: number): void {
    this.level = level;
    this.cutter.maxBytes = MAX_PEER_FRAME;
  }

  /** Puts a message into this turn's packet. False: enough is waiting, pause until `drained`. */
  send(message: PeerMessage): boolean {
    if (this.ended !== undefined) return true;
    if (this.out === undefined) {
      this.out = this.spare ?? new PackWriter();
      this.spare = undefined;
      this.out.at = 0;
    }
    const { out } = this;
    if (this.gathered === 0) {
      this.frameAt = out.at;
      beginFrame(out);
    }
    writeMessage(out, message);
    this.gathered++;
    this.traffic.sent++;
    if (out.at - this.frameAt - PEER_HEADER > BATCH_BYTES || this.gathered === MAX_MESSAGES) this.seal();
    if (out.at > this.limits.highWater) this.flush();
    this.full ||= this.waiting > this.limits.highWater;
    return !this.full;
  }
  /** Sends a message of which only the newest counts: it replaces one that still waits. */
  sendLatest(message: PeerMessage): void {
    this.latest = message;
  }
  private seal(): void {
    if (this.gathered === 0) return;
    sealFrame(this.out as PackWriter, this.frameAt, this.level);
    this.gathered = 0;
  }
  /** The end of a turn: all that gathered goes out in one write. */
  flush(): void {
    const { link } = this;
    if (link === undefined || this.ended !== undefined) return;
    if (this.latest !== undefined && link.waiting === 0) {
      const { latest } = this;
      this.latest = undefined;
      this.send(latest);
    }
    const { out } = this;
    if (out === undefined) return;
    this.seal();
    this.out = undefined;
    link.send(out.bytes.subarray(0, out.at), this.full || this.latest !== undefined);
    if (link.waiting === 0) {
      if (out.bytes.length <= SPARE_BYTES) this.spare = out;
    } else if (link.waiting > this.limits.mostWaiting)
      this.cut(`it does not keep up: ${link.waiting} bytes wait for it`);
  }
  private hasRoom(): void {
    if (this.ended !== undefined) return;
    if (this.latest !== undefined) this.flush();
    if (!this.full || this.waiting > this.limits.highWater / 2) return;
    this.full = false;
    this.owner.drained(this);
  }

  private readonly taking = (body: Buffer, start: number, end: number, level: number): boolean =>
    this.frame(body, start, end, level);
  private data(bytes: Buffer): void {
    if (this.ended !== undefined) return;
    this.heardAt = this.clock.monotonic();
    if (this.head !== undefined && this.head.length < HEAD_BYTES)
      this.head = Buffer.concat([this.head, bytes.subarray(0, HEAD_BYTES - this.head.length)]);
    try {
      this.cutter.push(bytes, this.taking);
    } catch (fault) {
      if (!(fault instanceof RecordError)) throw fault;
      this.cut(fault.message);
    }
  }
  private frame(body: Buffer, start: number, end: number, level: number): boolean {
    if (level > this.level) throw new RecordError(`a frame of feature level ${level}; agreed is ${this.level}`);
    this.head = undefined;
    this.reader.reset(body, start, end);
    const messages = readMessages(this.reader);
    this.traffic.received += messages.length;
    const others = messages.some(isOfConnections) ? messages.filter((message) => !this.keepsAlive(message)) : messages;
    if (others.length > 0) this.owner.messages(this, others);
    return this.ended === undefined;
  }
  private keepsAlive(message: PeerMessage): boolean {
    if (message.type === 'ALIVE') {
      this.send({ type: 'ALIVE_ACK', number: message.number });
      this.flush();
      return true;
    }
    if (message.type !== 'ALIVE_ACK') return false;
    const done = this.probes.get(message.number);
    this.probes.delete(message.number);
    done?.(true);
    return true;
  }

  /** Asks whether the other end is there when it has been quiet for `quietMs`, and cuts after `silentMs` of silence. */
  beat(now: number, quietMs: number, silentMs: number): void {
    const quiet = now - this.heardAt;
    if (quiet > silentMs) this.cut(`silent for ${Math.round(quiet)} ms`);
    else if (quiet >= quietMs && now - this.askedAt >= quietMs) {
      this.askedAt = now;
      this.send({ type: 'ALIVE', number: 0 });
      this.flush();
    }
  }
  /** Calls `done` once: true when the other end answers within `ms`, false when it does not or the channel ends. */
  probe(ms: number, done: (alive: boolean) => void): void {
    if (this.ended !== undefined) return done(false);
    const number = ++this.probeNumber;
    const late = this.clock.after(ms, () => {
      if (this.probes.delete(number)) done(false);
    });
    this.probes.set(number, (alive) => {
      late[Symbol.dispose]();
      done(alive);
    });
    this.send({ type: 'ALIVE', number });
    this.flush();
  }

  /** Ends it now; what waits is lost. */
  cut(reason: string): void {
    this.link?.destroy();
    this.close(reason);
  }
  /** Sends what gathered, then ends. */
  finish(reason: string): void {
    if (this.ended !== undefined) return;
    this.flush();
    const { link } = this;
    if (link !== undefined && this.ended === undefined) {
      link.end();
      // one that does not read would keep it for ever
      this.finishing = this.clock.after(FINISH_MS, () => link.destroy());
    }
    this.close(reason);
  }
  private close(reason: string): void {
    if (this.ended !== undefined) return;
    // no frame ever came: what did come may tell who that is
    this.ended = (this.head !== undefined && this.head.length > 0 ? foreignGreeting(this.head) : undefined) ?? reason;
    this.out = undefined;
    this.latest = undefined;
    for (const done of [...this.probes.values()]) done(false);
    this.probes.clear();
    this.owner.closed(this, this.ended);
  }
}
