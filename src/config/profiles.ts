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

const KINDS: Readonly<Record<keyof Profile, (value: unknown) => boolean>> = {
  server: (value) => typeof value === 'string' && value !== '',
  auth: (value) => Array.isArray(value) && value.every(isAuth),
  tls: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  color: (value) => typeof value === 'string',
  protect: (value) => typeof value === 'boolean',
  readOnly: (value) => typeof value === 'boolean',
  timeout: (value) => typeof value === 'string',
};

const isAuth = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  const { scheme, cred, from } = value as Record<string, unknown>;
  return typeof scheme === 'string' && (typeof cred === 'string') !== (typeof from === 'string');
};

/** What is wrong with a profile read from a file, in words, or undefined. */
export function isProfile(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object';
  if (!('server' in value)) return '"server" (a connect string) is missing';
  for (const [key, each] of Object.entries(value)) {
    const fits = KINDS[key as keyof Profile];
    if (fits === undefined) return `unknown key "${key}"; there are ${Object.keys(KINDS).join(', ')}`;
    if (!fits(each)) return `"${key}" does not have the right form`;
  }
  return undefined;
}
