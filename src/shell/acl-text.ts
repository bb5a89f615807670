import { isDigestScheme } from '../base/digest-schemes.ts';
import type { Acl } from '../client/api.ts';
import { Failure } from './failure.ts';
import { refuseHidden } from './hidden.ts';

const BITS: Readonly<Record<string, number>> = { r: 1, w: 2, c: 4, d: 8, a: 16 };
const WORDS: Readonly<Record<string, string>> = { all: 'cdrwa', ro: 'r' };
const ORDER = ['c', 'd', 'r', 'w', 'a'] as const;
const NAMES: Readonly<Record<string, string>> = { c: 'create', d: 'delete', r: 'read', w: 'write', a: 'admin' };

const invalid = (message: string): Failure =>
  new Failure(15, 'InvalidAcl', message, {
    hint: 'an ACL is scheme:id:perms,... with perms of cdrwa, for example world:anyone:r,auth::cdrwa',
  });

/** Permission bits to letters in zkCli's order. */
export const showPerms = (perms: number): string => ORDER.filter((letter) => perms & (BITS[letter] as number)).join('');

/** Permission bits in words. */
export const permWords = (perms: number): string =>
  ORDER.filter((letter) => perms & (BITS[letter] as number))
    .map((letter) => NAMES[letter])
    .join(' ');

/** One line that {@link parseAcl} reads back. */
export const showAcl = (acl: readonly Acl[]): string =>
  acl.map(({ scheme, id, perms }) => `${scheme}:${id}:${showPerms(perms)}`).join(',');

/**
 * `scheme:id:perms,...`; an id may hold colons, and commas as in x509 names: an entry ends where permissions do.
 * @throws Failure (15; 2 for a password that the history hid); nothing is sent then
 */
export function parseAcl(text: string): Acl[] {
  const out: Acl[] = [];
  let pending = '';
  const pieces = text.split(',');
  for (const [at, piece] of pieces.entries()) {
    if (piece === '' && pending === '') throw invalid(`an empty entry in the ACL: ${text === '' ? '(empty)' : text}`);
    pending = pending === '' ? piece : `${pending},${piece}`;
    const first = pending.indexOf(':');
    const last = pending.lastIndexOf(':');
    if (first < 0 || first === last) continue; // perhaps an id with a comma in it
    const tail = pending.slice(last + 1);
    if (pending.slice(0, first) === 'x509' && /=/.test(tail)) continue;
    // user:hash: the comma was in one of them
    const hasHash = pending.indexOf(':', first + 1) < last;
    const isDigest = isDigestScheme(pending.slice(0, first));
    if (isDigest && !hasHash && at < pieces.length - 1) continue;
    if (isDigest) refuseHidden(pending.slice(first + 1, last));
    out.push({
      scheme: scheme(pending.slice(0, first), pending),
      id: pending.slice(first + 1, last),
      perms: perms(tail, pending),
    });
    pending = '';
  }
  if (pending !== '' || out.length === 0) throw invalid(`not an ACL entry: ${pending === '' ? '(empty)' : pending}`);
  return out;
}

function scheme(name: string, entry: string): string {
  if (name === '') throw invalid(`an ACL entry needs a scheme: ${entry}`);
  return name;
}

function perms(text: string, entry: string): number {
  const letters = WORDS[text] ?? text;
  if (letters === '') throw invalid(`an ACL entry needs permissions: ${entry}`);
  let bits = 0;
  for (const letter of letters) {
    const bit = BITS[letter];
    if (bit === undefined) throw invalid(`unknown permission ${letter} in ${entry}`);
    bits |= bit;
  }
  return bits;
}
