import { Secret } from '../base/secret.ts';
import { isKerberos, JaasError, readJaas, usersOf } from '../sasl/jaas.ts';
import type { Reader } from './config-reader.ts';
import { ConfigError, type Setting } from './config-text.ts';

/** Who may come in, and how they prove who they are, beyond digest. */
export interface AuthConfig {
  /** Schemes that ACLs may name. */
  readonly providers: ReadonlySet<string>;
  /** Undefined: nobody logs in by SASL. */
  readonly sasl: SaslConfig | undefined;
  /** A connection asks nothing before it has an identity of one of these schemes; undefined: it may. */
  readonly enforced: ReadonlySet<string> | undefined;
  /** Subject of the certificate whose owner may do everything. */
  readonly x509SuperUser: string | undefined;
}
export interface SaslConfig {
  /** Passwords by user. */
  readonly users: ReadonlyMap<string, Secret>;
  /** Users who may do everything. */
  readonly superUsers: ReadonlySet<string>;
  /** A client whose login failed goes on without identity, unless SASL is compulsory. */
  readonly allowFailed: boolean;
}

/** A JAAS configuration and its name. */
export interface JaasFile {
  readonly text: string;
  readonly file: string;
  /** Who may read and write it, as stat says. */
  readonly mode: number;
}

const PROVIDER = 'authProvider.';
const SUPER = /^superUser(\..+)?$/;
/** Settings with a name of the operator's choice behind a known one. */
export const isAuthKey = (key: string): boolean => key.startsWith(PROVIDER) || SUPER.test(key);

/** By the last part of the class that zoo.cfg names. */
const SCHEMES: Readonly<Record<string, string>> = {
  SASLAuthenticationProvider: 'sasl',
  X509AuthenticationProvider: 'x509',
  DigestAuthenticationProvider: 'digest',
  IPAuthenticationProvider: 'ip',
};

/**
 * The settings about logins. `named`: those that {@link isAuthKey} tells; `jaas`: the file that
 * java.security.auth.login.config names; `tls`: clients may come by TLS. @throws ConfigError
 */
export function authConfig(
  take: Reader,
  named: readonly Setting[],
  jaas: JaasFile | undefined,
  tls: boolean,
  notes: string[],
): AuthConfig {
  const providers = providersOf(take, named, tls, notes);
  const sasl = saslOf(take, named, jaas, notes);
  if (sasl !== undefined && !providers.has('sasl'))
    notes.push(
      'SASL users are read and ACLs of scheme sasl are refused; authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider lets them in',
    );
  return {
    ...{ providers, sasl },
    enforced: enforcedOf(take, providers, sasl),
    x509SuperUser: take.text('X509AuthenticationProvider.superUser'),
  };
}

function providersOf(take: Reader, named: readonly Setting[], tls: boolean, notes: string[]): Set<string> {
  const providers = new Set(['ip']);
  if (take.flag('DigestAuthenticationProvider.enabled')) providers.add('digest');
  if (take.flag('digest256.enabled')) providers.add('digest256');
  if (tls) providers.add('x509');
  for (const { key, value } of named) {
    if (!key.startsWith(PROVIDER)) continue;
    const scheme = SCHEMES[value.slice(value.lastIndexOf('.') + 1)];
    if (scheme === undefined) notes.push(`${key}=${value}: no such way to log in here; it has no effect`);
    else providers.add(scheme);
  }
  return providers;
}

function saslOf(
  take: Reader,
  named: readonly Setting[],
  jaas: JaasFile | undefined,
  notes: string[],
): SaslConfig | undefined {
  const key = 'java.security.auth.login.config';
  const file = take.text(key);
  if (file === undefined) return undefined;
  if (jaas === undefined) throw take.error(key, `${file} does not exist`, 'name the JAAS file with the section Server');
  const section = take.text('sasl.serverconfig') as string;
  const entries = sectionOf(jaas, section, take);
  // a file of clients' sections alone is no mistake: it is shared by programs on this machine
  if (entries === undefined) {
    if (take.origin('sasl.serverconfig') !== undefined)
      throw take.error('sasl.serverconfig', `${file} has no section ${section}`, 'name one that it has');
    notes.push(`${file} has no section ${section}: nobody logs in by SASL`);
    return undefined;
  }
  if (isKerberos(entries))
    throw take.error(
      key,
      `section ${section} of ${file} asks for Kerberos, which this server does not speak`,
      'give users and passwords with DigestLoginModule',
    );
  if ((jaas.mode & 0o022) !== 0)
    throw take.error(
      key,
      `${file} can be written by others than its owner`,
      'whoever writes there lets in whom he likes',
    );
  if ((jaas.mode & 0o044) !== 0) notes.push(`${file} holds passwords and can be read by others than its owner`);
  const users = usersOf(entries);
  if (users === undefined)
    throw take.error(key, `section ${section} of ${file} has no DigestLoginModule`, 'only DIGEST-MD5 is spoken');
  if (take.flag('fips-mode')) {
    notes.push('fips-mode=true: DIGEST-MD5 is off, so nobody logs in by SASL');
    return undefined;
  }
  const superPassword = take.text('SASLAuthenticationProvider.superPassword');
  const all = superPassword === undefined ? users : new Map([...users, ['super', superPassword]]);
  return {
    users: new Map([...all].map(([user, password]) => [user, new Secret(password)])),
    superUsers: new Set(named.flatMap((each) => (SUPER.test(each.key) && each.value !== '' ? [each.value] : []))),
    allowFailed: take.flag('allowSaslFailedClients'),
  };
}

function sectionOf(jaas: JaasFile, section: string, take: Reader) {
  try {
    return readJaas(jaas.text).get(section);
  } catch (error) {
    if (!(error instanceof JaasError)) throw error;
    throw new ConfigError(`${jaas.file} is no JAAS configuration: ${error.message}`, 'mend it there', {
      key: 'java.security.auth.login.config',
      from: take.origin('java.security.auth.login.config'),
    });
  }
}

function enforcedOf(
  take: Reader,
  providers: ReadonlySet<string>,
  sasl: SaslConfig | undefined,
): ReadonlySet<string> | undefined {
  const compulsory = take.flag('sessionRequireClientSASLAuth');
  if (!compulsory && !take.flag('enforce.auth.enabled')) return undefined;
  const key = compulsory ? 'sessionRequireClientSASLAuth' : 'enforce.auth.schemes';
  const schemes = compulsory ? ['sasl'] : listed(take.text('enforce.auth.schemes') ?? '');
  if (schemes.length === 0)
    throw take.error(
      'enforce.auth.enabled',
      'enforce.auth.enabled=true and no enforce.auth.schemes',
      'name them, enforce.auth.schemes=sasl',
    );
  for (const scheme of schemes)
    if (!providers.has(scheme))
      throw take.error(
        key,
        `scheme ${scheme} is compulsory and there is no authProvider for it`,
        scheme === 'sasl'
          ? 'set authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider'
          : `use one of ${[...providers].join(', ')}`,
      );
  if (sasl === undefined && schemes.every((scheme) => scheme === 'sasl'))
    throw take.error(
      key,
      'SASL is compulsory and there are no users: nobody could come in',
      'name a JAAS file with the section Server in java.security.auth.login.config',
    );
  return new Set(schemes);
}

export const listed = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
