/** Who may do what by a login with SASL or a certificate: the same questions, about ACLs that name such. */
import { digestIdentity } from '../../../src/server/auth.ts';
import { USERS } from './holders.ts';
import {
  type Askers,
  acl,
  givenAcls,
  type Id,
  identities,
  type Lists,
  type Named,
  openWith,
  outcome,
  PERMS,
  permissions,
  sasl,
} from './matrix.ts';
import { catchUp, direct } from './watching.ts';
import type { Wire } from './wire.ts';

const ANN = { sasl: { scheme: 'sasl', id: 'ann' }, x509: { scheme: 'x509', id: 'CN=ann' } };
const BY_DIGEST = digestIdentity(Buffer.from(`ann:${USERS.ann}`), 'sha1');
/** The same name by each scheme; and names that look like one of another scheme. */
const NAMED: Named = {
  'sasl:ann': ANN.sasl,
  'x509:CN=ann': ANN.x509,
  'digest:ann': { scheme: 'digest', id: BY_DIGEST },
  'sasl:CN=ann': { scheme: 'sasl', id: 'CN=ann' },
  'x509:CN=super': { scheme: 'x509', id: 'CN=super' },
};
const proof = (user: keyof typeof USERS): string => `sasl ${user}:${USERS[user]}`;
const SASL_SUPER = 'sasl super:superpass';
/** Who holds what an ACL names, who holds another of the same scheme, and who may do everything. */
const ASKERS: Askers = {
  nobody: [],
  'sasl ann': [proof('ann')],
  'sasl ben': [proof('ben')],
  'x509 ann': ['x509 ann'],
  'x509 ben': ['x509 ben'],
  'digest ann': [`digest ann:${USERS.ann}`],
  'digest with its hash': [`digest ${BY_DIGEST}`],
  'ben by all': ['x509 ben', proof('ben'), `digest ann:wrong`],
  'ann by both': ['x509 ann', proof('ann')],
  'sasl super': [SASL_SUPER],
  'x509 super': ['x509 super'],
  'digest super': ['digest super:superpass'],
  'super by sasl': [proof('root')],
  'super by x509': ['x509 root'],
  super: ['digest super:adminpass'],
};

const LISTS: Lists = Object.fromEntries(
  [
    ...['ann', 'ann@REALM', 'ann/host@REALM', 'a@b@c', 'a/b/c', 'super', '', null].map((id) => acl('sasl', id)),
    ...['CN=ann', 'cn=ann', 'CN=ann,O=x', 'ann', 'CN=', '', null].map((id) => acl('x509', id)),
    ...['', 'x'].map((id) => acl('auth', id)),
  ].map((each) => [`${each.id.scheme}:${each.id.id}`, [each]]),
);
const GIVEN_BY: Askers = Object.fromEntries(
  ['nobody', 'sasl ann', 'x509 ann', 'ann by both', 'sasl super', 'super by sasl', 'super by x509'].map((asker) => [
    asker,
    ASKERS[asker] ?? [],
  ]),
);

/** What is said with what certificate, behind a login by SASL or without: what comes of it, and who one is then. */
async function logins(wire: Wire): Promise<string[]> {
  const lines: string[] = [];
  for (const [asker, proofs] of Object.entries(ASKERS)) {
    const line = await openWith(wire, proofs);
    lines.push(`${asker}: ${await identities(line)}`);
  }
  for (const [user, password] of [
    ['ann', 'wrong'],
    ['ann', ''],
    ['nobody', 'annsecret'],
    ['super', 'adminpass'],
    ['', ''],
  ] as const) {
    const line = await wire.open();
    const said = outcome(await sasl(line, user, password));
    lines.push(`a login by SASL, ${user}:${password}: ${said}, then ${await identities(line)}`);
  }
  for (const proofs of [[], [proof('ann')], ['x509 ann']])
    for (const [scheme, credential] of [
      ['sasl', 'ben'],
      ['sasl', 'super'],
      ['x509', 'CN=root'],
      ['x509', ''],
      ['super', ''],
    ] as const) {
      const line = await openWith(wire, proofs);
      const said = outcome(await line.login(scheme, credential));
      lines.push(`${scheme} ${credential} behind ${proofs[0] ?? 'nothing'}: ${said}, then ${await identities(line)}`);
    }
  return lines;
}

const WATCHERS: Readonly<Record<string, readonly [asker: string, id: Id]>> = {
  'the holder, by SASL': ['sasl ann', ANN.sasl],
  'another, by SASL': ['sasl ben', ANN.sasl],
  'super of SASL': ['sasl super', ANN.sasl],
  'a super user, by SASL': ['super by sasl', ANN.sasl],
  'the same name by SASL, of a certificate': ['sasl ann', ANN.x509],
  'the holder, by certificate': ['x509 ann', ANN.x509],
  'another, by certificate': ['x509 ben', ANN.x509],
  'a super user, by certificate': ['super by x509', ANN.x509],
  'the same name by certificate, of SASL': ['x509 ann', ANN.sasl],
};
/** A line for each thing that is told, with all who are told it. */
async function watched(wire: Wire, how: typeof direct, root: string): Promise<string[]> {
  const found = new Map<string, string[]>();
  for (const [who, [asker, id]] of Object.entries(WATCHERS)) {
    const lines = await how(wire, { proofs: ASKERS[asker] ?? [], id, root: `${root}${who.replaceAll(' ', '-')}` });
    for (const line of lines) found.set(line, [...(found.get(line) ?? []), who]);
  }
  return [...found].map(([line, who]) => `${line} (${who.join('; ')})`);
}

/** Everything that is compared, section by section, a line each. */
export async function provedTable(wire: Wire): Promise<string[]> {
  const lines: string[] = [];
  for (const [title, found] of [
    [`# permissions: outcomes for the bits ${PERMS.join(' ')}`, await provedPermissions(wire)],
    ['# ACLs that are given', await provedGiven(wire)],
    ['# logins', await logins(wire)],
    ['# watches', await watched(wire, direct, '/w')],
    ['# watches that are set again', await watched(wire, catchUp, '/c')],
  ] as const)
    lines.push(title, ...found);
  return lines;
}
export const provedPermissions = (wire: Wire): Promise<string[]> => permissions(wire, NAMED, ASKERS);
export const provedGiven = (wire: Wire): Promise<string[]> => givenAcls(wire, LISTS, GIVEN_BY);
