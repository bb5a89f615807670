/** The settings of TLS for clients: secureClientPort, ssl.* and client.* of zoo.cfg. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecureContext, getCiphers } from 'node:tls';
import { Secret } from '../../src/base/secret.ts';
import {
  ConfigError,
  checkConfig,
  parseAssignment,
  parseJvmFlags,
  parseProperties,
  type ServerConfig,
} from '../../src/server/config.ts';

import { CLASSIC, cipherList } from '../../src/server/config-cipher-names.ts';

const BASE = 'dataDir=/data\n';
const STORES = `ssl.keyStore.location=/etc/zk/own.pem
ssl.trustStore.location=/etc/zk/ca.p12
`;
const SECURE = `secureClientPort=2281\n${STORES}`;
const read = (text: string): ServerConfig => checkConfig(parseProperties(BASE + text, 'zoo.cfg'));

test('a secure port, beside the plain one or alone', () => {
  const config = read(SECURE);
  assert.deepEqual(
    [config.clientPort, config.secureClientPort, config.secureClientPortAddress],
    [undefined, 2281, undefined],
  );
  assert.deepEqual(config.notes, []);
  const none = { prefix: 'ssl', password: undefined, passwordPath: undefined };
  assert.deepEqual(config.clientTls, {
    keyStore: { name: 'keyStore', location: '/etc/zk/own.pem', ...none },
    trustStore: { name: 'trustStore', location: '/etc/zk/ca.p12', ...none },
    clientAuth: 'need',
    addressed: false,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: undefined,
    handshakeMs: 5000,
    unified: false,
    reload: true,
  });
  assert.ok(config.auth.providers.has('x509'));
  const both = read(`clientPort=2181\n${SECURE}secureClientPortAddress=::1\n`);
  assert.deepEqual([both.clientPort, both.secureClientPort, both.secureClientPortAddress], [2181, 2281, '::1']);
});

test('beside a secure port clientPort=0 opens no plain one; two of 0, and --port 0, are any that are free', () => {
  const ports = ({ clientPort, secureClientPort }: ServerConfig) => [clientPort, secureClientPort];
  assert.deepEqual(ports(read(`clientPort=0\n${SECURE}`)), [undefined, 2281]);
  assert.deepEqual(ports(read(`clientPort=0\nsecureClientPort=0\n${STORES}`)), [0, 0]);
  const set = (words: readonly string[], text = SECURE) =>
    checkConfig([
      ...parseProperties(`${BASE}clientPort=2181\n${text}`, 'zoo.cfg'),
      ...words.map((word) => parseAssignment(word, '--set')),
    ]);
  assert.deepEqual(ports(set(['clientPort=0'])), [undefined, 2281]);
  // as `start standalone --port 0` says it
  assert.deepEqual(ports(set(['clientPort=0', 'clientPortAddress=127.0.0.1'])), [0, 2281]);
  // a secure port that only the server line names
  const line = 'server.1=h:2888:3888;;2281\n';
  assert.deepEqual(ports(read(`clientPort=0\n${STORES}${line}`)), [undefined, 2281]);
  // ZooKeeper's words for it, since 0 is no port there
  assert.throws(
    () => read(`clientPort=0\nclientPortAddress=127.0.0.1\n${SECURE}`),
    /clientPortAddress without clientPort/,
  );
});

test('every setting of it, in the spellings of zoo.cfg and of -D', () => {
  const flags = parseJvmFlags(
    `-Dzookeeper.ssl.keyStore.location=/k.jks -Dzookeeper.ssl.keyStore.password=sesame
     -Dzookeeper.ssl.trustStore.location=/t -Dzookeeper.ssl.trustStore.type=PKCS12 -Dzookeeper.ssl.trustStore.passwordPath=/word
     -Dzookeeper.ssl.clientAuth=WANT -Dzookeeper.ssl.clientHostnameVerification=true -Dzookeeper.ssl.hostnameVerification=false
     -Dzookeeper.ssl.enabledProtocols=TLSv1.2 -Dzookeeper.client.portUnification=true -Dzookeeper.client.certReload=false
     -Dzookeeper.ssl.handshakeDetectionTimeoutMillis=700 -Dzookeeper.ssl.ciphersuites=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_RSA_WITH_AES_128_CBC_SHA
     -Dzookeeper.serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory -Dzookeeper.X509AuthenticationProvider.superUser=CN=root`,
    'SERVER_JVMFLAGS',
  );
  const config = checkConfig([...parseProperties(`${BASE}clientPort=2181\n`, 'zoo.cfg'), ...flags]);
  const none = { prefix: 'ssl', password: undefined, passwordPath: undefined };
  assert.deepEqual(config.clientTls, {
    keyStore: { ...none, name: 'keyStore', location: '/k.jks', password: new Secret('sesame') },
    trustStore: { ...none, name: 'trustStore', location: '/t', passwordPath: '/word' },
    clientAuth: 'want',
    addressed: true,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA',
    handshakeMs: 700,
    unified: true,
    reload: false,
  });
  assert.equal(config.clientTls?.keyStore.password?.reveal(), 'sesame');
  assert.equal(config.auth.x509SuperUser, 'CN=root');
  assert.deepEqual(config.notes, []);
  assert.ok(!JSON.stringify(config.inForce).includes('sesame'), 'a password is shown');
  assert.ok(config.inForce.some(({ key, value }) => key === 'ssl.keyStore.password' && value === '***'));
});

test('suites: those of one version shut the other out; every name is known to OpenSSL', () => {
  const spoken = (text: string) => {
    const { minVersion, maxVersion, ciphers } = read(SECURE + text).clientTls as NonNullable<ServerConfig['clientTls']>;
    return [minVersion, maxVersion, ciphers];
  };
  const modern = 'ssl.ciphersuites=TLS_AES_256_GCM_SHA384';
  assert.deepEqual(spoken(modern), ['TLSv1.3', 'TLSv1.3', 'TLS_AES_256_GCM_SHA384']);
  assert.deepEqual(spoken('ssl.ciphersuites=TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256'), [
    'TLSv1.2',
    'TLSv1.2',
    'ECDHE-ECDSA-AES128-SHA256',
  ]);
  assert.deepEqual(spoken('ssl.ciphersuites=ECDHE-RSA-AES128-GCM-SHA256, TLS_AES_128_GCM_SHA256'), [
    'TLSv1.2',
    'TLSv1.3',
    'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
  ]);
  assert.deepEqual(spoken('ssl.protocol=TLS'), ['TLSv1.2', 'TLSv1.3', undefined]);
  assert.deepEqual(spoken('ssl.protocol=TLSv1.2'), ['TLSv1.2', 'TLSv1.2', undefined]);
  assert.deepEqual(spoken('ssl.protocol=TLSv1.2\nssl.enabledProtocols=TLSv1.3'), ['TLSv1.3', 'TLSv1.3', undefined]);
  assert.match(
    read(`${SECURE}ssl.enabledProtocols=TLSv1.1,TLSv1.2`).notes.join(),
    /nothing older than TLSv1\.2 is spoken/,
  );
  const known = new Set(getCiphers().map((name) => name.toUpperCase()));
  assert.equal(CLASSIC.size, 27);
  for (const [java, openssl] of CLASSIC) {
    assert.ok(known.has(openssl), `${java} is ${openssl}`);
    createSecureContext({ ciphers: openssl });
  }
  // a few of the names as they are written down (RFC 5289, RFC 7905; openssl-ciphers)
  assert.deepEqual(
    cipherList([
      'TLS_DHE_RSA_WITH_AES_256_CBC_SHA256',
      'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_RSA_WITH_AES_256_GCM_SHA384',
    ]).classic,
    ['DHE-RSA-AES256-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'AES256-GCM-SHA384'],
  );
});

test('without a port for it, its settings are named as without effect', () => {
  const { clientTls, notes, auth } = read(`clientPort=2181\n${STORES}ssl.hostnameVerification=false`);
  assert.equal(clientTls, undefined);
  assert.ok(!auth.providers.has('x509'));
  assert.deepEqual(notes, [
    'without secureClientPort and client.portUnification=true these have no effect: ssl.keyStore.location, ssl.trustStore.location',
  ]);
});

test('what cannot be used is refused, with the key, where it stands, and what to do', () => {
  const cases: readonly [text: string, sentence: RegExp][] = [
    [
      'secureClientPort=2281',
      /^zoo\.cfg: secureClientPort is set and ssl\.keyStore\.location is not set; name the file/,
    ],
    [
      'secureClientPort=2281\nssl.keyStore.location=/k.pem',
      /ssl\.trustStore\.location is not set; .*ssl\.clientAuth=none/,
    ],
    [`secureClientPort=70000\n${STORES}`, /is not a port/],
    ['secureClientPortAddress=::1', /secureClientPortAddress without secureClientPort; set secureClientPort/],
    [`clientPort=2281\n${SECURE}`, /secureClientPort and clientPort are both 2281; .*client\.portUnification=true/],
    ['client.portUnification=true', /client\.portUnification=true without a clientPort/],
    [`${SECURE}ssl.clientAuth=maybe`, /ssl\.clientAuth=maybe; write need, want or none/],
    [`${SECURE}ssl.authProvider=other`, /certificates are known as x509 alone/],
    [`${SECURE}ssl.crl=true`, /ssl\.crl=true: whether a certificate was revoked cannot be looked up/],
    [`${SECURE}ssl.ocsp=true`, /ssl\.ocsp=true/],
    [`${SECURE}ssl.enabledProtocols=TLSv1,TLSv1.1`, /broken and not spoken here; use TLSv1\.2 and TLSv1\.3/],
    [`${SECURE}ssl.protocol=TLSv9`, /names what is no version of TLS: TLSV9/],
    [
      `${SECURE}ssl.ciphersuites=TLS_AES_128_GCM_SHA256,TLS_NOPE,SSL_RSA_WITH_RC4_128_MD5`,
      /not known here: TLS_NOPE, SSL_RSA_WITH_RC4_128_MD5; remove them/,
    ],
    [
      `${SECURE}ssl.protocol=TLSv1.2\nssl.ciphersuites=TLS_AES_128_GCM_SHA256`,
      /none of ssl\.ciphersuites is a suite of TLSv1\.2/,
    ],
    ['secureClientPort=1\nssl.keyStore.location=/k.bcfks', /store of type BCFKS/],
    ['secureClientPort=1\nssl.keyStore.location=/k', /does not say by its name .*or set ssl\.keyStore\.type=PEM/],
  ];
  for (const [text, sentence] of cases)
    assert.throws(
      () => read(text),
      (error) => {
        assert.ok(error instanceof ConfigError && error.exitCode === 43, String(error));
        assert.match(error.message, sentence, text);
        return true;
      },
    );
});
