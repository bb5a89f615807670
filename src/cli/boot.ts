/**
 * The first file that runs. The program lies in `dist/bin` twice: in parts that Node loads as modules, and as one script
 * (`program.cjs`), which can be run from code that V8 has compiled before and that was kept. That halves what a command
 * takes beyond Node's own start. The first run in a home only leaves a mark, the second keeps the code, the third has it: who
 * starts once in a container pays nothing for what is never used.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';
import { folders } from '../config/folders.ts';

type Main = (argv: string[]) => Promise<number>;
type Tag = () => number;
/** What made the code, and how it was told to; V8 looks at its version and options, too, and no closer. */
function maker(): string {
  const { execPath, version, arch, execArgv, env } = process;
  const { size, mtimeMs } = statSync(execPath);
  return [execPath, size, mtimeMs, version, arch, ...execArgv, env.NODE_OPTIONS].join(' ');
}
/** Before the kept code: its checksum (4 bytes, big-endian) and nothing. V8 looks at versions and lengths, not at the bytes. */
const HEADER_BYTES = 8;
/** Of a file of code, or of half of one. */
const NAME = /^[0-9a-f]{1,8}-[0-9a-f]{1,8}(?:\.\d+)?$/;
/** Code of another version of ours or of Node is removed when a new one comes and it is as old as this, ms. */
const OLD_MS = 30 * 24 * 3_600_000;
/** These set V8 otherwise, or have no time: they run from code that others of ours kept, and keep none. */
const KEEP_NONE: ReadonlySet<string> = new Set(['start', '__complete']);

// --- who could have written it ---------------------------------------------------------------------------------------------

const [GROUP, OTHERS, STICKY] = [0o020, 0o002, 0o1000];
const isWindows = process.platform === 'win32';
const us = process.geteuid?.() ?? 0;
/** Nobody else can write it. A group that has the number of its only user is that user. */
const isShut = ({ mode, gid }: Stats): boolean =>
  isWindows || ((mode & OTHERS) === 0 && ((mode & GROUP) === 0 || (gid === us && process.getegid?.() === us)));
const isOurs = (stats: Stats): boolean => isWindows || stats.uid === us;
/** On the way to a folder: nobody but us and root can put something else in its place. */
const isTrusted = (stats: Stats): boolean =>
  isWindows ||
  ((isOurs(stats) || stats.uid === 0) && (stats.isSymbolicLink() || isShut(stats) || (stats.mode & STICKY) !== 0));

/** The folder, and everything above it, as far as it is there. @throws Error when others could put something into it */
function trusted(folder: string): void {
  for (let at = folder, isFolder = true; ; at = dirname(at), isFolder = false) {
    const stats = lstatSync(at, { throwIfNoEntry: false });
    const isGood =
      stats === undefined || (isFolder ? stats.isDirectory() && isOurs(stats) && isShut(stats) : isTrusted(stats));
    if (!isGood) throw new Error(`${at} is not ours alone`);
    if (at === dirname(at)) return;
  }
}

/** All of a file that only we can have written; undefined when there is none. */
function ours(file: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    const stats = fstatSync(fd);
    if (!stats.isFile() || !isOurs(stats) || !isShut(stats) || stats.nlink !== 1) return undefined;
    const bytes = Buffer.allocUnsafe(stats.size);
    return readSync(fd, bytes) === stats.size ? bytes : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

// --- what is kept ----------------------------------------------------------------------------------------------------------

/** The code in it; undefined for a mark, and for what is not whole. */
function codeIn(bytes: Buffer): Buffer | undefined {
  if (bytes.length <= HEADER_BYTES) return undefined;
  const code = bytes.subarray(HEADER_BYTES);
  return crc32(code) === bytes.readUInt32BE(0) ? code : undefined;
}
/** All or nothing of it is there afterwards; without room or the right to write the next start is as slow as this one. */
function keep(file: string, bytes: Buffer): void {
  const half = `${file}.${process.pid}`;
  try {
    writeFileSync(half, bytes, { mode: 0o600, flag: 'wx' });
    renameSync(half, file);
  } catch {
    try {
      rmSync(half, { force: true });
    } catch {}
  }
}
function keepCode(script: Script, file: string): void {
  try {
    const made = script.createCachedData();
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(crc32(made));
    keep(file, Buffer.concat([header, made]));
  } catch {}
}
function removeOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    const old = join(folder, name);
    const stats = NAME.test(name) ? lstatSync(old, { throwIfNoEntry: false }) : undefined;
    if (stats?.isFile() === true && stats.mtimeMs < Date.now() - OLD_MS) rmSync(old, { force: true });
  }
}

// --- the program -----------------------------------------------------------------------------------------------------------

/** The whole program as one script; its code is kept when it ends, unless it came from there. */
function asScript(file: string, source: Buffer, kept: string, code: Buffer | undefined): Main {
  const script = new Script(`(function(module,exports,require,hereUrl,hereImport){${source.toString('latin1')}\n})`, {
    filename: file,
    ...(code === undefined ? {} : { cachedData: code }),
  });
  if (script.cachedDataRejected !== false) {
    const { cachedDataVersionTag } = require('node:v8') as { cachedDataVersionTag: Tag };
    const tag = cachedDataVersionTag();
    // code that was made under other options than those at a start is of no use there
    process.on('exit', () => {
      if (cachedDataVersionTag() === tag) keepCode(script, kept);
    });
  }
  const module = { exports: {} as { main: Main } };
  const url = pathToFileURL(join(__dirname, 'main.js')).href;
  // Node 20 lets no script import that came from kept code, so this file does it for it
  script.runInThisContext()(module, module.exports, require, url, (name: string) => import(name));
  return module.exports.main;
}

/** Where code is kept: `ZOOSH_CODE_CACHE`, a whole path or `off`, or else beside whatever of ours may be lost. */
function folderOfCode(): string | undefined {
  const { ZOOSH_CODE_CACHE: wish = '', ZOOSH_HOME: home = '' } = process.env;
  const folder = wish === '' ? join(folders().cache, 'code') : wish;
  if (!isAbsolute(folder)) return undefined;
  return wish !== '' || home === '' || lstatSync(home, { throwIfNoEntry: false }) !== undefined ? folder : undefined;
}
/** The program as one script, where its code is kept or can be from now on. */
function fast(folder: string): Main | undefined {
  trusted(folder);
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats !== undefined) trusted(realpathSync(folder));
  const file = join(__dirname, 'program.cjs');
  const source = readFileSync(file);
  const kept = join(folder, [source, Buffer.from(maker())].map((each) => crc32(each).toString(16)).join('-'));
  const bytes = ours(kept);
  const code = bytes === undefined ? undefined : codeIn(bytes);
  if (code === undefined && KEEP_NONE.has(process.argv[2] ?? '')) return undefined;
  if (bytes !== undefined) return asScript(file, source, kept, code);
  if (stats === undefined) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    trusted(realpathSync(folder));
  }
  removeOld(folder);
  keep(kept, Buffer.alloc(0));
  return undefined;
}
async function program(): Promise<Main> {
  try {
    const folder = folderOfCode();
    const main = folder === undefined ? undefined : fast(folder);
    if (main !== undefined) return main;
  } catch {
    // a folder that is none, or none of ours alone: by parts
  }
  return ((await import('./main.js')) as { main: Main }).main;
}

// where nothing is left to do, and nobody has said how it ended
process.exitCode = 70;
const unfinished = (code: number): void => {
  if (code === 70)
    process.stderr.write('error: zoosh ended in the midst of its work, and does not know why; please report it\n');
};
process.on('exit', unfinished);
void program()
  .then((main) => main(process.argv.slice(2)))
  .then((code) => {
    process.removeListener('exit', unfinished);
    process.exitCode = code;
  });
