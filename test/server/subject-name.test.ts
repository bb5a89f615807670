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
    'CN=alice,OU=brokers,O=Example\\, Inc.,L=Munich,ST=Bavaria,C=DE',
  ],
  [
    '304c31133011060a0992268993f22c64011916036f726731173015060a0992268993f22c64011916076578616d706c65311c300806035504030c01613010060a0992268993f22c6401010c027531',
    'CN=a+UID=u1,DC=example,DC=org',
  ],
  ['301b3119301706035504030c10206c65616420616e6420747261696c20', 'CN=\\ lead and trail\\ '],
  ['301b3119301706035504030c1023686173683b3c3e3d2b225c20656e64', 'CN=\\#hash\\;\\<\\>\\=\\+\\"\\\\ end'],
  ['300e310c300a06035504030c03202020', 'CN=\\ \\ \\ '],
  ['300b3109300706035504030c00', 'CN='],
  ['30133111300f06035504030c086e756c006c0d0a09', 'CN=nul\\00l\r\n\t'],
  ['300c310a300806035504030c010d', 'CN=\\\r'],
  ['30153113301106035504030c0ac39c6ec3af20f09f9880', 'CN=Ünï 😀'],
  [
    '30223114301206092a864886f70d01090116056140622e63310a300806035504030c0178',
    'CN=x,1.2.840.113549.1.9.1=#16056140622e63',
  ],
  ['3021310b30090603550405130231373112301006035504090c0931204d61696e205374', 'STREET=1 Main St,2.5.4.5=#13023137'],
  ['30123110300e0603550403140774656c65746578', 'CN=teletex'],
  ['3011310f300d06035504031e060042004d0050', 'CN=\\00B\\00M\\00P'],
  ['300f310d300b06035504031c0400000055', 'CN=#1c0400000055'],
  ['300c310a300806038837030c017a', '2.999.3=#0c017a'],
  ['3000', ''],
];
const VALID: readonly string[] = [
  '',
  'CN=a',
  'cn = a , o=b',
  'CN=a;O=b',
  'CN=a+UID=b',
  'CN=',
  '1.2.840=a',
  'OID.1.2.840=a',
  'CN=#0c0161',
  'CN="a,b"',
  'CN=a\\,b',
  'CN=a\\c3\\a4',
  'CN=a#b',
  'CN=a=b',
  'EMAILADDRESS=a@b.c',
  '\nCN=a',
  '\tCN=a',
  ' \nCN=a',
  'CN=\na',
];
const INVALID: readonly string[] = [
  'CN',
  '=a',
  'CN=a,',
  'CN=a,,O=b',
  'foo=a',
  '3.1=a',
  '1.40=a',
  'CN=#0c01',
  'CN=#',
  'CN=#xy',
  'CN="a" b',
  'CN="a"b"',
  'CN=a"b',
  'CN=a\\zb',
  'CN=a\\4',
  'CN=a\\',
  'CN=a<b',
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
