import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { Bag } from '../base/bag.ts';
import type { ClientTlsKeys } from '../platform/client-tls.ts';
import type { Clock } from '../ports/clock.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { FrameCutter } from '../protocol/frame.ts';
import type { Identity } from '../server/acl.ts';
import type { ServerConfig } from '../server/config.ts';
import { ClientConnection } from '../server/connection.ts';
import { refuseLate } from '../server/pressure.ts';
import { MOST_REPLY } from '../server/reply.ts';
import type { Server } from '../server/server.ts';
import { ClientDoors, type Served } from './client-doors.ts';
import { ClientFaults } from './client-faults.ts';
import { dropStale, letGo, letGoLate } from './client-leaving.ts';
import { ClientLimits } from './client-limits.ts';
import { answerWord, isFourLetter, type WordContext, wordBytes } from './four-letter.ts';
import type { Logger } from './log.ts';
import type { ServerPorts } from './node-options.ts';
import { OwnPlaces } from './own-places.ts';
import { type Client, isAnswerAlone, isLong } from './port-client.ts';
import { noTraffic } from './traffic.ts';
import { SHARE, TurnBudget } from './turn-budget.ts';

/** A listener that hands out sockets; Node's own unless the world is simulated. */
export type Listener = (accept: (socket: Socket) => void) => NetServer;
export const tcpListener: Listener = (accept) => createServer({ noDelay: true, allowHalfOpen: true }, accept);

const HANDSHAKE_MS = 10_000;
/** Bytes queued for a client that does not read: reading from it stops, and at the bound it is cut off. */
const OUT_PAUSE = 4 * 1024 * 1024;
const OUT_LIMIT = MOST_REPLY + 2 * OUT_PAUSE;
/** Requests of one connection that may wait (behind a slow disk, say) before it is no longer read. */
const WAITING_PER_CONNECTION = 1000;
/** Bytes of requests that wait for a later turn before their connection is no longer read. */
const HOLD = 65536;
const NOTHING = Buffer.alloc(0);
/** A ping as it comes in: its length, xid -2, operation 11. */
const PING = Buffer.from([0, 0, 0, 8, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]);

/** What the client port stands on. */
type ClientPorts = Pick<ServerPorts, 'clock' | 'listener' | 'descriptors'>;

/** What words and metrics tell beyond what the port knows. */
export type Words = Omit<WordContext, 'server' | 'config' | 'connections' | 'traffic' | 'handshakes'>;

/** The client port: sockets to frames, replies to sockets, one write per client and turn. */
export class ClientPort {
  readonly clients = new Bag<Client>();
  private readonly doors: ClientDoors;
  /** Told which member this server is. */
  readonly places: OwnPlaces;
  private server: Server;
  private readonly config: ServerConfig;
  private readonly words: Words;
  private readonly traffic = noTraffic();
  private readonly limits: ClientLimits;
  private readonly faults: ClientFaults;
  /** The request throttle has stalled. */
  private stalled = false;
  private readonly clocks: () => void;
  private readonly turn: () => void;
  private readonly clock: Clock;
  private readonly paused = new Set<Client>();
  private readonly ending: Client[] = [];
  /** Clients with requests left over, first come first served. */
  private queue: Client[] = [];
  private armed = false;
  private readonly budget = new TurnBudget(
    () => this.arm(),
    () => this.clock.monotonic(),
  );
  private nextId = 1;
  /** No request is read any more. */
  stopping = false;

  /** `clocks` is called before input is given to the server, whose clocks it sets; `turn` behind it: it flushes. */
  constructor(
    server: Server,
    config: ServerConfig,
    words: Words,
    clocks: () => void,
    turn: () => void,
    ports: ClientPorts,
    logger: Logger,
    keys: ClientTlsKeys | undefined,
  ) {
    this.server = server;
    this.config = config;
    this.words = words;
    this.clocks = clocks;
    this.turn = turn;
    const { clock, listener, descriptors } = ports;
    this.clock = clock;
    this.limits = new ClientLimits(config, this.traffic, () => clock.monotonic());
    this.faults = new ClientFaults(clock, (sentence) => logger.error(sentence));
    this.doors = new ClientDoors({
      ...{ config, clock, listener, logger, keys, traffic: this.traffic, descriptors: descriptors?.() },
      shown: words.tally.shown,
      serve: (socket, ip, proved) => this.accept(socket, ip, proved),
      refused: () => {
        this.server.outbox.counts.authFailed++;
      },
    });
    this.places = new OwnPlaces(config, this.doors);
  }
  /** Clients that are connected. */
  get size(): number {
    return this.clients.size;
  }
  /** Opens the ports; where clients are served. @throws StartError */
  async listen(): Promise<Served> {
    const at = await this.doors.listen();
    this.places.opened();
    return at;
  }
  private accept(socket: Socket, ip: string, proved: readonly Identity[] | undefined): void {
    const connection = new ClientConnection(this.nextId++, ip, socket.remotePort ?? 0, this.clock.wall());
    if (proved !== undefined) {
      connection.secure = true;
      connection.prove(proved);
    }
    const client: Client = {
      connection,
      socket,
      cutter: new FrameCutter(this.config.maxBufferBytes),
      head: NOTHING,
      place: -1,
      timer: this.clock.after(HANDSHAKE_MS, () => {
        this.traffic.sessionless++;
        socket.destroy();
      }),
      paused: false,
      ended: false,
      share: 0,
      deferred: false,
      last: 'no',
      queued: false,
      onFrame: (bytes, start, end) => this.frame(client, bytes, start, end),
    };
    connection.owner = client;
    this.clients.add(client);
    if (this.config.clientTcpKeepAlive) socket.setKeepAlive(true);
    socket.on('data', (chunk: Buffer) => this.data(client, chunk));
    socket.on('end', () => {
      // what it asked counts, whether or not it waits for the answers
      client.last = 'ending';
      if (!client.deferred && !connection.refused) letGo(client, this.clock);
    });
    socket.on('drain', () => {
      if (this.paused.has(client)) return;
      if (client.deferred) this.enqueue(client);
      this.resume(client);
    });
    socket.on('error', () => {});
    socket.on('close', () => this.closed(client));
  }
  /** The socket is no more: what it asked is done before it is forgotten. */
  private closed(client: Client): void {
    client.timer?.[Symbol.dispose]();
    this.paused.delete(client);
    if (!client.ended) this.traffic.dropped++;
    client.last = 'gone';
    if (!client.deferred || this.stopping) return this.forget(client);
    if (this.limits.dropsStale) this.clearStale(client);
    else this.enqueue(client);
  }
  private forget(client: Client): void {
    this.clients.delete(client);
    this.limits.gone(client.connection);
    this.server.disconnected(client.connection);
  }
  private data(client: Client, chunk: Buffer): void {
    this.traffic.bytesReceived += chunk.length;
    if (client.ended) return;
    let bytes = chunk;
    if (client.head !== undefined) {
      bytes = client.head.length === 0 ? chunk : Buffer.concat([client.head, chunk]);
      if (bytes.length < 4) {
        client.head = bytes;
        return;
      }
      const word = bytes.latin1Slice(0, 4);
      if (isFourLetter(word)) {
        client.head = bytes;
        if (bytes.length >= wordBytes(word, this.config)) this.word(client, word, bytes.subarray(4));
        return;
      }
      client.head = undefined;
    }
    this.limits.arrived(client.connection, bytes.length);
    // its pings stand behind what waits: whoever writes lives, whenever that is done
    if (client.deferred && client.connection.state === 'open') this.hear(client.connection);
    this.take(client, bytes, client.deferred || this.holds ? 0 : this.budget.share());
  }
  private hear(connection: ClientConnection): void {
    this.clocks();
    this.server.hear(connection);
  }
  /** No request is given to the server: it holds, or so many are under way that the request throttle stalls. */
  private get holds(): boolean {
    if (this.server.holds) return true;
    if (!this.limits.stalls(this.server)) return false;
    if (!this.stalled) this.traffic.stalls++;
    this.stalled = true;
    return true;
  }
  /** Does up to `share` of the client's requests; what is left is deferred. */
  private take(client: Client, bytes: Buffer, share: number): void {
    client.share = share;
    this.clocks();
    this.push(client, bytes);
    if (share === 0 && (this.stalled || this.server.applying)) this.answerPings(client);
    this.budget.spend(share - client.share);
    if (share > 0) this.turn();
    const { outstanding } = client.connection;
    if (outstanding === 0) client.connection.grows = false;
    const costly = outstanding > 0 && client.connection.costly;
    client.connection.costly = costly;
    const crowded = costly || (outstanding > 0 && this.server.outstanding > this.limits.outstanding(this.server));
    const held = client.share === 0 && client.cutter.pending > 0;
    client.deferred = held;
    if (!held && client.last === 'ending') return client.connection.refused ? undefined : letGo(client, this.clock);
    if (crowded || outstanding > WAITING_PER_CONNECTION) {
      this.paused.add(client);
      this.pause(client);
      return;
    }
    if (held) this.enqueue(client);
    if (held && client.cutter.pending > HOLD) this.pause(client);
    else this.resume(client);
  }
  /** Pings that wait for nothing but a large transaction are answered beside it: their sessions are not to end of it. */
  private answerPings({ connection, cutter, socket }: Client): void {
    if (connection.state !== 'open' || connection.outstanding > 0 || !this.server.letsIn(connection)) return;
    while (!socket.destroyed && cutter.skip(PING)) {
      this.limits.passed(connection, PING.length - 4);
      socket.write(this.server.pinged(connection));
    }
  }
  private enqueue(client: Client): void {
    client.deferred = true;
    if (client.queued) return;
    client.queued = true;
    this.queue.push(client);
    this.arm();
  }
  private arm(): void {
    if (this.armed) return;
    this.armed = true;
    setImmediate(() => this.takeTurns());
  }
  /** Requests left over by earlier turns: each client a share, round after round, for as long as a turn may take. */
  private takeTurns(): void {
    this.armed = false;
    if (this.holds) return;
    this.budget.restart();
    let at = 0;
    for (; at < this.queue.length; at++) {
      const share = this.budget.share();
      if (share < SHARE || this.holds) break;
      const client = this.queue[at] as Client;
      client.queued = false;
      // those come back when their client has read, or when the disk has caught up
      const later = client.socket.writableLength > OUT_PAUSE || this.paused.has(client);
      if (client.last === 'gone') this.takeLast(client, share);
      else if (!client.ended && !client.socket.destroyed && !this.stopping && !later) this.take(client, NOTHING, share);
    }
    this.queue.splice(0, at);
    if (this.queue.length > 0) this.arm();
  }
  /** Up to `share` of what a client asked that has gone. */
  private takeLast(client: Client, share: number): void {
    if (this.stopping) return this.forget(client);
    client.share = share;
    this.clocks();
    this.push(client, NOTHING);
    this.budget.spend(share - client.share);
    this.turn();
    client.deferred = client.share === 0 && client.cutter.pending > 0;
    if (client.deferred) this.enqueue(client);
    else this.forget(client);
  }
  /** The end of its session alone, of what a client asked that has gone. */
  private clearStale(client: Client): void {
    this.clocks();
    dropStale(client, this.server, this.traffic);
    this.turn();
    this.forget(client);
  }
  /** What its bytes brought about in the server may be half done when it throws: only what they are no frames of is its own. */
  private push(client: Client, bytes: Buffer): void {
    try {
      if (client.share > 0) client.cutter.push(bytes, client.onFrame);
      else client.cutter.hold(bytes);
    } catch (fault) {
      if (!(fault instanceof ProtocolError)) throw fault;
      client.connection.state = 'closing';
      client.socket.destroy();
    }
    if (client.connection.state === 'connecting') this.pause(client);
  }
  /** What words and metrics tell from. */
  context(): WordContext {
    this.clocks();
    const { server } = this;
    const { config } = this.places;
    const { outstanding: handshakes } = this.doors;
    return { server, config, connections: this.clients, traffic: this.traffic, handshakes, ...this.words };
  }
  private word(client: Client, word: string, argument: Buffer): void {
    client.head = undefined;
    client.ended = true;
    this.server.outbox.received(client.connection);
    try {
      client.socket.end(answerWord(word, this.context(), argument));
      this.server.outbox.sent(client.connection);
    } catch (fault) {
      // a word looks, and sets back figures at most
      this.faults.met(client.connection.ip, `which asked ${word}`, fault);
    }
    letGo(client, this.clock);
  }
  private frame(client: Client, bytes: Buffer, start: number, end: number): boolean {
    const { connection } = client;
    if (connection.state === 'open') {
      const type = end - start < 8 ? 0 : bytes.readInt32BE(start + 4);
      if (client.last === 'gone' && isAnswerAlone(type)) return true;
      client.share--;
      if (this.limits.perRequest) this.judged(client, bytes, start, end);
      else this.server.receive(connection, bytes, start, end);
      // the others wait for a long one, and for one that is owed much
      const { out } = connection;
      if (
        connection.costly ||
        this.holds ||
        (out !== undefined && out.at > OUT_PAUSE) ||
        (isLong(type) && this.budget.isUsed)
      )
        client.share = 0;
      if (client.share <= 0) return false;
    } else if (connection.state === 'new') {
      client.timer?.[Symbol.dispose]();
      client.timer = undefined;
      if (!this.limits.admits(bytes, start, end)) {
        connection.state = 'closing';
        client.socket.destroy();
        return false;
      }
      this.traffic.requests++;
      this.limits.passed(connection, end - start);
      this.server.handshake(connection, bytes, start, end);
    }
    return connection.state === 'open';
  }
  /** A request with bounds of its own to be kept. */
  private judged(client: Client, bytes: Buffer, start: number, end: number): void {
    const { connection, socket } = client;
    const isWhole = end - start >= 8;
    const verdict = isWhole ? this.limits.judge(connection, bytes.readInt32BE(start + 4), end - start) : 'take';
    if (verdict === 'end') {
      connection.state = 'closing';
      socket.destroy();
    } else if (verdict === 'refuse') refuseLate(this.server, connection, bytes.readInt32BE(start));
    else {
      this.server.receive(connection, bytes, start, end);
      this.limits.took(connection, end - start);
    }
  }
  private pause(client: Client): void {
    if (client.paused) return;
    client.paused = true;
    client.socket.pause();
  }
  private resume(client: Client): void {
    if (!client.paused || this.stopping || client.connection.state === 'connecting') return;
    if (client.deferred && client.cutter.pending > HOLD) return;
    client.paused = false;
    client.socket.resume();
  }

  /** The server wants this connection ended once its bytes are sent. */
  close(connection: ClientConnection): void {
    const client = connection.owner as Client;
    client.ended = true;
    this.ending.push(client);
  }
  /** It could not be answered by a fault of ours, which changed nothing: the server ends it. */
  failed(connection: ClientConnection, fault: unknown): void {
    this.faults.met(connection.ip, `operation ${connection.stats.lastOp}`, fault);
  }
  /** Sends what gathered, one write per client; ends what was to end. Nothing while a part of a transaction is applied. */
  flush(): void {
    if (this.server.inParts) return;
    const { dirty } = this.server.outbox;
    for (let i = 0; i < dirty.length; i++) {
      const connection = dirty[i] as ClientConnection;
      const client = connection.owner as Client;
      const writer = connection.out;
      connection.out = undefined;
      if (writer === undefined || client.socket.destroyed) continue;
      const { socket } = client;
      this.traffic.bytesSent += writer.at;
      if (connection.refused) {
        letGoLate(client, Buffer.from(writer.bytes.subarray(0, writer.at)), this.clock);
        this.server.outbox.reuse(writer);
        continue;
      }
      socket.write(writer.bytes.subarray(0, writer.at));
      // nothing left waiting: the kernel has it all and the buffer is ours again
      if (socket.writableLength === 0) this.server.outbox.reuse(writer);
      else if (socket.writableLength > OUT_LIMIT) socket.destroy();
      else if (socket.writableLength > OUT_PAUSE) this.pause(client);
      if (
        client.paused &&
        connection.state === 'open' &&
        !this.paused.has(client) &&
        socket.writableLength <= OUT_PAUSE
      ) {
        this.resume(client);
        if (client.cutter.pending > 0) this.enqueue(client); // what came behind the handshake
      }
    }
    if (dirty.length > 0) dirty.length = 0;
    if (this.ending.length > 0)
      for (const client of this.ending.splice(0)) if (!client.connection.refused) letGo(client, this.clock);
    if (this.stalled && !this.limits.stalls(this.server)) {
      this.stalled = false;
      this.goOn();
    }
    if (this.paused.size > 0) this.resumePaused();
  }
  /** Goes on with those that waited too much: all of theirs is answered, or half of it and not much of the others' waits. */
  private resumePaused(): void {
    const isCalm = this.server.outstanding <= this.limits.outstanding(this.server) / 2;
    for (const client of this.paused) {
      const { connection } = client;
      const { outstanding } = connection;
      if (outstanding > 0 && (!isCalm || connection.costly || outstanding > WAITING_PER_CONNECTION / 2)) continue;
      connection.costly = false;
      this.paused.delete(client);
      if (client.deferred) this.enqueue(client);
      this.resume(client);
    }
  }
  /** Serves from another state; nobody is attached to the one before. */
  attach(server: Server): void {
    this.server = server;
  }
  /** This server serves nobody any more: every client looks for another. */
  dropAll(): void {
    this.flush();
    for (const client of this.clients) {
      client.deferred = false;
      client.ended = true;
      client.connection.state = 'closing';
      if (client.last === 'gone') this.forget(client);
      else letGo(client, this.clock);
    }
    this.queue = [];
    this.paused.clear();
  }
  /** A new epoch stands, or a leader stays that was about to go: requests that waited are taken. */
  goOn(): void {
    if (this.queue.length > 0) this.arm();
  }
  /** Takes no further connection and reads no further request; what was read goes on being answered. */
  drain(): void {
    this.stopping = true;
    this.doors.close();
    for (const client of this.clients) this.pause(client);
  }
  /** Ends the connections there are, each after the bytes it is owed. */
  async stop(): Promise<void> {
    this.flush();
    const gone = [...this.clients].map(
      ({ socket }) =>
        new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve()))),
    );
    for (const client of this.clients) client.socket.destroySoon();
    using _late = this.clock.after(500, () => {
      for (const client of this.clients) client.socket.destroy();
    });
    await Promise.all(gone);
  }
}
