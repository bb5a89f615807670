import { createPrivateKey } from 'node:crypto';
import { type KeyStore, KeyStoreError } from './key-stores.ts';

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;

/** A PEM file as a store: its first key, and its certificates in their order. @throws KeyStoreError */
export function readPem(text: string, password: string): KeyStore {
  const blocks = [...text.matchAll(BLOCK)];
  const certificates = blocks.filter(([, label]) => label === 'CERTIFICATE').map(([block]) => `${block}\n`);
  const sealed = blocks.find(([, label]) => label?.endsWith('PRIVATE KEY'))?.[0];
  if (sealed === undefined) return { own: undefined, trusted: certificates };
  if (certificates.length === 0) throw new KeyStoreError('holds a key and no certificate');
  return { own: { key: opened(sealed, password), chain: certificates }, trusted: certificates };
}

function opened(sealed: string, password: string): string {
  try {
    const key = createPrivateKey({ key: sealed, format: 'pem', passphrase: password });
    return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch (error) {
    const wrong = /decrypt|passphrase|password|bad/i.test((error as Error).message);
    throw new KeyStoreError(wrong ? 'has a key that this password does not open' : 'holds a key that cannot be read');
  }
}
