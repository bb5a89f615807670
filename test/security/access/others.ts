import { ALICE } from './matrix.ts';

const EVERYBODY =
  'nobody(world alice bob ip ip/8 ip/0 another-ip) alice(world alice bob ip ip/8 ip/0 another-ip) alice+bob(world alice bob ip ip/8 ip/0 another-ip) mallory(world alice bob ip ip/8 ip/0 another-ip) super(world alice bob ip ip/8 ip/0 another-ip)';
const ALL = 'nobody, alice, alice+bob, super';
const A = `digest:${ALICE} 31`;
const B = 'digest:bob:fyVmFCwVbTJYrznoSu1koqYEYF0= 31';
const INVALID = 'create InvalidAcl, setAcl InvalidAcl';
const GIVEN = 'create ok, setAcl BadVersion, kept as';

/** Where ours is another line than 3.8.0's, and why; docs/compatibility.md says the same. */
export const OTHERS: readonly { why: string; theirs: readonly string[]; ours: readonly string[] }[] = [
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
