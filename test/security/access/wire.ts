/** A client that speaks in frames, to a server in memory or over a socket alike: what it asks, what it is told, every byte. */
import { Reader, Writer } from '../../../src/protocol/bytes.ts';
import { WatcherEvent } from '../../../src/protocol/events.ts';
import { FrameCutter } from '../../../src/protocol/frame.ts';
import { OPERATIONS, type OperationName, type RequestOf, XID } from '../../../src/protocol/operations.ts';
import type { Kind } from '../../../src/protocol/record.ts';
import type { Certificate } from '../../tls/certificates.ts';

/** A reply: ZooKeeper's number, the zxid, and what stands behind the header. */
export interface Answer {
  readonly err: number;
  readonly zxid: bigint;
  readonly body: Buffer;
}

/** One connection with a session of its own. */
export class Line {
  readonly events: WatcherEvent[] = [];
  /** Everything that came after the handshake. */
  readonly heard: Buffer[] = [];
  /** The server hung up. */
  ended = false;
  private readonly send: (body: Buffer) => void;
  private readonly cutter = new FrameCutter(1 << 28);
  private readonly waiting = new Map<number, (answer: Answer | undefined) => void>();
  private xid = 0;

  /** `send` takes a request without its length. */
  constructor(send: (body: Buffer) => void) {
    this.send = send;
  }
  feed(bytes: Buffer): void {
    const own = Buffer.from(bytes);
    this.heard.push(own);
    this.cutter.push(own, (from, start, end) => {
      const xid = from.readInt32BE(start);
      if (xid === XID.event) this.events.push(WatcherEvent.read(new Reader(from, start + 16, end)));
      else {
        const answer = { zxid: from.readBigInt64BE(start + 4), err: from.readInt32BE(start + 12) };
        this.settle(xid, { ...answer, body: Buffer.from(from.subarray(start + 16, end)) });
      }
      return true;
    });
  }
  private settle(xid: number, answer: Answer | undefined): void {
    const tell = this.waiting.get(xid);
    this.waiting.delete(xid);
    tell?.(answer);
  }
  end(): void {
    this.ended = true;
    for (const xid of [...this.waiting.keys()]) this.settle(xid, undefined);
  }
  /** Resolves with undefined when the server hangs up instead of answering. */
  ask<N extends OperationName>(name: N, request: RequestOf<N>): Promise<Answer | undefined> {
    const { code, request: kind } = OPERATIONS[name];
    const to = new Writer();
    (kind as Kind<unknown>).write(to, request);
    return this.say(code, to.take(), name === 'auth' ? XID.auth : ++this.xid);
  }
  /** A request by its number, with any body. */
  say(type: number, body: Buffer, xid = ++this.xid): Promise<Answer | undefined> {
    if (this.ended) return Promise.resolve(undefined);
    const head = Buffer.alloc(8);
    head.writeInt32BE(xid, 0);
    head.writeInt32BE(type, 4);
    return new Promise((resolve) => {
      this.waiting.set(xid, resolve);
      this.send(Buffer.concat([head, body]));
    });
  }
  /** Adds an identity. */
  login(scheme: string | null, credential: string | null): Promise<Answer | undefined> {
    return this.ask('auth', { type: 0, scheme, auth: credential === null ? null : Buffer.from(credential) });
  }
}

/** A server that lines can be opened to. */
export interface Wire extends AsyncDisposable {
  /** By TLS, with this certificate, where one is given. */
  open(shown?: Certificate): Promise<Line>;
}
