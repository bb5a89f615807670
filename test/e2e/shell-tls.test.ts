import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TEST_CERT, TEST_KEY } from '../client/tls-fixture.ts';
import { lateIf, timely } from '../patience.ts';
import { zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';
import { TlsFront } from './tls-front.ts';

/** Made with keytool and openssl; what is in them is in the PEM files beside them. */
const STORES = fileURLToPath(new URL('../../../test/tls/stores/', import.meta.url));

test('TLS by options, by a profile and by a zkCli file; a plain client is told', async () => {
  await using server = await new ServerProcess().start();
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-tls-'));
  using front = await TlsFront.open({ key: TEST_KEY, cert: TEST_CERT }, server.port);
  try {
    const { hosts } = front;
    const [ca, config] = [join(folder, 'ca.pem'), join(folder, 'client.cfg')];
    writeFileSync(ca, TEST_CERT);
    const yes = async (args: string[], env: Record<string, string> = {}): Promise<void> => {
      const ran = await zoosh([...args, 'exists', '/zookeeper'], '', env);
      assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, 'yes\n', '']);
    };
    await yes(['--tls-ca', ca, hosts]);
    await yes(['--tls-insecure', hosts]);
    writeFileSync(config, `zookeeper.client.secure=true\nzookeeper.ssl.trustStore.location=${ca}\n`);
    await yes(['-s', hosts, '--client-config', config]);
    const old = await zoosh(['-server', hosts, '-client-configuration', config, 'ls', '/']);
    assert.deepEqual([old.code, old.stdout, old.stderr], [0, '[zookeeper]\n', '']);
    // Kafka's names, in the file of -zk-tls-config-file
    writeFileSync(
      config,
      `zookeeper.ssl.client.enable=true\nzookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty\nzookeeper.ssl.truststore.location=${ca}\n`,
    );
    const kafka = await zoosh(['-server', hosts, '-client-configuration', config, 'ls', '/']);
    assert.deepEqual([kafka.code, kafka.stdout, kafka.stderr], [0, '[zookeeper]\n', '']);
    // made out to localhost, and asked for by its number
    const byNumber = hosts.replace('localhost', '127.0.0.1');
    for (const [line, code] of [
      ['zookeeper.ssl.hostnameVerification=false', 0],
      ['zookeeper.ssl.endpoint.identification.algorithm=', 0],
      ['zookeeper.ssl.hostnameVerification=true', 3],
    ] as const) {
      writeFileSync(config, `zookeeper.client.secure=true\nzookeeper.ssl.trustStore.location=${ca}\n${line}\n`);
      const ran = await zoosh(['--connect-timeout', '4s', '--client-config', config, byNumber, 'exists', '/zookeeper']);
      assert.equal(ran.code, code, `${line}: ${ran.stderr}`);
    }
    // what zkCli.sh is told about TLS in the environment
    const flags = `-Dzookeeper.client.secure=true -Dzookeeper.ssl.trustStore.location="${ca}"`;
    const flagged = await zoosh(['-server', hosts, 'ls', '/'], '', { CLIENT_JVMFLAGS: flags });
    assert.deepEqual([flagged.code, flagged.stdout, flagged.stderr], [0, '[zookeeper]\n', '']);
    // what is found out within seconds, or not at all
    const says = (args: readonly string[], by: 'stdout' | 'stderr', wanted: RegExp, code?: number): Promise<void> =>
      timely(async () => {
        const ran = await zoosh(args);
        if (code !== undefined) assert.equal(ran.code, code, ran.stderr);
        return lateIf(!wanted.test(ran[by]), `${args.join(' ')} does not say ${wanted}: ${ran[by]}`);
      });
    const doctor = ['doctor', '--admin-port', '1'];
    await says(
      ['--tls-ca', ca, hosts, ...doctor],
      'stdout',
      /^(ok\tTLSv1\.3 with 1 server; certificates are|(warn|FAIL)\tthe certificate of localhost:)/m,
    );
    await says(['--tls-insecure', hosts, ...doctor], 'stdout', /^warn\tnobody checks who the servers are/m);
    const env = { ZOOSH_HOME: folder };
    assert.equal((await zoosh(['profile', 'add', 'tls', hosts, '--tls-ca', ca], '', env)).code, 0);
    await yes(['@tls'], env);
    const quick = ['--connect-timeout', '2s'];
    await says([...quick, hosts, 'ls', '/'], 'stderr', /TLS required/, 3);
    await says([...quick, '--tls', hosts, 'ls', '/'], 'stderr', /TLS: .*self.signed/i, 3);
    for (const wrong of [
      'zookeeper.client.secure=true\nzookeeper.ssl.trustStore.location=/x/store.jks\n',
      `client.secure=true\nssl.trustStore.location=${STORES}trust.jks\nssl.trustStore.password=wrong\n`,
      `client.secure=true\nssl.keyStore.location=${STORES}trust.p12\nssl.keyStore.password=apassword\n`,
      `client.secure=true\nssl.trustStore.location=${folder}/none.pem\n`,
      `zookeeper.ssl.truststore.location=${ca}\n`,
    ]) {
      writeFileSync(config, wrong);
      const refused = await zoosh(['--client-config', config, hosts, 'ls', '/']);
      assert.equal(refused.code, 2, refused.stderr);
      assert.match(refused.stderr, /client\.cfg/);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('PKCS12, JKS and PEM stores of a zkCli file: who the servers are, and who we are', async () => {
  await using server = await new ServerProcess().start();
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-stores-'));
  const file = (name: string): string => readFileSync(STORES + name, 'utf8');
  const names: (string | undefined)[] = [];
  const options = { requestCert: true, ca: file('rsa-chain.pem'), key: file('rsa.key'), cert: file('rsa-chain.pem') };
  using front = await TlsFront.open(options, server.port, (socket) => {
    names.push(socket.getPeerCertificate().subject?.CN as string | undefined);
  });
  try {
    const { hosts } = front;
    const [config, secret] = [join(folder, 'client.cfg'), join(folder, 'password')];
    writeFileSync(secret, 'apassword\n');
    writeFileSync(join(folder, 'own.pem'), file('ec.key') + file('ec-chain.pem'));
    for (const [trust, own] of [
      ['trust.p12', 'ec.p12'],
      ['trust.jks', 'rsa.jks'],
      ['trust-openssl.p12', 'rsa-legacy.p12'],
      ['ec-chain.pem', join(folder, 'own.pem')],
    ] as const) {
      const lines = [
        'zookeeper.client.secure=true',
        `zookeeper.ssl.trustStore.location=${STORES}${trust}`,
        'zookeeper.ssl.trustStore.password=apassword',
        `zookeeper.ssl.keyStore.location=${own.startsWith(folder) ? own : STORES + own}`,
        `zookeeper.ssl.keyStore.passwordPath=${secret}`,
      ];
      writeFileSync(config, `${lines.join('\n')}\n`);
      const ran = await zoosh(['--client-config', config, hosts, 'exists', '/zookeeper']);
      assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, 'yes\n', ''], trust);
    }
    assert.deepEqual(names, ['ec', 'rsa', 'rsa', 'ec']);
    // one file may hold both, as the key stores of servers do
    const trusted = ['--tls-ca', `${STORES}ec-chain.pem`];
    const ran = await zoosh([...trusted, '--tls-cert', join(folder, 'own.pem'), hosts, 'exists', '/zookeeper']);
    assert.deepEqual([ran.code, ran.stdout, ran.stderr, names.at(-1)], [0, 'yes\n', '', 'ec']);
    const half = await zoosh([...trusted, '--tls-cert', `${STORES}ec-chain.pem`, hosts, 'exists', '/zookeeper']);
    assert.deepEqual(
      [half.code, half.stderr],
      [2, `error: ${STORES}ec-chain.pem is a certificate without its key\n hint: --tls-key names it\n`],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
