/** Records of Apache's files, as zookeeper.jute describes them; the client protocol's own are taken from there. */
import { AclVector, sessionId, zxid } from '../protocol/data.ts';
import { bool, buffer, int, type Kind, list, long, type Of, record, text, time } from '../protocol/record.ts';

/** `ZKLG` and `ZKSN`. */
export const LOG_MAGIC = 0x5a4b_4c47;
export const SNAPSHOT_MAGIC = 0x5a4b_534e;
export const FILE_VERSION = 2;
export const HEADER_BYTES = 16;
/** Behind each transaction of a log. */
export const END_MARK = 0x42;

export const FileHeader = record({ magic: int, version: int, dbid: long });

export const TxnHeader = record({ session: sessionId, cxid: int, zxid, time, type: int });
export type TxnHeader = Of<typeof TxnHeader>;
export const TXN_HEADER_BYTES = 32;

/** Kinds of transaction; the numbers are those of the operations. */
export const TYPE = {
  error: -1,
  createSession: -10,
  closeSession: -11,
  create: 1,
  delete: 2,
  setData: 5,
  setAcl: 7,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  createContainer: 19,
  deleteContainer: 20,
  createTtl: 21,
} as const;

/** Before 3.4 without the parent's counter. */
export const CreateV0 = record({ path: text, data: buffer, acl: AclVector, ephemeral: bool });
export const Create = record({ path: text, data: buffer, acl: AclVector, ephemeral: bool, parentCversion: int });
export const CreateContainer = record({ path: text, data: buffer, acl: AclVector, parentCversion: int });
export const CreateTtl = record({ path: text, data: buffer, acl: AclVector, parentCversion: int, ttl: long });
export const Delete = record({ path: text });
export const SetData = record({ path: text, data: buffer, version: int });
export const SetAcl = record({ path: text, acl: AclVector, version: int });
export const Check = record({ path: text, version: int });
export const CreateSession = record({ timeoutMs: int });
export const CloseSession = record({ paths: list(text) });
export const ErrorTxn = record({ code: int });
export const Part = record({ type: int, bytes: buffer });
export const Multi = record({ parts: list(Part) });
export const TxnDigest = record({ version: int, digest: long });
export const TXN_DIGEST_BYTES = 12;
/** The only way of counting a tree's digest that there has been since 3.6. */
export const DIGEST_VERSION = 2;

/** 60 bytes; `cversion` counts creates, `ephemeralOwner` says the kind of node as well. */
export const StatPersisted = record({
  czxid: zxid,
  mzxid: zxid,
  ctime: time,
  mtime: time,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: long,
  pzxid: zxid,
});
export type StatPersisted = Of<typeof StatPersisted>;

/** Every record by its type; what is not here is no transaction of a log. */
export const RECORDS: Readonly<Record<number, Kind<unknown>>> = {
  [TYPE.error]: ErrorTxn,
  [TYPE.createSession]: CreateSession,
  [TYPE.create]: Create,
  [TYPE.create2]: Create,
  [TYPE.delete]: Delete,
  [TYPE.deleteContainer]: Delete,
  [TYPE.setData]: SetData,
  [TYPE.reconfig]: SetData,
  [TYPE.setAcl]: SetAcl,
  [TYPE.check]: Check,
  [TYPE.multi]: Multi,
  [TYPE.createContainer]: CreateContainer,
  [TYPE.createTtl]: CreateTtl,
};
