/** What zoo.cfg and a JAAS file say about logins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, checkConfig, parseProperties, type ServerConfig } from '../../src/server/config.ts';

const PROVIDER = 'authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n';
const FILE = 'java.security.auth.login.config=/etc/jaas.conf\n';
const JAAS = 'Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_bob="s3cret"; };';
const of = (text: string, jaas: string | null = JAAS, mode = 0o100600): ServerConfig =>
  checkConfig(parseProperties(`dataDir=/d\nclientPort=1\n${text}`, 'zoo.cfg'), {
    jaas: jaas === null ? undefined : { text: jaas, file: '/etc/jaas.conf', mode },
  });
const refused = (text: string, jaas?: string | null): ConfigError => {
  try {
    of(text, jaas);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.doesNotMatch(error.message, /s3cret/);
    return error;
  }
  return assert.fail(`${text} was taken`);
};

test('users come from the section Server of the JAAS file, super users from superUser and its like', () => {
  const { auth, notes, inForce } = of(`${PROVIDER}${FILE}superUser=bob\nsuperUser.two=ann\nzookeeper.superUser.3=x`);
  assert.ok(auth.sasl !== undefined);
  assert.deepEqual(
    [...auth.sasl.users].map(([user, password]) => [user, password.reveal()]),
    [['bob', 's3cret']],
  );
  assert.deepEqual(auth.sasl.superUsers, new Set(['bob', 'ann', 'x']));
  assert.deepEqual([auth.sasl.allowFailed, auth.enforced], [false, undefined]);
  assert.deepEqual([...auth.providers], ['ip', 'digest', 'sasl']);
  assert.deepEqual(notes, []);
  assert.doesNotMatch(JSON.stringify(inForce), /s3cret/);
  assert.ok(inForce.some(({ key }) => key === 'authProvider.1'));
  const other = of(
    `${FILE}sasl.serverconfig=Mine\nSASLAuthenticationProvider.superPassword=pw`,
    JAAS.replace('Server', 'Mine'),
  );
  assert.equal(other.auth.sasl?.users.get('super')?.reveal(), 'pw');
  assert.match(other.notes.join(), /ACLs of scheme sasl are refused/);
  assert.doesNotMatch(JSON.stringify(other.inForce), /"pw"/);
});

test('providers are known by class, under any name; others are told of', () => {
  const all = of(
    'authProvider.x=a.b.X509AuthenticationProvider\nauthProvider.sasl=SASLAuthenticationProvider\nauthProvider.z=my.Own\n',
  );
  assert.deepEqual([...all.auth.providers], ['ip', 'digest', 'x509', 'sasl']);
  assert.match(all.notes.join(), /authProvider\.z=my\.Own/);
  assert.equal(of('DigestAuthenticationProvider.enabled=false').auth.providers.has('digest'), false);
});

test('without the section nobody logs in, and it is said; fips-mode turns DIGEST-MD5 off', () => {
  const none = of(FILE, 'Client { a.DigestLoginModule required username="a" password="b"; };');
  assert.equal(none.auth.sasl, undefined);
  assert.match(none.notes.join(), /no section Server/);
  const fips = of(`${PROVIDER}${FILE}fips-mode=true`);
  assert.equal(fips.auth.sasl, undefined);
  assert.match(fips.notes.join(), /fips-mode/);
});

test('compulsory logins', () => {
  const sasl = of(`${PROVIDER}${FILE}sessionRequireClientSASLAuth=true\nallowSaslFailedClients=true`);
  assert.deepEqual(sasl.auth.enforced, new Set(['sasl']));
  assert.equal(sasl.auth.sasl?.allowFailed, true);
  const both = of(`${PROVIDER}${FILE}enforce.auth.enabled=true\nenforce.auth.schemes=sasl, digest`);
  assert.deepEqual(both.auth.enforced, new Set(['sasl', 'digest']));
  assert.equal(of('enforce.auth.schemes=digest').auth.enforced, undefined);
});

test('what cannot be meant is refused', () => {
  const cases: [string, RegExp, (string | null)?][] = [
    [FILE, /does not exist/, null],
    [FILE, /line 1: .*expected/, 'Server { x'],
    [FILE, /Kerberos/, 'Server { com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true; };'],
    [FILE, /no DigestLoginModule/, 'Server { my.Own required; };'],
    [`${FILE}sasl.serverconfig=Nope`, /no section Nope/],
    ['enforce.auth.enabled=true', /no enforce\.auth\.schemes/],
    ['enforce.auth.enabled=true\nenforce.auth.schemes=sasl', /no authProvider/],
    [`${FILE}sessionRequireClientSASLAuth=true`, /no authProvider/],
    [`${PROVIDER}sessionRequireClientSASLAuth=true`, /no users/],
  ];
  for (const [text, want, jaas] of cases) assert.match(refused(text, jaas).message, want);
});

test('whoever can write the file of logins would let in whom he likes, and it holds passwords', () => {
  assert.throws(() => of(PROVIDER + FILE, JAAS, 0o100620), /\/etc\/jaas\.conf can be written by others/);
  assert.throws(() => of(PROVIDER + FILE, JAAS, 0o100602), /can be written by others/);
  assert.match(
    of(PROVIDER + FILE, JAAS, 0o100640).notes.join('\n'),
    /jaas\.conf holds passwords and can be read by others/,
  );
  assert.doesNotMatch(of(PROVIDER + FILE).notes.join('\n'), /read by others/);
});
