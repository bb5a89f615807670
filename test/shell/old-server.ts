/** A server as ZooKeeper 3.5 was: it knows no persistent watches and hangs up on whoever asks for what it does not know. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { OPERATIONS } from '../../src/protocol/operations.ts';

const UNKNOWN: ReadonlySet<number> = new Set([
  OPERATIONS.addWatch.code,
  OPERATIONS.whoAmI.code,
  OPERATIONS.getEphemerals.code,
  OPERATIONS.getAllChildrenNumber.code,
]);
const UNIMPLEMENTED = -6;
const SRVR = 'Zookeeper version: 3.5.9-old, built on 2021-01-06\nLatency min/avg/max: 0/0/0\nMode: standalone\n';

export interface OldServer extends AsyncDisposable {
  readonly connectString: string;
  /** Numbers of the operations it refused. */
  readonly refused: number[];
}

/** Stands before a server of ours and answers like an old one. `more`: numbers of further operations it does not know. */
export async function oldServer(behind: string, ...more: readonly number[]): Promise<OldServer> {
  const [host = '', port = ''] = behind.split(':');
  const refused: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const inner = connect(Number(port), host);
    for (const each of [socket, inner]) {
      sockets.add(each);
      each.on('error', () => {});
      each.on('close', () => {
        sockets.delete(each);
        socket.destroy();
        inner.destroy();
      });
    }
    inner.pipe(socket);
    let held = Buffer.alloc(0);
    let isGreeted = false;
    socket.on('data', (bytes) => {
      held = Buffer.concat([held, bytes]);
      if (!isGreeted && held.toString('latin1', 0, 4) === 'srvr') {
        socket.end(SRVR);
        return;
      }
      while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
        const frame = held.subarray(0, 4 + held.readInt32BE(0));
        held = held.subarray(frame.length);
        const type = isGreeted && frame.length >= 12 ? frame.readInt32BE(8) : 0;
        isGreeted = true;
        if (UNKNOWN.has(type) || more.includes(type)) {
          refused.push(type);
          const reply = Buffer.alloc(20);
          reply.writeInt32BE(16, 0);
          reply.writeInt32BE(frame.readInt32BE(4), 4);
          reply.writeInt32BE(UNIMPLEMENTED, 16);
          socket.end(reply);
          inner.destroy();
          return;
        }
        inner.write(frame);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    connectString: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused,
    async [Symbol.asyncDispose]() {
      for (const each of sockets) each.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
