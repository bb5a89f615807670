import type { Clock } from '../ports/clock.ts';
import type { ConnectionHandler } from '../ports/network.ts';
import type { PeerLink, PeerProof } from '../ports/peer-network.ts';

/** Bytes of a delayed connection that may wait to be handed over before the system is asked to hold the rest. */
const MOST_DELAYED = 16 * 1024 * 1024;

/** Something under way: when it arrives (ms, monotonic) and what happens then. */
interface Parcel {
  readonly due: number;
  readonly bytes: number;
  readonly deliver: () => void;
}

/** Parcels in order: one whose delay is shorter waits for those before it. */
class Belt {
  /** Nothing moves. */
  stopped = false;
  bytes = 0;
  private readonly clock: Clock;
  private parcels: Parcel[] = [];
  private timer: Disposable | undefined;
  private moving = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }
  get isEmpty(): boolean {
    return this.parcels.length === 0;
  }
  put(delayMs: number, bytes: number, deliver: () => void): void {
    this.parcels.push({ due: this.clock.monotonic() + delayMs, bytes, deliver });
    this.bytes += bytes;
    this.move();
  }
  /** Delivers what is due, and comes back for the rest. */
  move(): void {
    if (this.moving) return;
    this.moving = true;
    this.timer?.[Symbol.dispose]();
    this.timer = undefined;
    for (let next = this.parcels[0]; next !== undefined && !this.stopped; next = this.parcels[0]) {
      const left = next.due - this.clock.monotonic();
      if (left > 0) {
        this.timer = this.clock.after(left, () => this.move());
        break;
      }
      this.parcels.shift();
      this.bytes -= next.bytes;
      next.deliver();
    }
    this.moving = false;
  }
  clear(): void {
    this.parcels = [];
    this.bytes = 0;
    this.timer?.[Symbol.dispose]();
    this.timer = undefined;
  }
}

/**
 * A connection on which a partition and a delay come and go. It behaves as TCP does. While it is cut nothing arrives at
 * either end, nobody is told, and the system keeps what was sent: it arrives when the partition heals, late and in order.
 * An end that gives the connection up meanwhile is alone in knowing; the other one learns of it when the partition heals.
 */
export class FaultyLink implements PeerLink {
  private readonly clock: Clock;
  private readonly forget: () => void;
  private readonly inward: Belt;
  private readonly outward: Belt;
  private inner: PeerLink | undefined;
  private owner: ConnectionHandler | undefined;
  private lagMs = 0;
  private cut = false;
  private ownerPaused = false;
  private paused = false;
  /** This end gave it up, or was told of its end. */
  private over = false;
  /** Asked whether a server that names itself gets through. */
  private readonly named: ((sid: number) => boolean) | undefined;

  /** `forget`: called when the connection beneath is gone and its owner knows. */
  constructor(clock: Clock, forget: () => void, named?: (sid: number) => boolean) {
    this.clock = clock;
    this.forget = forget;
    this.named = named;
    this.inward = new Belt(clock);
    this.outward = new Belt(clock);
  }
  /** What the connection beneath tells. */
  readonly handler: ConnectionHandler = {
    data: (bytes) => this.arrived(bytes),
    drained: () => {
      if (!this.over && !this.cut) this.owner?.drained?.();
    },
    closed: (reason) => {
      this.inner = undefined;
      this.outward.clear();
      if (this.over) this.forget();
      else this.arrive(0, () => this.tellClosed(reason));
    },
  };
  /** Who is told, and the connection beneath, once there is one. */
  attach(owner: ConnectionHandler, inner?: PeerLink): void {
    this.owner = owner;
    if (inner !== undefined) this.bind(inner);
  }
  bind(inner: PeerLink): void {
    this.inner = inner;
    this.adjust();
  }
  /** The faults that hold from now on. */
  set(cut: boolean, lagMs: number): void {
    this.cut = cut;
    this.lagMs = lagMs;
    this.inward.stopped = cut;
    this.outward.stopped = cut;
    if (!cut && this.over) return this.inner?.destroy();
    this.outward.move();
    this.inward.move();
    this.adjust();
  }

  get remoteAddress(): string {
    return this.inner?.remoteAddress ?? '';
  }
  get remotePort(): number {
    return this.inner?.remotePort ?? 0;
  }
  get proof(): PeerProof | undefined {
    return this.inner?.proof;
  }
  get waiting(): number {
    return this.outward.bytes + (this.inner?.waiting ?? 0);
  }
  identify(sid: number): boolean {
    return this.named?.(sid) ?? true;
  }
  send(bytes: Uint8Array): boolean {
    if (this.over) return true;
    if (!this.isDelayed(this.outward)) return this.inner?.send(bytes) ?? true;
    this.outward.put(this.lagMs, bytes.length, () => void this.inner?.send(bytes));
    return !this.cut;
  }
  end(): void {
    if (this.over) return;
    if (!this.isDelayed(this.outward)) this.inner?.end();
    else this.outward.put(this.lagMs, 0, () => this.inner?.end());
  }
  destroy(): void {
    if (this.over) return;
    this.outward.clear();
    this.inward.clear();
    if (!this.cut && this.inner !== undefined) return this.inner.destroy();
    // cut off, the other end cannot be told: the connection beneath stays as it is until the partition heals
    this.over = true;
    this.clock.after(0, () => this.tellClosed(undefined));
  }
  pause(): void {
    this.ownerPaused = true;
    this.adjust();
  }
  resume(): void {
    this.ownerPaused = false;
    this.adjust();
  }

  private isDelayed(belt: Belt): boolean {
    return this.cut || this.lagMs > 0 || !belt.isEmpty;
  }
  private arrived(bytes: Buffer): void {
    if (this.over) return;
    if (!this.isDelayed(this.inward)) return this.owner?.data(bytes);
    const copy = Buffer.from(bytes);
    this.arrive(copy.length, () => {
      this.owner?.data(copy);
      this.adjust();
    });
    this.adjust();
  }
  private arrive(bytes: number, deliver: () => void): void {
    if (this.isDelayed(this.inward)) this.inward.put(this.lagMs, bytes, () => !this.over && deliver());
    else if (!this.over) deliver();
  }
  private tellClosed(reason: Error | undefined): void {
    const { owner } = this;
    this.over = true;
    this.owner = undefined;
    if (this.inner === undefined) this.forget();
    owner?.closed(reason);
  }
  /** Reads from the system only what may be handed on or kept. */
  private adjust(): void {
    const wanted = this.ownerPaused || this.cut || this.inward.bytes > MOST_DELAYED;
    if (wanted === this.paused || this.inner === undefined) return;
    this.paused = wanted;
    if (wanted) this.inner.pause();
    else this.inner.resume();
  }
}
