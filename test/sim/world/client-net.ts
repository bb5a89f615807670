import { EventEmitter } from 'node:events';
import type { Server as NetServer, Socket } from 'node:net';
import type { Connection, ConnectionHandler, Dialer } from '../../../src/ports/network.ts';
import type { Listener } from '../../../src/runtime/clients.ts';
import type { Host } from './host.ts';
import type { Network } from './network.ts';
import type { End } from './stream.ts';

/** Watches what a server hears from a client and what it answers, as the bytes cross the server's border. */
export interface ClientTap {
  opened(conversation: number, server: Host, client: Host): void;
  heard(conversation: number, bytes: Buffer): void;
  answered(conversation: number, bytes: Buffer): void;
  closed(conversation: number): void;
}

/** A connection as the client port sees it: as much of a socket as that uses. */
class ServerSocket extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  destroyed = false;
  /** The server has ended it: it is not read any more, whatever the client does not know yet. */
  isOver = false;
  private readonly end_: End;
  private readonly onWrite: (bytes: Buffer) => void;
  constructor(end: End, port: number, onWrite: (bytes: Buffer) => void) {
    super();
    this.end_ = end;
    this.remoteAddress = end.other.host.name;
    this.remotePort = port;
    this.onWrite = onWrite;
  }
  get writableLength(): number {
    return this.end_.waiting;
  }
  write(bytes: Uint8Array): boolean {
    if (!this.end_.isThere || this.end_.finished) return false;
    this.onWrite(Buffer.from(bytes));
    this.end_.send(bytes);
    return this.end_.waiting === 0;
  }
  end(bytes?: Uint8Array): void {
    if (bytes !== undefined) this.write(bytes);
    this.destroySoon();
  }
  destroySoon(): void {
    this.isOver = true;
    this.end_.end();
  }
  destroy(): void {
    this.isOver = true;
    this.destroyed = true;
    this.end_.destroy();
  }
  pause(): void {
    this.end_.setReading(false);
  }
  resume(): void {
    this.end_.setReading(true);
  }
}

/** Where the server of this machine's present life takes clients. */
export function clientListener(network: Network, host: Host, tap: ClientTap | undefined): Listener {
  return (accept) => {
    let port = 0;
    let close: () => void = () => {};
    const failed = new EventEmitter();
    const server = {
      once: (event: string, run: (error: Error) => void) => {
        failed.once(event, run);
        return server;
      },
      on: () => server,
      off: () => server,
      listen: (options: { port: number }, done: () => void) => {
        port = options.port;
        try {
          close = network.listen(host, port, 'client', (end) => {
            const number = ++network.conversations;
            const socket = new ServerSocket(end, 1024 + (number % 60_000), (bytes) => tap?.answered(number, bytes));
            tap?.opened(number, host, end.other.host);
            accept(socket as unknown as Socket);
            end.attach({
              data: (bytes) => {
                // also what comes before a reset: nothing can be sent any more then, and what was asked is done
                if (!socket.isOver) tap?.heard(number, bytes);
                socket.emit('data', bytes);
              },
              drained: () => void socket.emit('drain'),
              closed: (reason) => {
                tap?.closed(number);
                if (reason === undefined) socket.emit('end');
                socket.destroyed = true;
                socket.emit('close');
              },
            });
          });
          queueMicrotask(done);
        } catch (error) {
          queueMicrotask(() => failed.emit('error', error));
        }
        return server;
      },
      address: () => ({ address: host.name, port, family: 'IPv4' }),
      close: (done?: () => void) => {
        close();
        if (done !== undefined) queueMicrotask(done);
        return server;
      },
    };
    return server as unknown as NetServer;
  };
}

/** How clients on this machine reach servers. */
export const clientDialer = (network: Network, host: Host): Dialer => ({
  dial: async ({ host: name, port, timeoutMs }, handler: ConnectionHandler, signal) => {
    const end = await network.dial(host, name, port, timeoutMs, handler, signal);
    const connection: Connection = {
      remoteAddress: name,
      remotePort: port,
      send: (bytes) => {
        end.send(bytes);
        return end.waiting === 0;
      },
      end: () => end.end(),
      destroy: () => end.destroy(),
      pause: () => end.setReading(false),
      resume: () => end.setReading(true),
    };
    return connection;
  },
});
