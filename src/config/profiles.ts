/** A target with a name. */
export interface Profile {
  /** Connect string. */
  readonly server: string;
  readonly auth?: readonly ProfileAuth[];
  readonly tls?: ProfileTls;
  /** Colour of the prompt. */
  readonly color?: string;
  /** Ask before each kind of change. */
  readonly protect?: boolean;
  /** Refuse to send any change. */
  readonly readOnly?: boolean;
  /** Session timeout: `20s`. */
  readonly timeout?: string;
}
/** A credential: in place, or where to find it (`env:VAR`, `file:F`, `cmd:CMD`); a relative F lies beside the configuration file. */
export interface ProfileAuth {
  readonly scheme: string;
  readonly cred?: string;
  readonly from?: string;
}
/** Files in PEM; relative names lie beside the configuration file. */
export interface ProfileTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly insecure?: boolean;
}

type Kinds<T> = Readonly<Record<keyof T, (value: unknown) => boolean>>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const KINDS: Kinds<Profile> = {
  server: (value) => isText(value) && value !== '',
  auth: (value) => Array.isArray(value) && value.every(isAuth),
  tls: isObject,
  color: isText,
  protect: isFlag,
  readOnly: isFlag,
  timeout: isText,
};
const TLS_KINDS: Kinds<ProfileTls> = { ca: isText, cert: isText, key: isText, servername: isText, insecure: isFlag };
const AUTH_KINDS: Kinds<ProfileAuth> = { scheme: isText, cred: isText, from: isText };

/** Each credential is one: in place, or where to find it. */
const isAuth = (value: unknown): boolean => {
  if (!isObject(value)) return false;
  const { scheme, cred, from } = value as Record<string, unknown>;
  return isText(scheme) && isText(cred) !== isText(from);
};

/** A key that is unknown is refused: of a misspelt `ca` or `from` nobody would hear. */
function faultOf(
  value: object,
  kinds: Readonly<Record<string, (value: unknown) => boolean>>,
  where = '',
): string | undefined {
  for (const [key, each] of Object.entries(value)) {
    const fits = Object.entries(kinds).find(([name]) => name === key)?.[1];
    if (fits === undefined) return `unknown key "${where}${key}"; there are ${Object.keys(kinds).join(', ')}`;
    if (!fits(each)) return `"${where}${key}" does not have the right form`;
  }
  return undefined;
}

/** What is wrong with a profile read from a file, in words, or undefined. */
export function isProfile(value: unknown): string | undefined {
  if (!isObject(value)) return 'must be an object';
  if (!('server' in value)) return '"server" (a connect string) is missing';
  const { tls = {}, auth = [] } = value as Partial<Profile>;
  return (
    faultOf(value, KINDS) ??
    faultOf(tls, TLS_KINDS, 'tls.') ??
    auth.map((each) => faultOf(each, AUTH_KINDS, 'auth.')).find((fault) => fault !== undefined)
  );
}
