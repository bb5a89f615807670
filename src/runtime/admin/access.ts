import { isDigestScheme } from '../../base/digest-schemes.ts';
import { PERM } from '../../protocol/data.ts';
import { type Identity, isAllowed } from '../../server/acl.ts';
import { authenticate } from '../../server/auth.ts';
import { claimedUser } from '../../server/refused-login.ts';
import type { Server } from '../../server/server.ts';

/** Why somebody is not let in: HTTP's number, and ZooKeeper's sentence. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly error: string;
}

/** Credentials as a header gives them, `digest user:password` or by digest256: no more words than these two. */
const HEADER = /^(digest|digest256) ([^ ]+)$/;

/** Who somebody says that he is by this header: of one that cannot be read nothing is told but a scheme that we have. */
export function claimedBy(header: string): { readonly scheme: string | undefined; readonly user: string | undefined } {
  const [word = '', credential] = header.split(' ', 2);
  const scheme = isDigestScheme(word) ? word : undefined;
  if (scheme === undefined || credential === undefined) return { scheme, user: undefined };
  return { scheme, user: claimedUser(scheme, Buffer.from(credential)) };
}

/**
 * Whether whoever sends this Authorization header may use commands that tell of clients, paths and settings, or change
 * something: by digest or digest256, the super user or an identity that the ACL of `/` gives all permissions. What that ACL gives
 * everybody does not count: anyone may make credentials up. Addresses prove nothing (CVE-2024-51504).
 */
export function refuse(header: string | undefined, server: Server): Refusal | undefined {
  if (header === undefined) return { status: 401, error: 'Auth info is missing for the command' };
  const [, scheme, credential] = HEADER.exec(header) ?? [];
  const proved =
    scheme === undefined || credential === undefined
      ? undefined
      : authenticate(scheme, Buffer.from(credential), '', server.options.auth, true);
  if (proved === undefined) return { status: 401, error: 'Not authenticated' };
  return mayAdminister(proved, server) ? undefined : { status: 403, error: 'Not authorized' };
}

function mayAdminister(identities: readonly Identity[], { tree }: Server): boolean {
  if (identities.some(({ scheme }) => scheme === 'super')) return true;
  const named = tree.acl(tree.find('/')).filter(({ scheme }) => scheme !== 'world');
  // an empty list lets everybody in, a list of others nobody
  return named.length > 0 && ALL.every((perm) => isAllowed(named, perm, identities));
}
const ALL = [PERM.read, PERM.write, PERM.create, PERM.delete, PERM.admin];
