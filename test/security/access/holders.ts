/** Those who prove who they are by a login with SASL or a certificate, and what a server knows of them. */
import { X509Certificate } from 'node:crypto';
import { Secret } from '../../../src/base/secret.ts';
import type { AuthOptions } from '../../../src/server/auth.ts';
import { type Certificate, makeAuthority, makeCertificate } from '../../tls/certificates.ts';

/** `superUser` makes one of them a super user; `super` is one for entries of scheme sasl, by a password of its own. */
export const USERS = { ann: 'annsecret', ben: 'bensecret', root: 'rootsecret' };
export const SUPER_PASSWORD = 'superpass';
export const SASL: NonNullable<AuthOptions['sasl']> = {
  users: new Map(
    [...Object.entries(USERS), ['super', SUPER_PASSWORD] as const].map(([user, password]) => [
      user,
      new Secret(password),
    ]),
  ),
  superUsers: new Set(['root']),
  allowFailed: false,
};
export const PROVIDERS: ReadonlySet<string> = new Set(['ip', 'digest', 'sasl', 'x509']);
export const SUPER_SUBJECT = 'CN=root';

export const authority = makeAuthority('the authority');
const certificates = new Map<string, Certificate>();
/** Whose subject is `CN=name`. */
export function certificateOf(name: string): Certificate {
  const made = certificates.get(name) ?? makeCertificate(authority, { hosts: [name] });
  certificates.set(name, made);
  return made;
}
export const derOf = ({ pem }: Certificate): Uint8Array => new X509Certificate(pem).raw;
