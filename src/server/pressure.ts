import { KEEPER_CODES } from '../base/errors.ts';
import { Writer } from '../protocol/bytes.ts';
import { OPERATIONS } from '../protocol/operations.ts';
import type { ClientConnection, Waiting } from './connection.ts';
import type { Outbox } from './outbox.ts';
import { header } from './reply.ts';
import { isWrite } from './writes.ts';

/** Whether this process has memory left for more; whoever watches it says so. */
export class Pressure {
  /** Nothing that makes the state larger is taken. */
  full = false;
  /** Requests and sessions refused for that. */
  refused = 0;
  /** Requests refused since they had waited for too long. */
  throttled = 0;
}

/** May this write make the state larger? What removes must go on, or nothing would ever get better; so must other members. */
export const grows = (type: number): boolean =>
  type !== OPERATIONS.closeSession.code && type !== OPERATIONS.delete.code && type !== OPERATIONS.reconfig.code;

const { getData, exists, getChildren, getChildren2, addWatch } = OPERATIONS;
/**
 * Likewise, of any request, whose frame ends at `end`: a watch that a read leaves is kept, too. Those that a client sets again
 * when it is back are not refused: it would not know what to do.
 */
export function takesRoom(type: number, bytes: Buffer, end: number): boolean {
  switch (type) {
    case getData.code:
    case exists.code:
    case getChildren.code:
    case getChildren2.code:
      return bytes[end - 1] !== 0; // the flag stands last
    case addWatch.code:
      return true;
    default:
      return isWrite(type) && grows(type);
  }
}

/** What a refusal needs of a server. */
interface Refuser {
  readonly now: number;
  readonly outbox: Outbox;
  readonly tree: { readonly zxidHi: number; readonly zxidLo: number };
}

/**
 * Answers a request with THROTTLEDOP (-127, "not executed at all; retry with back-off") in place of doing it, behind
 * everything that its connection asked before.
 */
export function refuse(server: Refuser, connection: ClientConnection, xid: number): void {
  if (connection.outstanding === 0) return answerRefused(server, connection, xid, server.now);
  const to = new Writer(4);
  to.int32(xid);
  connection.waiting.push({ kind: 'refused', frame: to.take(), ready: false, since: server.now });
}
/** The same for a request that was not given to the server, since it had waited too long. */
export function refuseLate(
  server: Refuser & { readonly pressure: Pressure; hear(connection: ClientConnection): void },
  connection: ClientConnection,
  xid: number,
): void {
  server.outbox.received(connection);
  server.hear(connection);
  server.pressure.throttled++;
  refuse(server, connection, xid);
}
/** One that had to wait for its turn. */
export const answerWaiting = (server: Refuser, connection: ClientConnection, { frame, since }: Waiting): void =>
  answerRefused(server, connection, (frame as Buffer).readInt32BE(0), since);

function answerRefused(server: Refuser, connection: ClientConnection, xid: number, since: number): void {
  const { outbox, tree, now } = server;
  header(outbox.to(connection), xid, tree.zxidHi, tree.zxidLo, KEEPER_CODES.ThrottledOp);
  outbox.timed(connection, since, now);
  outbox.sent(connection);
}
