/** Connections to a client port that say what no client should. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Random } from '../../src/base/random.ts';
import { frame, hello } from '../e2e/raw.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type Saying, Sayings } from './client-inputs.ts';
import { Line } from './client-line.ts';
import { MEDDLINGS, Meddler } from './meddler.ts';

const HOST = '127.0.0.1';
/** Connections at a time; by TLS fewer, since each begins with some ms of work at both ends. */
const LINES = 60;
const TLS_LINES = 12;
/** Inputs that are sent together at most, with a ping behind them; what comes behind one that ends the connection is not read. */
const BATCH = 4;
const BATCHES = 40;
/** How long an answer is waited for that need not come; longer while some kind of answer is still lacking, since a machine may be slow. */
const SILENCE_MS = 40;
const LONG_SILENCE_MS = 500;
/** So many times what is wanted, and not more, for what is still lacking. */
const MOST_TIMES = 4;
const PING = frame(Buffer.from('fffffffe0000000b', 'hex'));
/** About as long as what a client says in the handshake, and a little beyond. */
const HANDSHAKE_BYTES = 700;

/** A port of the server that is attacked. */
export interface Door {
  readonly port: number;
  readonly tls: boolean;
  /** By TLS: what the attackers show. */
  readonly cert?: string;
  readonly key?: string;
}

export class ClientAttack {
  readonly kinds = new Map<string, number>();
  readonly outcomes = new Map<string, number>();
  inputs = 0;
  connections = 0;
  readonly sayings: Sayings;
  private silenceMs = SILENCE_MS;
  private readonly random: Random;
  private readonly doors: readonly Door[];
  constructor(doors: readonly Door[], random: Random) {
    this.doors = doors;
    this.random = random;
    this.sayings = new Sayings(random);
  }
  /** So many inputs, and some more until it is `enough`. */
  async run(wanted: number, enough: () => boolean): Promise<void> {
    const work = async (): Promise<void> => {
      while (this.inputs < wanted || (!enough() && this.inputs < MOST_TIMES * wanted)) {
        this.silenceMs = enough() ? SILENCE_MS : LONG_SILENCE_MS;
        const door = this.doors[this.random.below(this.doors.length)] as Door;
        const roll = this.random.below(9);
        if (roll < 6) await this.client(door);
        else if (roll < 8 && door.tls) await this.meddle(door);
        else await this.stranger(door);
      }
    };
    const lines = this.doors.some(({ tls }) => tls) ? TLS_LINES : LINES;
    await Promise.all(Array.from({ length: lines }, work));
  }
  private count(kind: string, when: string, outcome: string): void {
    this.inputs++;
    for (const [table, key] of [
      [this.kinds, `${when}: ${kind}`],
      [this.outcomes, `${when}: ${outcome}`],
    ] as const)
      table.set(key, (table.get(key) ?? 0) + 1);
  }
  private dial({ port }: Door): Socket {
    this.connections++;
    return connect({ host: HOST, port, localAddress: `127.0.0.${2 + this.random.below(200)}`, noDelay: true });
  }
  private secured({ cert, key }: Door, socket: Socket | Meddler): TLSSocket {
    const shown = cert !== undefined && this.random.below(2) === 0 ? { cert, key } : {};
    const maxVersion = this.random.below(3) === 0 ? 'TLSv1.2' : 'TLSv1.3';
    return connectTls({ socket, rejectUnauthorized: false, maxVersion, ...shown });
  }
  /** By TLS where the door is for it; undefined when it came to nothing. */
  private async open(door: Door): Promise<Line | undefined> {
    const socket = this.dial(door);
    if (!door.tls) return new Line(socket);
    socket.on('error', () => {});
    const tls = this.secured(door, socket);
    let isIn = false;
    tls.once('secureConnect', () => {
      isIn = true;
    });
    const line = new Line(tls);
    tls.once('secureConnect', () => line.look());
    if (await line.until(() => isIn, PATIENCE_MS)) return line;
    line.close();
    return undefined;
  }
  private async stranger(door: Door): Promise<void> {
    const saying = this.sayings.before();
    // at a door for TLS in the clear as well: what is no handshake
    const isClear = door.tls && this.random.below(2) === 0;
    const line = isClear ? new Line(this.dial(door)) : await this.open(door);
    if (line === undefined) return;
    line.say(saying.bytes);
    await line.until(() => line.bytes > 0, this.silenceMs);
    const outcome = line.bytes > 0 ? 'answered' : line.ended ? 'hung up' : 'waits for more';
    this.count(saying.kind, isClear ? 'in place of TLS' : 'before a session', outcome);
    line.close();
  }
  /** A handshake, and somewhere in it or behind it one thing goes wrong. */
  private async meddle(door: Door): Promise<void> {
    const { random } = this;
    const what = MEDDLINGS[random.below(MEDDLINGS.length)] as (typeof MEDDLINGS)[number];
    const at = random.below(HANDSHAKE_BYTES);
    const socket = this.dial(door);
    const line = new Line(this.secured(door, new Meddler(socket, random, what, at)));
    line.say(Buffer.concat([hello(), PING]));
    await line.until(() => line.bytes > 0, this.silenceMs);
    const outcome = line.bytes > 0 ? 'answered' : line.ended ? 'hung up' : 'waits for more';
    this.count(what, 'in the handshake', outcome);
    line.close();
    socket.destroy();
  }
  private async client(door: Door): Promise<void> {
    const line = await this.open(door);
    if (line === undefined) return;
    line.say(hello());
    if (!(await line.until(() => line.bytes > 0, PATIENCE_MS))) {
      this.count('a hello', 'before a session', line.ended ? 'hung up' : 'no answer');
      return line.close();
    }
    for (let batch = 0; batch < BATCHES && !line.ended; batch++) {
      const said: Saying[] = [];
      const most = 1 + this.random.below(BATCH);
      while (said.length < most && said.at(-1)?.last !== true) said.push(this.sayings.within());
      const open = said.at(-1)?.last === true;
      line.say(Buffer.concat([...said.map(({ bytes }) => bytes), ...(open ? [] : [PING])]));
      const answered = await line.until(() => line.isPinged, open ? this.silenceMs : PATIENCE_MS);
      const outcome = answered ? 'answered' : line.ended ? 'hung up' : open ? 'waits for more' : 'no answer';
      for (const { kind } of said) this.count(kind, 'in a session', outcome);
      if (open || !answered) break;
    }
    line.close();
  }
}
