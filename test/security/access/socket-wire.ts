import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { frame, hello } from '../../e2e/raw.ts';
import type { Certificate } from '../../tls/certificates.ts';
import { Line, type Wire } from './wire.ts';

/** A server behind a port, and behind another by TLS. */
export class SocketWire implements Wire {
  private readonly sockets: Socket[] = [];
  private readonly host: string;
  private readonly port: number;
  private readonly securePort: number;
  constructor(hosts: string, securePort = 0) {
    const [host = '', port = ''] = hosts.split(':');
    this.host = host;
    this.port = Number(port);
    this.securePort = securePort;
  }
  private dial(shown: Certificate | undefined): Socket {
    const { host } = this;
    if (shown === undefined) return connect({ host, port: this.port, noDelay: true });
    const { pem: cert, key } = shown;
    const pem = key.export({ type: 'pkcs8', format: 'pem' });
    return connectTls({ host, port: this.securePort, cert, key: pem, rejectUnauthorized: false });
  }
  async open(shown?: Certificate): Promise<Line> {
    const socket = this.dial(shown);
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
    await once(socket, shown === undefined ? 'connect' : 'secureConnect');
    socket.write(hello());
    await isOpen;
    return line;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
  }
}
