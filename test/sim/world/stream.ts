import type { Random } from '../../../src/base/random.ts';
import type { ConnectionHandler } from '../../../src/ports/network.ts';
import { oneIn } from './chance.ts';
import type { Host } from './host.ts';
import type { Channel, Links } from './links.ts';
import { EVENT_KIND, type Scheduler } from './scheduler.ts';

/** Bytes under way before the sender's system takes no more. */
const WINDOW = 64 * 1024;
/** What passes at once where a link carries only so much. */
const PIECE = 16 * 1024;

/** What is under way in one direction, in order. */
type Parcel = { readonly at: number } & (
  | { readonly type: 'bytes'; readonly bytes: Buffer }
  | { readonly type: 'fin' }
  | { readonly type: 'reset'; readonly reason: Error }
);
export const reset = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

/** What streams need of the world. */
export interface StreamWorld {
  readonly scheduler: Scheduler;
  readonly links: Links;
  readonly random: Random;
  /** Of this many chunks one arrives in two parts; 0: none. */
  cutOneIn: number;
  /** How many did. */
  fragments: number;
}

/** One end of a stream, as the process that holds it sees it. */
export class End {
  readonly host: Host;
  readonly life: number;
  readonly stream: Stream;
  handler: ConnectionHandler | undefined;
  /** What comes to this end. */
  readonly incoming: Parcel[] = [];
  /** Bytes that this end sent and that did not arrive yet. */
  unsent = 0;
  reading = true;
  /** This end is through: nothing more is told or taken. */
  closed = false;
  private told = false;
  /** After end(): no more bytes may be sent. */
  finished = false;
  private pumping = false;
  /** Its machine went without a word. */
  private vanished = false;
  private wasFull = false;

  constructor(stream: Stream, host: Host) {
    this.stream = stream;
    this.host = host;
    this.life = host.life;
  }
  get other(): End {
    return this.stream.ends[0] === this ? this.stream.ends[1] : this.stream.ends[0];
  }
  get isThere(): boolean {
    return !this.closed && this.host.alive && this.host.life === this.life;
  }
  /** Bytes the system has not taken yet. */
  get waiting(): number {
    return Math.max(0, this.unsent - WINDOW);
  }
  send(bytes: Uint8Array): void {
    if (!this.isThere || this.finished || bytes.length === 0) return;
    this.unsent += bytes.length;
    if (this.waiting > 0) this.wasFull = true;
    this.other.push({ type: 'bytes', bytes: Buffer.from(bytes), at: this.stream.arrival(this) });
  }
  /** Sends what is queued, then ends. */
  end(): void {
    if (!this.isThere || this.finished) return;
    this.finished = true;
    this.other.push({ type: 'fin', at: this.stream.arrival(this) });
    // with nothing more to send, and nothing more wanted, this end is through as soon as the other is
    if (this.other.closed) this.close(undefined);
  }
  /** Ends at once. */
  destroy(): void {
    if (this.closed) return;
    if (this.isThere && !this.finished)
      this.other.push({ type: 'reset', reason: reset(), at: this.stream.arrival(this) });
    this.finished = true;
    this.close(undefined);
  }
  setReading(reading: boolean): void {
    this.reading = reading;
    if (reading) this.pump();
  }
  /** Bound once the owner knows what to do with it. */
  attach(handler: ConnectionHandler): void {
    this.handler = handler;
    this.pump();
  }
  push(parcel: Parcel): void {
    if (!this.closed) this.incoming.push(parcel);
    else if (this.vanished && this.host.alive && parcel.type === 'bytes' && !this.other.closed) {
      // the machine is back and knows of no such connection
      this.vanished = false;
      this.other.push({ type: 'reset', reason: reset(), at: this.stream.arrival(this) });
    }
    this.pump();
  }
  /** Hands out what has arrived, one parcel an event. */
  pump(): void {
    const next = this.incoming[0];
    if (this.pumping || next === undefined || !this.isThere) return;
    const { scheduler } = this.stream.world;
    this.pumping = true;
    this.host.post(Math.max(0, next.at - scheduler.now), EVENT_KIND.io, () => {
      this.pumping = false;
      this.deliver();
      this.pump();
    });
  }
  private deliver(): void {
    if (this.incoming[0] === undefined || this.closed) return;
    if (this.handler === undefined) return this.wait();
    const { stream } = this;
    // held until the network heals or the reader reads on; `pump` is called then
    if (stream.world.links.isBlocked(this.other.host.name, this.host.name, stream.channel)) return this.wait();
    if (this.incoming[0].type === 'bytes') {
      if (!this.reading) return this.wait();
      if (this.isHeldUp(this.incoming[0])) return;
    }
    const next = this.incoming.shift() as Parcel;
    if (next.type === 'fin') return this.hangUp(undefined);
    if (next.type === 'reset') return this.hangUp(next.reason);
    let { bytes } = next;
    const { random, cutOneIn } = stream.world;
    if (cutOneIn > 0 && bytes.length > 1 && oneIn(random, cutOneIn)) {
      const cut = 1 + random.below(bytes.length - 1);
      stream.world.fragments++;
      this.incoming.unshift({ type: 'bytes', bytes: bytes.subarray(cut), at: next.at });
      bytes = bytes.subarray(0, cut);
    } else if (stream.world.links.freeAt(this.other.host.name, this.host.name) === undefined)
      while (
        this.incoming[0]?.type === 'bytes' &&
        this.incoming[0].at <= stream.world.scheduler.now &&
        oneIn(random, 2)
      )
        bytes = Buffer.concat([bytes, (this.incoming.shift() as Parcel & { bytes: Buffer }).bytes]);
    stream.world.links.passes(this.other.host.name, this.host.name, bytes.length, stream.world.scheduler.now);
    this.other.arrived(bytes.length);
    stream.onBytes?.(this, bytes);
    this.handler.data(bytes);
  }
  /** Where the way carries only so much: what is first waits until it is free, and no more than a piece of it passes at once. */
  private isHeldUp({ bytes, at }: { readonly bytes: Buffer; readonly at: number }): boolean {
    const { links, scheduler } = this.stream.world;
    const free = links.freeAt(this.other.host.name, this.host.name);
    if (free === undefined) return false;
    if (free > scheduler.now) {
      this.incoming[0] = { type: 'bytes', bytes, at: free };
      return true;
    }
    if (bytes.length > PIECE) {
      const [piece, rest] = [bytes.subarray(0, PIECE), bytes.subarray(PIECE)];
      this.incoming.splice(0, 1, { type: 'bytes', bytes: piece, at }, { type: 'bytes', bytes: rest, at });
    }
    return false;
  }
  /** Waits for {@link pump} to be called. */
  private wait(): void {
    this.pumping = true;
    queueMicrotask(() => {
      this.pumping = false;
    });
  }
  /** The other end read what this one sent. */
  private arrived(bytes: number): void {
    this.unsent -= bytes;
    // what the system took at once is no news to anybody
    if (!this.wasFull || !this.isThere || this.finished) return;
    this.wasFull = this.waiting > 0;
    this.host.post(this.stream.world.links.delay(this.other.host.name, this.host.name), EVENT_KIND.io, () => {
      if (!this.closed) this.handler?.drained?.();
    });
  }
  /** The other end is gone, in order or not. */
  private hangUp(reason: Error | undefined): void {
    if (!this.finished) {
      this.finished = true;
      // what it sent so far may still be under way; the other end wants none of it
      this.other.push({ type: 'fin', at: this.stream.arrival(this) });
    }
    this.close(reason);
  }
  private close(reason: Error | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.incoming.length = 0;
    if (this.host.life !== this.life) return;
    this.host.post(0, EVENT_KIND.io, () => {
      if (this.told) return;
      this.told = true;
      this.handler?.closed(reason);
    });
    this.stream.settle();
  }
  /** Something between the two forgot the connection: this end hears that, the other nothing. */
  lose(): void {
    if (!this.isThere) return;
    this.stream.shake();
    this.finished = true;
    this.close(reset());
  }
  /** The process that held this end is gone. With power the other end is not told: it hears nothing, or an error if it asks. */
  vanish(power: boolean): void {
    if (this.closed) return;
    this.closed = true;
    this.vanished = power;
    this.incoming.length = 0;
    if (!power && !this.finished)
      this.other.push({
        ...(oneIn(this.stream.world.random, 2)
          ? { type: 'fin' as const }
          : { type: 'reset' as const, reason: reset() }),
        at: this.stream.arrival(this),
      });
    this.stream.settle();
  }
}

/** A connection between two machines: bytes both ways in order, each way late, in parts, or not at all. */
export class Stream {
  readonly world: StreamWorld;
  readonly channel: Channel;
  readonly ends: readonly [End, End];
  /** When the last parcel of each direction arrives: no later one overtakes it. */
  private readonly last: [number, number] = [0, 0];
  /** Told of bytes as they reach an end. */
  onBytes: ((end: End, bytes: Buffer) => void) | undefined;
  onGone: () => void = () => {};

  constructor(world: StreamWorld, channel: Channel, dialler: Host, acceptor: Host) {
    this.world = world;
    this.channel = channel;
    this.ends = [new End(this, dialler), new End(this, acceptor)];
  }
  /** When something sent now by this end gets to the other. */
  arrival(from: End): number {
    const side = this.ends[0] === from ? 0 : 1;
    const { scheduler, links } = this.world;
    const at = Math.max(this.last[side], scheduler.now + links.delay(from.host.name, from.other.host.name));
    this.last[side] = at;
    return at;
  }
  /** Both ends hear that it broke; of what was under way a part may arrive first. */
  break(keepOneIn: number): void {
    this.shake();
    for (const end of this.ends) {
      if (end.closed) continue;
      const { random } = this.world;
      const [first] = end.incoming;
      end.incoming.length = 0;
      if (first?.type === 'bytes' && first.bytes.length > 1 && oneIn(random, keepOneIn))
        end.incoming.push({ ...first, bytes: first.bytes.subarray(0, 1 + random.below(first.bytes.length - 1)) });
      end.finished = true;
      end.push({ type: 'reset', reason: reset(), at: Math.max(first?.at ?? 0, this.world.scheduler.now) });
    }
  }
  /** Those at its ends may not know for a while that it is gone. */
  shake(): void {
    const { links, scheduler } = this.world;
    links.shake(this.ends[0].host.name, this.ends[1].host.name, scheduler.now);
  }
  settle(): void {
    if (this.ends[0].closed && this.ends[1].closed) this.onGone();
  }
}
