import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { frame, hello } from '../../e2e/raw.ts';
import { Line, type Wire } from './wire.ts';

/** A server behind a port. */
export class SocketWire implements Wire {
  private readonly sockets: Socket[] = [];
  private readonly host: string;
  private readonly port: number;
  constructor(hosts: string) {
    const [host = '', port = ''] = hosts.split(':');
    this.host = host;
    this.port = Number(port);
  }
  async open(): Promise<Line> {
    const socket = connect({ host: this.host, port: this.port, noDelay: true });
    this.sockets.push(socket);
    const line = new Line((body) => socket.write(frame(body)));
    socket.on('error', () => {});
    socket.on('close', () => line.end());
    let head: Buffer | undefined = Buffer.alloc(0);
    const isOpen = new Promise<void>((resolve, reject) => {
      socket.once('close', () => reject(new Error('it hung up at the handshake')));
      socket.on('data', (bytes: Buffer) => {
        if (head === undefined) return line.feed(bytes);
        head = Buffer.concat([head, bytes]);
        if (head.length < 4 || head.length < 4 + head.readInt32BE(0)) return;
        const rest = head.subarray(4 + head.readInt32BE(0));
        head = undefined;
        resolve();
        if (rest.length > 0) line.feed(rest);
      });
    });
    await once(socket, 'connect');
    socket.write(hello());
    await isOpen;
    return line;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
  }
}
