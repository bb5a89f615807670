import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import type { SessionId, Zxid } from '../../src/base/ids.ts';
import { Reader, Writer } from '../../src/protocol/bytes.ts';
import { ConnectRequest, ConnectResponse } from '../../src/protocol/handshake.ts';
import { type MultiPart, OPERATIONS } from '../../src/protocol/operations.ts';
import { frame } from './raw.ts';

const ANYONE = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }] as const;

/** Bytes of one connection: requests out, what comes back in order. */
export class Wire {
  id = 0n;
  /** The server said that it is. */
  readOnly = false;
  password: Uint8Array = Buffer.alloc(16);
  private bytes = Buffer.alloc(0);
  private ended = false;
  private wake: () => void = () => {};
  private readonly socket: Socket;
  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.wake();
    });
    this.socket.on('close', () => {
      this.ended = true;
      this.wake();
    });
  }
  /** Greets; the timeout granted, 0: no session, undefined: hung up on. */
  async greet(
    session = 0n,
    password: Uint8Array = Buffer.alloc(16),
    timeoutMs = 10_000,
    readOnly = false,
  ): Promise<number | undefined> {
    const to = new Writer();
    const [lastZxidSeen, sessionId] = [0n as Zxid, session as SessionId];
    ConnectRequest.write(to, { protocolVersion: 0, lastZxidSeen, timeoutMs, sessionId, password, readOnly });
    this.socket.write(frame(to.take()));
    const got = await this.frame();
    if (got === undefined) return undefined;
    const answer = ConnectResponse.read(new Reader(got));
    this.id = answer.sessionId;
    this.readOnly = answer.readOnly === true;
    this.password = Uint8Array.from(answer.password ?? []);
    return answer.timeoutMs;
  }
  static async open(member: { readonly clientPort: number }, timeoutMs?: number): Promise<Wire> {
    const wire = new Wire(member.clientPort);
    const granted = await wire.greet(0n, undefined, timeoutMs);
    assert.ok(granted !== undefined && granted > 0, 'no session');
    return wire;
  }
  async frame(): Promise<Buffer | undefined> {
    for (;;) {
      const { bytes } = this;
      if (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        const end = 4 + bytes.readInt32BE(0);
        this.bytes = bytes.subarray(end);
        return bytes.subarray(4, end);
      }
      if (this.ended) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
  /** `xid:err` of the next answers, `end` where the connection ended. */
  async answers(count: number): Promise<string[]> {
    const out: string[] = [];
    while (out.length < count) {
      const got = await this.frame();
      if (got === undefined) return [...out, 'end'];
      out.push(`${got.readInt32BE(0)}:${got.readInt32BE(12)}`);
    }
    return out;
  }
  private ask(xid: number, code: number, write: (to: Writer) => void): Buffer {
    const to = new Writer();
    to.int32(xid);
    to.int32(code);
    write(to);
    return frame(to.take());
  }
  create(xid: number, path: string, flags = 0): Buffer {
    const { create } = OPERATIONS;
    return this.ask(xid, create.code, (to) => create.request.write(to, { path, data: null, acl: ANYONE, flags }));
  }
  get(xid: number, path: string): Buffer {
    const { getData } = OPERATIONS;
    return this.ask(xid, getData.code, (to) => getData.request.write(to, { path, watch: false }));
  }
  sync(xid: number): Buffer {
    return this.ask(xid, OPERATIONS.sync.code, (to) => OPERATIONS.sync.request.write(to, { path: '/' }));
  }
  multi(xid: number, ...creates: [path: string, flags: number][]): Buffer {
    const parts = creates.map(([path, flags]) => ({ type: 1, request: { path, data: null, acl: ANYONE, flags } }));
    const { multi } = OPERATIONS;
    return this.ask(xid, multi.code, (to) => multi.request.write(to, parts as unknown as MultiPart[]));
  }
  end(xid: number): Buffer {
    return this.ask(xid, OPERATIONS.closeSession.code, () => {});
  }
  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }
  drop(): void {
    this.socket.destroy();
  }
}
