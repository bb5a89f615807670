import type { Clock } from '../ports/clock.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { OPERATIONS } from '../protocol/operations.ts';
import type { Server } from '../server/server.ts';
import type { Client } from './port-client.ts';
import type { Traffic } from './traffic.ts';

/** A client that is let go and takes nothing of what it is owed for so long never will, ms. */
const UNREAD_MS = 10_000;
/** A refused credential is answered so long after it came, ms, and no later than a part of the session's time: its client gives up then. */
const REFUSED_MS = 1000;
const REFUSED_PART = 1 / 4;
const NOTHING = Buffer.alloc(0);

/**
 * Bytes that the system has not taken yet. What Node counts falls when a whole write is over, which for a slow client may be
 * after minutes; its handle knows better.
 */
function unsent(socket: Client['socket']): number {
  const { _handle: handle } = socket as { readonly _handle?: { readonly writeQueueSize?: number } | null };
  return socket.writableLength + (handle?.writeQueueSize ?? 0);
}

/** Ends a connection after the bytes it is owed, if it takes them. */
export function letGo(client: Client, clock: Clock): void {
  const { socket } = client;
  socket.destroySoon();
  client.timer?.[Symbol.dispose]();
  const look = (before: number): void => {
    client.timer = clock.after(UNREAD_MS, () => {
      const now = unsent(socket);
      if (now < before) look(now);
      else socket.destroy();
    });
  };
  if (!socket.destroyed) look(unsent(socket));
}

/** Whoever tries passwords learns of each after a while only, whatever else comes from that address: `bytes` say so. */
export function letGoLate(client: Client, bytes: Buffer, clock: Clock): void {
  client.timer?.[Symbol.dispose]();
  client.timer = clock.after(Math.min(REFUSED_MS, client.connection.timeoutMs * REFUSED_PART), () => {
    client.socket.write(bytes);
    letGo(client, clock);
  });
}

/** Drops what a client asked that has gone, but for the end of its session: that counts, as with ZooKeeper. */
export function dropStale({ connection, cutter }: Client, server: Server, traffic: Traffic): void {
  try {
    cutter.push(NOTHING, (bytes, start, end) => {
      const isEnd = end - start >= 8 && bytes.readInt32BE(start + 4) === OPERATIONS.closeSession.code;
      if (isEnd) server.receive(connection, bytes, start, end);
      else traffic.staleDropped++;
      return true;
    });
  } catch (fault) {
    if (!(fault instanceof ProtocolError)) throw fault;
  }
  cutter.clear();
}
