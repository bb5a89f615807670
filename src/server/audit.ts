import { Reader } from '../protocol/bytes.ts';
import { PERM } from '../protocol/data.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { CREATE_FLAG, type MultiPart, OPCODE, OPERATIONS, type RequestOf } from '../protocol/operations.ts';
import { KIND, type Txn } from '../records/txns.ts';
import type { Identity, RawAcl } from './acl.ts';
import type { ClientConnection } from './connection.ts';
import type { RefusedLogin } from './refused-login.ts';

export type AuditOperation =
  | 'serverStart'
  | 'serverStop'
  | 'create'
  | 'delete'
  | 'setData'
  | 'setAcl'
  | 'multiOperation'
  | 'reconfig'
  | 'ephemeralZNodeDeletionOnSessionCloseOrExpire'
  | 'login';

/** What happened, as an audit log tells it (operations.md f): never data, and of an ACL no hash. What does not apply is undefined. */
export interface AuditEvent {
  readonly session: bigint | undefined;
  /** Undefined: whoever the server runs as. Empty: nobody knows who. */
  readonly user: string | undefined;
  readonly ip: string | undefined;
  readonly operation: AuditOperation;
  readonly znode: string | undefined;
  readonly znodeType: string | undefined;
  readonly acl: string | undefined;
  readonly result: 'success' | 'failure' | 'invoked';
}
export type AuditSink = (event: AuditEvent) => void;

/** A write of a client as it was asked for, kept until its outcome is known. */
export interface AuditedRequest {
  readonly operation: AuditOperation;
  /** As asked for: of a sequential node, what it begins with. */
  readonly path: string | undefined;
  readonly znodeType: string | undefined;
  readonly acl: string | undefined;
  /** Of a multi: what kind of node each part makes, in order; undefined where it makes none. */
  readonly parts: readonly (string | undefined)[] | undefined;
}

const TYPES: Readonly<Record<number, string>> = {
  [CREATE_FLAG.persistent]: 'persistent',
  [CREATE_FLAG.ephemeral]: 'ephemeral',
  [CREATE_FLAG.persistentSequential]: 'persistent_sequential',
  [CREATE_FLAG.ephemeralSequential]: 'ephemeral_sequential',
  [CREATE_FLAG.container]: 'container',
  [CREATE_FLAG.ttl]: 'persistent_with_ttl',
  [CREATE_FLAG.ttlSequential]: 'persistent_sequential_with_ttl',
};
const HEADER_BYTES = 8;
const CONFIG_PATH = '/zookeeper/config';
const LETTERS = [
  ['c', PERM.create],
  ['d', PERM.delete],
  ['r', PERM.read],
  ['w', PERM.write],
  ['a', PERM.admin],
] as const;

/** Tells a sink what clients change through this server, and which ephemerals go with their session. */
export class Auditor {
  private readonly sink: AuditSink;
  private readonly reader = new Reader(Buffer.alloc(0));

  constructor(sink: AuditSink) {
    this.sink = sink;
  }
  /** What this frame asks for; undefined when it is of no interest or cannot be read. */
  asked(type: number, bytes: Buffer, start: number, end: number): AuditedRequest | undefined {
    try {
      return described(type, this.reader.reset(bytes, Math.min(start + HEADER_BYTES, end), end));
    } catch (fault) {
      if (!(fault instanceof ProtocolError)) throw fault;
      return undefined;
    }
  }
  /** What came of it. */
  done({ session, ip, identities }: ClientConnection, asked: AuditedRequest, txn: Txn): void {
    const { operation, acl } = asked;
    const who = { session, user: usersOf(identities), ip };
    const isRefused = txn.kind === KIND.error || txn.kind === KIND.multiError;
    if (txn.kind === KIND.multi) {
      for (const [at, part] of txn.parts.entries())
        if (part.kind !== KIND.check)
          this.sink({
            ...who,
            operation: part.kind === KIND.create ? 'create' : part.kind === KIND.delete ? 'delete' : 'setData',
            znode: part.path,
            znodeType: asked.parts?.[at],
            acl: undefined,
            result: 'success',
          });
      return;
    }
    const znode =
      txn.kind === KIND.config ? CONFIG_PATH : !isRefused && 'path' in txn && txn.path !== null ? txn.path : asked.path;
    const result = isRefused ? 'failure' : 'success';
    this.sink({ ...who, operation, znode, znodeType: asked.znodeType, acl, result });
  }
  /** Somebody claimed a name, and proved nothing. */
  refusedLogin({ session, scheme, user = '', ip }: RefusedLogin): void {
    const none = { znode: undefined, znodeType: undefined, acl: undefined };
    this.sink({ session, user: nameOf(scheme, user), ip, operation: 'login', ...none, result: 'failure' });
  }
  /** A node went since its session is over. */
  ephemeral(session: bigint, path: string): void {
    this.sink({
      ...{ session, user: undefined, ip: undefined, znode: path, znodeType: undefined, acl: undefined },
      operation: 'ephemeralZNodeDeletionOnSessionCloseOrExpire',
      result: 'success',
    });
  }
}

function described(type: number, from: Reader): AuditedRequest | undefined {
  const plain = (operation: AuditOperation, path: string | null, znodeType?: string, acl?: string): AuditedRequest => ({
    ...{ operation, path: path ?? undefined, znodeType, acl, parts: undefined },
  });
  switch (type) {
    case OPERATIONS.create.code:
    case OPERATIONS.create2.code:
    case OPERATIONS.createContainer.code:
    case OPERATIONS.createTtl.code: {
      const { path, flags } = OPERATIONS.create.request.read(from);
      return plain('create', path, TYPES[flags]);
    }
    case OPERATIONS.delete.code:
      return plain('delete', OPERATIONS.delete.request.read(from).path);
    case OPERATIONS.setData.code:
      return plain('setData', OPERATIONS.setData.request.read(from).path);
    case OPERATIONS.setAcl.code: {
      const { path, acl } = OPERATIONS.setAcl.request.read(from);
      return plain('setAcl', path, undefined, aclText(acl ?? []));
    }
    case OPERATIONS.multi.code: {
      const parts = OPERATIONS.multi.request.read(from).map(madeBy);
      return { ...plain('multiOperation', null), parts };
    }
    case OPERATIONS.reconfig.code:
      return plain('reconfig', null);
    default:
      return undefined;
  }
}
function madeBy({ type, request }: MultiPart): string | undefined {
  if (type === OPERATIONS.delete.code || type === OPERATIONS.setData.code || type === OPCODE.check) return undefined;
  return TYPES[(request as RequestOf<'create'>).flags];
}

/** Names only: of a digest identity its hash is left out. Logins in the order in which they were proved, the address last. */
function usersOf(identities: readonly Identity[]): string {
  const names: string[] = [];
  const addresses: string[] = [];
  for (const { scheme, id } of identities)
    if (scheme === 'ip') addresses.push(id);
    else if (scheme !== 'super') names.push(nameOf(scheme, userOf(scheme, id)));
  return [...names, ...addresses].join(',');
}
/** A comma parts names, and is none of theirs. A subject has its own; nobody makes a name of one: what stands between is `KEY=...`. */
const nameOf = (scheme: string | undefined, name: string): string =>
  scheme === 'x509' ? name : name.replaceAll(',', '\\u002c');
function userOf(scheme: string, id: string): string {
  if (!scheme.startsWith('digest')) return id;
  const colon = id.indexOf(':');
  return colon < 0 ? '' : id.slice(0, colon);
}

/** Schemes whose ids are names and no more. Of `auth` ZooKeeper looks at no id, so people write their login there. */
const OPEN_SCHEMES = new Set(['world', 'ip', 'sasl', 'x509']);
const shownId = (scheme: string | null, id: string | null): string | null => {
  if (id === null || id === '' || (scheme !== null && OPEN_SCHEMES.has(scheme))) return id;
  return `${id.slice(0, Math.max(0, id.indexOf(':')))}:x`;
};

/** As ZooKeeper writes it, but for a comma between entries, and `x` for what stands behind the name of a login. */
function aclText(acl: RawAcl): string {
  return acl
    .map(({ perms, id: { scheme, id } }) => {
      return `${scheme}:${shownId(scheme, id)}:${LETTERS.map(([letter, bit]) => ((perms & bit) === 0 ? '' : letter)).join('')}`;
    })
    .join(',');
}
