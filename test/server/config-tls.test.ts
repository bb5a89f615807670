/** Members that know each other by certificates: sslQuorum and ssl.quorum.* of zoo.cfg. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, checkConfig, parseProperties, type ServerConfig } from '../../src/server/config.ts';

const BASE = `dataDir=/data
clientPort=2181
initLimit=10
syncLimit=5
server.1=10.0.0.1:1:2
server.2=10.0.0.2:1:2
server.3=10.0.0.3:1:2
`;
const STORES = `sslQuorum=true
ssl.quorum.keyStore.location=/etc/zk/own.pem
ssl.quorum.trustStore.location=/etc/zk/ca.pem
`;
const read = (text: string): ServerConfig =>
  checkConfig(parseProperties(BASE + text, 'zoo.cfg'), { myid: { text: '1', from: { file: '/data/myid', line: 1 } } });

test('sslQuorum with PEM files: nothing else is needed, beyond this machine too', () => {
  const { ensemble, notes } = read(STORES);
  const none = { prefix: 'ssl.quorum', password: undefined, passwordPath: undefined };
  assert.deepEqual(ensemble?.tls, {
    keyStore: { name: 'keyStore', location: '/etc/zk/own.pem', ...none },
    trustStore: { name: 'trustStore', location: '/etc/zk/ca.pem', ...none },
    ciphers: undefined,
    checks: { dialled: true, callers: true },
    reload: true,
    dials: true,
    takesPlain: false,
  });
  assert.deepEqual(notes, []);
});

test('portUnification: TLS is taken beside what is plain, for who has said that the network is his', () => {
  const files = STORES.slice(STORES.indexOf('\n') + 1);
  const ways = (text: string): unknown => {
    const { tls } = read(text).ensemble as NonNullable<ServerConfig['ensemble']>;
    return tls && [tls.dials, tls.takesPlain];
  };
  const OPEN = 'peer.insecure=true\n';
  assert.deepEqual(ways(`${OPEN}portUnification=true\n${files}`), [false, true]);
  assert.deepEqual(ways(`${OPEN}zookeeper.portUnification=true\n${STORES}`), [true, true]);
  assert.deepEqual(ways(STORES), [true, false]);
  const refused: readonly [string, RegExp][] = [
    [`portUnification=true\n${files}`, /where anyone could join them/],
    [`portUnification=true\n${STORES}`, /where anyone could join them/],
    [`${OPEN}portUnification=true`, /portUnification=true and ssl\.quorum\.keyStore\.location is not set/],
    [`peer.secretFile=/s\nportUnification=true\n${files}`, /portUnification=true lets in members without TLS/],
    [
      `${OPEN}portUnification=true\nssl.quorum.clientAuth=none\n${files}`,
      /would let servers without a certificate join/,
    ],
  ];
  for (const [text, why] of refused) assert.throws(() => read(text), why, text);
});

test('every setting of it, as ZooKeeper names them', () => {
  const { ensemble, notes, inForce } = read(`${STORES}zookeeper.ssl.quorum.keyStore.password=sesame
ssl.quorum.keyStore.type=pem
ssl.quorum.trustStore.passwordPath=/etc/zk/word
ssl.quorum.protocol=TLSv1.2
ssl.quorum.enabledProtocols=TLSv1.2, TLSv1.3
ssl.quorum.ciphersuites=TLS_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256
ssl.quorum.clientAuth=NEED
ssl.quorum.clientHostnameVerification=false
ssl.quorum.crl=false
ssl.quorum.context.supplier.class=x.Y
sslQuorumReloadCertFiles=true
`);
  const { tls } = ensemble as NonNullable<typeof ensemble>;
  assert.deepEqual([tls?.keyStore.password?.reveal(), tls?.trustStore.passwordPath], ['sesame', '/etc/zk/word']);
  assert.deepEqual(tls?.ciphers, ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256']);
  assert.deepEqual(tls?.checks, { dialled: true, callers: false });
  const said = notes.join('\n');
  assert.match(said, /ssl\.quorum\.protocol=TLSv1\.2: members speak TLS 1\.3 and nothing older/);
  assert.match(said, /ssl\.quorum\.enabledProtocols=TLSv1\.2, TLSv1\.3: members speak TLS 1\.3/);
  assert.match(said, /not of TLS 1\.3: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256$/m);
  assert.match(said, /without effect here: ssl\.quorum\.context\.supplier\.class \(/);
  assert.equal(tls?.reload, true);
  assert.equal(read(`${STORES}sslQuorumReloadCertFiles=false`).ensemble?.tls?.reload, false);
  assert.equal(read(STORES).ensemble?.tls?.reload, true, 'ours, as with client.certReload');
  assert.ok(!JSON.stringify(inForce).includes('sesame'), 'a password is shown');
  const old = read(
    `${STORES}ssl.quorum.ciphersuites=TLS_RSA_WITH_AES_128_CBC_SHA\nssl.quorum.hostnameVerification=false`,
  );
  assert.equal(old.ensemble?.tls?.ciphers, undefined);
  assert.deepEqual(old.ensemble?.tls?.checks, { dialled: false, callers: false });
  assert.match(
    old.notes.join(),
    /whoever has a certificate of an authority in ssl\.quorum\.trustStore can be any member/,
  );
});

test('without sslQuorum its settings are named as without effect', () => {
  const { ensemble, notes } = read(`peer.insecure=true\n${STORES.replace('sslQuorum=true', 'sslQuorum=false')}`);
  assert.equal(ensemble?.tls, undefined);
  assert.match(
    notes.join(),
    /without sslQuorum=true .*: ssl\.quorum\.keyStore\.location, ssl\.quorum\.trustStore\.loc/,
  );
});

test('what cannot be used is refused', () => {
  const store = (of: 'keyStore' | 'trustStore', file: string, more = ''): string =>
    `${STORES.replace(new RegExp(`(ssl.quorum.${of}.location)=.*`), `$1=${file}`)}${more}`;
  const cases: readonly [string, RegExp][] = [
    ['sslQuorum=true', /keyStore\.location is not set; name the PEM file of its certificate and key, ssl\.quorum/],
    [
      STORES.replace(/ssl.quorum.trust.*/, ''),
      /trustStore\.location is not set; name the PEM file of the authorities that gave members/,
    ],
    [`${STORES}peer.secretFile=/s`, /sslQuorum=true and peer\.secretFile are two ways .*; remove one of them/],
    [`${STORES}ssl.quorum.clientAuth=want`, /clientAuth=want would let servers without a certificate join; remove it/],
    [`${STORES}ssl.quorum.clientAuth=none`, /clientAuth=none would let/],
    [`${STORES}ssl.quorum.crl=true`, /ssl\.quorum\.crl=true: whether a certificate was revoked cannot/],
    [`${STORES}ssl.quorum.ocsp=true`, /ssl\.quorum\.ocsp=true: /],
    [store('keyStore', '/k/own.bcfks'), /is a store of type BCFKS; give certificates and keys as PEM, PKCS12 or JKS/],
    [
      store('keyStore', '/k/own.crt'),
      /does not say by its name what it is; name it \.pem, \.p12 or \.jks, or set .*type=PEM/,
    ],
    [store('keyStore', '/k/pem'), /does not say by its name/],
  ];
  for (const [text, sentence] of cases)
    assert.throws(
      () => read(text),
      (error) => {
        assert.ok(error instanceof ConfigError && error.exitCode === 43, String(error));
        assert.match(error.message, sentence);
        return true;
      },
    );
  for (const [file, type] of [
    ['/k/own.crt', 'PEM'],
    ['/k/own', 'PKCS12'],
    ['/k/own', 'jks'],
  ] as const)
    assert.equal(
      read(store('keyStore', file, `ssl.quorum.keyStore.type=${type}`)).ensemble?.tls?.keyStore.location,
      file,
    );
  for (const file of ['/k/own.jks', '/k/own.p12', '/k/own.pfx'])
    assert.equal(read(store('trustStore', file)).ensemble?.tls?.trustStore.location, file);
});
