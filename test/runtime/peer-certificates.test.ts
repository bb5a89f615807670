/** Servers that know each other by certificates (sslQuorum): who is let in, and what is said of everybody else. */
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Secret } from '../../src/base/secret.ts';
import { plainPeerNetwork } from '../../src/platform/peer-net.ts';
import { type PemOptions, type PemPeerNetwork, pemPeerNetwork } from '../../src/platform/peer-pem.ts';
import { proofName, pskPeerNetwork } from '../../src/platform/peer-psk.ts';
import type { PeerNetwork } from '../../src/ports/peer-network.ts';
import { readPeerKeys } from '../../src/runtime/peer-keys.ts';
import { PeerSecret } from '../../src/runtime/peer-secret.ts';
import type { QuorumStores } from '../../src/server/config-tls.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type Certificate, makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { HOST, has, introduce, portOf, run, until } from './real-peers.ts';

const DAY_MS = 86_400_000;
const ca = makeAuthority('the authority');
const otherCa = makeAuthority('the authority'); // it even has the same name
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);
const certificate = makeCertificate(ca, { hosts: [HOST] });

const both = { dialled: true, callers: true };
function keysOf(of: Certificate, more: Partial<PemOptions> = {}): PemOptions {
  const key = of.key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { chain: of.pem, key, authorities: [ca.pem], ciphers: undefined, checks: both, ...more };
}
const pem = (of: Certificate = certificate, more: Partial<PemOptions> = {}): PeerNetwork =>
  pemPeerNetwork(keysOf(of, more));

test('three servers with certificates of one authority find each other', async () => {
  const certificates = [1, 2, 3].map(() => makeCertificate(ca, { hosts: [HOST] }));
  // a call that a stall ends is complained of
  const all = await Promise.all(certificates.map((each, at) => run(at + 1, pem(each), { connectMs: PATIENCE_MS })));
  introduce(...all);
  for (const { peer } of all) await until(() => peer.port.connected.length === 2, 'each has two peers');
  for (const { peer } of all) assert.deepEqual(peer.complaints, []);
});

test('a chain of authorities, a self-signed certificate that is listed, and suites by name', async () => {
  const between = makeAuthority('between', ca);
  const far = makeCertificate(between, { hosts: [HOST] });
  const one = await run(1, pem({ ...far, pem: far.pem + between.pem }, { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] }));
  const two = await run(2, pem(certificate));
  introduce(one, two);
  await until(() => one.peer.port.connected.length === 1, 'they met');
  const self = makeCertificate(undefined, { hosts: [HOST] });
  const authorities = [self.pem, ca.pem];
  const three = await run(3, pem(self));
  const four = await run(4, pem(certificate, { authorities }));
  introduce(three, four);
  await until(() => four.peer.port.connected.length === 1, 'they met, too');
  // the end of the chain must be listed, and what is between must be shown or listed
  const cut = await run(5, pem(far));
  cut.peer.port.know([two.addresses]);
  await until(has(two.peer.complaints, /is vouched for by no authority/), 'a chain with a hole');
});

const NOBODY: readonly [string, () => PeerNetwork, RegExp][] = [
  [
    'another authority',
    () => pem(makeCertificate(otherCa, { hosts: [HOST] })),
    /its certificate \(IP Address:127\.0\.0\.1\) is vouched for by no authority of ssl\.quorum\.trustStore/,
  ],
  [
    'an end that is past',
    () => pem(makeCertificate(ca, { hosts: [HOST], from: inDays(-9), to: inDays(-2) })),
    /its certificate \(IP Address:127\.0\.0\.1\) expired on .*; renew it/,
  ],
  [
    'a beginning that is to come',
    () => pem(makeCertificate(ca, { hosts: [HOST], from: inDays(2), to: inDays(9) })),
    /is valid from .* on; compare the clocks/,
  ],
];
for (const [what, net, sentence] of NOBODY)
  test(`a certificate with ${what} is let in nowhere, and both ends say so`, async () => {
    const [good, bad] = [await run(1, pem()), await run(2, net())];
    bad.peer.port.know([good.addresses]);
    await until(has(good.peer.complaints, sentence), 'the one that is called says so');
    good.peer.port.know([bad.addresses]);
    const told = (): string[] => good.peer.complaints.filter((each) => sentence.test(each));
    const calling = /^127\.0\.0\.1:\d+: its certificate/;
    await until(() => told().length >= 2 && has(told(), calling)(), 'and when it calls');
    assert.match(told().find((each) => calling.test(each)) as string, calling);
    assert.deepEqual([good.peer.port.connected, bad.peer.port.connected], [[], []]);
  });

test('a certificate for another host: refused by who is called and by who calls', async () => {
  const wrong = makeCertificate(ca, { hosts: ['zk9.example', '127.0.0.9'] });
  const [good, bad] = [await run(1, pem()), await run(2, pem(wrong))];
  good.peer.port.know([bad.addresses]);
  bad.peer.port.know([good.addresses]);
  const names = 'DNS:zk9\\.example, IP Address:127\\.0\\.0\\.9';
  const shows = new RegExp(
    `^server 2 at 127\\.0\\.0\\.1:\\d+ shows a certificate made out to ${names}, and its server`,
  );
  await until(has(good.peer.complaints, shows), 'it says so of the caller');
  await until(
    has(good.peer.complaints, new RegExp(`its certificate is made out to ${names}, and it is looked for at 127`)),
    'it says so of whom it called',
  );
  await until(has(bad.peer.complaints, /refused: server 2 at .* shows a certificate made out to/), 'it is told');
  assert.deepEqual([good.peer.port.connected, bad.peer.port.connected], [[], []]);
  // one that is listed nowhere may be where it calls from, and nowhere else
  const unlisted = await run(3, pem(wrong));
  unlisted.peer.port.know([good.addresses]);
  await until(has(good.peer.complaints, /calls from 127\.0\.0\.1 and is listed nowhere/), 'that too');
  const here = await run(4, pem());
  here.peer.port.know([good.addresses]);
  await until(() => good.peer.port.connected.includes(4), 'one that calls from its own host is in');
  // an operator may ask for less
  const easy = await run(5, pem(undefined, { checks: { dialled: false, callers: false } }));
  bad.peer.port.know([easy.addresses]);
  await until(() => easy.peer.port.connected.includes(2), 'names are not looked at');
});

test('a server that is looked for by two names must be at one of them when it is called, and at the one in force when it calls', async () => {
  const named = makeCertificate(ca, { hosts: ['localhost'] });
  const byName = await run(2, pem(named));
  const at = (host: string, which: 'election' | 'quorum') => ({ host, port: portOf(byName, which) });
  for (const names of [
    ['localhost', HOST],
    [HOST, 'localhost'],
  ]) {
    const caller = await run(1, pem());
    const [election, quorum] = (['election', 'quorum'] as const).map((which) => names.map((host) => at(host, which)));
    assert.ok(election !== undefined && quorum !== undefined);
    byName.peer.port.know([{ ...caller.addresses, election: [] }]); // it does not call by itself
    caller.peer.port.know([{ sid: 2, election, quorum, hosts: [HOST] }]);
    await until(() => caller.peer.port.connected.includes(2), `it is called at ${names.join(' or ')}`);
    caller.peer.port.close();
    await until(() => byName.peer.port.connected.length === 0, 'it is gone');
  }
  const called = await run(3, pem());
  const nowhere = [HOST, 'localhost'].map((host) => ({ host, port: 1 }));
  called.peer.port.know([{ sid: 2, election: nowhere, quorum: nowhere, hosts: [HOST] }]);
  byName.peer.port.know([called.addresses]);
  const denied = /shows a certificate made out to DNS:localhost, and its server line says 127\.0\.0\.1$/;
  await until(has(called.peer.complaints, denied), 'who calls is held to the one');
  assert.deepEqual(called.peer.port.connected, []);
});

test('on the way to certificates a port takes both, and what is dialled is as asked for', async () => {
  const before = { dials: true, takes: true };
  const between = { dials: false, takes: true };
  const on = (plain: typeof before): PeerNetwork => pemPeerNetwork(keysOf(certificate), plain);
  const meets = async (one: PeerNetwork, other: PeerNetwork, says?: RegExp): Promise<void> => {
    const [caller, called] = [await run(1, one), await run(2, other)];
    caller.peer.port.know([called.addresses]);
    if (says === undefined) await until(() => called.peer.port.connected.includes(1), 'they met');
    else await until(has(called.peer.complaints, says), 'it is turned away');
    assert.deepEqual(called.peer.port.connected, says === undefined ? [1] : []);
  };
  await meets(plainPeerNetwork, on(before));
  await meets(on(before), plainPeerNetwork);
  await meets(on(before), on(between));
  await meets(on(between), on(before));
  await meets(on(between), pem());
  await meets(pem(), on(between));
  await meets(on(before), pem(), /speaks without TLS and this server asks for a certificate/);
  await meets(on(between), plainPeerNetwork, /it speaks TLS and this server does not/);
  // a certificate that counts for nothing is not made good by that
  await meets(pem(makeCertificate(otherCa, { hosts: [HOST] })), on(between), /is vouched for by no authority/);
});

test('no certificate, no TLS, a secret, and a session that is resumed: nobody', async () => {
  const one = await run(1, pem());
  const { complaints, port } = one.peer;
  const plain = await run(2, plainPeerNetwork);
  plain.peer.port.know([one.addresses]);
  await until(has(complaints, /speaks without TLS and this server asks for a certificate/), 'plain is told apart');
  port.know([plain.addresses]);
  await until(has(plain.peer.complaints, /it speaks TLS and this server does not; .* or sslQuorum=true/), 'and back');
  const secret = new PeerSecret(Buffer.alloc(32, 1));
  const knowing = await run(3, pskPeerNetwork({ name: proofName('test', 3), keys: [secret] }));
  knowing.peer.port.know([one.addresses]);
  await until(has(complaints, /it shows no certificate; set sslQuorum=true|does not take our certificate/), 'a secret');
  port.know([knowing.addresses]);
  await until(has(knowing.peer.complaints, /does not know the secret/), 'a secret, called');
  await until(has(complaints, /the TLS handshake failed: .*ssl\.quorum\.trustStore of both \(ERR_/), 'it says so too');

  const at = { host: HOST, port: portOf(one, 'quorum'), rejectUnauthorized: false };
  complaints.length = 0;
  const ended = async (options: ConnectionOptions): Promise<Buffer | undefined> => {
    const socket = connectTls({ ...at, ...options });
    let session: Buffer | undefined;
    socket.on('session', (each: Buffer) => {
      session ??= each;
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => assert.fail(`it was sent ${bytes.length} bytes`));
    await new Promise((resolve) => socket.once('close', resolve));
    return session;
  };
  assert.deepEqual(port.connected, []);
  const stranger = await run(6, pem());
  const strangers = stranger.peer.complaints;
  const its = { ...at, port: portOf(stranger, 'quorum') };
  await ended(its);
  await until(has(strangers, /it shows no certificate/), 'none');
  const key = certificate.key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const own = { cert: certificate.pem, key };
  const session = await ended({ ...its, ...own });
  assert.ok(session !== undefined);
  // older protocols end in the handshake
  await ended({ ...its, ...own, maxVersion: 'TLSv1.2' });
  await until(has(strangers, /or speaks no TLS 1\.3/), 'TLS 1.2');
  // a session is no certificate, and with one it is not taken
  strangers.length = 0;
  await ended({ ...its, session });
  await until(has(strangers, /it shows no certificate/), 'resumed');
  const again = connectTls({ ...its, ...own, session });
  again.on('error', () => {});
  await new Promise((resolve) => again.once('secureConnect', resolve));
  assert.equal(again.isSessionReused(), false);
  again.destroy();
});

const folder = mkdtempSync(join(tmpdir(), 'zoosh-keys-'));
after(() => rmSync(folder, { recursive: true }));
function stores(
  keyStore: string,
  trustStore: string = ca.pem,
  more: Partial<QuorumStores['keyStore']> = {},
): QuorumStores {
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    chmodSync(file, 0o600);
    return file;
  };
  const none = { password: undefined, passwordPath: undefined };
  return {
    keyStore: { prefix: 'ssl.quorum', name: 'keyStore', location: write('own.pem', keyStore), ...none, ...more },
    trustStore: { prefix: 'ssl.quorum', name: 'trustStore', location: write('ca.pem', trustStore), ...none },
    ciphers: undefined,
    checks: both,
    reload: false,
  };
}

test('PEM files: order, text around, keys under a password; what is of no use is refused with a sentence', async () => {
  const read = (tls: QuorumStores, hosts = [HOST]) => readPeerKeys(tls, hosts, Date.now());
  const key = certificate.key.export({ type: 'pkcs8', format: 'pem' });
  const locked = certificate.key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' });
  const old = certificate.key.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' });
  const found = await read(
    stores(`${key}# ours\n${ca.pem}subject=x\n${certificate.pem}`, `a\n${ca.pem}b\n${otherCa.pem}`),
  );
  assert.equal(found.keys.chain, certificate.pem + ca.pem);
  assert.deepEqual(found.keys.authorities, [ca.pem, otherCa.pem]);
  const file = join(folder, 'password');
  writeFileSync(file, 'sesame\n');
  for (const [text, more] of [
    [locked, { password: new Secret('sesame') }],
    [old, { password: new Secret('sesame') }],
    [locked, { passwordPath: file, password: new Secret('another') }],
    [key, { password: new Secret('needless') }],
  ] as const)
    assert.equal((await read(stores(`${certificate.pem}${text}`, ca.pem, more))).keys.key, key);
  const useless: readonly [() => QuorumStores, RegExp][] = [
    [
      () => stores(certificate.pem),
      /keyStore\.location=\S+own\.pem holds 0 private keys, not one; give a file \(PEM, PKCS12 or JKS\) of the cert/,
    ],
    [() => stores(`${key}${key}${certificate.pem}`), /holds 2 private keys/],
    [() => stores(String(key)), /holds no certificate;/],
    [() => stores(`${key}${ca.pem}`), /holds no certificate of its private key/],
    [() => stores(`${certificate.pem}${locked}`), /holds a key under a password; set ssl\.quorum\.keyStore\.password/],
    [
      () => stores(`${certificate.pem}${locked}`, ca.pem, { password: new Secret('x') }),
      /holds a key that its password does not open/,
    ],
    [() => stores(`${certificate.pem}${String(key).replace(/M/, '!')}`), /holds a key that cannot be read/],
    [
      () => stores(certificate.store, 'nothing'),
      /trustStore\.location=\S+ca\.pem is neither PEM nor a PKCS12 nor a JKS store; give a file/,
    ],
    [
      () => stores(certificate.store, ca.pem + ca.pem.replace(/\nM/, '\nA')),
      /holds a certificate that cannot be read, number 2/,
    ],
    [() => stores(certificate.store, ca.pem.repeat(251)), /holds 251 certificates, and at most 250 are believed/],
    [
      () => stores(certificate.store, ca.pem, { location: join(folder, 'none') }),
      /cannot be read: there is no such file/,
    ],
    [() => stores(certificate.store, ca.pem, { location: folder }), /is no PEM file/],
    [
      () => stores(locked + certificate.pem, ca.pem, { passwordPath: '/none' }),
      /has its password in \/none: there is no such file/,
    ],
  ];
  for (const [tls, sentence] of useless) await assert.rejects(read(tls()), sentence);
});

test('at the start it is said what others will turn this server away for', async () => {
  const said = async (of: Certificate, hosts: readonly string[], mode = 0o600): Promise<string> => {
    const tls = stores(of.store);
    chmodSync(tls.keyStore.location, mode);
    return (await readPeerKeys(tls, hosts, Date.now())).warnings.join();
  };
  const long = { to: inDays(90) };
  assert.equal(await said(makeCertificate(ca, { hosts: ['zk1.example', HOST], ...long }), [HOST]), '');
  assert.equal(await said(makeCertificate(ca, { hosts: ['*.ours.example'], ...long }), ['zk1.ours.example']), '');
  assert.equal(await said(makeCertificate(ca, { hosts: [HOST], ...long }), []), '');
  assert.match(
    await said(makeCertificate(ca, { hosts: [HOST], ...long }), ['zk1.example']),
    /is made out to IP Address:127\.0\.0\.1, and the line of this server says zk1\.example/,
  );
  assert.match(
    await said(makeCertificate(ca, { hosts: [HOST] }), [HOST]),
    /expires on .*; then the other members turn/,
  );
  const past = { from: inDays(-9), to: inDays(-2) };
  assert.match(await said(makeCertificate(ca, { hosts: [HOST], ...past }), [HOST]), /own\.pem expired on/);
  const coming = { from: inDays(2), to: inDays(90) };
  assert.match(
    await said(makeCertificate(ca, { hosts: [HOST], ...coming }), [HOST]),
    /is valid from .* on; until then/,
  );
  assert.match(await said(makeCertificate(ca, { hosts: [HOST], ...long }), [HOST], 0o644), /can be read by others/);
  await assert.rejects(said(makeCertificate(ca, { hosts: [HOST], ...long }), [HOST], 0o620), /written by others/);
});

test('keys that change hold for new connections both ways; those that stand go on; what OpenSSL refuses changes nothing', async () => {
  const newCa = makeAuthority('another');
  const netOf = (of: Certificate, ...authorities: string[]): PemPeerNetwork =>
    pemPeerNetwork(keysOf(of, { authorities }));
  const [own, others] = [1, 2].map(() => makeCertificate(ca, { hosts: [HOST] })) as [Certificate, Certificate];
  const net = netOf(own, ca.pem);
  const one = await run(1, net);
  const two = await run(2, netOf(others, ca.pem));
  introduce(one, two);
  await until(() => one.peer.port.connected.length === 1, 'they met');
  const late = await run(3, netOf(makeCertificate(newCa, { hosts: [HOST] }), ca.pem, newCa.pem));
  late.peer.port.know([one.addresses]);
  await until(has(one.peer.complaints, /is vouched for by no authority/), 'the new authority is nobody yet');
  const shown = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ host: HOST, port: portOf(one, 'quorum'), rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  const before = await shown();
  assert.throws(() => net.renew(keysOf(own, { key: 'nonsense', authorities: [newCa.pem] })));
  assert.equal(await shown(), before);

  const moved = makeCertificate(newCa, { hosts: [HOST] });
  net.renew(keysOf(moved, { authorities: [newCa.pem] }));
  assert.equal(await shown(), new X509Certificate(moved.pem).fingerprint256);
  // it is called by the one of the new authority, and calls it
  await until(() => one.peer.port.connected.includes(3), 'it is in');
  const fourth = await run(4, netOf(makeCertificate(newCa, { hosts: [HOST] }), newCa.pem));
  one.peer.port.know([two.addresses, fourth.addresses]);
  await until(() => fourth.peer.port.connected.includes(1), 'who is called sees the new one');
  assert.ok(one.peer.port.connected.includes(2), 'who was in stays in');
  const fifth = await run(5, netOf(others, ca.pem));
  fifth.peer.port.know([one.addresses]);
  await until(has(fifth.peer.complaints, /is vouched for by no authority|hung up/), 'and the old authority is nobody');
  assert.ok(!one.peer.port.connected.includes(5));
});

test('a connection that says nothing in TLS is left alone until its time is over', async () => {
  const one = await run(1, pem());
  const socket = connectTcp(portOf(one, 'election'), HOST);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.destroy(); // as health checks do
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(one.peer.complaints, []);
});

test('stores of Java: the same keys and authorities as in PEM, told by what stands in them', async () => {
  const stores = join(import.meta.dirname, '../../../test/tls/stores/');
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-stores-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const word = join(folder, 'word');
  writeFileSync(word, 'apassword\n', { mode: 0o600 });
  const copy = (name: string, mode = 0o600): string => {
    const file = join(folder, name);
    writeFileSync(file, readFileSync(stores + name), { mode });
    return file;
  };
  const store = <N extends 'keyStore' | 'trustStore'>(name: N, file: string, more = {}) => ({
    ...{
      prefix: 'ssl.quorum' as const,
      name,
      location: copy(file),
      password: new Secret('apassword'),
      passwordPath: undefined,
    },
    ...more,
  });
  const read = (own: string, trust: string, more = {}) =>
    readPeerKeys(
      {
        keyStore: store('keyStore', own, more),
        trustStore: store('trustStore', trust, more),
        ciphers: undefined,
        checks: { dialled: false, callers: false },
        reload: false,
      },
      [],
      Date.now(),
    );
  for (const [own, trust, kind] of [
    ['rsa.p12', 'trust.p12', 'rsa'],
    ['ec.jks', 'trust.jks', 'ec'],
    ['rsa-legacy.p12', 'trust-openssl.p12', 'rsa'],
  ] as const) {
    const { keys } = await read(own, trust);
    const plain = createPrivateKey(readFileSync(`${stores}${kind}.key`));
    assert.ok(createPrivateKey(keys.key).equals(plain), own);
    assert.ok(new X509Certificate(keys.chain).checkPrivateKey(plain), own);
    assert.ok(keys.authorities.length > 0, trust);
  }
  const { keys } = await read('ec.p12', 'trust.jks', { password: new Secret('wrong'), passwordPath: word });
  assert.match(keys.key, /BEGIN PRIVATE KEY/);
  await assert.rejects(
    read('ec.p12', 'trust.jks', { password: new Secret('wrong') }),
    /is damaged, or that is not its password/,
  );
  await assert.rejects(read('trust.p12', 'trust.jks'), /holds 0 private keys/);
  await assert.rejects(read('j.jceks', 'trust.jks'), /JCEKS/);
});
