/** `-v`: what is said on the wire, a line each. Data and credentials are never among it. */
import { codeOfNumber, KEEPER_CODES } from '../base/errors.ts';
import type { ClientPorts } from '../client/connect.ts';
import type { Connection, ConnectionHandler, Dialer, DialOptions } from '../ports/network.ts';
import { EVENT } from '../protocol/events.ts';
import { operationNamed, XID } from '../protocol/operations.ts';
import { hex } from '../shell/units.ts';
import { realPorts } from './client-ports.ts';

/** So much of a frame is looked at, bytes: its header and a path. */
const HEAD = 4096;
/** Operations whose request begins with a path. */
const PATHLESS = new Set([
  'multi',
  'multiRead',
  'closeSession',
  'whoAmI',
  'auth',
  'setWatches',
  'setWatches2',
  'sasl',
  'ping',
]);
const EVENT_NAMES = new Map<number, string>(Object.entries(EVENT).map(([name, number]) => [number, name]));

/** A request that was refused, as the wire had it. */
export interface RefusedRequest {
  readonly code: string;
  readonly number: number;
  readonly xid: number;
  readonly zxid: string;
  readonly server: string;
}

/** Tells what goes over the connections made through its ports. */
export class Trace {
  /** The refusal seen last. */
  refused: RefusedRequest | undefined;
  readonly #print: (line: string) => void;
  readonly #now: () => number;

  /** `now`: ms, monotonic. */
  constructor(print: (line: string) => void, now: () => number) {
    this.#print = print;
    this.#now = now;
  }

  /** What a client needs of the world, with every connection listened to. */
  get ports(): ClientPorts {
    return { ...realPorts, dialer: this.over(realPorts.dialer) };
  }

  over(inner: Dialer): Dialer {
    return {
      dial: async (options, handler, signal) => {
        const tap = new Tap(`${options.host}:${options.port}`, this.#print, this.#now, (refused) => {
          this.refused = refused;
        });
        return tap.dial(inner, options, handler, signal);
      },
    };
  }
}

/** One connection. */
class Tap {
  readonly #server: string;
  readonly #print: (line: string) => void;
  readonly #now: () => number;
  readonly #refused: (request: RefusedRequest) => void;
  readonly #asked = new Map<number, { readonly what: string; readonly at: number }>();
  #isGreeted = false;
  #isAnswered = false;

  constructor(
    server: string,
    print: (line: string) => void,
    now: () => number,
    refused: (request: RefusedRequest) => void,
  ) {
    this.#server = server;
    this.#print = print;
    this.#now = now;
    this.#refused = refused;
  }

  async dial(
    inner: Dialer,
    options: DialOptions,
    handler: ConnectionHandler,
    signal?: AbortSignal,
  ): Promise<Connection> {
    const sent = new Frames((head, bytes) => this.#request(head, bytes));
    const received = new Frames((head, bytes) => this.#reply(head, bytes));
    const connection = await inner.dial(
      options,
      {
        data: (bytes) => {
          received.take(bytes);
          handler.data(bytes);
        },
        drained: () => handler.drained?.(),
        closed: (reason) => {
          this.#say(`closed${reason === undefined ? '' : `: ${reason.message}`}`);
          handler.closed(reason);
        },
      },
      signal,
    );
    const tapped = Object.create(connection, {
      send: {
        value: (bytes: Uint8Array): boolean => {
          sent.take(bytes);
          return connection.send(bytes);
        },
      },
    }) as Connection;
    for (const name of ['end', 'destroy', 'pause', 'resume'] as const)
      Object.defineProperty(tapped, name, { value: () => connection[name]() });
    return tapped;
  }

  #say(text: string): void {
    this.#print(`${this.#server} ${text}`);
  }

  #request(head: Buffer, bytes: number): void {
    if (!this.#isGreeted) {
      this.#isGreeted = true;
      const session = head.length >= 24 ? head.readBigUInt64BE(16) : 0n;
      return this.#say(`-> connect${session === 0n ? '' : `, session ${hex(session)}`}`);
    }
    const [xid, type] = [head.readInt32BE(0), head.readInt32BE(4)];
    const name = xid === XID.auth ? 'auth' : xid === XID.ping ? 'ping' : (operationNamed(type) ?? `operation ${type}`);
    // of a credential the scheme
    const at = name === 'auth' ? 12 : 8;
    const text = name === 'auth' || !PATHLESS.has(name) ? textAt(head, at) : undefined;
    const what = `${name}${text === undefined ? '' : ` ${text}`}`;
    this.#asked.set(xid, { what, at: this.#now() });
    this.#say(`-> ${label(xid)}${what} (${bytes} bytes)`);
  }

  #reply(head: Buffer, bytes: number): void {
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      const session = head.length >= 16 ? head.readBigUInt64BE(8) : 0n;
      const isRefused = session === 0n;
      return this.#say(isRefused ? '<- no session' : `<- session ${hex(session)}, timeout ${head.readInt32BE(4)}ms`);
    }
    if (head.length < 16) return this.#say(`<- a reply of ${bytes} bytes`);
    const [xid, zxid, number] = [head.readInt32BE(0), head.readBigInt64BE(4), head.readInt32BE(12)];
    if (xid === XID.event) {
      const type = head.length >= 20 ? (EVENT_NAMES.get(head.readInt32BE(16)) ?? 'event') : 'event';
      return this.#say(`<- event ${type} ${textAt(head, 24) ?? ''}`.trimEnd());
    }
    const asked = this.#asked.get(xid);
    this.#asked.delete(xid);
    const took = asked === undefined ? '' : ` in ${(this.#now() - asked.at).toFixed(1)}ms`;
    const code = number === 0 ? 'ok' : codeOf(number);
    if (number !== 0) this.#refused({ code, number, xid, zxid: hex(zxid), server: this.#server });
    this.#say(`<- ${label(xid)}${asked?.what ?? ''} ${code}${took}, zxid ${hex(zxid)} (${bytes} bytes)`);
  }
}

const label = (xid: number): string => (xid > 0 ? `#${xid} ` : '');
const codeOf = (number: number): string =>
  (Object.values(KEEPER_CODES) as number[]).includes(number) ? codeOfNumber(number) : `code ${number}`;

/** jute's text: a length and that many bytes. */
function textAt(head: Buffer, at: number): string | undefined {
  if (head.length < at + 4) return undefined;
  const length = head.readInt32BE(at);
  return length < 0 || at + 4 + length > head.length ? undefined : head.toString('utf8', at + 4, at + 4 + length);
}

/** Cuts a stream into frames and hands over the head of each; the rest of it is not kept. */
class Frames {
  readonly #found: (head: Buffer, bytes: number) => void;
  readonly #head: Buffer[] = [];
  #held = 0;
  /** Bytes of the frame that have not come yet; undefined: its length has not. */
  #left: number | undefined;
  #length = 0;
  #prefix: number[] = [];

  constructor(found: (head: Buffer, bytes: number) => void) {
    this.#found = found;
  }
  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left === undefined) {
        this.#prefix.push(bytes[at++] as number);
        if (this.#prefix.length < 4) continue;
        this.#length = Buffer.from(this.#prefix).readUInt32BE(0);
        this.#left = this.#length;
        this.#prefix = [];
      } else {
        const part = bytes.subarray(at, at + this.#left);
        at += part.length;
        this.#left -= part.length;
        const kept = part.subarray(0, HEAD - this.#held);
        this.#held += kept.length;
        this.#head.push(Buffer.from(kept)); // what is given may be written over afterwards
      }
      if (this.#left > 0) continue;
      this.#found(Buffer.concat(this.#head), this.#length);
      this.#head.length = 0;
      this.#held = 0;
      this.#left = undefined;
    }
  }
}
