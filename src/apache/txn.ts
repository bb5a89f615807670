import { Reader } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { AclEntry } from '../records/txns.ts';
import { FormatError } from './damage.ts';
import * as jute from './records.ts';
import { TYPE } from './records.ts';

/** Where a node of a time to live says so, in ms: 0xff in the top byte of its owner (semantics.md 11). */
const TTL_OWNER = 0xff00_0000_0000_0000n;
const TTL_MAX = 0xff_ffff_ffffn;
const CONTAINER = -0x8000_0000_0000_0000n;

/** A change of the tree, or none, as replay takes it. Buffers are views on the bytes that were read. */
export type Change =
  | {
      readonly op: 'create';
      /** As it is numbered in the log: create, create2, createContainer or createTTL. */
      readonly type: number;
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly acl: readonly AclEntry[];
      /** As a node's owner is stored: 0n, a session, a container's or a time to live. */
      readonly owner: bigint;
      /** Creates below the parent afterwards; -1: one more than before. */
      readonly creates: number;
    }
  | { readonly op: 'delete'; readonly type: number; readonly path: string }
  | {
      readonly op: 'setData';
      readonly type: number;
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly version: number;
    }
  | {
      readonly op: 'setAcl';
      readonly type: number;
      readonly path: string;
      readonly acl: readonly AclEntry[];
      readonly aversion: number;
    }
  | { readonly op: 'check'; readonly type: number; readonly path: string; readonly version: number }
  | { readonly op: 'error'; readonly type: number; readonly code: number };
/** What one record of a log says. */
export type Txn =
  | Change
  | { readonly op: 'multi'; readonly type: number; readonly parts: readonly Change[] }
  | { readonly op: 'createSession'; readonly type: number; readonly timeoutMs: number }
  /** `paths`: its ephemerals; undefined in logs written before 3.6. */
  | { readonly op: 'closeSession'; readonly type: number; readonly paths: readonly string[] | undefined };

export interface LoggedTxn {
  readonly header: jute.TxnHeader;
  readonly txn: Txn;
  /** Of the tree afterwards, as the server that wrote it says; undefined where it says nothing that we know how to count. */
  readonly digest: bigint | undefined;
}

/** Header, record and digest of one entry of a log. @throws FormatError */
export function decodeTxn(bytes: Buffer): LoggedTxn {
  const from = new Reader(bytes);
  try {
    const header = jute.TxnHeader.read(from);
    const txn = readTxn(from, header);
    const digest = readDigest(from);
    return { header, txn, digest };
  } catch (error) {
    if (error instanceof ProtocolError)
      throw new FormatError(`the transaction cannot be read: ${error.message}`, from.at);
    throw error;
  }
}

/** The header alone. @throws FormatError */
export function decodeHeader(bytes: Buffer): jute.TxnHeader {
  if (bytes.length < jute.TXN_HEADER_BYTES) throw new FormatError(`a transaction of ${bytes.length} bytes`);
  return jute.TxnHeader.read(new Reader(bytes));
}

function readTxn(from: Reader, { type, session }: jute.TxnHeader): Txn {
  switch (type) {
    case TYPE.createSession:
      return { op: 'createSession', type, timeoutMs: jute.CreateSession.read(from).timeoutMs };
    case TYPE.closeSession:
      return { op: 'closeSession', type, paths: readClosed(from) };
    case TYPE.multi: {
      const parts: Change[] = [];
      for (const part of jute.Multi.read(from).parts ?? []) {
        if (part.type === TYPE.multi) from.fail('a multi inside a multi');
        const inner = part.bytes ?? new Uint8Array(0);
        parts.push(
          readChange(new Reader(Buffer.from(inner.buffer, inner.byteOffset, inner.length)), part.type, session),
        );
      }
      return { op: 'multi', type, parts };
    }
    default:
      return readChange(from, type, session);
  }
}

function readChange(from: Reader, type: number, session: bigint): Change {
  switch (type) {
    case TYPE.create:
    case TYPE.create2: {
      const { path, data, acl, ephemeral } = jute.CreateV0.read(from);
      const creates = from.left === 0 ? -1 : from.int32();
      const owner = ephemeral ? session : 0n;
      return { op: 'create', type, path: named(from, path), data, acl: aclOf(acl), owner, creates };
    }
    case TYPE.createContainer: {
      const { path, data, acl, parentCversion: creates } = jute.CreateContainer.read(from);
      return { op: 'create', type, path: named(from, path), data, acl: aclOf(acl), owner: CONTAINER, creates };
    }
    case TYPE.createTtl: {
      const { path, data, acl, parentCversion: creates, ttl } = jute.CreateTtl.read(from);
      if (ttl < 1n || ttl > TTL_MAX) from.fail(`a time to live of ${ttl} ms`);
      const owner = BigInt.asIntN(64, TTL_OWNER | ttl);
      return { op: 'create', type, path: named(from, path), data, acl: aclOf(acl), owner, creates };
    }
    case TYPE.delete:
    case TYPE.deleteContainer:
      return { op: 'delete', type, path: named(from, jute.Delete.read(from).path) };
    case TYPE.setData:
    case TYPE.reconfig: {
      const { path, data, version } = jute.SetData.read(from);
      return { op: 'setData', type, path: named(from, path), data, version };
    }
    case TYPE.setAcl: {
      const { path, acl, version: aversion } = jute.SetAcl.read(from);
      return { op: 'setAcl', type, path: named(from, path), acl: aclOf(acl), aversion };
    }
    case TYPE.check: {
      const { path, version } = jute.Check.read(from);
      return { op: 'check', type, path: named(from, path), version };
    }
    case TYPE.error:
      return { op: 'error', type, code: jute.ErrorTxn.read(from).code };
    default:
      return from.fail(`a transaction of the unknown type ${type}`);
  }
}

function named(from: Reader, path: string | null): string {
  return path ?? from.fail('a transaction about no path');
}

/** An ACL as our tree has it. */
export const aclOf = (
  acl:
    | readonly { readonly perms: number; readonly id: { readonly scheme: string | null; readonly id: string | null } }[]
    | null,
): AclEntry[] => (acl ?? []).map(({ perms, id: { scheme, id } }) => ({ perms, scheme: scheme ?? '', id: id ?? '' }));

/** Before 3.6, and with closeSessionTxn.enabled=false, there is no list, but perhaps a digest. */
function readClosed(from: Reader): readonly string[] | undefined {
  if (from.left === 0) return undefined;
  if (from.left === jute.TXN_DIGEST_BYTES && from.bytes.readInt32BE(from.at) === jute.DIGEST_VERSION) return undefined;
  return (jute.CloseSession.read(from).paths ?? []).map((path) => named(from, path));
}

function readDigest(from: Reader): bigint | undefined {
  if (from.left < jute.TXN_DIGEST_BYTES) return undefined;
  const { version, digest } = jute.TxnDigest.read(from);
  return version === jute.DIGEST_VERSION ? digest : undefined;
}
