/** What clients and servers said to each other, read from the bytes. */
import { Reader } from '../../../src/protocol/bytes.ts';
import { WatcherEvent } from '../../../src/protocol/events.ts';
import { ConnectRequest, ConnectResponse } from '../../../src/protocol/handshake.ts';
import {
  type AnswerOf,
  type MultiAnswer,
  type MultiPart,
  OPERATIONS,
  operationNamed,
  type RequestOf,
} from '../../../src/protocol/operations.ts';
import type { ModelWrite } from '../model/decide.ts';

export { ConnectRequest, ConnectResponse };

/** A request that is not the handshake. `write`: what it comes to for the model; several for a multi. */
export interface Heard {
  readonly xid: number;
  readonly type: number;
  readonly body: unknown;
  readonly writes: readonly ModelWrite[] | undefined;
  readonly isMulti: boolean;
}
export interface Answered {
  readonly xid: number;
  readonly zxid: bigint;
  readonly err: number;
  readonly rest: Reader;
}

type Acls = RequestOf<'create'>['acl'];
const aclOf = (acl: Acls) => acl?.map(({ perms, id }) => ({ perms, scheme: id.scheme ?? '', id: id.id ?? '' })) ?? null;
const dataOf = (data: Uint8Array | null): Buffer | null => (data === null ? null : Buffer.from(data));

function writeOf(type: number, body: unknown): ModelWrite | undefined {
  switch (type) {
    case OPERATIONS.create.code:
    case OPERATIONS.create2.code:
    case OPERATIONS.createContainer.code: {
      const { path, data, acl, flags } = body as RequestOf<'create'>;
      const container = type === OPERATIONS.createContainer.code;
      return { op: 'create', path: path ?? '', data: dataOf(data), acl: aclOf(acl), flags, container, ttl: -1n };
    }
    case OPERATIONS.createTtl.code: {
      const { path, data, acl, flags, ttl } = body as RequestOf<'createTtl'>;
      return { op: 'create', path: path ?? '', data: dataOf(data), acl: aclOf(acl), flags, container: false, ttl };
    }
    case OPERATIONS.delete.code: {
      const { path, version } = body as RequestOf<'delete'>;
      return { op: 'delete', path: path ?? '', version };
    }
    case OPERATIONS.setData.code: {
      const { path, data, version } = body as RequestOf<'setData'>;
      return { op: 'set', path: path ?? '', data: dataOf(data), version };
    }
    case OPERATIONS.setAcl.code: {
      const { path, acl, version } = body as RequestOf<'setAcl'>;
      return { op: 'setAcl', path: path ?? '', acl: aclOf(acl), version };
    }
    case 13: {
      const { path, version } = body as RequestOf<'delete'>;
      return { op: 'check', path: path ?? '', version };
    }
    default:
      return undefined;
  }
}

export function readRequest(bytes: Buffer, start: number, end: number): Heard {
  const from = new Reader(bytes, start, end);
  const xid = from.int32();
  const type = from.int32();
  const name = operationNamed(type);
  const body: unknown = name === undefined ? undefined : OPERATIONS[name].request.read(from);
  if (type !== OPERATIONS.multi.code) {
    const write = writeOf(type, body);
    return { xid, type, body, writes: write === undefined ? undefined : [write], isMulti: false };
  }
  const writes = (body as readonly MultiPart[]).map((part) => writeOf(part.type, part.request) as ModelWrite);
  return { xid, type, body, writes, isMulti: true };
}

export function readReply(bytes: Buffer, start: number, end: number): Answered {
  const rest = new Reader(Buffer.from(bytes.subarray(start, end)));
  return { xid: rest.int32(), zxid: rest.int64(), err: rest.int32(), rest };
}
export const readEvent = (from: Reader): { type: number; path: string } => {
  const { type, path } = WatcherEvent.read(from);
  return { type, path: path ?? '' };
};
export { type AnswerOf, type MultiAnswer, type MultiPart, OPERATIONS, type RequestOf };
