import type { SessionId } from '../base/ids.ts';
import type { Reader } from '../protocol/bytes.ts';
import { Writer } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { type CreateSessionTxn, KIND } from '../records/txns.ts';

const SECRET_BYTES = 16;

/** The body of a learner's request for a session: its timeout in ms, and what its password is checked against. */
export function birthBody({ timeoutMs, secret }: CreateSessionTxn): Buffer {
  const to = new Writer(32);
  to.int32(timeoutMs);
  to.buffer(secret);
  return to.bytes.subarray(0, to.at);
}
/** @throws ProtocolError */
export function readBirth(from: Reader, id: SessionId): CreateSessionTxn {
  const timeoutMs = from.int32();
  const secret = from.buffer();
  if (secret?.length !== SECRET_BYTES || timeoutMs <= 0) throw new ProtocolError('not the beginning of a session');
  return { kind: KIND.createSession, id, timeoutMs, secret: Buffer.from(secret) };
}
