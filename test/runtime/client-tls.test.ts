/** Clients by TLS: who is let in, as whom, and what is said of the others. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, utimesSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { connect, fourLetterWord } from '../../src/client/connect.ts';
import { ConfigError } from '../../src/server/config-text.ts';
import { PATIENCE_MS } from '../patience.ts';
import { makeCertificate } from '../tls/certificates.ts';
import {
  alice,
  ask,
  bob,
  by,
  clients,
  DAY_MS,
  folder,
  gone,
  HOST,
  own,
  pem,
  root,
  servers,
  shows,
  start,
  strangers,
  until,
  who,
  write,
} from './tls-scene.ts';

test('a certificate that names more than a transaction carries is refused, and counted: it would be nobody, and not know why', async () => {
  await using running = await start({});
  const long = makeCertificate(clients, { hosts: ['x'.repeat(5000)] });
  assert.equal(await ask(running.server.securePort, shows(long)), '');
  assert.match(
    running.log.join('\n'),
    /was not let in: it shows a certificate whose name is longer than an ACL can have/,
  );
  const figures = await fourLetterWord('mntr', { host: HOST, port: running.server.port, timeoutMs: PATIENCE_MS });
  assert.match(figures, /^zk_auth_failed_count\t1$/m);
});

test('both ports at once: a certificate makes an identity, which ACLs name and auth stands for', async () => {
  await using running = await start({ 'X509AuthenticationProvider.superUser': 'CN=root' });
  const { plain, secure } = running;
  assert.deepEqual(await who(plain), ['ip:127.0.0.1']);
  assert.deepEqual(await who(secure, by(alice)), ['ip:127.0.0.1', 'x509:CN=alice']);
  assert.deepEqual(await who(secure, by(root)), ['ip:127.0.0.1', 'super:', 'x509:CN=root']);

  await using one = await connect(secure, { tls: by(alice) });
  await one.create('/own', 'x', { acl: [{ perms: 31, scheme: 'auth', id: '' }] });
  await one.create('/named', 'x', { acl: [{ perms: 1, scheme: 'x509', id: 'CN=bob' }] });
  assert.deepEqual((await one.getAcl('/own')).acl, [{ perms: 31, scheme: 'x509', id: 'CN=alice' }]);
  await assert.rejects(one.create('/x', '', { acl: [{ perms: 31, scheme: 'x509', id: 'bob' }] }), {
    code: 'InvalidAcl',
  });
  await using two = await connect(secure, { tls: by(bob) });
  await assert.rejects(two.get('/own'), { code: 'NoAuth' });
  assert.equal(String((await two.get('/named')).data), 'x');
  await assert.rejects(one.get('/named'), { code: 'NoAuth' });
  await using nobody = await connect(plain);
  await assert.rejects(nobody.get('/named'), { code: 'NoAuth' });
  await using all = await connect(secure, { tls: by(root) });
  await all.get('/own');
  await all.set('/named', 'y');
  // a credential that says so proves nothing: who it is, the handshake tells
  await assert.rejects(connect(secure, { tls: by(bob), auth: [{ scheme: 'x509', auth: 'CN=alice' }] }), {
    code: 'AuthFailed',
  });
});

test('need, want and none: who shows no certificate, and who shows one that does not count', async () => {
  const late = makeCertificate(clients, {
    hosts: ['late'],
    from: new Date(Date.now() - 2 * DAY_MS),
    to: new Date(Date.now() - DAY_MS),
  });
  const early = makeCertificate(clients, {
    hosts: ['early'],
    from: new Date(Date.now() + DAY_MS),
    to: new Date(Date.now() + 2 * DAY_MS),
  });
  const other = makeCertificate(strangers, { hosts: ['alice'] });
  for (const [clientAuth, none] of [
    ['need', ''],
    ['want', 'imok'],
  ] as const) {
    await using running = await start({ 'ssl.clientAuth': clientAuth });
    const { server, log, secure } = running;
    assert.equal(await ask(server.securePort, shows(alice)), 'imok');
    assert.equal(await ask(server.securePort), none, clientAuth);
    for (const [of, why] of [
      [other, /vouched for by no authority of ssl\.trustStore/],
      [makeCertificate(undefined, { hosts: ['alice'] }), /vouched for by no authority/],
      [late, /its certificate expired on /],
      [early, /is valid from .* on; compare the clocks/],
    ] as const) {
      assert.equal(await ask(server.securePort, shows(of)), '', String(why));
      assert.ok(
        log.some((line) => line.startsWith(`a client at ${HOST} was not let in: `) && why.test(line)),
        log.join('\n'),
      );
    }
    if (clientAuth === 'need') assert.match(log.join('\n'), /it shows no certificate, and ssl\.clientAuth=need/);
    else assert.deepEqual(await who(secure, by()), ['ip:127.0.0.1']);
    const figures = await fourLetterWord('mntr', { host: HOST, port: server.port, timeoutMs: PATIENCE_MS });
    const refused = clientAuth === 'need' ? 5 : 4;
    assert.match(figures, new RegExp(`^zk_unsuccessful_handshake\\t${refused}$`, 'm'));
    assert.match(figures, new RegExp(`^zk_auth_failed_count\\t${refused}$`, 'm'));
  }
  await using running = await start({ 'ssl.clientAuth': 'none', 'ssl.trustStore.location': '' });
  assert.equal(await ask(running.server.securePort), 'imok');
  assert.deepEqual(await who(running.secure, by(other)), ['ip:127.0.0.1'], 'a certificate nobody asked for');
});

test('only the secure port; what does not speak TLS is told apart by its first byte', async () => {
  await using running = await start({ clientPort: '', clientPortAddress: '' });
  const { server, log, secure } = running;
  assert.equal(server.port, server.securePort);
  assert.deepEqual(await who(secure, by(alice)), ['ip:127.0.0.1', 'x509:CN=alice']);
  assert.equal(await fourLetterWord('ruok', { host: HOST, port: server.port, timeoutMs: PATIENCE_MS }), '');
  assert.match(log.join('\n'), /was not let in: it speaks without TLS/);
  const conf = await fourLetterWord('conf', { host: HOST, port: server.port, tls: by(alice), timeoutMs: PATIENCE_MS });
  assert.match(conf, /^clientPort=-1\nsecureClientPort=0$/m);
});

test('one port for both: TLS, sessions without it, and words of four letters', async () => {
  await using running = await start({
    secureClientPort: '',
    secureClientPortAddress: '',
    'client.portUnification': 'true',
  });
  const { server, plain } = running;
  assert.equal(server.securePort, undefined);
  assert.deepEqual(await who(plain), ['ip:127.0.0.1']);
  assert.deepEqual(await who(plain, by(alice)), ['ip:127.0.0.1', 'x509:CN=alice']);
  assert.equal(await fourLetterWord('ruok', { host: HOST, port: server.port, timeoutMs: PATIENCE_MS }), 'imok');
  assert.equal(await ask(server.port, shows(alice)), 'imok');
  assert.equal(await ask(server.port), '');
  // a word letter by letter
  const slow = connectTcp(server.port, HOST);
  let text = '';
  slow.on('data', (bytes) => {
    text += bytes;
  });
  const closed = gone(slow);
  for (const letter of 'ruok') {
    slow.write(letter);
    await sleep(5);
  }
  await closed;
  assert.equal(text, 'imok');
});

test('digest.requireTls: passwords by TLS alone', async () => {
  await using running = await start({ 'digest.requireTls': 'true' });
  const auth = [{ scheme: 'digest', auth: 'ann:secret' }];
  await assert.rejects(connect(running.plain, { auth }), { code: 'AuthFailed' });
  await using client = await connect(running.secure, { tls: by(alice), auth });
  assert.ok((await client.whoAmI()).some(({ scheme }) => scheme === 'digest'));
});

test('a compulsory certificate: enforce.auth.schemes=x509 shuts the plain port for everything', async () => {
  await using running = await start({ 'enforce.auth.enabled': 'true', 'enforce.auth.schemes': 'x509' });
  await using client = await connect(running.secure, { tls: by(alice) });
  await client.get('/');
  await assert.rejects(async () => {
    await using nobody = await connect(running.plain, { connectTimeoutMs: 3000 });
    await nobody.get('/');
  });
});

test('ssl.clientHostnameVerification: a certificate counts where it is made out to', async () => {
  await using running = await start({ 'ssl.clientHostnameVerification': 'true' });
  const { server, log } = running;
  assert.equal(await ask(server.securePort, shows(alice)), '');
  assert.match(log.join('\n'), /made out to DNS:alice, and it calls from elsewhere/);
  assert.equal(await ask(server.securePort, shows(makeCertificate(clients, { hosts: [HOST] }))), 'imok');
});

test('versions and suites are those that are named', async () => {
  await using running = await start({
    'ssl.enabledProtocols': 'TLSv1.2',
    'ssl.ciphersuites': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  });
  const { securePort } = running.server;
  assert.equal(await ask(securePort, shows(alice)), 'imok');
  assert.match(await ask(securePort, { ...shows(alice), minVersion: 'TLSv1.3' }), /protocol version/);
  assert.match(
    await ask(securePort, { ...shows(alice), maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }),
    /handshake failure/,
  );
  const old = { ...shows(alice), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  assert.match(await ask(securePort, old), /protocol version|unsupported protocol/);
  const socket = connectTls({ host: HOST, port: securePort as number, rejectUnauthorized: false, ...shows(alice) });
  await once(socket, 'secureConnect');
  assert.equal(socket.getCipher().standardName, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256');
  // once more in mid-stream: refused, and the connection is the worse for it
  const refused = new Promise<Error | null>((resolve) => {
    socket.on('error', resolve);
    socket.renegotiate({}, resolve);
    socket.on('close', () => resolve(new Error('closed')));
  });
  assert.notEqual(await refused, null);
  socket.destroy();
});

test('no session is resumed: a certificate counts each time anew', async () => {
  await using running = await start({});
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { host: HOST, port: running.server.securePort as number, rejectUnauthorized: false, maxVersion };
    const sessions: Buffer[] = [];
    const first = connectTls({ ...options, ...shows(alice) });
    first.on('session', (session) => sessions.push(session));
    first.on('secureConnect', () => first.write('ruok'));
    first.resume();
    await gone(first);
    const session = sessions.at(-1) ?? first.getSession();
    const again = connectTls({ ...options, ...(session !== undefined && { session }), ...shows(alice) });
    await once(again, 'secureConnect');
    assert.equal(again.isSessionReused(), false, maxVersion);
    again.destroy();
  }
});

test('files that change hold for new connections; a broken one changes nothing and is named', async () => {
  const keyFile = write('renewed.pem', own.store);
  const trustFile = write('renewed-ca.pem', clients.pem);
  await using running = await start({ 'ssl.keyStore.location': keyFile, 'ssl.trustStore.location': trustFile });
  const { server, log, secure } = running;
  const shown = async (): Promise<string> => {
    const socket = connectTls({
      host: HOST,
      port: server.securePort as number,
      rejectUnauthorized: false,
      ...shows(alice),
    });
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  let moment = Date.now() / 1000;
  const replace = (file: string, text: string): void => {
    writeFileSync(file, text, { mode: 0o600 });
    moment += 10; // also where a file system keeps times roughly
    utimesSync(file, moment, moment);
  };
  await using before = await connect(secure, { tls: by(alice) });
  /** As the figures tell it, ms since 1970. */
  const ends = async (): Promise<number> => {
    const figures = await fourLetterWord('mntr', { host: HOST, port: server.port, timeoutMs: PATIENCE_MS });
    return 1000 * Number(/^zk_clients_certificate_ends\t(\d+)$/m.exec(figures)?.[1]);
  };
  const first = await shown();
  assert.equal(await ends(), Date.parse(new X509Certificate(own.pem).validTo));
  replace(keyFile, 'nonsense');
  await until(
    () => log.some((line) => /stay as they were: ssl\.keyStore\.location=.*renewed\.pem is neither PEM/.test(line)),
    'it is named',
  );
  assert.equal(await shown(), first);
  replace(keyFile, `${own.pem}${pem(alice)}`);
  await until(
    () => log.some((line) => /stay as they were: .* holds no certificate of its private key/.test(line)),
    'it is named',
  );
  assert.equal(await shown(), first);
  const later = new Date(Math.ceil(Date.now() / 1000) * 1000 + 90 * DAY_MS);
  replace(keyFile, makeCertificate(servers, { hosts: [HOST], to: later }).store);
  await until(
    () => log.some((line) => line.startsWith('certificates for clients were read again')),
    'it is read again',
  );
  assert.notEqual(await shown(), first);
  assert.equal(await ends(), later.getTime());
  assert.equal(await ask(server.securePort, shows(makeCertificate(strangers, { hosts: ['carol'] }))), '');
  replace(trustFile, strangers.pem);
  await until(
    () => log.filter((line) => line.startsWith('certificates for clients were read again')).length === 2,
    'again',
  );
  assert.equal(await ask(server.securePort, shows(makeCertificate(strangers, { hosts: ['carol'] }))), 'imok');
  assert.equal(await ask(server.securePort, shows(alice)), '');
  await before.get('/'); // who was in stays in
});

test('client.certReload=false: files are read at the start', async () => {
  const keyFile = write('kept.pem', own.store);
  await using running = await start({ 'ssl.keyStore.location': keyFile, 'client.certReload': 'false' });
  writeFileSync(keyFile, 'nonsense');
  await sleep(2500);
  assert.equal(await ask(running.server.securePort, shows(alice)), 'imok');
  assert.ok(!running.log.some((line) => /certificates for clients/.test(line)));
});

test('a start that cannot serve by TLS is refused: what, where, what to do', async () => {
  const sealed = alice.key
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' })
    .toString();
  const word = write('word', 'sesame\n');
  const open = write('open', 'sesame');
  chmodSync(open, 0o620);
  const weak = write('weak.pem', own.store);
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [
      { 'ssl.keyStore.location': `${folder}/none.pem` },
      /^ssl\.keyStore\.location=.*\/none\.pem cannot be read: there is no such file; give a file \(PEM, PKCS12 or JKS\) of the cert/,
    ],
    [{ 'ssl.keyStore.location': write('no-key.pem', own.pem) }, /no-key\.pem holds 0 private keys, not one/],
    [{ 'ssl.keyStore.location': write('bare.pem', pem(own)) }, /bare\.pem holds no certificate/],
    [
      { 'ssl.keyStore.location': write('mixed.pem', own.pem + pem(bob)) },
      /mixed\.pem holds no certificate of its private key/,
    ],
    [
      { 'ssl.keyStore.location': write('sealed.pem', alice.pem + sealed) },
      /holds a key under a password; set ssl\.keyStore\.password or \.passwordPath/,
    ],
    [
      { 'ssl.keyStore.location': write('sealed.pem', alice.pem + sealed), 'ssl.keyStore.password': 'wrong' },
      /holds a key that its password does not open/,
    ],
    [
      { 'ssl.keyStore.passwordPath': `${folder}/no-word`, 'ssl.keyStore.location': write('s.pem', alice.pem + sealed) },
      /has its password in .*\/no-word: there is no such file/,
    ],
    [
      { 'ssl.keyStore.passwordPath': open, 'ssl.keyStore.location': write('s.pem', alice.pem + sealed) },
      /has its password in .*\/open, which can be written by others than its owner/,
    ],
    [
      { 'ssl.trustStore.location': write('empty.pem', '') },
      /^ssl\.trustStore\.location=.*empty\.pem is neither PEM nor a PKCS12 nor a JKS store/,
    ],
    [
      { 'ssl.trustStore.location': `${folder}/none.p12` },
      /none\.p12 cannot be read: there is no such file; give a file .* of certificates/,
    ],
    [{ 'ssl.ciphersuites': 'TLS_ECDHE_RSA_WITH_NOTHING' }, /not known here: TLS_ECDHE_RSA_WITH_NOTHING/],
  ];
  for (const [more, sentence] of cases)
    await assert.rejects(start(more), (error) => {
      assert.ok(error instanceof ConfigError && error.exitCode === 43, String(error));
      assert.match(error.message, sentence);
      assert.ok(!/sesame|wrong/.test(error.message), error.message);
      return true;
    });
  await using running = await start({
    'ssl.keyStore.location': write('sealed.pem', alice.pem + sealed),
    'ssl.keyStore.passwordPath': word,
  });
  assert.equal(await ask(running.server.securePort, shows(alice)), 'imok');
  writeFileSync(
    weak,
    makeCertificate(servers, {
      hosts: [HOST],
      from: new Date(Date.now() - 2 * DAY_MS),
      to: new Date(Date.now() - DAY_MS),
    }).store,
  );
  await using old = await start({ 'ssl.keyStore.location': weak });
  assert.match(old.log.join('\n'), /expired on .*; clients turn this server away: renew it/);
});
