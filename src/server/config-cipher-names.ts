/** Suites of TLS by the names that Java has (IANA's), and what OpenSSL calls them. */

/** Those of TLS 1.3 have one name. */
const MODERN = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_128_CCM_SHA256',
  'TLS_AES_128_CCM_8_SHA256',
];
/** How keys are agreed on, up to and with WITH. */
const EXCHANGES: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_: 'ECDHE-ECDSA-',
  TLS_ECDHE_RSA_WITH_: 'ECDHE-RSA-',
  TLS_DHE_RSA_WITH_: 'DHE-RSA-',
  TLS_RSA_WITH_: '',
};
/** What encrypts, and with which of these exchanges. */
const SEALS: readonly (readonly [java: string, openssl: string, of: readonly string[]])[] = [
  ['AES_256_GCM_SHA384', 'AES256-GCM-SHA384', ['ECDHE-ECDSA-', 'ECDHE-RSA-', 'DHE-RSA-', '']],
  ['AES_128_GCM_SHA256', 'AES128-GCM-SHA256', ['ECDHE-ECDSA-', 'ECDHE-RSA-', 'DHE-RSA-', '']],
  ['CHACHA20_POLY1305_SHA256', 'CHACHA20-POLY1305', ['ECDHE-ECDSA-', 'ECDHE-RSA-', 'DHE-RSA-']],
  ['AES_256_CBC_SHA384', 'AES256-SHA384', ['ECDHE-ECDSA-', 'ECDHE-RSA-']],
  ['AES_256_CBC_SHA256', 'AES256-SHA256', ['DHE-RSA-', '']],
  ['AES_128_CBC_SHA256', 'AES128-SHA256', ['ECDHE-ECDSA-', 'ECDHE-RSA-', 'DHE-RSA-', '']],
  ['AES_256_CBC_SHA', 'AES256-SHA', ['ECDHE-ECDSA-', 'ECDHE-RSA-', 'DHE-RSA-', '']],
  ['AES_128_CBC_SHA', 'AES128-SHA', ['ECDHE-ECDSA-', 'ECDHE-RSA-', 'DHE-RSA-', '']],
];

/** Java's name to OpenSSL's, for TLS 1.2. */
export const CLASSIC: ReadonlyMap<string, string> = new Map(
  Object.entries(EXCHANGES).flatMap(([words, prefix]) =>
    SEALS.filter(([, , of]) => of.includes(prefix)).map(
      ([java, openssl]) => [`${words}${java}`, `${prefix}${openssl}`] as const,
    ),
  ),
);
const BY_OPENSSL = new Set(CLASSIC.values());

/** Suites by either name, as OpenSSL has them, in their order: of TLS 1.3, of TLS 1.2, and what neither knows. */
export function cipherList(names: readonly string[]): {
  readonly modern: readonly string[];
  readonly classic: readonly string[];
  readonly unknown: readonly string[];
} {
  const modern: string[] = [];
  const classic: string[] = [];
  const unknown: string[] = [];
  for (const name of names) {
    const found = CLASSIC.get(name) ?? (BY_OPENSSL.has(name) ? name : undefined);
    if (MODERN.includes(name)) modern.push(name);
    else if (found !== undefined) classic.push(found);
    else unknown.push(name);
  }
  return { modern, classic, unknown };
}
