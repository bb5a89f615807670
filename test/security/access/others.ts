import { ALICE } from './matrix.ts';

const EVERYBODY =
  'nobody(world alice bob ip ip/8 ip/0 another-ip) alice(world alice bob ip ip/8 ip/0 another-ip) alice+bob(world alice bob ip ip/8 ip/0 another-ip) mallory(world alice bob ip ip/8 ip/0 another-ip) super(world alice bob ip ip/8 ip/0 another-ip)';
const ALL = 'nobody, alice, alice+bob, super';
const A = `digest:${ALICE} 31`;
const B = 'digest:bob:fyVmFCwVbTJYrznoSu1koqYEYF0= 31';
const INVALID = 'create InvalidAcl, setAcl InvalidAcl';
const GIVEN = 'create ok, setAcl BadVersion, kept as';

/** Where ours is another line than 3.8.0's, and why; docs/compatibility.md says the same. */
interface Other {
  readonly why: string;
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
}
export const OTHERS: readonly Other[] = [
  {
    why: 'exists needs READ since 3.9',
    theirs: [`exists: yyyyyyyyyyyy ${EVERYBODY}`],
    ours: [
      'exists: ------------ nobody(alice bob another-ip) alice(bob another-ip) alice+bob(another-ip) mallory(alice bob another-ip)',
      'exists: -y-----yyyyy nobody(world ip ip/8 ip/0) alice(world alice ip ip/8 ip/0) alice+bob(world alice bob ip ip/8 ip/0) mallory(world ip ip/8 ip/0)',
      'exists: yyyyyyyyyyyy super(world alice bob ip ip/8 ip/0 another-ip)',
    ],
  },
  {
    why: 'addresses of IPv6 are ACLs since 3.9',
    theirs: [`ip:::1 31: ${INVALID}; ${ALL}`],
    ours: [`ip:::1 31: ${GIVEN} ip:::1 31; ${ALL}`],
  },
  {
    why: 'an id that is null trips theirs; ours says what is wrong',
    theirs: [`world:null 31: create MarshallingError, setAcl MarshallingError; ${ALL}`],
    ours: [`world:null 31: ${INVALID}; ${ALL}`],
  },
  {
    why: 'what auth stands for is not kept twice',
    theirs: [
      `auth and its own: ${GIVEN} ${A} + ${A}; alice`,
      `auth and its own: ${GIVEN} ${A} + ${B} + ${A}; alice+bob`,
    ],
    ours: [`auth and its own: ${GIVEN} ${A}; alice`, `auth and its own: ${GIVEN} ${A} + ${B}; alice+bob`],
  },
  {
    why: 'no client may send it: theirs hangs up, ours says so and hangs up',
    theirs: ['createSession: hung up, then hung up'],
    ours: ['createSession: Unimplemented, then hung up'],
  },
  {
    why: 'events that catch up are checked, too; theirs tells them to who may not read the node',
    theirs: [
      ...[30, 0].map(
        (acl) => `setWatches, ACL ${acl}: changed /data, deleted /gone, created /new, children /child; then nothing`,
      ),
      ...[30, 0].map(
        (acl) =>
          `setWatches2, ACL ${acl}: changed /data, deleted /gone, created /new, children /child; then created /deep/open`,
      ),
    ],
    ours: [
      ...[30, 0].map((acl) => `setWatches, ACL ${acl}: deleted /gone; then nothing`),
      ...[30, 0].map((acl) => `setWatches2, ACL ${acl}: deleted /gone; then created /deep/open`),
    ],
  },
];

const NAMED = 'sasl:ann x509:CN=ann digest:ann sasl:CN=ann x509:CN=super';
/** What is left of them. */
const but = (...names: readonly string[]): string =>
  NAMED.split(' ')
    .filter((each) => !names.includes(each))
    .join(' ');
const ASKERS =
  'nobody;sasl ann;sasl ben;x509 ann;x509 ben;digest ann;digest with its hash;ben by all;ann by both;sasl super;x509 super;digest super;super by sasl;super by x509;super'.split(
    ';',
  );
const GIVEN_BY = 'nobody, sasl ann, x509 ann, ann by both, sasl super, super by sasl, super by x509';
const NOT_HOLDERS =
  'another, by SASL; the same name by SASL, of a certificate; another, by certificate; the same name by certificate, of SASL';
const NOT_SUPER =
  'the holder, by SASL; another, by SASL; super of SASL; the same name by SASL, of a certificate; the holder, by certificate; another, by certificate; the same name by certificate, of SASL';
const CAUGHT_UP = [
  ...[30, 0].map((acl) => [acl, NOT_SUPER] as const),
  ...[31, 1].map((acl) => [acl, NOT_HOLDERS] as const),
];

/** The same of those who log in by SASL or show certificates. */
export const PROVED_OTHERS: readonly Other[] = [
  {
    why: 'exists needs READ since 3.9',
    theirs: [`exists: yyyyyyyyyyyy ${ASKERS.map((asker) => `${asker}(${NAMED})`).join(' ')}`],
    ours: [
      `exists: ------------ nobody(${NAMED}) sasl ann(${but('sasl:ann')}) sasl ben(${NAMED}) x509 ann(${but('x509:CN=ann')}) x509 ben(${NAMED}) digest ann(${but('digest:ann')}) digest with its hash(${NAMED}) ben by all(${NAMED}) ann by both(${but('sasl:ann', 'x509:CN=ann')}) sasl super(${but('sasl:ann', 'sasl:CN=ann')}) x509 super(${but('x509:CN=super')}) digest super(${NAMED})`,
      'exists: -y-----yyyyy sasl ann(sasl:ann) x509 ann(x509:CN=ann) digest ann(digest:ann) ann by both(sasl:ann x509:CN=ann) sasl super(sasl:ann sasl:CN=ann) x509 super(x509:CN=super)',
      `exists: yyyyyyyyyyyy super by sasl(${NAMED}) super by x509(${NAMED}) super(${NAMED})`,
    ],
  },
  {
    why: 'an id that is null trips theirs; ours says what is wrong',
    theirs: ['sasl', 'x509'].map(
      (scheme) => `${scheme}:null: create MarshallingError, setAcl MarshallingError; ${GIVEN_BY}`,
    ),
    ours: ['sasl', 'x509'].map((scheme) => `${scheme}:null: ${INVALID}; ${GIVEN_BY}`),
  },
  {
    why: 'theirs takes a user that it does not know for himself, by the password of whoever logged in before him',
    theirs: ['a login by SASL, nobody:annsecret: ok, then ip:127.0.0.1 + sasl:nobody'],
    ours: ['a login by SASL, nobody:annsecret: AuthFailed, then hung up'],
  },
  {
    why: 'a user without a name: theirs hangs up without a word',
    theirs: ['a login by SASL, :: hung up, then hung up'],
    ours: ['a login by SASL, :: AuthFailed, then hung up'],
  },
  {
    why: 'whoever showed a certificate may say so again to theirs, whatever he says beside; here the certificate alone counts',
    theirs: ['CN=root', ''].map((said) => `x509 ${said} behind x509 ann: ok, then ip:127.0.0.1 + x509:CN=ann`),
    ours: ['CN=root', ''].map((said) => `x509 ${said} behind x509 ann: AuthFailed, then hung up`),
  },
  {
    why: 'events that catch up are checked, too; theirs tells them to who may not read the node',
    theirs: CAUGHT_UP.flatMap(([acl, who]) => [
      `setWatches, ACL ${acl}: changed /data, deleted /gone, created /new, children /child; then nothing (${who})`,
      `setWatches2, ACL ${acl}: changed /data, deleted /gone, created /new, children /child; then created /deep/open (${who})`,
    ]),
    ours: CAUGHT_UP.flatMap(([acl, who]) => [
      `setWatches, ACL ${acl}: deleted /gone; then nothing (${who})`,
      `setWatches2, ACL ${acl}: deleted /gone; then created /deep/open (${who})`,
    ]),
  },
];
