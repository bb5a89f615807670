import { createPrivateKey, type KeyObject } from 'node:crypto';
import { isBearable } from './key-cost.ts';
import { type KeyStore, KeyStoreError } from './key-stores.ts';
import { pemBlocks } from './pem-blocks.ts';

/** A PEM file as a store: its first key, and its certificates in their order. @throws KeyStoreError */
export function readPem(text: string, password: string): KeyStore {
  const blocks = pemBlocks(text);
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE').map((block) => `${block.text}\n`);
  const sealed = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'))?.text;
  if (sealed === undefined) return { own: undefined, trusted: certificates };
  if (certificates.length === 0) throw new KeyStoreError('holds a key and no certificate');
  const key = openPem(sealed, password).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { own: { key, chain: certificates }, trusted: certificates };
}

/** A private key, sealed under a password or not; one block of PEM. @throws KeyStoreError */
export function openPem(text: string, password: string | undefined): KeyObject {
  const isSealed = text.startsWith('-----BEGIN ENCRYPTED');
  if (isSealed && password !== undefined && !isBearable(text))
    throw new KeyStoreError(
      'holds a key that is sealed in a way that is not known, or takes too long to open on purpose',
    );
  try {
    return createPrivateKey({ key: text, format: 'pem', ...(password !== undefined && { passphrase: password }) });
  } catch {
    const isLocked = /ENCRYPTED/.test(text);
    throw new KeyStoreError(
      isLocked ? 'holds a key that its password does not open' : 'holds a key that cannot be read',
    );
  }
}
