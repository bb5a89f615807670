import { type AclList, OPEN_ACL } from '../records/txns.ts';

const SLASH = 47;

/** Everything for everyone, which our tree knows by its identity. */
export const isOpen = (acl: AclList): boolean =>
  acl === OPEN_ACL || (acl.length === 1 && acl[0]?.perms === 31 && acl[0].scheme === 'world' && acl[0].id === 'anyone');

/** What our own tree could not hold. Characters that clients may not use are kept as they are. */
export function pathFault(path: Buffer): string | undefined {
  if (path[0] !== SLASH) return 'does not begin with /';
  if (path.length === 1) return 'is that of the root';
  if (path.at(-1) === SLASH) return 'ends with /';
  if (path.includes('//')) return 'has an empty name in it';
  return undefined;
}

interface StatRows {
  stat(row: number, at: number): number;
  setStat64(row: number, at: number, hi: number, lo: number): void;
}
/** The top bit and a time to live below it: too small for the id of a session, in which the time lies (semantics.md 11). */
export const isOldTimed = (owner: bigint): boolean => {
  const ms = owner & 0x7fff_ffff_ffff_ffffn;
  return owner < 0n && ms > 0n && ms <= 0xff_ffff_ffffn;
};

/** 64 bits into the Stat of a row. */
export const put64 = (rows: StatRows, row: number, at: number, value: bigint): void =>
  rows.setStat64(row, at, Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));
/** ms since 1970 likewise. */
export const putTime = (rows: StatRows, row: number, at: number, ms: number): void =>
  rows.setStat64(row, at, Math.floor(ms / 0x1_0000_0000), ms >>> 0);
export const read64 = (rows: StatRows, row: number, at: number): bigint =>
  (BigInt(rows.stat(row, at)) << 32n) | BigInt(rows.stat(row, at + 4) >>> 0);
