import type { Socket } from 'node:net';
import type { Listener } from './clients.ts';

/** Shuts the client port of a running server, as a fault for people to look at: who is connected is cut off, and who comes
 * is turned away, until it is opened again. The port stays taken. */
export class ClientGate {
  private shut = false;
  private readonly sockets = new Set<Socket>();

  /** The listener behind this gate. */
  guard(listener: Listener): Listener {
    return (accept) =>
      listener((socket) => {
        if (this.shut) {
          socket.destroy();
          return;
        }
        this.sockets.add(socket);
        socket.once('close', () => this.sockets.delete(socket));
        accept(socket);
      });
  }
  /** How many are connected. */
  get size(): number {
    return this.sockets.size;
  }
  cut(shut: boolean): void {
    this.shut = shut;
    if (shut) for (const socket of this.sockets) socket.destroy();
  }
}
