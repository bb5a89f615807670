import type { Clock } from '../ports/clock.ts';
import { PEER_LEVEL } from '../records/peer-frame.ts';
import type { PeerChannel } from './peer-channel.ts';
import { type Complaints, printable } from './peer-complaints.ts';
import { type Hello, judgeHello, type PeerIdentity, type Refusal } from './peer-hello.ts';
import type { Met } from './peer-table.ts';

/** Connections that have not been let in; the oldest makes room for a new one. */
const MOST_GREETING = 128;

export interface GreetingOptions {
  readonly self: () => PeerIdentity;
  /** Until somebody has said hello, ms. */
  readonly connectMs: number;
  /** Where a server is looked for; none when it is not listed. */
  readonly hostsOf: (sid: number) => readonly string[];
}

/** Where whoever dialled us waits until it has said who it is and it is known whether it comes in. */
export class GreetingRoom {
  private readonly timers = new Map<PeerChannel, Disposable>();
  /** Those with a proper hello that wait for a verdict, one per place. */
  private readonly held = new Set<Met>();
  private readonly options: GreetingOptions;
  private readonly clock: Clock;
  private readonly complaints: Complaints;
  private readonly met: (met: Met) => void;

  constructor(options: GreetingOptions, clock: Clock, complaints: Complaints, met: (met: Met) => void) {
    this.options = options;
    this.clock = clock;
    this.complaints = complaints;
    this.met = met;
  }
  /** How many are waiting. */
  get size(): number {
    return this.timers.size;
  }
  /** A connection came to the port of this purpose. */
  receive(channel: PeerChannel, purpose: Hello['purpose']): void {
    for (const oldest of this.timers.keys()) {
      if (this.timers.size < MOST_GREETING) break;
      oldest.cut('too many connections wait to be let in');
    }
    this.timers.set(
      channel,
      this.clock.after(this.options.connectMs, () => channel.cut(`no hello in ${this.options.connectMs} ms`)),
    );
    channel.owner = {
      messages: (_channel, [first, ...more]) => {
        if (first?.type !== 'HELLO' || more.length > 0 || !this.timers.has(channel))
          return channel.cut('it did not begin with a hello');
        this.hello(channel, purpose, first);
      },
      drained() {},
      closed: (_channel, reason) => {
        // a look at the port, as health checks take, is no reason to complain
        if (this.forget(channel) && !channel.saidNothing)
          this.complaints.about(addressOf(channel), `${addressOf(channel)}: ${reason}`);
        for (const met of this.held) if (met.channel === channel) this.held.delete(met);
      },
    };
  }
  private forget(channel: PeerChannel): boolean {
    this.timers.get(channel)?.[Symbol.dispose]();
    return this.timers.delete(channel);
  }
  private hello(channel: PeerChannel, purpose: Hello['purpose'], hello: Hello): void {
    if (!channel.identify(hello.sid)) return; // lost on its way: the timer ends this
    this.forget(channel);
    const { remote: from, proof } = channel;
    const { self, hostsOf } = this.options;
    const refusal = judgeHello(hello, self(), { to: purpose, from, proof, hosts: hostsOf(hello.sid) });
    if (refusal !== undefined) {
      this.complaints.about(`server ${hello.sid} calling`, refusal.sentence);
      return this.refuse(channel, refusal);
    }
    channel.agreed = Math.min(hello.level, PEER_LEVEL);
    const { sid, incarnation, tag, attempt } = hello;
    this.met({ channel, sid, purpose, dialled: false, incarnation, tag, attempt });
  }
  /** Says why, and ends the connection. */
  refuse(channel: PeerChannel, { reason, sentence }: Refusal): void {
    channel.send({ type: 'REFUSED', reason, sentence: printable(sentence) });
    channel.finish(sentence);
  }
  /** Keeps one waiting while its predecessor is probed; false when another waits for that place. */
  hold(met: Met): boolean {
    for (const { sid, purpose } of this.held) if (sid === met.sid && purpose === met.purpose) return false;
    this.held.add(met);
    return true;
  }
  /** Ends the waiting; false when it went away meanwhile. */
  release(met: Met): boolean {
    return this.held.delete(met) && met.channel.ended === undefined;
  }
  close(): void {
    for (const channel of [...this.timers.keys()]) {
      this.forget(channel);
      channel.cut('stopping');
    }
    for (const { channel } of [...this.held]) channel.cut('stopping');
    this.held.clear();
  }
}

/** Without the port, which differs each time. */
const addressOf = (channel: PeerChannel): string => channel.remote.replace(/:\d+$/, '');
