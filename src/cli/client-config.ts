import { readFileSync } from 'node:fs';
import type { TlsOptions } from '../ports/network.ts';
import { parseProperties } from '../server/config.ts';
import { usage } from '../shell/failure.ts';

const PREFIX = /^zookeeper\./;

/**
 * The TLS part of a zkCli properties file (`-client-configuration`), PEM stores only. Undefined when it asks for none.
 * @throws Failure (2) for a file that cannot be read and for what is not understood, by name
 */
export function clientConfig(file: string): TlsOptions | undefined {
  const values = new Map<string, string>();
  for (const { key, value } of parseProperties(read(file, file), file)) values.set(key.replace(PREFIX, ''), value);
  for (const key of values.keys())
    if (key.startsWith('sasl.') || key.startsWith('server.principal'))
      throw usage(`${file}: ${key}: SASL is not understood yet`, '--auth digest:USER:PASSWORD is');
  if (values.get('client.secure') !== 'true') return undefined;
  const pem = (name: string): string | undefined => {
    const location = values.get(`ssl.${name}.location`);
    if (location === undefined) return undefined;
    const type = values.get(`ssl.${name}.type`) ?? (/\.pem$/i.test(location) ? 'PEM' : 'another type');
    if (type.toUpperCase() !== 'PEM')
      throw usage(`${file}: ssl.${name}.location: only PEM stores are understood, not ${type}`, 'export it as PEM');
    return read(location, `${file}: ssl.${name}.location`);
  };
  const key = pem('keyStore');
  const ca = pem('trustStore');
  if (values.get('ssl.hostnameVerification') === 'false')
    throw usage(
      `${file}: ssl.hostnameVerification=false is not understood`,
      '--tls-servername says which name to expect',
    );
  return {
    ...(ca !== undefined && { ca }),
    ...(key !== undefined && { key, cert: certificates(key) }),
  };
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`${what} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** A PEM key store holds the key and its certificates. */
const certificates = (text: string): string =>
  (text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).join('\n');
