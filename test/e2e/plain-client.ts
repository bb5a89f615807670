/** A client of a few lines: requests in order, errors as numbers; for what a kinder client would hide. */
import { connect, type Socket } from 'node:net';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { frame, hello } from './raw.ts';

const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

/** One connection with a session. Each answer is its error number, NaN once the connection ended. */
export class PlainClient {
  readonly socket: Socket;
  /** What the server said to the handshake. */
  session = 0n;
  password: Buffer = Buffer.alloc(0);
  private readonly waiting: ((err: number) => void)[] = [];
  private xid = 0;
  private constructor(socket: Socket) {
    this.socket = socket;
  }
  /** Undefined when the server ends the connection before there is a session. */
  static open(port: number, first = hello()): Promise<PlainClient | undefined> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      const client = new PlainClient(socket);
      let rest: Buffer = Buffer.alloc(0);
      let ready = false;
      socket.on('error', () => {});
      socket.once('close', () => {
        resolve(undefined);
        for (const each of client.waiting.splice(0)) each(Number.NaN);
      });
      socket.on('data', (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
          if (ready) client.waiting.shift()?.(rest.readInt32BE(16));
          else {
            client.session = rest.readBigInt64BE(12);
            client.password = Buffer.from(rest.subarray(24, 40));
            resolve(client);
          }
          ready = true;
          rest = rest.subarray(4 + rest.readInt32BE(0));
        }
      });
      socket.write(first);
    });
  }
  ask(op: number, body: (to: Writer) => void): Promise<number> {
    const to = new Writer();
    to.int32(++this.xid);
    to.int32(op);
    body(to);
    this.socket.write(frame(to.take()));
    return new Promise((resolve) => this.waiting.push(resolve));
  }
  create(path: string, bytes = 0, acl = OPEN): Promise<number> {
    const { create } = OPERATIONS;
    return this.ask(create.code, (to) => create.request.write(to, { path, data: Buffer.alloc(bytes), acl, flags: 0 }));
  }
  delete(path: string): Promise<number> {
    const { delete: row } = OPERATIONS;
    return this.ask(row.code, (to) => row.request.write(to, { path, version: -1 }));
  }
  exists(path: string): Promise<number> {
    const { exists } = OPERATIONS;
    return this.ask(exists.code, (to) => exists.request.write(to, { path, watch: false }));
  }
  ping(): Promise<number> {
    return this.ask(OPERATIONS.ping.code, () => {});
  }
}
