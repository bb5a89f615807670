import type { Socket } from 'node:net';
import { Bag, type Placed } from '../base/bag.ts';
import type { Listener } from './clients.ts';

interface Connected extends Placed {
  readonly socket: Socket;
}

/** Shuts the client port of a running server, as a fault for people to look at: who is connected is cut off, and who comes
 * is turned away, until it is opened again. The port stays taken. */
export class ClientGate {
  private shut = false;
  private readonly connected = new Bag<Connected>();

  /** The listener behind this gate. */
  guard(listener: Listener): Listener {
    return (accept) =>
      listener((socket) => {
        if (this.shut) {
          socket.destroy();
          return;
        }
        const connected: Connected = { socket, place: -1 };
        this.connected.add(connected);
        socket.once('close', () => this.connected.delete(connected));
        accept(socket);
      });
  }
  /** How many are connected. */
  get size(): number {
    return this.connected.size;
  }
  cut(shut: boolean): void {
    this.shut = shut;
    if (shut) for (const { socket } of this.connected) socket.destroy();
  }
}
