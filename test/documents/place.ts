/** Where the examples of one document run: a server, a home with profiles, a folder with the files they name. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { connect } from '../../src/index.ts';
import { goldenFiles } from '../apache/memory-disk.ts';
import { Session } from '../editor/session.ts';
import { PATIENCE_MS } from '../patience.ts';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Where the package was installed from its tarball, by test/pack.sh; undefined: the examples are those of this repository. */
export const INSTALLED = process.env.ZOOSH_PACKAGE;
const PACKAGE = INSTALLED ?? ROOT;
/** How a user calls it. */
export const COMMAND =
  INSTALLED === undefined ? `'${process.execPath}' '${ROOT}bin/zoosh.js'` : `'${join(INSTALLED, '../.bin/zoosh')}'`;

export class Place implements AsyncDisposable {
  readonly #server: EmbeddedServer;
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(server: EmbeddedServer, folder: string) {
    this.#server = server;
    this.#folder = folder;
    this.#env = {
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      HOME: folder,
      ZOOSH_HOME: join(folder, 'home'),
      ZOOSH_SERVER: server.connectString,
      ZK_AUTH: 'bob:secret',
      LANG: 'C.UTF-8',
    };
  }

  static async open(): Promise<Place> {
    const server = await startEmbedded();
    const folder = mkdtempSync(join(tmpdir(), 'zoosh-documents-'));
    const client = await connect(server.connectString);
    await client.create('/app');
    await client.create('/app/config', '{"level":"info","ports":[1]}');
    await client.create('/app/workers');
    await client.create('/old');
    await client.create('/old/part');
    await client.create('/jobs');
    await client.close();
    for (const each of ['bin', 'home/config', 'cwd']) mkdirSync(join(folder, each), { recursive: true });
    const program = (name: string, text: string): void => {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    };
    // a server that is there may take longer to answer than a person would wait
    const words = '127.0.0.1:*|@prod|@live|@staging|diff|lock|elect|locks|get|exists';
    const patiently = `case "$1" in ${words}) set -- --connect-timeout ${PATIENCE_MS / 2000}s "$@" ;; esac`;
    program('bin/zoosh', `${patiently}\nexec ${COMMAND} "$@"`);
    for (const each of ['nightly.sh', 'lead.sh', 'test.sh']) program(`cwd/${each}`, 'exit 0');
    const apache = join(folder, 'cwd', 'zookeeper', 'version-2');
    mkdirSync(apache, { recursive: true });
    for (const [name, bytes] of goldenFiles()) if (name !== 'dump.json') writeFileSync(join(apache, name), bytes);
    writeFileSync(join(folder, 'cwd', 'deploy.zk'), 'put /app/colour ${1}\n');
    writeFileSync(
      join(folder, 'home/config/config.json'),
      JSON.stringify({
        profiles: { staging: { server: server.connectString }, prod: { server: server.connectString } },
      }),
      { mode: 0o600 },
    );
    return new Place(server, folder);
  }

  /** What stands in a document for a server, made this one. */
  here(text: string): string {
    return text.replace(/\bzk1:2181(?:,zk2:2181)?|127\.0\.0\.1:2181/g, this.#server.connectString);
  }

  /** Runs one command as a script would. */
  run(line: string): Promise<{ code: number | null; out: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn('bash', ['-c', this.here(line)], {
        cwd: join(this.#folder, 'cwd'),
        env: this.#env,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 2 * PATIENCE_MS,
      });
      let out = '';
      const take = (chunk: Buffer): void => {
        out += chunk.toString();
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out }));
    });
  }

  /** Runs one command at a terminal and gives what a person then sees. */
  async typed(line: string): Promise<{ code: number; screen: string }> {
    // `npm start` is said in the repository
    const folder = line.includes('npm ') ? PACKAGE : join(this.#folder, 'cwd');
    using one = this.#session({ sh: `cd '${folder}' && bash -c "$LINE"`, LINE: this.here(line) });
    await one.until(() => one.exit !== undefined, `the end of ${line}`, 2 * PATIENCE_MS);
    return { code: one.exit as number, screen: one.screen.all().join('\n') };
  }

  /** A prompt of ours at a terminal, on this server or on one of its own. */
  prompt(isPlayground: boolean): Session {
    return this.#session({ sh: isPlayground ? 'exec zoosh playground' : 'exec zoosh' });
  }

  #session({ sh, ...env }: { sh: string; LINE?: string }): Session {
    return new Session({ columns: 120, rows: 50, sh, env: { ...this.#env, NO_COLOR: '1', ...env } });
  }

  /** Runs a program that imports the package by its name. */
  async program(text: string, name: string): Promise<{ code: number | null; out: string }> {
    const { code: js } = await transform(this.here(text), { loader: 'ts', format: 'esm' });
    // where its own name leads to it: within the package, or beside it
    const within = INSTALLED === undefined ? join(ROOT, 'dist', 'test') : join(INSTALLED, '../..');
    const file = join(within, `example-${process.pid}-${name}.mjs`);
    writeFileSync(file, js);
    try {
      return await this.run(`'${process.execPath}' '${file}'`);
    } finally {
      rmSync(file);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true });
  }
}
