import type { ConnectionHandler } from '../ports/network.ts';
import type { PeerLink, PeerListening } from '../ports/peer-network.ts';
import { STARTS_LEVEL } from '../records/peer-frame.ts';
import { isLong, type MessageOf, type PeerMessage, partsOf } from '../records/peer-messages.ts';
import { type Address, showHost } from '../server/config-servers.ts';
import { CallError, type CallSurroundings, callServer } from './peer-call.ts';
import { Caller } from './peer-caller.ts';
import { PeerChannel } from './peer-channel.ts';
import { Complaints } from './peer-complaints.ts';
import { GreetingRoom } from './peer-greeting.ts';
import { sameIdSentence } from './peer-hello.ts';
import { judgeSecond, type Met, PeerTable } from './peer-table.ts';
import {
  hostsOf,
  type PeerAddresses,
  type PeerEvents,
  type PeerOptions,
  type PeerPlaces,
  type PeerPorts,
} from './peer-types.ts';
import { listenError } from './start-error.ts';

export type { PeerAddresses, PeerEvents, PeerOptions, PeerPorts };

/** Bytes waiting for an election channel: votes are small, and only the newest waits. */
const ELECTION_LIMITS = { highWater: 64 * 1024, mostWaiting: 1024 * 1024 };
const BIND_RETRY_MS = 1000;

interface Listening {
  readonly purpose: Met['purpose'];
  readonly at: Address;
  readonly found: PeerListening;
}
const isSame = (a: Address, b: Address): boolean => a.host === b.host && a.port === b.port;
const show = ({ host, port }: Address): string => `${showHost(host)}:${port}`;

/**
 * Connections between servers. Each pair keeps one channel for votes: both dial while there is none, and of two the one
 * stays that the larger id dialled. A learner dials its leader on the quorum port. Whoever does not prove to be a member
 * of this ensemble, and another one than us, is turned away with a sentence that says so.
 */
export class PeerPort {
  readonly complaints: Complaints;
  private readonly options: PeerOptions;
  private readonly ports: PeerPorts;
  private readonly events: PeerEvents;
  private readonly table = new PeerTable();
  private readonly greetings: GreetingRoom;
  private readonly callers = new Map<number, Caller>();
  private readonly places = new Map<number, PeerAddresses>();
  private readonly calling: CallSurroundings;
  private listening: Listening[] = [];
  private readonly stopped = new AbortController();
  private dialling: AbortController | undefined;
  private channels = 0;
  private quorumCalls = 0;
  private beatAt: number;
  private beats: Disposable | undefined;

  constructor(options: PeerOptions, ports: PeerPorts, events: PeerEvents) {
    this.options = options;
    this.ports = ports;
    this.events = events;
    this.complaints = new Complaints(ports.clock, (sentence) => events.complaint(sentence));
    this.beatAt = ports.clock.monotonic();
    const { net, clock } = ports;
    const { self, connectMs } = options;
    this.calling = {
      net,
      clock,
      self,
      timeoutMs: connectMs,
      good: new Set(),
      makeChannel: (purpose) => this.makeChannel(purpose),
      met: (call, channel, welcome) =>
        this.metOurs({ ...call, channel, dialled: true, incarnation: welcome.incarnation, tag: welcome.tag }),
    };
    const greeting = { self, connectMs, hostsOf: (sid: number) => this.hostsOf(sid) };
    this.greetings = new GreetingRoom(greeting, clock, this.complaints, (met) => this.metTheirs(met));
  }

  /** Starts listening and calling. Resolves with the ports that were had; rejects with the errno's Error. */
  async start(): Promise<{ readonly election: number; readonly quorum: number }> {
    const { election, quorum, also } = this.options;
    const at = [await this.listen('election', election), await this.listen('quorum', quorum)];
    for (const each of also?.election ?? []) await this.listen('election', each);
    for (const each of also?.quorum ?? []) await this.listen('quorum', each);
    this.scheduleBeat();
    for (const caller of this.callers.values()) caller.hurry();
    return { election: at[0] as number, quorum: at[1] as number };
  }
  private async listen(purpose: Met['purpose'], at: Address): Promise<number> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.listenOnce(purpose, at);
      } catch (error) {
        if (attempt === this.options.bindAttempts || this.stopped.signal.aborted) throw error;
        this.complaints.about(purpose, `${at.host}:${at.port}: ${(error as Error).message}; tried again`);
        await new Promise<void>((resolve) => this.ports.clock.after(BIND_RETRY_MS, resolve));
      }
  }
  private async listenOnce(purpose: Met['purpose'], at: Address): Promise<number> {
    const found = await this.ports.net.listen(
      at,
      (link) => this.accept(link, purpose),
      (address, sentence) => this.complaints.about(address, `${address}: ${sentence}`),
    );
    if (this.stopped.signal.aborted) found.close();
    this.listening.push({ purpose, at, found });
    return found.port;
  }
  /**
   * Listens there from now on: what is new is opened, then what is old closed; connections live on. Where something new cannot
   * be had the old stays, for that purpose. Resolves with where it listens then.
   */
  async move(to: PeerPlaces): Promise<PeerPlaces> {
    const places = (): PeerPlaces => {
      const of = (which: Met['purpose']): Address[] =>
        this.listening.flatMap(({ purpose, at }) => (purpose === which ? [at] : []));
      return { quorum: of('quorum'), election: of('election') };
    };
    const isWanted = ({ purpose, at }: Pick<Listening, 'purpose' | 'at'>): boolean =>
      to[purpose].some((each) => isSame(each, at));
    for (const purpose of ['election', 'quorum'] as const) {
      const before = this.listening.filter((each) => each.purpose === purpose);
      const fresh = to[purpose].filter((at) => !before.some((each) => isSame(each.at, at)));
      try {
        for (const at of fresh) await this.listenInstead(purpose, at, isWanted);
      } catch (error) {
        const stays = places()[purpose].map(show).join(' and ') || 'nowhere';
        const { message } = listenError(error, fresh.map(show).join(' or '), fresh[0]?.host, `${purpose} port`);
        const until = 'until it is restarted, or reconfig moves it again';
        this.events.moved(
          `reconfig moves the ${purpose} port of this server, but ${message}. It is at ${stays} ${until}`,
          false,
        );
        continue;
      }
      const gone = this.listening.filter((each) => each.purpose === purpose && !isWanted(each));
      for (const { found } of gone) found.close();
      this.listening = this.listening.filter((each) => !gone.includes(each));
      if (fresh.length > 0)
        this.events.moved(`${purpose} port moved by reconfig: to ${places()[purpose].map(show).join(' and ')}`, true);
    }
    return places();
  }
  /** What is to go and has that port is in the way, whatever it was for. */
  private async listenInstead(
    purpose: Met['purpose'],
    at: Address,
    isWanted: (each: Listening) => boolean,
  ): Promise<void> {
    const inTheWay = this.listening.filter((each) => each.at.port === at.port && !isWanted(each));
    for (const { found } of inTheWay) found.close();
    this.listening = this.listening.filter((each) => !inTheWay.includes(each));
    try {
      await this.listenOnce(purpose, at);
    } catch (error) {
      for (const each of inTheWay) await this.listenOnce(each.purpose, each.at);
      throw error;
    }
  }
  /** Ends everything; nothing is told any more. */
  close(): void {
    this.stopped.abort();
    this.dialling?.abort();
    this.beats?.[Symbol.dispose]();
    for (const { found } of this.listening) found.close();
    for (const caller of this.callers.values()) caller.stop();
    this.greetings.close();
    for (const met of this.table.all()) {
      this.table.remove(met);
      met.channel.finish('stopping');
    }
  }

  /** Tells who the other servers are and where; called again when that changes. Ourselves among them are left out. */
  know(members: readonly PeerAddresses[]): void {
    const { sid: own } = this.options.self();
    const others = members.filter(({ sid }) => sid !== own);
    const sids = new Set(others.map(({ sid }) => sid));
    for (const [sid, caller] of this.callers) {
      if (sids.has(sid)) continue;
      caller.stop();
      this.callers.delete(sid);
      this.places.delete(sid);
    }
    for (const place of others) {
      const { sid, election } = place;
      this.places.set(sid, place);
      const caller = this.callers.get(sid);
      if (caller !== undefined) caller.addresses = election;
      else this.callers.set(sid, this.makeCaller(sid, election));
    }
  }
  private hostsOf(sid: number): readonly string[] {
    const place = this.places.get(sid);
    return place === undefined ? [] : (place.hosts ?? hostsOf(place));
  }
  private makeCaller(sid: number, addresses: readonly Address[]): Caller {
    const { clock, random } = this.ports;
    const caller = new Caller(sid, addresses, this.calling, clock, random, 2 * this.options.tickMs, {
      isNeeded: () => this.listening.length >= 2 && this.table.election(sid) === undefined,
      failed: (error) => {
        if (this.stopped.signal.aborted) return;
        this.hearRefusal(sid, error);
        if (this.table.election(sid) !== undefined) return;
        this.events.reached(sid, false);
        this.events.turn();
      },
    });
    caller.hurry();
    return caller;
  }
  private hearRefusal(sid: number, { refusal, message }: CallError): void {
    if (refusal === undefined || refusal.reason === 'duplicate' || refusal.reason === 'busy') return;
    this.complaints.about(`server ${sid}`, message);
    if (refusal.reason === 'ensemble') this.events.foreign(sid, message);
  }
  /** Everyone not connected is called now, however often that failed before. */
  hurry(): void {
    for (const caller of this.callers.values()) caller.hurry();
  }
  /**
   * A round of an election begins: those of these that are not connected are called now, and of each it is told, later, by
   * `reached` whether votes get there.
   */
  gather(sids: readonly number[]): void {
    const { sid: own } = this.options.self();
    const others = sids.filter((sid) => sid !== own);
    for (const sid of others) this.callers.get(sid)?.hurry();
    this.ports.clock.after(0, () => {
      if (this.stopped.signal.aborted) return;
      for (const sid of others)
        if (this.table.election(sid) !== undefined) this.events.reached(sid, true);
        // nobody will call one whose address is not known
        else if (!this.callers.has(sid)) this.events.reached(sid, false);
      this.events.turn();
    });
  }

  /** Sends a vote, of which only the newest waits; lost when there is no connection, since `reached` will ask for it. */
  vote(to: number, message: MessageOf<'VOTE'>): void {
    this.table.election(to)?.channel.sendLatest(message);
  }
  /** Tells a server who belongs to the ensemble; lost when there is no connection. */
  tellMembers(to: number, message: MessageOf<'MEMBERS'>): void {
    this.table.election(to)?.channel.send(message);
  }
  /** Dials a leader, once, at all its addresses; `linked` or `dialFailed` follows. An earlier dial is given up. */
  dial(to: number): void {
    this.dialling?.abort();
    const dialling = new AbortController();
    this.dialling = dialling;
    const { signal } = dialling;
    const addresses = this.places.get(to)?.quorum ?? [];
    const call = { sid: to, purpose: 'quorum' as const, addresses, attempt: ++this.quorumCalls, signal };
    callServer(call, this.calling).catch((error: unknown) => {
      if (!(error instanceof CallError)) throw error;
      if (signal.aborted || this.stopped.signal.aborted) return;
      this.hearRefusal(to, error);
      this.events.dialFailed(to, error.message);
      this.events.turn();
    });
  }
  /** Puts a message into this turn's packet. False: enough is waiting, pause until `drained`. */
  send(link: number, message: PeerMessage): boolean {
    const channel = this.table.numbered(link)?.channel;
    if (channel === undefined) return true;
    if (message.type === 'STARTS' && channel.level < STARTS_LEVEL) return true;
    if (!isLong(message)) return channel.send(message);
    let room = true;
    for (const part of partsOf(message)) room = channel.send(part);
    return room;
  }
  /** Ends a link after what was sent on it; `closed` is not told. */
  hangUp(link: number, reason: string): void {
    const met = this.table.numbered(link);
    if (met === undefined) return;
    this.table.remove(met);
    met.channel.finish(reason);
  }
  /** The end of a turn: one write to each server that something is for. */
  flush(): void {
    for (const { channel } of this.table.each()) channel.flush();
  }
  /** As what a server that votes reach is connected. */
  incarnationOf(sid: number): string | undefined {
    return this.table.election(sid)?.incarnation;
  }
  /** Servers that votes reach. */
  get connected(): readonly number[] {
    return this.table
      .all()
      .filter(({ purpose }) => purpose === 'election')
      .map(({ sid }) => sid);
  }

  /** The channel of a link on the quorum port. */
  channelOf(link: number): PeerChannel | undefined {
    return this.table.numbered(link)?.channel;
  }

  /** The server at the other end of it; 0 when there is none any more. */
  sidOf(link: number): number {
    return this.table.numbered(link)?.sid ?? 0;
  }

  private makeChannel(purpose: Met['purpose']): PeerChannel {
    const limits = purpose === 'election' ? ELECTION_LIMITS : this.options;
    return new PeerChannel(++this.channels, { messages() {}, drained() {}, closed() {} }, this.ports.clock, limits);
  }
  private accept(link: PeerLink, purpose: Met['purpose']): ConnectionHandler {
    const channel = this.makeChannel(purpose);
    channel.bind(link);
    if (this.stopped.signal.aborted) channel.cut('stopping');
    else this.greetings.receive(channel, purpose);
    return channel.handler;
  }

  /** We dialled and were welcomed. What is there by now came while we dialled, so it is alive. */
  private metOurs(met: Met): void {
    const { sid: own } = this.options.self();
    const present = this.table.at(met);
    if (this.stopped.signal.aborted) return met.channel.cut('stopping');
    if (present === undefined || judgeSecond(met, present, own) === 'replace') return this.enter(met);
    if (met.incarnation !== present.incarnation || met.tag !== present.tag) this.complainOfTwo(met, present);
    met.channel.cut('connected already');
  }
  /** Someone said a proper hello. */
  private metTheirs(met: Met): void {
    const present = this.table.at(met);
    if (present === undefined) return this.welcome(met);
    const verdict = judgeSecond(met, present, this.options.self().sid);
    if (verdict === 'replace') return this.welcome(met);
    const { sid } = met;
    const duplicate = { reason: 'duplicate', sentence: `server ${sid} is connected already` } as const;
    if (verdict === 'stale') return this.greetings.refuse(met.channel, duplicate);
    if (!this.greetings.hold(met))
      return this.greetings.refuse(met.channel, {
        reason: 'busy',
        sentence: `another connection of server ${sid} is being looked at`,
      });
    present.channel.probe(this.options.tickMs, (alive) => {
      if (!this.greetings.release(met)) return;
      if (this.table.at(met) !== present) return this.metTheirs(met);
      if (!alive) {
        this.drop(present, 'it does not answer, and there is a newer connection');
        this.welcome(met);
      } else if (met.incarnation === present.incarnation && met.tag === present.tag)
        this.greetings.refuse(met.channel, duplicate);
      else this.greetings.refuse(met.channel, { reason: 'same-id', sentence: this.complainOfTwo(met, present) });
    });
  }
  private complainOfTwo(a: Met, b: Met): string {
    const sentence = sameIdSentence(a.sid, `the one at ${b.channel.remote}`, `the one at ${a.channel.remote}`);
    this.complaints.about(`server ${a.sid}`, sentence);
    return sentence;
  }
  private welcome(met: Met): void {
    const { ensembleName, ensembleId, sid, incarnation, tag } = this.options.self();
    const { channel } = met;
    channel.send({ type: 'WELCOME', level: channel.agreed, ensembleName, ensembleId, sid, incarnation, tag });
    channel.flush(); // alone in its frame: what the other end may then be told is for who has read it
    channel.open(channel.agreed);
    this.enter(met);
  }
  /** The channel stands; one that stood in its place goes. */
  private enter(met: Met): void {
    const present = this.table.at(met);
    this.table.add(met);
    for (const who of [`server ${met.sid}`, `server ${met.sid} calling`]) this.complaints.settled(who);
    const { channel, sid } = met;
    channel.owner = {
      messages: (_channel, messages) => this.messages(met, messages),
      drained: () => {
        this.events.drained(channel.number);
        this.events.turn();
      },
      closed: (_channel, reason) => {
        if (this.table.numbered(channel.number) !== met) return;
        this.table.remove(met);
        this.gone(met, reason);
        this.events.turn();
      },
    };
    // a third one may have waited to hear whether that is alive: the place is taken by now, or both would be in it
    if (present !== undefined) this.drop(present, 'a newer connection took its place');
    if (this.table.numbered(channel.number) !== met) return;
    if (met.purpose === 'election') this.events.reached(sid, true);
    else this.events.linked(sid, channel.number, met.dialled);
    channel.flush();
    this.events.turn();
  }
  private drop(met: Met, reason: string): void {
    this.table.remove(met);
    met.channel.cut(reason);
    this.gone(met, reason);
  }
  private gone({ sid, purpose, channel }: Met, reason: string): void {
    if (purpose === 'quorum') return this.events.closed(channel.number, reason);
    this.events.reached(sid, false);
    this.callers.get(sid)?.lost();
  }
  private messages(met: Met, messages: readonly PeerMessage[]): void {
    const { channel, purpose, sid } = met;
    for (const message of messages) {
      if (channel.ended !== undefined || this.table.numbered(channel.number) !== met) break;
      const isForElections = message.type === 'VOTE' || message.type === 'MEMBERS';
      const isGreeting = message.type === 'HELLO' || message.type === 'WELCOME' || message.type === 'REFUSED';
      if (isGreeting || isForElections !== (purpose === 'election')) {
        channel.cut(`${message.type} on ${purpose === 'election' ? 'an' : 'a'} ${purpose} channel`);
        break;
      }
      if (message.type === 'VOTE') this.events.voted(sid, message);
      else if (message.type === 'MEMBERS') this.events.toldMembers(message);
      else this.events.received(channel.number, message);
    }
    this.events.turn();
  }

  private scheduleBeat(): void {
    this.beats = this.ports.clock.after(this.options.tickMs / 2, () => {
      if (this.stopped.signal.aborted) return;
      this.beat();
      this.scheduleBeat();
    });
  }
  private beat(): void {
    const { clock } = this.ports;
    const { tickMs, silenceTicks } = this.options;
    const silentMs = silenceTicks * tickMs;
    const forVotes = Math.max(2 * tickMs, this.options.voteSilenceMs ?? silentMs);
    const now = clock.monotonic();
    const late = now - this.beatAt - tickMs / 2;
    this.beatAt = now;
    for (const { channel, purpose } of this.table.all()) {
      // it was us who slept: what the others sent meanwhile may still be under way to us
      if (late > tickMs) channel.heardAt = now;
      else channel.beat(now, tickMs, purpose === 'election' ? forVotes : silentMs);
    }
  }
}
