import type { Identity } from './acl.ts';
import { subjectOf } from './subject-name.ts';

/** Whoever is super, as digest logins make it: its name stands beside it. */
const SUPER: Identity = { scheme: 'super', id: '' };

/** What a certificate (DER) that was accepted proves: its subject, and to be super where that is the super user's. @throws SubjectNameError */
export function certificateIdentities(certificate: Uint8Array, superUser: string | undefined): readonly Identity[] {
  const id = subjectOf(certificate);
  const own = { scheme: 'x509', id };
  return id === superUser ? [SUPER, own] : [own];
}
