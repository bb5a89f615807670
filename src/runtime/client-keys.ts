import type { X509Certificate } from 'node:crypto';
import { type ClientTlsKeys, tryKeys } from '../platform/client-tls.ts';
import type { ServerConfig } from '../server/config.ts';
import type { ClientTls } from '../server/config-client-tls.ts';
import { ConfigError } from '../server/config-text.ts';
import type { PemStore } from '../server/config-tls.ts';
import { readOwn, readTrusted, SOON_MS } from './key-files.ts';
import type { Logger } from './log.ts';

/** What clients are shown and who is believed, and what should be said about it. */
export interface ClientKeys {
  readonly keys: ClientTlsKeys;
  readonly warnings: readonly string[];
}

/** What clients are shown by TLS; undefined where it is not spoken. @throws ConfigError (43) */
export async function keysForClients(
  { clientTls }: ServerConfig,
  logger: Logger,
  now: number,
): Promise<ClientTlsKeys | undefined> {
  if (clientTls === undefined) return undefined;
  const { keys, warnings } = await readClientKeys(clientTls, now);
  for (const warning of warnings) logger.warn(warning);
  return keys;
}

/** Reads the stores that zoo.cfg names; `now` is ms since 1970. @throws ConfigError (43) when a file is of no use */
export async function readClientKeys(tls: ClientTls, now: number): Promise<ClientKeys> {
  const { keyStore, trustStore, minVersion, maxVersion, ciphers } = tls;
  const { own, chain, key, warnings } = await readOwn(keyStore);
  const authorities = trustStore === undefined ? [] : await readTrusted(trustStore);
  const keys: ClientTlsKeys = { chain, key, authorities, minVersion, maxVersion, ciphers };
  try {
    tryKeys(keys);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw Object.assign(
      new ConfigError(
        `ssl.keyStore.location=${keyStore.location} cannot be used for TLS (${code ?? message})`,
        'make a certificate of today: RSA of 2048 bits or more, or ECDSA, and see that ssl.ciphersuites fits it',
        { key: 'ssl.keyStore.location' },
      ),
      { cause: error },
    );
  }
  return { keys, warnings: [...warnings, ...remarks(own, keyStore, now)] };
}

/** What clients will turn this server away for, or soon will. */
function remarks(own: X509Certificate, { location }: PemStore, now: number): string[] {
  const which = `the certificate in ssl.keyStore.location=${location}`;
  const [from, to] = [Date.parse(own.validFrom), Date.parse(own.validTo)];
  if (now < from) return [`${which} is valid from ${own.validFrom} on; until then clients turn this server away`];
  if (now > to) return [`${which} expired on ${own.validTo}; clients turn this server away: renew it`];
  return now > to - SOON_MS ? [`${which} expires on ${own.validTo}; then clients turn this server away: renew it`] : [];
}
