import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Reader, Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import type { MemberOfTest } from './members.ts';
import { frame, hello } from './raw.ts';

export interface RawReply {
  readonly xid: number;
  readonly err: number;
  readonly body: Reader;
}
const ANYONE = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }] as const;

/** One bare connection: frames out and in, no retries, no retained state. */
export class RawConnection {
  private bytes = Buffer.alloc(0);
  private readonly socket: Socket;
  private wake: () => void = () => {};
  ended = false;
  /** What the handshake was answered with. */
  welcome: Buffer | undefined;
  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.wake();
    });
    for (const name of ['end', 'close'])
      this.socket.on(name, () => {
        this.ended = true;
        this.wake();
      });
  }
  /** A connection with a new session; undefined when the server hung up instead. */
  static async open(port: number, first = hello()): Promise<RawConnection | undefined> {
    const made = new RawConnection(port);
    made.socket.write(first);
    made.welcome = await made.frame();
    if (made.welcome !== undefined) return made;
    made.close();
    return undefined;
  }
  /** The next frame without its length; undefined when the connection ends before it is whole. */
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
  async reply(): Promise<RawReply | undefined> {
    const got = await this.frame();
    if (got === undefined) return undefined;
    const body = new Reader(got);
    const xid = body.int32();
    body.int64();
    return { xid, err: body.int32(), body };
  }
  private request(xid: number, code: number, write: (to: Writer) => void): void {
    const to = new Writer();
    to.int32(xid);
    to.int32(code);
    write(to);
    this.socket.write(frame(to.take()));
  }
  create(xid: number, path: string): void {
    const { create } = OPERATIONS;
    this.request(xid, create.code, (to) => create.request.write(to, { path, data: null, acl: ANYONE, flags: 0 }));
  }
  sync(xid: number, path: string): void {
    const { sync } = OPERATIONS;
    this.request(xid, sync.code, (to) => sync.request.write(to, { path }));
  }
  get(xid: number, path: string): void {
    const { getData } = OPERATIONS;
    this.request(xid, getData.code, (to) => getData.request.write(to, { path, watch: false }));
  }
  close(): void {
    this.socket.destroy();
  }
}

/** A client of bare frames that writes at one member as long as that takes it, and remembers what was answered. */
export class MemberRaw {
  readonly acknowledged: string[] = [];
  private readonly id: number;
  private count = 0;
  private connection: RawConnection | undefined;
  private constructor(id: number) {
    this.id = id;
  }
  static async begin(id: number): Promise<MemberRaw> {
    return new MemberRaw(id);
  }
  /** Creates `/raw/ID-N`, one after another, while `isOn`. */
  async write(isOn: () => boolean, member: MemberOfTest): Promise<void> {
    while (isOn()) {
      this.connection ??= await RawConnection.open(member.clientPort);
      if (this.connection === undefined) {
        await sleep(20);
        continue;
      }
      const name = `${this.id}-${this.count++}`;
      this.connection.create(1, `/raw/${name}`);
      const reply = await this.connection.reply();
      if (reply?.err === 0) this.acknowledged.push(name);
      if (reply === undefined) this.close();
    }
  }
  close(): void {
    this.connection?.close();
    this.connection = undefined;
  }
}
