import type { Writer } from '../protocol/bytes.ts';

/**
 * Bytes of one reply, at most; a read that would come to more is answered MARSHALLINGERROR. What our own client takes, and far
 * more than Apache's does unless it is told.
 */
export const MOST_REPLY = 64 * 1024 * 1024;
/** Bytes that may wait to be sent to one client that asks for more. */
export const MOST_UNSENT = MOST_REPLY;

/**
 * Replies are written straight into a connection's outgoing bytes: no object per reply. `begin` leaves room for the length
 * and writes the header; `finish` fills the length in.
 */
export function begin(to: Writer, xid: number, zxidHi: number, zxidLo: number, err: number): number {
  to.room(20);
  const at = to.at;
  to.at = at + 4;
  to.put(xid);
  to.put(zxidHi);
  to.put(zxidLo);
  to.put(err);
  return at;
}

export function finish(to: Writer, at: number): void {
  const end = to.at;
  to.at = at;
  to.put(end - at - 4);
  to.at = end;
}

/** A reply of a header alone: every refusal, and operations that answer nothing. */
export function header(to: Writer, xid: number, zxidHi: number, zxidLo: number, err: number): void {
  to.room(20);
  to.put(16);
  to.put(xid);
  to.put(zxidHi);
  to.put(zxidLo);
  to.put(err);
}

/** A watch event, whole, as every watcher gets it. `zxid` halves are -1 for events that catch up. */
export function event(to: Writer, type: number, path: string, zxidHi: number, zxidLo: number): void {
  const at = begin(to, -1, zxidHi, zxidLo, 0);
  to.int32(type);
  to.int32(3);
  to.text(path);
  finish(to, at);
}
