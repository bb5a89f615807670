import { readFileSync } from 'node:fs';
import { fileWords } from '../base/file-words.ts';
import type { Credential } from '../client/api.ts';
import { readJvmFlags } from '../operate/jvm-flags.ts';
import { CLIENT_FLAGS, flagSources } from '../operate/settings.ts';
import { isKerberos, type JaasEntry, JaasError, loginOf, readJaas } from '../sasl/jaas.ts';
import { parseAssignment, parseProperties, type Setting, showOrigin } from '../server/config-text.ts';
import { Failure, usage } from '../shell/failure.ts';

const JAAS = 'java.security.auth.login.config';
const SECTION = 'sasl.clientconfig';
const PREFIX = /^zookeeper\./;

/** Properties of Java's client among our own arguments (`-D`). @throws ConfigError */
export const definedFlags = (define: readonly string[] = []): Setting[] =>
  define.map((text) => parseAssignment(text.includes('=') ? text : `${text}=`, '-D'));

/** Those of the environment, then those of arguments, which win. */
export const clientFlags = (
  env: Readonly<Record<string, string | undefined>>,
  define: readonly string[] = [],
): Setting[] => [...readJvmFlags(flagSources(env, CLIENT_FLAGS)).settings, ...definedFlags(define)];

/**
 * The login by SASL that a JAAS file's section `Client` asks for, as Java's client finds it: by flags, and by a properties file,
 * which overrides them. Undefined without one. @throws Failure (2) for a file that cannot be read or understood, (4) for Kerberos
 */
export function clientLogin(flags: readonly Setting[], path?: string): Credential | undefined {
  const said = path === undefined ? [] : parseProperties(read(path, path), path);
  const values = new Map([...flags, ...said].map((setting) => [setting.key.replace(PREFIX, ''), setting]));
  const where = values.get(JAAS);
  if (where === undefined || where.value === '' || values.get('sasl.client')?.value === 'false') return undefined;
  const named = values.get(SECTION);
  const file = where.value;
  const section = named?.value ?? 'Client';
  const entries = sectionsOf(file, showOrigin(where.from)).get(section);
  if (entries === undefined) {
    // as in ZooKeeper: a file of servers' sections asks no client to log in, a section that is named does
    if (named === undefined) return undefined;
    throw usage(`${showOrigin(named.from)}: ${file} has no section ${section}`);
  }
  if (isKerberos(entries))
    throw new Failure(4, 'AuthFailed', `section ${section} of ${file} asks for Kerberos, which zoosh does not speak`, {
      hint: 'DigestLoginModule with username and password is',
    });
  const login = loginOf(entries);
  if (login === undefined)
    throw usage(`section ${section} of ${file} has no DigestLoginModule with username and password`);
  if (login.user.includes(':'))
    throw usage(`section ${section} of ${file}: a user with a colon cannot log in from here`);
  return { scheme: 'sasl', auth: `${login.user}:${login.password}` };
}

function sectionsOf(file: string, what: string): ReadonlyMap<string, readonly JaasEntry[]> {
  try {
    return readJaas(read(file, what));
  } catch (error) {
    if (!(error instanceof JaasError)) throw error;
    throw usage(`${what}: ${file} is not a JAAS configuration: ${error.message}`);
  }
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = fileWords(error);
    throw usage(what === file ? `${file} cannot be read: ${reason}` : `${what}: ${file} cannot be read: ${reason}`);
  }
}
