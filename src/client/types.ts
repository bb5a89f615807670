import type { KeeperCode } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Reader, Writer } from '../protocol/bytes.ts';
import type { Credential, RequestError, StateChange, WatchEvent, WatchGap } from './api.ts';
import type { Server } from './connect-string.ts';
import type { TableKind } from './watches.ts';

/** One request on its way. The machine gives it an xid when it is sent and settles it exactly once. */
export interface Request<W> {
  readonly opcode: number;
  /** As the caller named it, for errors. */
  readonly path: string | undefined;
  /** It takes at least this many bytes on the wire. */
  readonly bytes: number;
  /** And may take this many; undefined: as the connection says. */
  readonly maxBytes?: number | undefined;
  /** Writes the body. `armed`: the server is to set the watch, if there is one. */
  readonly write: (to: Writer, armed: boolean) => void;
  /** Reads what follows a reply header without error; must copy what it keeps. */
  readonly read: (from: Reader) => unknown;
  /** A watch that begins with a successful reply (`exists`: also with NoNode). Path as the server knows it. */
  readonly watch?: { readonly kind: TableKind; readonly path: string; readonly watcher: W } | undefined;
  xid: number;
  /** Set when nobody waits any more: the reply is read and dropped, no watch begins. */
  abandoned: boolean;
  /** The watch was left out of the frame, since a persistent one reports the same. */
  covered: boolean;
}

/** What must happen next, in order. */
export type Effect<W> =
  | { readonly type: 'dial'; readonly server: Server; readonly timeoutMs: number }
  | { readonly type: 'send'; readonly bytes: Buffer }
  | { readonly type: 'hangUp' }
  /** A reply came: `value` is what the request's `read` made of it. */
  | { readonly type: 'settle'; readonly request: Request<W>; readonly value: unknown }
  /** No reply will come, or it was a refusal. */
  | { readonly type: 'fail'; readonly request: Request<W>; readonly code: KeeperCode }
  /** Refused here, before anything was sent. */
  | { readonly type: 'refuse'; readonly request: Request<W>; readonly error: RequestError }
  | { readonly type: 'authSettled'; readonly credential: Credential; readonly code: KeeperCode | undefined }
  | { readonly type: 'event'; readonly event: WatchEvent; readonly watchers: readonly W[] }
  | { readonly type: 'gap'; readonly gap: WatchGap }
  | { readonly type: 'state'; readonly change: StateChange }
  /** Ask whether this server is in read-only mode (four-letter word `isro`) and report with `probed`. */
  | { readonly type: 'probe'; readonly server: Server };

export interface SessionOptions {
  readonly servers: readonly Server[];
  readonly random: Random;
  /** Session timeout asked for, ms. */
  readonly timeoutMs: number;
  /** For how long the caller waits for the first connection, ms; every host gets its share. */
  readonly connectTimeoutMs: number;
  readonly allowReadOnly: boolean;
  readonly maxReplyBytes: number;
  readonly maxRequestBytes: number;
  readonly auth: readonly Credential[];
}

/** Effects as they collect, and the bytes of frames not yet sent. */
export class Outbox<W> {
  readonly writer: Writer;
  effects: Effect<W>[] = [];
  constructor(writer: Writer) {
    this.writer = writer;
  }
  fail(request: Request<W>, code: KeeperCode): void {
    if (!request.abandoned) this.effects.push({ type: 'fail', request, code });
  }
}
