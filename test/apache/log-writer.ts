/** Logs in Apache's format, for tests. */
import { adler32 } from '../../src/apache/adler.ts';
import * as jute from '../../src/apache/records.ts';
import type { Change, Txn } from '../../src/apache/txn.ts';
import type { SessionId, Zxid } from '../../src/base/ids.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import type { AclList } from '../../src/records/txns.ts';

const juteAcl = (acl: AclList) => acl.map(({ perms, scheme, id }) => ({ perms, id: { scheme, id } }));

function writeChange(to: Writer, change: Change): void {
  switch (change.op) {
    case 'create': {
      const { path, data, owner, creates: parentCversion } = change;
      const acl = juteAcl(change.acl);
      if (change.type === jute.TYPE.createContainer)
        jute.CreateContainer.write(to, { path, data, acl, parentCversion });
      else if (change.type === jute.TYPE.createTtl)
        jute.CreateTtl.write(to, { path, data, acl, parentCversion, ttl: owner & 0xff_ffff_ffffn });
      else jute.Create.write(to, { path, data, acl, ephemeral: owner !== 0n, parentCversion });
      return;
    }
    case 'delete':
      return jute.Delete.write(to, change);
    case 'setData':
      return jute.SetData.write(to, change);
    case 'setAcl':
      return jute.SetAcl.write(to, { path: change.path, acl: juteAcl(change.acl), version: change.aversion });
    case 'check':
      return jute.Check.write(to, change);
    case 'error':
      return jute.ErrorTxn.write(to, change);
  }
}

export interface Logged {
  readonly zxid: bigint;
  readonly time: number;
  readonly session: bigint;
  readonly txn: Txn;
  readonly digest?: bigint;
}

/** Header, record and digest of one transaction. */
export function encodeTxn({ zxid, time, session, txn, digest }: Logged): Buffer {
  const to = new Writer();
  const { type } = txn;
  jute.TxnHeader.write(to, { session: session as SessionId, cxid: 1, zxid: zxid as Zxid, time, type });
  if (txn.op === 'createSession') to.int32(txn.timeoutMs);
  else if (txn.op === 'closeSession') {
    if (txn.paths !== undefined) jute.CloseSession.write(to, { paths: txn.paths });
  } else if (txn.op === 'multi')
    jute.Multi.write(to, {
      parts: txn.parts.map((part) => {
        const inner = new Writer();
        writeChange(inner, part);
        return { type: part.type, bytes: inner.take() };
      }),
    });
  else writeChange(to, txn);
  if (digest !== undefined) jute.TxnDigest.write(to, { version: jute.DIGEST_VERSION, digest });
  return to.take();
}

/** The head of a log file. */
export function logHead(): Buffer {
  const to = new Writer();
  jute.FileHeader.write(to, { magic: jute.LOG_MAGIC, version: jute.FILE_VERSION, dbid: 0n });
  return to.take();
}
/** One entry: checksum, length, transaction, end. */
export function logEntry(txn: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigInt64BE(BigInt(adler32(txn)), 0);
  head.writeInt32BE(txn.length, 8);
  return Buffer.concat([head, txn, Buffer.from('B')]);
}
/** A whole file with `zeros` bytes kept ahead. */
export const logFile = (txns: readonly Logged[], zeros = 0): Buffer =>
  Buffer.concat([logHead(), ...txns.map((txn) => logEntry(encodeTxn(txn))), Buffer.alloc(zeros)]);
