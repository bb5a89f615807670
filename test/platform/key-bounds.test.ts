/** Files of keys that ask for more than anybody waits for: each is refused by a sentence, soon. */
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KeyStoreError, readKeyStore } from '../../src/platform/key-stores.ts';
import { pemBlocks } from '../../src/platform/pem-blocks.ts';
import { openPem, readPem } from '../../src/platform/pem-store.ts';
import { lateIf, stopwatch, timely } from '../patience.ts';
import { der, oid } from '../tls/certificates.ts';
import { withTurns } from '../tls/turns.ts';

/** An answer is awaited so long at most, ms of work; what is refused here would take minutes to hours. */
const SOON_MS = 5000;
const PASSWORD = 'apassword';
const store = (name: string): Buffer => readFileSync(new URL(`../../../test/tls/stores/${name}`, import.meta.url));

/** Does it within that time. */
const soon = (run: () => void): Promise<void> =>
  timely(() => {
    const took = stopwatch();
    run();
    const ms = took();
    return lateIf(ms >= SOON_MS, `${ms} ms`);
  });
const refusedSoon = (what: () => unknown, sentence: RegExp): Promise<void> =>
  soon(() => assert.throws(what, (error) => error instanceof KeyStoreError && sentence.test(error.message)));

test('PKCS12: turns for its check are counted', async () => {
  const open = (turns: number) => readKeyStore(withTurns(store('ec.p12'), turns), PASSWORD);
  assert.ok(open(10_000).own !== undefined, 'as it is');
  for (const turns of [1_000_001, 0x7fff_ffff, 2 ** 40])
    await refusedSoon(() => open(turns), /takes too long to open on purpose/);
  for (const turns of [0, -1]) await refusedSoon(() => open(turns), /cannot be opened|takes too long/);
  // one that is within the bound is tried, and its check fails
  await refusedSoon(() => open(200_000), /that is not its password/);
});

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const INTEGER = 0x02;
const OCTETS = 0x04;
const SEQUENCE = 0x30;
const integer = (value: number): Buffer => {
  const hex = value.toString(16);
  return der(INTEGER, Buffer.from(hex.length % 2 === 0 ? `00${hex}` : `0${hex}`, 'hex'));
};
/** A key sealed with PBES2, by the way to derive its key that is given; what is in it is noise. */
function sealed(way: string, ...params: Buffer[]): string {
  const derive = der(SEQUENCE, oid(way), der(SEQUENCE, der(OCTETS, Buffer.alloc(16)), ...params));
  const cipher = der(SEQUENCE, oid('2.16.840.1.101.3.4.1.42'), der(OCTETS, Buffer.alloc(16)));
  const algorithm = der(SEQUENCE, oid('1.2.840.113549.1.5.13'), der(SEQUENCE, derive, cipher));
  return pemOf(der(SEQUENCE, algorithm, der(OCTETS, Buffer.alloc(128, 7))));
}
const pemOf = (bytes: Buffer): string =>
  `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';

test('a sealed key in PEM: turns of PBKDF2, and scrypt, are looked at before they are made', async () => {
  const long = /takes too long to open on purpose/;
  const no = /its password does not open/;
  await refusedSoon(() => openPem(sealed(PBKDF2, integer(2048)), 'x'), no);
  for (const turns of [1_000_001, 0x7fff_ffff, 2 ** 50])
    await refusedSoon(() => openPem(sealed(PBKDF2, integer(turns)), 'x'), long);
  await refusedSoon(() => openPem(sealed(SCRYPT, ...[16384, 8, 1].map(integer)), 'x'), no);
  for (const [n, r, p] of [
    [16384, 8, 1_000_000],
    [2 ** 30, 8, 1],
    [16384, 8, 33],
  ] as const)
    await refusedSoon(() => openPem(sealed(SCRYPT, ...[n, r, p].map(integer)), 'x'), long);
  for (const bytes of ['', '30', '3080', '30800000', '3082ffff', '300100', '30020500'])
    await refusedSoon(() => openPem(pemOf(Buffer.from(bytes, 'hex')), 'x'), long);
  // what openssl and Node make is opened
  const good = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
  assert.ok(openPem(String(good), 'x').equals(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }))));
});

test('PEM with beginnings and no ends, ends and no beginnings: read in a time that its length bounds', async () => {
  const chain = store('ec-chain.pem').toString();
  const [first = ''] = chain.split(/(?<=-----END CERTIFICATE-----)/);
  const many = (text: string): string => text.repeat(Math.floor(1_000_000 / text.length));
  for (const junk of [
    many('-----BEGIN CERTIFICATE-----'),
    many('-----BEGIN X-----'),
    many('-----END CERTIFICATE-----'),
    many('-----BEGIN A-----\n-----END B-----\n'),
    many('-----BEGIN '),
    '-'.repeat(1_000_000),
    `${many('-----BEGIN A-----')}-----END B-----`,
  ]) {
    await soon(() => {
      pemBlocks(junk);
      readPem(junk, '');
    });
  }
  assert.deepEqual(
    pemBlocks(`x\n-----BEGIN LOST-----\n${first}\n-----END NOTHING-----\ny`).map(({ text }) => text.trim()),
    [first.trim()],
  );
  assert.equal(pemBlocks(chain).length, 3);
});
