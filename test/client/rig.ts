import assert from 'node:assert/strict';
import type { SessionId, Zxid } from '../../src/base/ids.ts';
import { seededRandom } from '../../src/base/random.ts';
import type { Credential } from '../../src/client/api.ts';
import { parseConnectString, showServer } from '../../src/client/connect-string.ts';
import { Session } from '../../src/client/session.ts';
import type { Effect, Request, SessionOptions } from '../../src/client/types.ts';
import type { TableKind } from '../../src/client/watches.ts';
import { Reader, Writer } from '../../src/protocol/bytes.ts';
import { EVENT, WatcherEvent } from '../../src/protocol/events.ts';
import { FrameCutter } from '../../src/protocol/frame.ts';
import { ConnectRequest, ConnectResponse } from '../../src/protocol/handshake.ts';
import {
  type AnswerOf,
  OPERATIONS,
  type OperationName,
  operationNamed,
  ReplyHeader,
  RequestHeader,
  type RequestOf,
  writeFrame,
} from '../../src/protocol/operations.ts';

/** A stat whose changes happened at `at`. */
export const statAt = (at: number): AnswerOf<'exists'>['stat'] => ({
  czxid: BigInt(at) as Zxid,
  mzxid: BigInt(at) as Zxid,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n as SessionId,
  dataLength: 0,
  numChildren: 0,
  pzxid: BigInt(at) as Zxid,
});

export interface Frame {
  readonly xid: number;
  readonly op: OperationName;
  readonly body: Record<string, unknown>;
}

/** One session machine, its time, and both ends of its wire: a test says what happens and reads what comes of it. */
export class Rig {
  readonly session: Session<string>;
  now = 1000;
  /** Effects as short texts, oldest first; `log()` takes them. */
  #log: string[] = [];
  /** Frames the machine sent and nobody looked at. */
  sent: Frame[] = [];
  greetings: ReturnType<typeof ConnectRequest.read>[] = [];
  #greeting = false;
  #cutter = new FrameCutter(1 << 26);
  readonly auth: Credential[];

  constructor(options: Partial<Omit<SessionOptions, 'servers'>> & { servers?: string } = {}) {
    const { servers = 'a:1', ...rest } = options;
    this.auth = [...(options.auth ?? [])];
    this.session = new Session<string>({
      servers: parseConnectString(servers).servers,
      random: { below: () => 0, bytes: () => new Uint8Array(0) },
      timeoutMs: 6000,
      connectTimeoutMs: 10_000,
      allowReadOnly: false,
      maxReplyBytes: 1 << 20,
      maxRequestBytes: 1 << 20,
      auth: [],
      ...rest,
    });
  }

  take(effects: Effect<string>[]): this {
    for (const effect of effects) {
      if (effect.type === 'send') this.#read(effect.bytes);
      else this.#log.push(this.#show(effect));
      if (effect.type === 'dial') this.#greeting = true;
    }
    return this;
  }
  log(): string[] {
    const log = this.#log;
    this.#log = [];
    return log;
  }
  frames(): string[] {
    const frames = this.sent.map(({ xid, op }) => (xid > 0 ? `${op} ${xid}` : op));
    this.sent = [];
    return frames;
  }

  #read(bytes: Buffer): void {
    this.#cutter.push(bytes, (frame, start, end) => {
      const from = new Reader(frame, start, end);
      if (this.#greeting) {
        this.greetings.push(ConnectRequest.read(from));
        this.#greeting = false;
        return true;
      }
      const { xid, type } = RequestHeader.read(from);
      const op = operationNamed(type) as OperationName;
      this.sent.push({ xid, op, body: OPERATIONS[op].request.read(from) as Record<string, unknown> });
      assert.equal(from.left, 0);
      return true;
    });
  }

  #show(effect: Effect<string>): string {
    switch (effect.type) {
      case 'dial':
        return `dial ${showServer(effect.server)} ${Math.round(effect.timeoutMs)}`;
      case 'probe':
        return `probe ${showServer(effect.server)}`;
      case 'settle':
        return `settle ${effect.request.path}`;
      case 'fail':
        return `fail ${effect.request.path} ${effect.code}`;
      case 'refuse':
        return `refuse ${effect.request.path} ${effect.error.fault}`;
      case 'authSettled':
        return `auth ${effect.credential.scheme} ${effect.code ?? 'ok'}`;
      case 'event':
        return `event ${effect.event.type} ${effect.event.path} ${effect.event.zxid ?? '-'} to ${effect.watchers.join(',')}`;
      case 'gap':
        return `gap ${effect.gap.paths.join(',')} after ${effect.gap.after}`;
      case 'state': {
        const { state, server, resumed, reason } = effect.change;
        return [state, server, resumed === undefined ? undefined : resumed ? 'resumed' : 'new', reason && `(${reason})`]
          .filter(Boolean)
          .join(' ');
      }
      default:
        return effect.type;
    }
  }

  /** Starts, accepts the dial and the session. */
  up(options: Parameters<Rig['greet']>[0] = {}): this {
    this.take(this.session.start(this.now)).take(this.session.connected(this.now));
    return this.greet(options);
  }
  /** The server's answer to the greeting. */
  greet({ id = 5n, timeoutMs = 6000, readOnly = false, silent = true } = {}): this {
    const to = new Writer();
    writeFrame(to, (out) =>
      ConnectResponse.write(out, {
        protocolVersion: 0,
        timeoutMs,
        sessionId: id as SessionId,
        password: Buffer.alloc(16, Number(id & 0xffn)),
        readOnly,
      }),
    );
    this.receive(to.take());
    if (silent) this.log();
    return this;
  }
  /** Dials again after a loss and is accepted. */
  again(options: Parameters<Rig['greet']>[0] = {}): this {
    while (!this.#log.some((line) => line.startsWith('dial'))) this.wait(10);
    this.log();
    return this.take(this.session.connected(this.now)).greet(options);
  }
  receive(bytes: Buffer): this {
    return this.take(this.session.received(bytes, this.now));
  }
  reply<N extends OperationName>(name: N, xid: number, zxid: number, body?: AnswerOf<N>, err = 0): this {
    const to = new Writer();
    writeFrame(to, (out) => {
      ReplyHeader.write(out, { xid, zxid: BigInt(zxid) as Zxid, err });
      if (err === 0) OPERATIONS[name].answer.write(out, (body ?? {}) as never);
    });
    return this.receive(to.take());
  }
  event(type: keyof typeof EVENT, path: string, zxid = -1): this {
    const to = new Writer();
    writeFrame(to, (out) => {
      ReplyHeader.write(out, { xid: -1, zxid: BigInt(zxid) as Zxid, err: 0 });
      WatcherEvent.write(out, { type: EVENT[type], state: 3, path });
    });
    return this.receive(to.take());
  }
  /** Lets time pass, ticking whenever the machine asks for it. */
  wait(ms: number): this {
    const until = this.now + ms;
    while (this.session.wakeAt <= until) {
      this.now = Math.max(this.now, this.session.wakeAt);
      this.take(this.session.tick(this.now));
    }
    this.now = until;
    return this;
  }
  drop(reason = 'gone'): this {
    return this.take(this.session.disconnected(reason, this.now));
  }
  flush(): this {
    return this.take(this.session.flush(this.now));
  }

  /** Submits and flushes a request; its path is what effects call it. */
  ask<N extends OperationName>(
    name: N,
    body: RequestOf<N>,
    more: {
      watch?: [TableKind, string];
      flush?: boolean;
      bytes?: number;
      maxBytes?: number;
      read?: () => unknown;
    } = {},
  ): Request<string> {
    const path = (body as { path?: string }).path ?? name;
    const request: Request<string> = {
      opcode: OPERATIONS[name].code,
      path,
      bytes: more.bytes ?? path.length,
      maxBytes: more.maxBytes,
      write: (to, armed) =>
        OPERATIONS[name].request.write(
          to,
          ('watch' in (body as object) ? { ...(body as object), watch: armed } : body) as never,
        ),
      read: more.read ?? ((from) => OPERATIONS[name].answer.read(from)),
      watch: more.watch === undefined ? undefined : { kind: more.watch[0], path, watcher: more.watch[1] },
      xid: 0,
      abandoned: false,
      covered: false,
    };
    this.take(this.session.submit(request));
    if (more.flush !== false) this.flush();
    return request;
  }
  /** A read with a watch, answered as the server does. */
  watch(kind: TableKind, path: string, watcher: string, zxid = 1): this {
    if (kind === 'persistent' || kind === 'persistentRecursive') {
      this.ask('addWatch', { path, mode: kind === 'persistent' ? 0 : 1 }, { watch: [kind, watcher] });
      return this.reply('addWatch', this.#last(), zxid, { err: 0 });
    }
    const name = kind === 'data' ? 'getData' : kind === 'exists' ? 'exists' : 'getChildren2';
    this.ask(name, { path, watch: true } as never, { watch: [kind, watcher] });
    const xid = this.#last();
    if (kind === 'exists') return this.reply('exists', xid, zxid, undefined, -101);
    if (kind === 'data') return this.reply('getData', xid, zxid, { data: null, stat: statAt(zxid) });
    return this.reply('getChildren2', xid, zxid, { children: [], stat: statAt(zxid) });
  }
  #last(): number {
    return (this.sent.at(-1) as Frame).xid;
  }
}

/** A rig whose hosts are shuffled by a seed. */
export const seeded = (servers: string, seed: number): Rig => new Rig({ servers, random: seededRandom(seed) });
