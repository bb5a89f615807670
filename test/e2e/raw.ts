import { Writer } from '../../src/protocol/bytes.ts';

/** A frame as it goes onto the wire. */
export function frame(body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + body.length);
  bytes.writeInt32BE(body.length, 0);
  bytes.set(body, 4);
  return bytes;
}

/** The framed first request of a client; a new session unless one is named. */
export function hello(session = 0n, password: Uint8Array = Buffer.alloc(16), timeoutMs = 10_000): Buffer {
  const to = new Writer();
  to.int32(0);
  to.int64(0n);
  to.int32(timeoutMs);
  to.int64(session);
  to.buffer(password);
  to.bool(false);
  return frame(to.take());
}
