/** The stores in test/tls/stores were made with keytool (OpenJDK 17) and openssl 3; the PEM files beside them say what is in them. */
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type KeyStore, KeyStoreError, readKeyStore } from '../../src/platform/key-stores.ts';
import { readPem } from '../../src/platform/pem-store.ts';

const PASSWORD = 'apassword';
const bytes = (name: string): Buffer => readFileSync(new URL(`../../../test/tls/stores/${name}`, import.meta.url));
const open = (name: string, password = PASSWORD): KeyStore => readKeyStore(bytes(name), password);
const prints = (all: readonly string[] = []): string[] => all.map((each) => new X509Certificate(each).fingerprint256);
const inFile = (name: string): string[] =>
  prints(
    bytes(name)
      .toString()
      .match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g) ?? [],
  );
const keyOf = (pem: string | Buffer): string =>
  createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' }).toString('hex');
const refused = (what: () => unknown, message: RegExp): void =>
  assert.throws(what, (error) => error instanceof KeyStoreError && message.test(error.message));

test('a key and its chain, from PKCS12 of today and of old and from JKS, RSA and elliptic curves', () => {
  for (const kind of ['rsa', 'ec'])
    for (const name of [`${kind}.p12`, `${kind}-legacy.p12`, `${kind}.jks`]) {
      const { own, trusted } = open(name);
      const chain = inFile(`${kind}-chain.pem`);
      assert.equal(chain.length, 3);
      assert.deepEqual(prints(own?.chain), chain, name);
      assert.equal(keyOf(own?.key ?? ''), keyOf(bytes(`${kind}.key`)), name);
      assert.deepEqual(prints(trusted), [chain[0]], name);
    }
  assert.equal(open('empty.p12', '').own?.chain.length, 1);
});

test('authorities, from stores that hold nothing else', () => {
  const [, mid, root] = inFile('ec-chain.pem');
  for (const name of ['trust.p12', 'trust.jks'])
    assert.deepEqual(prints(open(name).trusted).sort(), [mid, root].sort(), name);
  assert.deepEqual(prints(open('trust-openssl.p12').trusted), [root]);
  assert.equal(open('trust.jks').own, undefined);
});

test('a wrong password and a damaged store are refused', () => {
  for (const name of ['rsa.p12', 'rsa-legacy.p12', 'rsa.jks', 'trust.p12', 'trust.jks'])
    for (const password of ['wrong', ''])
      refused(() => open(name, password), /that is not its password|cannot be opened/);
  // to open PKCS12 takes long, on purpose
  for (const [name, step] of [
    ['ec.p12', 211],
    ['ec.jks', 1],
  ] as const) {
    const whole = bytes(name);
    let seen = 0;
    let tried = 0;
    for (let at = 0; at < whole.length; at += step, tried++) {
      const cut = () => readKeyStore(whole.subarray(0, at), PASSWORD);
      refused(cut, /./);
      const turned = Buffer.from(whole);
      turned[at] = (turned[at] as number) ^ 0x41;
      try {
        // a few bytes say nothing about what is in it
        assert.equal(keyOf(readKeyStore(turned, PASSWORD).own?.key ?? ''), keyOf(bytes('ec.key')));
      } catch (error) {
        if (!(error instanceof KeyStoreError)) throw error;
        seen++;
      }
    }
    assert.ok(seen > tried * 0.8, `${seen} of ${tried}`);
  }
});

test('a JKS store whose key names an encryption beyond all numbers is refused, whatever its digest says', () => {
  const body = Buffer.from(bytes('ec.jks').subarray(0, -20));
  const named = body.indexOf(Buffer.from('2b060104012a02110101', 'hex'));
  assert.ok(named > 0);
  for (const [from, to] of [
    [0, 9],
    [1, 10],
    [9, 10],
  ] as const) {
    const odd = Buffer.from(body).fill(0xff, named + from, named + to);
    const secret = Buffer.from(PASSWORD, 'utf16le').swap16();
    const digest = createHash('sha1').update(secret).update('Mighty Aphrodite').update(odd).digest();
    refused(() => readKeyStore(Buffer.concat([odd, digest]), PASSWORD), /protected in a way that is not known/);
  }
});

test('what is no store of these types says so', () => {
  refused(() => open('j.jceks'), /JCEKS.*keytool/);
  for (const text of ['', 'x', 'hello, world', '\x30\x03\x02\x01\x03', '\x30\x80'])
    refused(
      () => readKeyStore(Buffer.from(text, 'latin1'), ''),
      /neither PEM nor a PKCS12 nor a JKS store|cut|cannot be opened/,
    );
});

test('PEM, its key sealed or not', () => {
  const [key, chain] = [bytes('ec.key').toString(), bytes('ec-chain.pem').toString()];
  const sealed = createPrivateKey(key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSWORD })
    .toString();
  for (const [text, password] of [
    [key + chain, ''],
    [chain + sealed, PASSWORD],
  ] as const) {
    const { own, trusted } = readPem(text, password);
    assert.equal(keyOf(own?.key ?? ''), keyOf(key));
    assert.deepEqual([prints(own?.chain), prints(trusted)], [inFile('ec-chain.pem'), inFile('ec-chain.pem')]);
  }
  assert.equal(readPem(chain, '').own, undefined);
  refused(() => readPem(sealed + chain, 'wrong'), /password does not open/);
  refused(() => readPem(key, ''), /no certificate/);
});
