import type { SessionId, Zxid } from '../base/ids.ts';
import { int, type Kind, list, long, type Of, record, text, time } from './record.ts';

/** The brands are given here, where bytes become values, and nowhere else. */
export const zxid = long as Kind<Zxid>;
export const sessionId = long as Kind<SessionId>;

export const Id = record({ scheme: text, id: text });
export const Acl = record({ perms: int, id: Id });
export type Acl = Of<typeof Acl>;
export const AclVector = list(Acl);

/** 68 bytes on the wire. */
export const Stat = record({
  czxid: zxid,
  mzxid: zxid,
  ctime: time,
  mtime: time,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: sessionId,
  dataLength: int,
  numChildren: int,
  pzxid: zxid,
});
export type Stat = Of<typeof Stat>;
export const STAT_BYTES = 68;

/** An identity of a connection, as whoAmI tells it. */
export const ClientInfo = record({ authScheme: text, user: text });

/** Permission bits of an ACL entry. */
export const PERM = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;
