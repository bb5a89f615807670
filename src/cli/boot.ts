/**
 * The first file that runs. The program lies in `dist/bin` twice: in parts that Node loads as modules, and as one script
 * (`program.cjs`), which can be run from code that V8 has compiled before and that was kept. That halves what a command
 * takes beyond Node's own start. The first run in a home only leaves a mark, the second keeps the code, the third has it: who
 * starts once in a container pays nothing for what is never used.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { constants, Script } from 'node:vm';
import { crc32 } from 'node:zlib';
import { folders } from '../config/folders.ts';

type Main = (argv: string[]) => Promise<number>;
/** What made the code, and how it was told to; V8 looks at its version and options, too, and no closer. */
function maker(): string {
  const { execPath, version, arch, execArgv, env } = process;
  const { size, mtimeMs } = statSync(execPath);
  return [execPath, size, mtimeMs, version, arch, ...execArgv, env.NODE_OPTIONS].join(' ');
}
/** Before the kept code: its checksum (4 bytes, big-endian) and nothing. V8 looks at versions and lengths, not at the bytes. */
const HEADER_BYTES = 8;
/** Code of another version of ours or of Node is removed when a new one comes and it is as old as this, ms. */
const OLD_MS = 30 * 24 * 3_600_000;
/** Others may not write what we run. */
const FOR_OTHERS = 0o022;

const isOurs = ({ uid, mode }: { uid: number; mode: number }, forbidden = FOR_OTHERS): boolean =>
  process.platform === 'win32' || (uid === process.geteuid?.() && (mode & forbidden) === 0);
/** The innermost folder of a path that is there. */
const standing = (path: string): string => (existsSync(path) ? path : standing(dirname(path)));

/** All of a file that only we can have written; undefined when there is none. */
function ours(file: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    return isOurs(fstatSync(fd)) ? readFileSync(fd) : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
/** The code in it; undefined for a mark, and for what is not whole. */
function codeIn(bytes: Buffer): Buffer | undefined {
  if (bytes.length <= HEADER_BYTES) return undefined;
  const code = bytes.subarray(HEADER_BYTES);
  return crc32(code) === bytes.readUInt32BE(0) ? code : undefined;
}
/** All or nothing of it is there afterwards. */
function keep(file: string, bytes: Buffer): void {
  const half = `${file}.${process.pid}`;
  try {
    writeFileSync(half, bytes, { mode: 0o600, flag: 'wx' });
    renameSync(half, file);
  } catch {
    // no room, or no right to write: the next start is as slow as this one
    rmSync(half, { force: true });
  }
}

/** The whole program as one script; its code is kept when it ends, unless it came from there. */
function asScript(file: string, source: Buffer, kept: string, code: Buffer | undefined): Main {
  const script = new Script(`(function(module,exports,require,hereUrl){${source.toString('latin1')}\n})`, {
    filename: file,
    ...(code === undefined ? {} : { cachedData: code }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (script.cachedDataRejected !== false)
    process.on('exit', () => {
      const made = script.createCachedData();
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUInt32BE(crc32(made));
      keep(kept, Buffer.concat([header, made]));
    });
  const module = { exports: {} as { main: Main } };
  script.runInThisContext()(module, module.exports, require, pathToFileURL(join(__dirname, 'main.js')).href);
  return module.exports.main;
}

/** Where code is kept: `ZOOSH_CODE_CACHE`, a folder or `off`, or else beside whatever of ours may be lost. */
function folderOfCode(): string | undefined {
  const { ZOOSH_CODE_CACHE: wish = '', ZOOSH_HOME: home = '' } = process.env;
  if (wish !== '') return wish === 'off' ? undefined : wish;
  return home === '' || existsSync(home) ? join(folders().cache, 'code') : undefined;
}
/** The program as one script, where its code is kept or can be from now on. */
function fast(folder: string): Main | undefined {
  const file = join(__dirname, 'program.cjs');
  const source = readFileSync(file);
  const kept = join(folder, [source, Buffer.from(maker())].map((each) => crc32(each).toString(16)).join('-'));
  const bytes = ours(kept);
  if (bytes !== undefined) return asScript(file, source, kept, codeIn(bytes));
  // root's in the home of a user would be in his way
  if (!isOurs(statSync(standing(folder)), 0)) return undefined;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const old of readdirSync(folder).map((name) => join(folder, name)))
    if (statSync(old).mtimeMs < Date.now() - OLD_MS) rmSync(old, { force: true });
  keep(kept, Buffer.alloc(0));
  return undefined;
}
async function program(): Promise<Main> {
  try {
    const folder = folderOfCode();
    const main = folder === undefined ? undefined : fast(folder);
    if (main !== undefined) return main;
  } catch {
    // a folder that is none, or none of ours: by parts
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
