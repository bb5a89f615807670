import type { Credential } from '../client/api.ts';
import { ConnectStringError, parseConnectString } from '../client/connect-string.ts';
import { isOpenToOthers } from '../config/config-file.ts';
import { folders } from '../config/folders.ts';
import type { Profile } from '../config/profiles.ts';
import { isReference, revealSecret, SecretError } from '../config/secrets.ts';
import { connectStringOf } from '../ensemble/layout.ts';
import type { TlsOptions } from '../ports/network.ts';
import { usage } from '../shell/failure.ts';
import { besideConfig, referenceBeside } from '../shell/profile-files.ts';
import type { Target } from '../shell/session.ts';
import type { Profiles } from '../shell/settings.ts';
import { parseTimed } from '../shell/units.ts';
import { clientTls } from './client-config.ts';
import { clientFlags, clientLogin, definedFlags } from './client-login.ts';
import type { Globals } from './globals.ts';
import { tlsTexts } from './tls-files.ts';

export interface TargetSources {
  readonly globals: Globals;
  readonly profiles: Profiles;
  /** Where the profiles' relative file names begin, and whose mode guards their secrets. */
  readonly configFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** No credential is presented. */
  readonly isAnybody?: boolean;
}

/** Tells a target (`@name`, `host:port...`, `local/NAME`) from a command by its shape. */
export const isTarget = (word: string): boolean =>
  /^(?:@|local\/)[\w.-]+$/.test(word) || /^[^/@\s]*:\d+(?:[,/]|$)/.test(word);

/** Where to connect, from what was said: argument, option, environment, default profile, localhost. @throws Failure (2, 4) */
export const chooseTarget = (said: string | undefined, sources: TargetSources): Target =>
  targetOf(targetText(said, sources), sources);

/** {@link chooseTarget} before anything is looked up: `@profile` or a connect string. */
export function targetText(
  said: string | undefined,
  { globals, profiles, env }: Pick<TargetSources, 'globals' | 'env'> & { readonly profiles: Pick<Profiles, 'default'> },
): string {
  const profile =
    globals.profile ?? (said === undefined && globals.server === undefined ? env.ZOOSH_PROFILE : undefined);
  return (
    said ??
    (profile !== undefined && profile !== '' ? `@${profile.replace(/^@/, '')}` : undefined) ??
    globals.server ??
    nonEmpty(env.ZOOSH_SERVER) ??
    nonEmpty(env.ZK_SERVER) ??
    (profiles.default !== undefined ? `@${profiles.default}` : 'localhost:2181')
  );
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** `@profile` or a connect string, with the credentials and TLS files it needs read. @throws Failure (2, 4) */
export function targetOf(text: string, sources: TargetSources): Target {
  const name = text.startsWith('@') ? text.slice(1) : undefined;
  const profile: Profile = name === undefined ? { server: ensembleOf(text) ?? text } : sources.profiles.get(name);
  try {
    parseConnectString(profile.server);
  } catch (error) {
    throw error instanceof ConnectStringError ? usage(error.message) : error;
  }
  const { globals, env } = sources;
  const timeoutMs =
    globals.timeout ??
    (profile.timeout === undefined ? undefined : parseTimed(profile.timeout, 'the timeout of the profile'));
  const tls = tlsOf(profile, sources);
  return {
    server: profile.server,
    profile: name,
    color: profile.color,
    protect: profile.protect,
    readOnly: profile.readOnly,
    options: {
      auth:
        sources.isAnybody === true
          ? []
          : withLogin([...profileAuth(name, profile, sources), ...said(globals, env)], sources),
      connectTimeoutMs: globals.connectTimeout,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(tls !== undefined && { tls }),
      ...(globals.maxReply !== undefined && { maxReplyBytes: globals.maxReply }),
      ...(globals.allowRo === true && { allowReadOnly: true }),
    },
  };
}

/** A session logs in by SASL once: as was said last, or as Java's client would. */
function withLogin(auth: readonly Credential[], { globals, env }: TargetSources): Credential[] {
  const isLogin = ({ scheme }: Credential): boolean => scheme === 'sasl';
  const login = auth.findLast(isLogin) ?? clientLogin(clientFlags(env, globals.define), globals.clientConfig);
  const others = auth.filter((each) => !isLogin(each));
  return login === undefined ? others : [login, ...others];
}

/** How to speak to a server of our own: what was said on the command line, and nothing that is meant for others. @throws Failure (2, 4) */
export const ownOptions = (globals: Globals): Target['options'] => ({
  ...(globals.auth.length > 0 && { auth: said(globals, {}) }),
  connectTimeoutMs: globals.connectTimeout,
  ...(globals.timeout !== undefined && { timeoutMs: globals.timeout }),
  ...(globals.maxReply !== undefined && { maxReplyBytes: globals.maxReply }),
});

/** `local/NAME`: an ensemble of this machine. @throws Failure (2) when there is none of that name */
function ensembleOf(text: string): string | undefined {
  const [, name] = /^local\/([\w.-]+)$/.exec(text) ?? [];
  if (name === undefined) return undefined;
  const found = connectStringOf(folders().ensembles, name);
  if (found === undefined)
    throw usage(
      `no ensemble ${name} on this machine`,
      'ensemble list shows them; a host called local is said with its port',
    );
  return found;
}

function profileAuth(
  name: string | undefined,
  { auth = [] }: Profile,
  { configFile, env }: TargetSources,
): Credential[] {
  // "from" may hold the secret itself, where it names no place
  const isSecret = ({ cred, from }: (typeof auth)[number]): boolean =>
    cred !== undefined || (from !== undefined && !isReference(from));
  if (auth.some(isSecret) && isOpenToOthers(configFile))
    throw usage(
      `${configFile} holds credentials of @${name} and others can read it`,
      `chmod 600 ${configFile}, or keep them elsewhere with "from"`,
    );
  return auth.map(({ scheme, cred, from }) => ({
    scheme,
    auth: cred ?? secret(referenceBeside(configFile, from as string), env),
  }));
}

function said({ auth }: Globals, env: TargetSources['env']): Credential[] {
  const fromEnv = nonEmpty(env.ZOOSH_AUTH);
  return (auth.length > 0 ? auth : fromEnv === undefined ? [] : [fromEnv]).map((text) => {
    const colon = text.indexOf(':');
    if (colon <= 0) throw usage('--auth is SCHEME:CRED, for example digest:bob:secret or digest:env:ZK_AUTH');
    const credential = { scheme: text.slice(0, colon), auth: secret(text.slice(colon + 1), env) };
    if (credential.scheme === 'sasl' && credential.auth.indexOf(':') < 1)
      throw usage('--auth sasl:USER:PASSWORD is a user and a password, user:password');
    return credential;
  });
}

function secret(text: string, env: TargetSources['env']): string {
  try {
    return revealSecret(text, env);
  } catch (error) {
    throw error instanceof SecretError ? usage(error.message, error.hint) : error;
  }
}

function tlsOf({ tls: kept }: Profile, { globals, configFile }: TargetSources): TlsOptions | undefined {
  const { tls, tlsCa, tlsCert, tlsKey, tlsServername, tlsInsecure } = globals;
  const beside = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : besideConfig(configFile, file);
  const ca = tlsCa ?? beside(kept?.ca);
  const cert = tlsCert ?? beside(kept?.cert);
  const key = tlsKey ?? beside(kept?.key);
  const servername = tlsServername ?? kept?.servername;
  const insecure = tlsInsecure ?? kept?.insecure;
  const fromFile = clientTls(definedFlags(globals.define), globals.clientConfig);
  const wanted =
    fromFile !== undefined ||
    tls === true ||
    kept !== undefined ||
    [tlsCa, tlsCert, tlsKey, tlsInsecure].some((each) => each !== undefined);
  if (!wanted) return undefined;
  return {
    ...fromFile,
    ...tlsTexts({ ca, cert, key }),
    ...(servername !== undefined && { servername }),
    ...(insecure !== undefined && { insecure }),
  };
}
