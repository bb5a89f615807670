import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, freemem, hostname, release, totalmem, uptime } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { fourLetterWord } from '../client/connect.ts';
import { askMember } from '../ensemble/control-client.ts';
import { shellWords } from '../operate/jvm-flags.ts';
import { tail } from '../operate/launch.ts';
import { maskedFile, secretsIn, without } from '../operate/masked.ts';
import { PidFile } from '../operate/pid-file.ts';
import { flagSources, processRows, SERVER_FLAGS } from '../operate/settings.ts';
import { type TarEntry, tarGz } from '../operate/tar.ts';
import { whyNotMade } from '../operate/whose.ts';
import { isLockFile } from '../platform/lock-file.ts';
import { packageVersion } from '../platform/version.ts';
import { AUDIT_NAME } from '../runtime/audit-log.ts';
import { reportedVersion } from '../runtime/reported-version.ts';
import { StartError } from '../runtime/start-error.ts';
import type { ServerConfig } from '../server/config.ts';
import { type Loaded, loadConfig, type Operation } from './operation.ts';
import { clientAddress, configText } from './server-tell.ts';

/** Words whose answers hold neither paths nor data nor who is connected. */
const WORDS = ['ruok', 'srvr', 'mntr', 'isro', 'conf', 'envi', 'dirs', 'wchs'];
const LOG_BYTES = 1 << 20;
const ANSWER_MS = 3000;

/** `bundle [OUT.tgz]`. */
export async function bundle(operation: Operation): Promise<number> {
  const now = new Date();
  const stamp = now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const name = `zoosh-bundle-${hostname()}-${stamp}`;
  const out = operation.word ?? `${name}.tgz`;
  const entries = (await collect(operation)).map(({ name: file, text }) => ({
    name: `${name.slice(0, 60)}/${file}`,
    text,
  }));
  try {
    writeFileSync(out, tarGz(entries, now.getTime()), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    // a part of one, on a full disk, is of no use to anybody
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(out, { force: true });
    const isFolder = statSync(out, { throwIfNoEntry: false })?.isDirectory() === true;
    const why = isFolder ? 'it is a folder; name a file in it' : whyNotMade(resolve(out), error);
    throw new StartError(40, `${out} cannot be written: ${why}`);
  }
  process.stdout.write(
    operation.isJson ? `${JSON.stringify({ file: out, files: entries.map((each) => each.name) })}\n` : `${out}\n`,
  );
  return 0;
}

/** All files of the bundle; none holds a secret, or what a client wrote. */
export async function collect(operation: Operation): Promise<TarEntry[]> {
  const loaded = loadConfig(operation);
  const { config, gathered } = loaded;
  const { places, env } = operation;
  const secrets = secretsIn(gathered.settings, env);
  const { secretFile } = config.ensemble ?? {};
  // the members' secret is nowhere in a log; should it be, it is not here
  if (secretFile !== undefined)
    secrets.push(
      ...read(secretFile)
        .split(/\s+/)
        .filter((each) => each.length >= 16),
    );
  const files: TarEntry[] = [
    { name: 'versions.txt', text: versions(config) },
    { name: 'settings.txt', text: configText([...config.inForce, ...processRows(gathered)]) },
    { name: 'notes.txt', text: [...gathered.notes, ...config.notes, ''].join('\n') },
    { name: 'environment.txt', text: environment(operation) },
    { name: 'zoo.cfg', text: maskedFile(readFileSync(places.config, 'utf8'), places.config, secrets) },
    { name: 'files.txt', text: listing(config) },
    { name: 'process.txt', text: processText(loaded) },
    { name: 'status.json', text: await status(loaded) },
    ...(await words(config)),
    ...logs(operation).map(([name, path]) => ({ name, text: withoutAudit(tail(path, LOG_BYTES)) })),
  ];
  return files.map(({ name, text }) => ({ name, text: without(text, secrets) }));
}

const versions = (config: ServerConfig): string =>
  [
    `zoosh ${packageVersion()}`,
    `reported as ${reportedVersion(config)}`,
    `node ${process.version}, v8 ${process.versions.v8}, openssl ${process.versions.openssl}`,
    `${process.platform} ${process.arch} ${release()}`,
    `${cpus().length} processors, ${Math.round(totalmem() / 2 ** 20)} MiB, ${Math.round(freemem() / 2 ** 20)} MiB free`,
    `up ${Math.round(uptime())} s, it is ${new Date().toISOString()}`,
    '',
  ].join('\n');

/** The variables that `zoosh server` reads; words for a Java machine by their names only. */
function environment({ env }: Operation): string {
  const plain = [
    'ZOOCFGDIR',
    'ZOOCFG',
    'ZOO_LOG_DIR',
    'ZOO_LOG_FILE',
    'ZOOPIDFILE',
    'ZK_SERVER_HEAP',
    'ZOO_LOG4J_PROP',
    'ZOO_DATADIR_AUTOCREATE_DISABLE',
    'NODE_OPTIONS',
  ];
  const lines = plain.filter((name) => env[name] !== undefined).map((name) => `${name}=${env[name]}`);
  for (const { option, text } of flagSources(env, SERVER_FLAGS))
    lines.push(
      `${option}: ${shellWords(text)
        .map((word) => word.replace(/=[\s\S]*/, '=...'))
        .join(' ')}`,
    );
  return [...lines, ''].join('\n');
}

/** A small file; empty where it is not there, or not for this user. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** In order; none, and a line that says why, where this user may not look. */
function namesIn(dir: string, lines: string[]): string[] {
  try {
    return readdirSync(dir).sort();
  } catch (error) {
    lines.push(`${dir}: ${fileWords(error)}`);
    return [];
  }
}

/** Names, sizes and times of the files of a server; nothing is opened. */
function listing({ dataDir, dataLogDir }: ServerConfig): string {
  const lines: string[] = [];
  const walk = (root: string, dir: string, depth: number): void => {
    for (const name of namesIn(dir, lines)) {
      const path = join(dir, name);
      if (isLockFile(name)) continue;
      try {
        const stat = statSync(path);
        lines.push(
          `${stat.mtime.toISOString()} ${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid} ${String(stat.size).padStart(12)} ${relative(root, path)}${stat.isDirectory() ? '/' : ''}`,
        );
        if (stat.isDirectory() && depth > 0) walk(root, path, depth - 1);
      } catch {
        lines.push(`gone meanwhile: ${relative(root, path)}`);
      }
    }
  };
  for (const dir of new Set([dataDir, dataLogDir])) {
    lines.push(`${dir}:`);
    if (existsSync(dir)) walk(realpathSync(dir), realpathSync(dir), 2);
    else lines.push('is not there');
  }
  return [...lines, ''].join('\n');
}

function processText({ pidFile }: Loaded): string {
  let found: ReturnType<PidFile['find']>;
  try {
    found = new PidFile(pidFile).find();
  } catch (error) {
    if (error instanceof StartError) return `${error.message}\n`;
    throw error;
  }
  if (found.state !== 'running')
    return `${pidFile}: ${found.state === 'none' ? 'not there' : 'left by a server that has ended'}\n`;
  return `process ${found.pid}\n${read(`/proc/${found.pid}/status`)}\n${read(`/proc/${found.pid}/limits`)}`;
}

async function status({ control }: Loaded): Promise<string> {
  if (control === undefined || !existsSync(control)) return 'no control socket\n';
  return askMember(control, { op: 'status' }, ANSWER_MS).then(
    (found) => `${JSON.stringify(found, null, 2)}\n`,
    (error: Error) => `no answer: ${error.message}\n`,
  );
}

async function words(config: ServerConfig): Promise<TarEntry[]> {
  const at = clientAddress(config);
  if (at === undefined) return [];
  return Promise.all(
    WORDS.map(async (word) => ({
      name: `words/${word}.txt`,
      text: await fourLetterWord(word, { ...at, timeoutMs: ANSWER_MS }).catch(
        (error: Error) => `no answer: ${error.message}\n`,
      ),
    })),
  );
}

/** Lines of the audit log say what znodes are called and who changed them, which is nobody's business but the operator's. */
const withoutAudit = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.includes(AUDIT_NAME))
    .join('\n');

/** Where the server's log may be, and what each is called in the bundle. */
function logs({ places, values }: Operation): (readonly [string, string])[] {
  const file = values['log-file'] ?? places.logFile;
  return [
    ['server.out.txt', places.outFile],
    ['server.out.1.txt', `${places.outFile}.1`],
    ...(file === undefined ? [] : ([['server.log.txt', file]] as const)),
  ];
}
