import { readFileSync } from 'node:fs';
import { fileWords } from '../base/file-words.ts';
import { type KeyStore, KeyStoreError, readKeyStore } from '../platform/key-stores.ts';
import { readPem } from '../platform/pem-store.ts';
import type { TlsOptions } from '../ports/network.ts';
import { parseProperties, type Setting } from '../server/config-text.ts';
import { usage } from '../shell/failure.ts';

const PREFIX = /^zookeeper\./;

/**
 * The TLS that words for a Java machine ask for (CLIENT_JVMFLAGS), and a zkCli properties file (`-client-configuration`), which
 * overrides them: PEM, PKCS12 and JKS stores. Undefined when they ask for none.
 * @throws Failure (2) for what cannot be read or opened and for what is not understood, by name
 */
export function clientTls(flags: readonly Setting[], path?: string): TlsOptions | undefined {
  const file = path ?? 'CLIENT_JVMFLAGS';
  const said = path === undefined ? [] : parseProperties(read(path, path).toString(), path);
  const values = new Map([...flags, ...said.map(ofKafka)].map(({ key, value }) => [key.replace(PREFIX, ''), value]));
  if (values.get('client.secure') !== 'true') {
    const store = said.find(({ key }) => /\.(?:key|trust)store\.location$/i.test(key));
    if (store === undefined || values.has('client.secure')) return undefined;
    // who names them there means TLS, and a password would be sent in clear
    throw usage(
      `${file}: ${store.key} is named, and nothing says that TLS is to be spoken`,
      'zookeeper.client.secure=true says so, zookeeper.ssl.client.enable=true in a file of Kafka',
    );
  }
  const stores = { file, values };
  const own = storeOf('keyStore', stores)?.own;
  const trusted = storeOf('trustStore', stores)?.trusted;
  return {
    ...(trusted !== undefined && { ca: trusted.join('') }),
    ...(own !== undefined && { key: own.key, cert: own.chain.join('') }),
    ...(values.get('ssl.hostnameVerification') === 'false' && { anyName: true }),
  };
}

/** By the name that ZooKeeper has for it: Kafka writes its own into the file of -zk-tls-config-file. */
function ofKafka(setting: Setting): Setting {
  const key = setting.key.replace(PREFIX, '');
  if (key === 'ssl.client.enable') return { ...setting, key: 'client.secure' };
  if (key === 'ssl.endpoint.identification.algorithm')
    return { ...setting, key: 'ssl.hostnameVerification', value: String(setting.value !== '') };
  return { ...setting, key: key.replace(/^ssl\.(key|trust)store\./, 'ssl.$1Store.') };
}

interface Stores {
  readonly file: string;
  readonly values: ReadonlyMap<string, string>;
}

/** The store of that name; undefined when none is configured. Its type is told by what stands in it, as its name may lie. */
function storeOf(name: 'keyStore' | 'trustStore', { file, values }: Stores): KeyStore | undefined {
  const location = values.get(`ssl.${name}.location`);
  if (location === undefined) return undefined;
  const what = `${file}: ssl.${name}.location`;
  const bytes = read(location, what);
  const passwordFile = values.get(`ssl.${name}.passwordPath`);
  // as in ZooKeeper a file with the password wins
  const password =
    passwordFile === undefined
      ? (values.get(`ssl.${name}.password`) ?? '')
      : read(passwordFile, `${file}: ssl.${name}.passwordPath`).toString().trim();
  try {
    const store = bytes.includes('-----BEGIN ') ? readPem(bytes.toString(), password) : readKeyStore(bytes, password);
    if (name === 'keyStore' && store.own === undefined) throw new KeyStoreError('holds no private key');
    if (name === 'trustStore' && store.trusted.length === 0) throw new KeyStoreError('holds no certificate');
    return store;
  } catch (error) {
    if (!(error instanceof KeyStoreError)) throw error;
    throw usage(`${what}: ${location} ${error.message}`, `ssl.${name}.password or ssl.${name}.passwordPath opens it`);
  }
}

function read(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw usage(`${what} cannot be read: ${fileWords(error)}`);
  }
}
