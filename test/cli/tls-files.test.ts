/** What is wrong with the files of --tls-ca, --tls-cert and --tls-key is told by their names, before anybody is called. */
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tlsTexts } from '../../src/cli/tls-files.ts';
import type { Failure } from '../../src/shell/failure.ts';

const STORES = fileURLToPath(new URL('../../../test/tls/stores/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'zoosh-tls-files-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const text = (name: string): string => readFileSync(STORES + name, 'latin1');
const written = (name: string, content: string | Uint8Array): string => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};
const [cert, key] = [`${STORES}ec-chain.pem`, `${STORES}ec.key`];
const none = { ca: undefined, cert: undefined, key: undefined };

test('certificate and key may be in two files or in one, in either order, whichever option names it', () => {
  const [chain, secret] = [text('ec-chain.pem'), text('ec.key')];
  assert.deepEqual(tlsTexts({ ca: cert, cert, key }), { ca: chain, cert: chain, key: secret });
  assert.deepEqual(tlsTexts(none), {});
  for (const both of [
    `${secret}${chain}`,
    `${chain}${secret}`,
    `# küche\r\n${chain}${secret}`.replaceAll('\n', '\r\n'),
  ]) {
    const file = written('both.pem', both);
    for (const files of [
      { ...none, cert: file },
      { ...none, key: file },
    ]) {
      const texts = tlsTexts(files);
      assert.equal(
        new X509Certificate(texts.cert as string).checkPrivateKey(createPrivateKey(texts.key as string)),
        true,
      );
    }
  }
});

test('what is wrong with a file is told by its name, and what to do', () => {
  const locked = createPrivateKey(text('ec.key'));
  const lock = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
  const der = new X509Certificate(text('ec-chain.pem')).raw;
  for (const [files, message, hint] of [
    [{ cert }, 'ec-chain.pem is a certificate without its key', /^--tls-key/],
    [{ key }, 'ec.key is a key without its certificate', /^--tls-cert/],
    [{ cert: key, key: cert }, 'ec.key holds no certificate in PEM', /openssl x509/],
    [{ cert, key: cert }, 'ec-chain.pem holds no private key in PEM', /openssl pkey/],
    [{ cert, key: `${STORES}rsa.key` }, 'the key in rsa.key is not that of the first certificate in ec-chain.pem'],
    [{ ca: key }, 'ec.key holds no certificate in PEM', /Java/],
    [{ ca: written('der', der) }, 'der holds no certificate in PEM', /makes PEM/],
    [
      { ca: written('cut.pem', text('ec-chain.pem').slice(0, 200)) },
      'the certificate in cut.pem cannot be read: it is damaged',
    ],
    [
      { cert, key: written('cut.key', '-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----\n') },
      'the private key in cut.key cannot be read: it is damaged, or of a kind that there is not',
    ],
    [
      { cert, key: written('pkcs8.key', locked.export({ ...lock, type: 'pkcs8' })) },
      'the key in pkcs8.key is protected by a password',
      /takes it off/,
    ],
    [
      { cert, key: written('sec1.key', locked.export({ ...lock, type: 'sec1' })) },
      'the key in sec1.key is protected by a password',
      /takes it off/,
    ],
    [{ ca: '' }, 'cannot read a file without a name: there is no such file'],
    [{ cert: folder, key }, `cannot read ${folder}: it is a folder`],
  ] as const)
    assert.throws(
      () => tlsTexts({ ...none, ...files }),
      (failure: Failure) => {
        const said = message.startsWith('cannot') ? failure.message : failure.message.replaceAll(/\/\S*\//g, '');
        assert.equal(said, message);
        assert.equal(failure.exit, 2);
        if (hint === undefined) assert.equal(failure.hint, undefined);
        else assert.match(failure.hint ?? '', hint);
        return true;
      },
    );
});
