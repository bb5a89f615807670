/** Transactions as lines and as JSON, Apache's and ours alike. Names and data stand in a line as they are: whoever prints it makes controls visible. */
import type { Change, LoggedTxn } from '../apache/txn.ts';
import { codeOfNumber } from '../base/errors.ts';
import { type AclList, CONTAINER_OWNER, type Envelope, KIND, type Txn, zxidOf } from '../records/txns.ts';

/** Bytes of data that a line shows; JSON has all of it. */
const SHOWN = 128;

/** One transaction, told. */
export interface ToldTxn {
  readonly zxid: bigint;
  readonly time: number;
  readonly session: bigint;
  readonly xid: number;
  readonly type: string;
  /** What a line says behind the type. */
  readonly text: string;
  /** The same for programs. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const OPS: Readonly<Record<number, string>> = {
  [-1]: 'error',
  [-10]: 'createSession',
  [-11]: 'closeSession',
  1: 'create',
  2: 'delete',
  5: 'setData',
  7: 'setACL',
  13: 'check',
  14: 'multi',
  15: 'create2',
  16: 'reconfig',
  19: 'createContainer',
  20: 'deleteContainer',
  21: 'createTTL',
};
const hex = (n: bigint): string => `0x${BigInt.asUintN(64, n).toString(16)}`;

function shownData(data: Uint8Array | null): string {
  if (data === null) return '';
  const text = Buffer.from(data.subarray(0, SHOWN)).toString('utf8');
  const more = data.length > SHOWN ? `..(${data.length} bytes)` : '';
  // what is cut in the middle of a character is text all the same
  if (!text.replace(/\uFFFD$/, '').includes('\uFFFD')) return text + more;
  return `0x${Buffer.from(data.subarray(0, SHOWN / 4)).toString('hex')}${data.length > SHOWN / 4 ? `..(${data.length} bytes)` : ''}`;
}
/** As Apache's tools print a list, on one line. */
const shownAcl = (acl: AclList): string =>
  `[${acl.map(({ perms, scheme, id }) => `${perms},s{'${scheme},'${id}}`).join(',')}]`;
const base64 = (data: Uint8Array | null): string | null =>
  data === null ? null : Buffer.from(data).toString('base64');
const aclJson = (acl: AclList): unknown => acl.map(({ perms, scheme, id }) => ({ perms, scheme, id }));
const kindOfOwner = (owner: bigint): { kind: string; ttlMs?: number } => {
  if (owner === 0n) return { kind: 'persistent' };
  if (owner === CONTAINER_OWNER) return { kind: 'container' };
  if (BigInt.asUintN(64, owner) >> 40n === 0xff_0000n) return { kind: 'ttl', ttlMs: Number(owner & 0xff_ffff_ffffn) };
  return { kind: 'ephemeral' };
};

type Said = Pick<ToldTxn, 'text' | 'fields'>;

function created(path: string, data: Uint8Array | null, acl: AclList, owner: bigint, creates: number): Said {
  const { kind, ttlMs } = kindOfOwner(owner);
  const tail = kind === 'container' ? [creates] : kind === 'ttl' ? [creates, ttlMs] : [kind === 'ephemeral', creates];
  return {
    text: [path, shownData(data), shownAcl(acl), ...tail].join(','),
    fields: { path, data: base64(data), acl: aclJson(acl), kind, ...(ttlMs !== undefined && { ttlMs }), creates },
  };
}
const changed = (path: string, data: Uint8Array | null, version: number): Said => ({
  text: [path, shownData(data), version].join(','),
  fields: { path, data: base64(data), version },
});
const permitted = (path: string, acl: AclList, aversion: number): Said => ({
  text: [path, shownAcl(acl), aversion].join(','),
  fields: { path, acl: aclJson(acl), aversion },
});
const about = (path: string): Said => ({ text: path, fields: { path } });
const failed = (code: number): Said => ({
  text: `${code} ${codeOfNumber(code)}`,
  fields: { code, error: codeOfNumber(code) },
});
const checked = (path: string, version: number): Said => ({
  text: `${path},${version}`,
  fields: { path, version },
});
const several = (parts: readonly (Said & { readonly type: string })[]): Said => ({
  text: parts.map(({ type, text }) => `${type}:${text}`).join(';'),
  fields: { parts: parts.map(({ type, fields }) => ({ type, ...fields })) },
});

function sayChange(change: Change): Said & { readonly type: string } {
  const type = OPS[change.type] ?? String(change.type);
  switch (change.op) {
    case 'create':
      return { type, ...created(change.path, change.data, change.acl, change.owner, change.creates) };
    case 'delete':
      return { type, ...about(change.path) };
    case 'setData':
      return { type, ...changed(change.path, change.data, change.version) };
    case 'setAcl':
      return { type, ...permitted(change.path, change.acl, change.aversion) };
    case 'check':
      return { type, ...checked(change.path, change.version) };
    case 'error':
      return { type, ...failed(change.code) };
  }
}

/** One of an Apache log. */
export function tellApache({ header, txn, digest }: LoggedTxn): ToldTxn {
  const { zxid, time, session, cxid: xid, type: number } = header;
  const base = { zxid, time, session, xid, type: OPS[number] ?? String(number) };
  const more = digest === undefined ? {} : { digest: hex(digest) };
  const told = (said: Said): ToldTxn => ({ ...base, text: said.text, fields: { ...said.fields, ...more } });
  switch (txn.op) {
    case 'createSession':
      return told({ text: String(txn.timeoutMs), fields: { timeoutMs: txn.timeoutMs } });
    case 'closeSession': {
      const { paths } = txn;
      return told({
        text: paths === undefined ? '' : `v{${paths.join(',')}}`,
        fields: { paths: paths ?? null },
      });
    }
    case 'multi':
      return told(several(txn.parts.map(sayChange)));
    default:
      return told(sayChange(txn));
  }
}

function sayOwn(txn: Txn): Said & { readonly type: string } {
  switch (txn.kind) {
    case KIND.create:
      return { type: 'create', ...created(txn.path, txn.data, txn.acl, txn.owner, txn.creates) };
    case KIND.delete:
      return { type: 'delete', ...about(txn.path) };
    case KIND.reap:
      return { type: 'deleteContainer', ...about(txn.path) };
    case KIND.setData:
      return { type: 'setData', ...changed(txn.path, txn.data, txn.version) };
    case KIND.setAcl:
      return { type: 'setACL', ...permitted(txn.path, txn.acl, txn.aversion) };
    case KIND.check:
      return { type: 'check', ...checked(txn.path, txn.version) };
    case KIND.multi:
      return { type: 'multi', ...several(txn.parts.map(sayOwn)) };
    case KIND.error:
      return { type: 'error', ...failed(txn.code) };
    case KIND.multiError:
      return { type: 'multi', ...several(txn.codes.map((code) => ({ type: 'error', ...failed(code) }))) };
    case KIND.createSession: {
      // what it keeps of the password is nobody's affair
      const { id, timeoutMs } = txn;
      return { type: 'createSession', text: `${hex(id)},${timeoutMs}`, fields: { id: hex(id), timeoutMs } };
    }
    case KIND.closeSession:
      return { type: 'closeSession', text: hex(txn.id), fields: { id: hex(txn.id) } };
    case KIND.noop:
      return { type: 'noop', text: '', fields: {} };
    case KIND.found:
    case KIND.config: {
      const { members, maxTxnBytes } = txn.config;
      const list = members.map(
        ({ sid, role, addresses }) => `${sid}:${role}${addresses.map((each) => `@${each}`).join('')}`,
      );
      const fields = { members, maxTxnBytes, ...(txn.kind === KIND.found && { ensembleId: txn.ensembleId }) };
      return { type: txn.kind === KIND.found ? 'found' : 'config', text: list.join(','), fields };
    }
    case KIND.seen: {
      const { sid, incarnation, tag } = txn;
      return { type: 'seen', text: `${sid},${tag}`, fields: { sid, incarnation, tag } };
    }
  }
}

/** One of a log of ours. */
export function tellOwn(envelope: Envelope): ToldTxn {
  const { time, session, xid, txn } = envelope;
  return { zxid: zxidOf(envelope), time, session, xid, ...sayOwn(txn) };
}

const isoTime = (ms: number): string => {
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? `${ms} ms` : at.toISOString();
};
export const lineOf = ({ zxid, time, session, xid, type, text }: ToldTxn): string =>
  `${isoTime(time)} session ${hex(session)} cxid 0x${(xid >>> 0).toString(16)} zxid ${hex(zxid)} ${type} ${text}`.trimEnd();
export const jsonOf = ({ zxid, time, session, xid, type, fields }: ToldTxn): string =>
  JSON.stringify({ zxid: hex(zxid), time, session: hex(session), cxid: xid, type, ...fields });
