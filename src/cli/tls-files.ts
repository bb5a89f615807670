/** The files of a target's TLS, looked at before anybody is called: what is wrong with them is told by their names. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileWords } from '../base/file-words.ts';
import type { TlsOptions } from '../ports/network.ts';
import { usage } from '../shell/failure.ts';

/** As they were named; undefined: not at all. */
export interface TlsFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;
const KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/;
const LOCKED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/**
 * PEM texts. Certificate and key may be in one file, as ZooKeeper's key stores have them, whichever option names it.
 * @throws Failure (2) for what cannot be read, is no PEM, lacks the other half, or does not belong together
 */
export function tlsTexts({ ca, cert, key }: TlsFiles): Pick<TlsOptions, 'ca' | 'cert' | 'key'> {
  const authority = ca === undefined ? {} : { ca: withCertificates(ca) };
  const both = cert ?? key;
  if (both === undefined) return authority;
  const [certFile, keyFile] = [cert ?? both, key ?? both];
  const chain = readText(certFile);
  if (!CERTIFICATE.test(chain)) {
    if (cert === undefined) throw usage(`${keyFile} is a key without its certificate`, '--tls-cert names it');
    throw noPem(certFile, 'certificate');
  }
  const own = certificateIn(certFile, chain);
  const secret = keyFile === certFile ? chain : readText(keyFile);
  if (LOCKED.test(secret))
    throw usage(
      `the key in ${keyFile} is protected by a password`,
      `openssl pkey -in ${keyFile} -out FILE takes it off; --client-config takes key stores with their passwords`,
    );
  if (!KEY.test(secret)) {
    if (key === undefined) throw usage(`${certFile} is a certificate without its key`, '--tls-key names it');
    throw noPem(keyFile, 'private key');
  }
  if (!own.checkPrivateKey(keyIn(keyFile, secret)))
    throw usage(`the key in ${keyFile} is not that of the first certificate in ${certFile}`);
  return { ...authority, cert: chain, key: secret };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1'); // of PEM only the text between its armour counts, which is ASCII
  } catch (error) {
    throw usage(`cannot read ${file === '' ? 'a file without a name' : file}: ${fileWords(error)}`);
  }
}
function withCertificates(file: string): string {
  const text = readText(file);
  if (!CERTIFICATE.test(text)) throw noPem(file, 'certificate');
  certificateIn(file, text);
  return text;
}
const noPem = (file: string, what: 'certificate' | 'private key') =>
  usage(
    `${file} holds no ${what} in PEM`,
    what === 'certificate'
      ? `openssl x509 -in ${file} -out FILE makes PEM of another form; --client-config takes key stores of Java`
      : `openssl pkey -in ${file} -out FILE makes PEM of another form; --client-config takes key stores of Java`,
  );
function certificateIn(file: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw usage(`the certificate in ${file} cannot be read: it is damaged`);
  }
}
function keyIn(file: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw usage(`the private key in ${file} cannot be read: it is damaged, or of a kind that there is not`);
  }
}
