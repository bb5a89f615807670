/** Who of an ACL is somebody of this session. */

import { createHash } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { DIGEST_HASHES, isDigestScheme } from '../base/digest-schemes.ts';
import type { Acl, Credential } from '../client/api.ts';

/** As a server says who we are: of digest the user without the hash. */
export interface Identity {
  readonly scheme: string;
  readonly id: string;
}

/** Base64 of 20 bytes (SHA-1, what servers use unless they are told) and of what others make, 28 to 64 bytes. */
const HASH = /^[A-Za-z0-9+/]{27,86}={0,2}$/;
const SHA1_LENGTH = 28;

/** `me` was taken for what the entry says. A hash is compared where the password is known here. */
export function isSomebody({ scheme, id }: Acl, me: Identity, known: readonly Credential[]): boolean {
  if (me.scheme === 'super') return true;
  if (me.scheme !== scheme) return false;
  if (scheme === 'ip') return isWithinSubnet(me.id, id);
  if (!isDigestScheme(scheme)) return me.id === id;
  const [user = '', hash = ''] = [id.slice(0, id.indexOf(':')), id.slice(id.indexOf(':') + 1)];
  if (!id.includes(':') || user !== me.id || !HASH.test(hash)) return false;
  const own = known.filter((each) => each.scheme === scheme).map(({ auth }) => Buffer.from(auth));
  const passwords = own.filter((auth) => auth.subarray(0, user.length + 1).toString() === `${user}:`);
  // servers may have been told another hash for digest
  if (passwords.length === 0 || (scheme === 'digest' && hash.length !== SHA1_LENGTH)) return true;
  const made = (auth: Buffer): string =>
    createHash(DIGEST_HASHES[scheme] ?? '')
      .update(auth)
      .digest('base64');
  return passwords.some((auth) => made(auth) === hash);
}

/** Nobody can be who it names: where a hash belongs there is something else, mostly the password itself. */
export const isNobody = ({ scheme, id }: Acl): boolean =>
  isDigestScheme(scheme) && !HASH.test(id.includes(':') ? id.slice(id.indexOf(':') + 1) : '');

/** `id` is an address, or the beginning of some: 10.0.0.0/8. */
function isWithinSubnet(address: string, id: string): boolean {
  const [net = '', bits] = id.split('/');
  const [family, own] = [isIP(net), isIP(address)];
  if (family === 0 || family !== own) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  if (!(Number.isInteger(prefix) && prefix >= 0 && prefix <= most)) return false;
  const list = new BlockList();
  list.addSubnet(net, prefix, type);
  return list.check(address, type);
}
