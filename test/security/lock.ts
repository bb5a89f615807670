/** What a lockfile may say: every package with its hash, from whatever registry the user has, and known by name if it runs something when it is installed. */

/** Packages that bring an install script, and why that is no harm; docs/dependencies.md says the same. */
export const INSTALL_SCRIPTS: Readonly<Record<string, { readonly optional: boolean; readonly dev: boolean }>> = {
  esbuild: { optional: false, dev: true },
  'msgpackr-extract': { optional: true, dev: false },
};

interface Entry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly dev?: boolean;
}
export interface Lockfile {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Entry>>;
}
export interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const HASH = /^sha512-[A-Za-z0-9+/]{86}==$/;
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;
/** Scripts that npm runs at whoever installs this package. */
const RUN_BY_USERS = ['preinstall', 'install', 'postinstall', 'preprepare', 'postprepare'];

/** What is wrong with them, in words. */
export function lockFaults(lock: Lockfile, manifest: Manifest): string[] {
  const out: string[] = [];
  const { dependencies = {}, devDependencies = {}, optionalDependencies = {}, scripts = {} } = manifest;
  if (lock.lockfileVersion < 2) out.push('the lockfile is of an old format');
  for (const [name, wanted] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    if (!EXACT.test(wanted)) out.push(`${name}: ${wanted} is no exact version`);
    if (lock.packages[`node_modules/${name}`]?.version !== wanted) out.push(`${name}: not locked at ${wanted}`);
  }
  for (const name of RUN_BY_USERS) if (scripts[name] !== undefined) out.push(`package.json has a script ${name}`);
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (place === '') continue;
    const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (!place.startsWith('node_modules/') || entry.link === true) out.push(`${place}: not of a registry`);
    if (!EXACT.test(entry.version ?? '')) out.push(`${place}: its version is ${entry.version}`);
    if (!HASH.test(entry.integrity ?? '')) out.push(`${place}: no sha512 of it`);
    if (entry.inBundle === true) out.push(`${place}: comes within another package`);
    if (entry.resolved !== undefined) out.push(`${place}: from ${entry.resolved}`);
    if (entry.hasInstallScript !== true) continue;
    const known = Object.hasOwn(INSTALL_SCRIPTS, name) ? INSTALL_SCRIPTS[name] : undefined;
    if (known === undefined) out.push(`${place}: has an install script and is not listed`);
    else if (known.dev !== (entry.dev === true) || known.optional !== (entry.optional === true))
      out.push(`${place}: has an install script, and is needed elsewhere than listed`);
  }
  return out;
}
