import { Reader } from '../../../src/protocol/bytes.ts';
import { FrameCutter } from '../../../src/protocol/frame.ts';
import { type Told, WatchModel } from './watch-model.ts';
import { ConnectRequest, ConnectResponse, type Heard, readEvent, readReply, readRequest } from './wire.ts';

/** What a server was asked, and what was true at that moment. */
export interface Asked extends Heard {
  /** When the server heard it, ms. */
  readonly at: number;
  /** The latest moment that any client had been told of by then. */
  readonly acknowledged: number;
}
export type Said =
  | {
      readonly type: 'welcome';
      readonly session: bigint;
      readonly timeoutMs: number;
      readonly readOnly: boolean;
      readonly password: string;
    }
  | { readonly type: 'event'; readonly event: Told; readonly zxid: bigint }
  | ({ readonly type: 'reply' } & ReturnType<typeof readReply>);

/** Bytes of a four-letter word. */
const WORD = 4;
const LIMIT = 64 * 1024 * 1024;
const hexOf = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString('hex');

/** A connection of a client to a server, as the server's border shows it. */
export class Conversation {
  readonly number: number;
  readonly sid: number;
  readonly client: string;
  session = 0n;
  /** What the client opens its session with, hex. */
  password = '';
  /** What the client said it had seen, in its handshake. */
  lastSeen = 0n;
  /** Where the history was when the handshake came, and who led then. */
  helloAt: { readonly moment: number; readonly leader: string } | undefined;
  timeoutMs = 0;
  /** The client takes a server that only shows what it has; and this one is. */
  allowsReadOnly = false;
  readOnly = false;
  /** It has its session. */
  isWelcome = false;
  readonly asked: Asked[] = [];
  readonly watches = new WatchModel();
  /** Events told and not yet accounted for. */
  readonly events: { event: Told; zxid: bigint }[] = [];
  /** Up to this moment the events are accounted for; undefined before the first reply. */
  seen: number | undefined;
  /** A four-letter word, or something else that is not the protocol. */
  foreign = false;
  private isFirst = true;
  /** What came before it was known whether it is a word. */
  private head: Buffer | undefined = Buffer.alloc(0);
  private greeted = false;
  private readonly fromClient = new FrameCutter(LIMIT);
  private readonly fromServer = new FrameCutter(LIMIT);

  constructor(number: number, sid: number, client: string) {
    this.number = number;
    this.sid = sid;
    this.client = client;
  }
  /** The client has said who it is. */
  get isGreeted(): boolean {
    return !this.isFirst;
  }
  /** Takes what the server hears; gives the requests that are complete now. */
  heard(bytes: Buffer): Heard[] {
    const found: Heard[] = [];
    let told = bytes;
    if (this.head !== undefined) {
      // a word may come letter by letter
      told = Buffer.concat([this.head, bytes]);
      this.head = told.length < WORD ? told : undefined;
      if (this.head !== undefined) return found;
      this.foreign = /^[a-z]{4}$/.test(told.latin1Slice(0, WORD));
    }
    if (this.foreign) return found;
    this.fromClient.push(Buffer.from(told), (frame, start, end) => {
      if (!this.isFirst) found.push(readRequest(frame, start, end));
      else {
        this.isFirst = false;
        const { sessionId, password, lastZxidSeen, readOnly } = ConnectRequest.read(new Reader(frame, start, end));
        this.session = sessionId;
        this.password = hexOf(password);
        this.lastSeen = lastZxidSeen;
        this.allowsReadOnly = readOnly === true;
      }
      return true;
    });
    return found;
  }
  /** Takes what the server writes; gives what is complete now. */
  answered(bytes: Buffer): Said[] {
    const said: Said[] = [];
    if (this.foreign) return said;
    this.fromServer.push(Buffer.from(bytes), (frame, start, end) => {
      if (!this.greeted) {
        this.greeted = true;
        const {
          sessionId: session,
          password,
          timeoutMs,
          readOnly,
        } = ConnectResponse.read(new Reader(frame, start, end));
        said.push({ type: 'welcome', session, timeoutMs, readOnly: readOnly === true, password: hexOf(password) });
        return true;
      }
      const reply = readReply(frame, start, end);
      if (reply.xid === -1) said.push({ type: 'event', event: readEvent(reply.rest), zxid: reply.zxid });
      else said.push({ type: 'reply', ...reply });
      return true;
    });
    return said;
  }
}
