import type { Reader, Writer } from './bytes.ts';
import { sessionId, zxid } from './data.ts';
import { buffer, int, type Of, record } from './record.ts';

const RequestHead = record({ protocolVersion: int, lastZxidSeen: zxid, timeoutMs: int, sessionId, password: buffer });
const ResponseHead = record({ protocolVersion: int, timeoutMs: int, sessionId, password: buffer });

/** The first frame of a client. `readOnly` undefined: a client before 3.4, which does not send (or expect) that byte. */
export type ConnectRequest = Of<typeof RequestHead> & { readonly readOnly: boolean | undefined };
/** The answer; `timeoutMs` of 0 or less means that there is no such session. */
export type ConnectResponse = Of<typeof ResponseHead> & { readonly readOnly: boolean | undefined };

export const ConnectRequest = {
  write(to: Writer, value: ConnectRequest): void {
    RequestHead.write(to, value);
    if (value.readOnly !== undefined) to.bool(value.readOnly);
  },
  read(from: Reader): ConnectRequest {
    const head = RequestHead.read(from);
    return { ...head, readOnly: from.left > 0 ? from.bool() : undefined };
  },
};
export const ConnectResponse = {
  write(to: Writer, value: ConnectResponse): void {
    ResponseHead.write(to, value);
    if (value.readOnly !== undefined) to.bool(value.readOnly);
  },
  read(from: Reader): ConnectResponse {
    const head = ResponseHead.read(from);
    return { ...head, readOnly: from.left > 0 ? from.bool() : undefined };
  },
};
