import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { makeFolders } from '../base/make-folders.ts';
import { isProfile, type Profile } from './profiles.ts';

/** What the user keeps in config.json. */
export interface UserConfig {
  default?: string;
  settings?: Record<string, string | number | boolean>;
  profiles?: Record<string, Profile>;
}

/** The file is there and cannot be used; the message says where and why. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';
}

/** Takes `//` comments and commas before a closing bracket out of JSON; strings keep theirs. Line numbers stay. */
export function stripComments(text: string): string {
  return text
    .replace(/"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*/g, (found) => (found.startsWith('"') ? found : ''))
    .replace(/"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])/g, (found) => (found.startsWith('"') ? found : ''));
}

/** Absent means empty. @throws ConfigFileError */
export function readConfig(file: string): UserConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new ConfigFileError(`${file} cannot be read: ${fileWords(error)}`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(stripComments(text));
  } catch (error) {
    throw new ConfigFileError(`${file} is not valid JSON: ${(error as Error).message}`);
  }
  return check(parsed, file);
}

function check(value: unknown, file: string): UserConfig {
  const bad = (what: string): ConfigFileError => new ConfigFileError(`${file}: ${what}`);
  if (!isObject(value)) throw bad('must be an object with "default", "settings" and "profiles"');
  const { profiles = {}, settings = {}, default: preset } = value;
  if (preset !== undefined && typeof preset !== 'string') throw bad('"default" must name a profile');
  if (!isObject(settings)) throw bad('"settings" must be an object');
  for (const [name, each] of Object.entries(settings))
    if (!['string', 'number', 'boolean'].includes(typeof each))
      throw bad(`the setting ${name} must be a text, number or boolean`);
  if (!isObject(profiles)) throw bad('"profiles" must be an object');
  for (const [name, profile] of Object.entries(profiles)) {
    const fault = isProfile(profile);
    if (fault !== undefined) throw bad(`profile ${name}: ${fault}`);
  }
  return value as UserConfig;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Replaces the file in one step, so that a crash leaves the old one or the new one. Mode 0600: it may hold credentials. */
export function writeConfig(file: string, config: UserConfig): void {
  makeFolders(dirname(file), { mkdirSync, statSync }, 0o700);
  const draft = `${file}.${process.pid}.tmp`;
  const fd = openSync(draft, 'w', 0o600);
  try {
    writeSync(fd, `${JSON.stringify(config, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}

/** Who holds the file longer than this has died, ms. */
const LOCK_MS = 3000;
const TRY_MS = 10;
/** ms */
const PATIENCE_MS = 10_000;

/**
 * Reads the file anew, changes it and writes it, with nobody else in between: other shells keep theirs in it, too. What it
 * holds then, and its {@link markOfFile}. @throws ConfigFileError; Error of the system when it cannot be written
 */
export function changeConfig(
  file: string,
  change: (now: UserConfig) => UserConfig,
): { readonly config: UserConfig; readonly mark: string } {
  makeFolders(dirname(file), { mkdirSync, statSync }, 0o700);
  const release = hold(`${file}.lock`);
  try {
    const config = change(readConfig(file));
    writeConfig(file, config);
    return { config, mark: markOfFile(file) };
  } finally {
    release();
  }
}

/** Takes the lock, and gives what gives it back. @throws Error of the system; ConfigFileError when others hold it all the time */
function hold(lock: string): () => void {
  const end = performance.now() + PATIENCE_MS;
  for (;;)
    try {
      const fd = openSync(lock, 'wx', 0o600);
      const { ino } = fstatSync(fd);
      closeSync(fd);
      return () => {
        if (lstatSync(lock, { throwIfNoEntry: false })?.ino === ino) rmSync(lock, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (performance.now() > end) throw new ConfigFileError(`${lock} is there: another shell changes the file`);
      if (!tookStale(lock)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRY_MS);
    }
}

/** Takes a lock away whose holder has died. Several may find it: only one of them moves it, and none moves another one. */
function tookStale(lock: string): boolean {
  const found = lstatSync(lock, { throwIfNoEntry: false });
  if (found === undefined || Math.abs(Date.now() - found.mtimeMs) <= LOCK_MS) return false;
  const mine = `${lock}.${process.pid}`;
  try {
    renameSync(lock, mine);
    // somebody had taken it, and the next one holds it already: it is his
    if (lstatSync(mine).ino !== found.ino) linkSync(mine, lock);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  }
  rmSync(mine, { force: true });
  return true;
}

/** What tells one state of the file from the next. */
export function markOfFile(file: string): string {
  try {
    const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
    return stats === undefined ? '' : `${stats.ino} ${stats.mtimeNs} ${stats.size}`;
  } catch {
    return ''; // what cannot be looked at is told by who reads or writes it
  }
}

/** Others than the owner may read the file; secrets in it are then refused. */
export function isOpenToOthers(file: string): boolean {
  try {
    return (statSync(file).mode & 0o077) !== 0;
  } catch {
    return false;
  }
}
