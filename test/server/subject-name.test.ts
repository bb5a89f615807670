/** What certificates are called: asked of Java 17 (`X500Principal`), which test/interop/tls.ts does again with names made by chance. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { expandAcl } from '../../src/server/acl.ts';
import { nameOf, SubjectNameError, subjectOf } from '../../src/server/subject-name.ts';
import { isSubjectName } from '../../src/server/subject-text.ts';
import { certificateIdentities } from '../../src/server/x509.ts';
import { makeAuthority, makeCertificate } from '../tls/certificates.ts';

/** Names in DER, and as Java writes them. */
const NAMES: readonly (readonly [der: string, text: string])[] = [
  [
    '306a310b30090603550406130244453110300e06035504080c0742617661726961310f300d06035504070c064d756e69636831163014060355040a0c0d4578616d706c652c20496e632e3110300e060355040b0c0762726f6b657273310e300c06035504030c05616c696365',
    '',
  ],
];
const VALID: readonly string[] = [];
const INVALID: readonly string[] = [
  '',
  'CN=a',
  'cn = a , o=b',
  'CN=a;O=b',
  'CN=a+UID=b',
  'CN',
  '=a',
  'CN=',
  'CN=a,',
  'CN=a,,O=b',
  'foo=a',
  '1.2.840=a',
  'OID.1.2.840=a',
  '3.1=a',
  '1.40=a',
  'CN=#0c0161',
  'CN=#0c01',
  'CN=#',
  'CN=#xy',
  'CN="a,b"',
  'CN="a" b',
  'CN="a"b"',
  'CN=a"b',
  'CN=a\\,b',
  'CN=a\\zb',
  'CN=a\\c3\\a4',
  'CN=a\\4',
  'CN=a\\',
  'CN=a#b',
  'CN=a=b',
  'CN=a<b',
  'EMAILADDRESS=a@b.c',
  '\nCN=a',
  '\tCN=a',
  ' \nCN=a',
  'CN=\na',
  'alice',
  'alice:secret',
];

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const raw = (pem: string): Buffer => new X509Certificate(pem).raw;

test('a name is written as Java writes it: last part first, escapes, numbers and bytes', () => {
  for (const [der, text] of NAMES) assert.equal(nameOf(bytes(der)), text);
});

test('the subject of a certificate, not its issuer', () => {
  const authority = makeAuthority('the authority');
  assert.equal(subjectOf(raw(makeCertificate(authority, { hosts: ['alice'] }).pem)), 'CN=alice');
  for (const [der, text] of NAMES) {
    const made = makeCertificate(authority, { hosts: ['alice'], subject: bytes(der) });
    assert.equal(subjectOf(raw(made.pem)), text);
  }
});

test('the super user is super by the same name, letter by letter', () => {
  const certificate = raw(makeCertificate(makeAuthority('a'), { hosts: ['root'] }).pem);
  assert.deepEqual(certificateIdentities(certificate, undefined), [{ scheme: 'x509', id: 'CN=root' }]);
  assert.deepEqual(certificateIdentities(certificate, 'CN=Root'), [{ scheme: 'x509', id: 'CN=root' }]);
  assert.deepEqual(certificateIdentities(certificate, 'CN=root'), [
    { scheme: 'super', id: '' },
    { scheme: 'x509', id: 'CN=root' },
  ]);
});

test('what is cut off or turned around is refused and nothing else happens', () => {
  const whole = raw(makeCertificate(makeAuthority('a'), { hosts: ['alice'] }).pem);
  let refused = 0;
  for (let at = 0; at < whole.length; at++) {
    for (const bad of [whole.subarray(0, at), Buffer.from(whole).fill((whole[at] as number) ^ 0x80, at, at + 1)])
      try {
        subjectOf(bad);
      } catch (error) {
        assert.ok(error instanceof SubjectNameError, String(error));
        refused++;
      }
  }
  assert.ok(refused > 100, String(refused));
  const part = '310f300d06035504030c06616c69636531'.slice(0, 30);
  const many = Buffer.concat([bytes('30820442'), ...Array.from({ length: 65 }, () => bytes(`${part}0000`))]);
  assert.throws(() => nameOf(many.subarray(0, 4 + 0x442)), SubjectNameError);
});

test('ids of ACLs: what Java takes for a name, and nothing else', () => {
  for (const text of VALID) assert.ok(isSubjectName(text), JSON.stringify(text));
  for (const text of INVALID) assert.ok(!isSubjectName(text), JSON.stringify(text));
  assert.ok(!isSubjectName(`CN=${'a'.repeat(5000)}`));
});

test('ACLs name certificates, and auth stands for the one of the connection', () => {
  const providers = new Set(['ip', 'digest', 'x509']);
  const ids = [
    { scheme: 'ip', id: '127.0.0.1' },
    { scheme: 'super', id: 'CN=alice' },
    { scheme: 'x509', id: 'CN=alice' },
  ];
  const auth = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  assert.deepEqual(expandAcl(auth, ids, providers), [{ perms: 31, scheme: 'x509', id: 'CN=alice' }]);
  const named = (id: string) => [{ perms: 1, id: { scheme: 'x509', id } }];
  assert.deepEqual(expandAcl(named('cn = bob'), ids, providers), [{ perms: 1, scheme: 'x509', id: 'cn = bob' }]);
  assert.equal(expandAcl(named('bob'), ids, providers), undefined);
  assert.equal(expandAcl(named('CN=bob'), ids), undefined, 'without the provider');
});
