import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { cpus, freemem, hostname, release, totalmem, uptime } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { fourLetterWord } from '../client/connect.ts';
import { askMember } from '../ensemble/control-client.ts';
import { shellWords } from '../operate/jvm-flags.ts';
import { maskedFile, secretsIn, without } from '../operate/masked.ts';
import { PidFile } from '../operate/pid-file.ts';
import { type Env, flagSources, processRows, SERVER_FLAGS } from '../operate/settings.ts';
import { type TarEntry, tarGz } from '../operate/tar.ts';
import { whyNotMade } from '../operate/whose.ts';
import { isLockFile } from '../platform/lock-file.ts';
import { packageVersion } from '../platform/version.ts';
import { reportedVersion } from '../runtime/reported-version.ts';
import { StartError } from '../runtime/start-error.ts';
import type { ServerConfig } from '../server/config.ts';
import { logsOf } from './bundle-logs.ts';
import { type Loaded, loadConfig, type Operation } from './operation.ts';
import { configText, wordPlace } from './server-tell.ts';

/** Words whose answers hold neither paths nor data nor who is connected. */
const WORDS = ['ruok', 'srvr', 'mntr', 'isro', 'conf', 'envi', 'dirs', 'wchs'];
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
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (!isThere) discard(out);
    const isFolder = isThere && statSync(out, { throwIfNoEntry: false })?.isDirectory() === true;
    const why = isFolder ? 'it is a folder; name a file in it' : whyNotMade(resolve(out), error);
    throw new StartError(40, `${out} cannot be written: ${why}`);
  }
  process.stdout.write(
    operation.isJson ? `${JSON.stringify({ file: out, files: entries.map((each) => each.name) })}\n` : `${out}\n`,
  );
  return 0;
}

/** A part of one, on a full disk, is of no use to anybody. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // nor could it be begun
  }
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
  const told = await status(loaded);
  const found = processText(loaded, told.pid);
  const files: TarEntry[] = [
    { name: 'versions.txt', text: versions(config) },
    { name: 'settings.txt', text: configText([...config.inForce, ...processRows(gathered)]) },
    { name: 'notes.txt', text: [...gathered.notes, ...config.notes, ''].join('\n') },
    { name: 'environment.txt', text: environment(operation) },
    { name: 'zoo.cfg', text: maskedFile(readFileSync(places.config, 'utf8'), places.config, secrets) },
    { name: 'files.txt', text: listing(config) },
    { name: 'process.txt', text: found.text },
    { name: 'status.json', text: told.text },
    ...(await words(config, env)),
    ...(await figures(config)),
    ...logsOf(operation, found.pid),
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
    `up ${Math.round(uptime())}s, it is ${new Date().toISOString()}`,
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

/** What the system says of the process; one in the foreground has no pid file, and answers who it is. */
function processText({ pidFile }: Loaded, told: number | undefined): { text: string; pid?: number } {
  let found: ReturnType<PidFile['find']>;
  try {
    found = new PidFile(pidFile).find();
  } catch (error) {
    if (error instanceof StartError) return { text: `${error.message}\n` };
    throw error;
  }
  const pid = found.state === 'running' ? found.pid : told;
  if (pid !== undefined)
    return { text: `process ${pid}\n${read(`/proc/${pid}/status`)}\n${read(`/proc/${pid}/limits`)}`, pid };
  return { text: `${pidFile}: ${found.state === 'none' ? 'not there' : 'left by a server that has ended'}\n` };
}

/** What the server says of itself, and its process where that is seen from here. */
async function status({ control }: Loaded): Promise<{ text: string; pid?: number }> {
  if (control === undefined || !existsSync(control)) return { text: 'no control socket\n' };
  try {
    const found = await askMember(control, { op: 'status' }, ANSWER_MS);
    // in a container of its own it has another number there
    const isOurs = /\0start(?:-foreground)?\0/.test(read(`/proc/${found.pid}/cmdline`));
    return { text: `${JSON.stringify(found, null, 2)}\n`, ...(isOurs && { pid: found.pid }) };
  } catch (error) {
    return { text: `no answer: ${(error as Error).message}\n` };
  }
}

async function words(config: ServerConfig, env: Env): Promise<TarEntry[]> {
  let at: Awaited<ReturnType<typeof wordPlace>>;
  try {
    at = await wordPlace(config, env);
  } catch (error) {
    return [{ name: 'words/none.txt', text: `${(error as Error).message}\n` }];
  }
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

/** What `/metrics` tells, where it is on: most servers answer no `mntr`. */
async function figures({ metrics }: ServerConfig): Promise<TarEntry[]> {
  if (!metrics.exporter) return [];
  const host = /^(?:0\.0\.0\.0|::)$/.test(metrics.address) ? 'localhost' : metrics.address;
  const text = await new Promise<string>((done) => {
    const failed = (error: Error): void => done(`no answer: ${error.message}\n`);
    const asked = { host, port: metrics.port, path: '/metrics', signal: AbortSignal.timeout(ANSWER_MS) };
    get(asked, (answer) => {
      let said = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        said += piece;
      });
      answer.on('end', () => done(said)).on('error', failed);
    }).on('error', failed);
  });
  return [{ name: 'metrics.txt', text }];
}
