/** Servers in memory, reached over real sockets. */
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Connection } from '../../src/ports/network.ts';
import type { FakeServer } from './fake-server.ts';

/** A listening server that is closed, with all its connections, at the end of the block. */
export async function listening(
  server: Server,
  { host = '127.0.0.1', port = 0 }: { readonly host?: string; readonly port?: number } = {},
): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Puts the server in memory behind a real socket. */
export function serve(fake: FakeServer): (socket: Socket) => void {
  return (socket) => {
    let link: Connection | undefined;
    const handler = {
      data: (bytes: Buffer) => void socket.write(bytes),
      closed: () => void socket.end(),
    };
    void fake.dial({ host: 'x', port: 1 }, handler).then((connection) => {
      link = connection;
      socket.on('data', (bytes) => connection.send(bytes));
    });
    socket.on('error', () => {}).on('close', () => link?.destroy());
  };
}
