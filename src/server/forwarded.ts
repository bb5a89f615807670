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
/** What {@link birthBody} wrote; undefined for anything else. */
export function readBirth(from: Reader, id: SessionId): CreateSessionTxn | undefined {
  try {
    const timeoutMs = from.int32();
    const secret = from.buffer();
    if (secret?.length !== SECRET_BYTES || timeoutMs <= 0) return undefined;
    return { kind: KIND.createSession, id, timeoutMs, secret: Buffer.from(secret) };
  } catch (fault) {
    if (fault instanceof ProtocolError) return undefined;
    throw fault;
  }
}
