/** Examples that begin servers, make certificates or write into folders of the system: with ports and folders of the test's own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apacheData } from '../e2e/folders.ts';
import { until } from '../e2e/members.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { type Block, blocksOf } from './blocks.ts';
import { COMMAND, ROOT } from './place.ts';

/** What names itself in a fence as the one that runs the block. */
export const RUNS = { here: 'test/documents/served.test.ts', withOpenssl: 'test/interop/documents.ts' } as const;

/** A folder for everything that a block reads and writes, and what it began. */
class Ground implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'zoosh-documents-'));
  readonly #began: ChildProcess[] = [];
  readonly env: Readonly<Record<string, string>>;

  constructor() {
    mkdirSync(this.in('bin'));
    this.program('bin/zoosh', `exec ${COMMAND} "$@"`);
    const PATH = `${this.in('bin')}:${process.env.PATH}`;
    this.env = { PATH, HOME: this.folder, ZOOSH_HOME: this.in('home'), LANG: 'C.UTF-8', NO_COLOR: '1' };
  }
  in(name: string): string {
    return join(this.folder, name);
  }
  program(name: string, text: string): void {
    writeFileSync(this.in(name), `#!/bin/sh\n${text}\n`);
    chmodSync(this.in(name), 0o755);
  }
  /** A line of a document, its folders of the system below this one. */
  here(line: string): string {
    for (const each of line.matchAll(/\/(?:etc|var|usr\/local|root)\/[\w/-]*?(?=\/[\w.-]*(?:\s|$))|\/usr\/local\/bin/g))
      mkdirSync(this.in(each[0]), { recursive: true });
    return line.replace(/(?<![\w.])\/(?=etc\/|var\/|usr\/local|root\/)/g, `${this.folder}/`);
  }
  /** To its end, which is a good one. */
  async run(line: string, input = ''): Promise<string> {
    const { child, said } = this.begin(line);
    child.stdin?.end(input);
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 0, `${line}\n${said()}`);
    return said();
  }
  begin(line: string): { child: ChildProcess; said: () => string } {
    const child = spawn('bash', ['-c', `set -e\n${this.here(line)}`], { cwd: this.folder, env: this.env });
    this.#began.push(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    child.stdin.on('error', () => {});
    return { child, said: () => said };
  }
  /** Begins a server; `port` is what it says, `stop` what Ctrl-C does. */
  async serve(line: string): Promise<{ hosts: string; stop: () => Promise<void> }> {
    const { child, said } = this.begin(`exec ${line.replace(/\s+#.*/, '')}`);
    child.stdin?.end();
    const ready = (): string | undefined => /^ready (\S+)$/m.exec(said())?.[1];
    await until(
      () => ready() !== undefined || child.exitCode !== null,
      PATIENCE_MS,
      () => `${line}\n${said()}`,
    );
    assert.ok(ready() !== undefined, `${line}\n${said()}`);
    const stop = async (): Promise<void> => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGINT');
      assert.equal(await ended, 0, said());
    };
    return { hosts: ready() as string, stop };
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#began) if (child.exitCode === null) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const settingsOf = (file: string, key: string): string => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = [...text.matchAll(/```properties\n([\s\S]*?)```/g)].find(([, body]) => body?.includes(key));
  assert.ok(found?.[1] !== undefined, `${file} has no settings with ${key}`);
  return found[1];
};
const port = (): Promise<number> => ownBlock('127.0.0.1', 1);

async function standalone({ lines }: Block): Promise<void> {
  await using ground = new Ground();
  writeFileSync(ground.in('zoo.cfg'), `dataDir=${ground.in('of-cfg')}\nclientPort=${await port()}\n`);
  const [data, memory, cfg, ...more] = lines as [string, string, string];
  assert.deepEqual(more, []);
  for (const [line, kept] of [
    [data.replace('--data', `--port ${await port()} --data`), 'data'],
    [memory.replace('--port 2281', `--port ${await port()}`), undefined],
    [cfg, 'of-cfg'],
  ] as const) {
    const server = await ground.serve(line);
    await ground.run(`zoosh ${server.hosts} create /here x`);
    await server.stop();
    if (kept !== undefined) assert.ok(existsSync(ground.in(kept)), line);
  }
}

async function laptop({ lines }: Block): Promise<void> {
  const [detached, shell, playground, program, ...more] = lines as [string, string, string, string];
  assert.deepEqual(more, []);
  await using ground = new Ground();
  const base = await ownBlock('127.0.0.1', 5);
  const [plain] = detached.split(/\s+#/) as [string];
  try {
    assert.match(await ground.run(`${plain} --base-port ${base}`), /^127\.0\.0\.1:\d+(?:,127\.0\.0\.1:\d+){2}$/m);
  } finally {
    await ground.run('zoosh --yes ensemble destroy demo'); // it runs in the background, whatever was wrong
  }
  assert.match(await ground.run(`${shell} --base-port ${base}`, 'create /here x\nls /\nensemble status\n'), /observer/);
  assert.match(await ground.run(playground, 'create /here x\nls /\n'), /^here$/m);
  ground.program('test.sh', 'echo "servers: $ZOOSH_SERVER"; exit 0');
  assert.match(await ground.run(program), /^servers: \S+,\S+,\S+$/m);
}

async function severalMachines({ lines }: Block): Promise<void> {
  const [secret, myid, start, ...more] = lines as [string, string, string];
  assert.deepEqual(more, []);
  const settings = settingsOf('docs/ensembles.md', 'server.1=zk1:2888:3888');
  const base = await ownBlock('127.0.0.1', 9);
  const machines = [1, 2, 3].map(() => new Ground());
  try {
    await machines[0]?.run(secret);
    const name = (ground: Ground): string => ground.in('etc/zoosh/peer.secret');
    assert.equal(statSync(name(machines[0] as Ground)).mode & 0o777, 0o600);
    const servers = machines.map(async (ground, at) => {
      ground.here(secret);
      if (at > 0) writeFileSync(name(ground), readFileSync(name(machines[0] as Ground)), { mode: 0o600 });
      await ground.run(myid.replace('echo 1', `echo ${at + 1}`));
      const own = settings
        .replace(
          /zk(\d):2888:3888/g,
          (_, of: string) => `127.0.0.1:${base + 3 * Number(of) - 3}:${base + 3 * Number(of) - 2}`,
        )
        .replace('clientPort=2181', `clientPort=${base + 3 * at + 2}`);
      mkdirSync(ground.in('var/lib/zoosh-log'), { recursive: true });
      writeFileSync(ground.in('zoo.cfg'), ground.here(own.replace(/=\//g, '= /')).replace(/= /g, '='));
      return ground.serve(start);
    });
    const all = await Promise.all(servers);
    await machines[0]?.run(`zoosh ${all[0]?.hosts} create /here x`);
    await machines[2]?.run(`zoosh ${all[2]?.hosts} sync && zoosh ${all[2]?.hosts} get /here`);
  } finally {
    for (const ground of machines) await ground[Symbol.asyncDispose]();
  }
}

async function kept({ lines }: Block): Promise<void> {
  await using ground = new Ground();
  apacheData(ground.in('zookeeper'));
  for (const line of lines) await ground.run(line);
}

async function shims({ lines }: Block): Promise<void> {
  await using ground = new Ground();
  for (const line of lines) await ground.run(line);
  assert.ok((statSync(ground.in('usr/local/bin/zkServer.sh')).mode & 0o111) !== 0);
}

/** Whatever these begin is there; what it does is what the suite does. */
async function scripts({ lines }: Block): Promise<void> {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const gate = readFileSync(join(ROOT, '.ci/run'), 'utf8');
  for (const line of lines) {
    const said = /^npm (?:run )?([\w:]+)/.exec(line)?.[1] ?? line;
    if (said === 'ci') assert.match(gate, /^npm ci /m);
    else assert.ok(scripts[said] !== undefined, `there is no script ${said}`);
  }
}

const certificate = (ground: Ground, file: string): X509Certificate =>
  new X509Certificate(readFileSync(ground.in(file)));

async function memberCertificates({ lines }: Block): Promise<void> {
  await using ground = new Ground();
  for (const line of lines) await ground.run(line);
  const member = certificate(ground, 'member.pem');
  assert.ok(member.verify(certificate(ground, 'ca.pem').publicKey));
  assert.ok(member.checkPrivateKey(createPrivateKey(readFileSync(ground.in('member.pem')))));
  assert.equal(member.subjectAltName, 'DNS:zk1');
  assert.equal(statSync(ground.in('member.pem')).mode & 0o777, 0o600);
}

async function clientCertificates({ lines }: Block): Promise<void> {
  await using ground = new Ground();
  const asks = lines.at(-1) as string;
  for (const line of lines.slice(0, -1)) await ground.run(line);
  await ground.run('cp ca.pem /etc/zoosh/clients-ca.pem');
  const settings = ground
    .here(settingsOf('docs/configuration.md', 'secureClientPort=').replace(/=\//g, '= /'))
    .replace(/= /g, '=');
  const secure = await port();
  writeFileSync(
    ground.in('zoo.cfg'),
    `dataDir=${ground.in('data')}\nclientPort=${await port()}\n${settings.replace('2281', String(secure))}`,
  );
  const server = await ground.serve('zoosh start server --config zoo.cfg');
  const [command, comment = ''] = asks.split(/\s+# /);
  // the server is not at the address that its certificate is made out to
  const said = await ground.run((command as string).replace('zk1:2281', `--tls-servername zk1 127.0.0.1:${secure}`));
  const alike = (text: string): string => text.trim().split(/\s+/).join(' ');
  assert.ok(said.split('\n').map(alike).includes(alike(comment)), said);
  await server.stop();
}

interface Play {
  readonly file: string;
  /** How its first line begins. */
  readonly first: string;
  readonly by: (typeof RUNS)[keyof typeof RUNS];
  readonly run: (block: Block) => Promise<void>;
}
export const PLAYS: readonly Play[] = [
  { file: 'README.md', first: 'npm ci', by: RUNS.here, run: scripts },
  { file: 'README.md', first: 'zoosh start standalone', by: RUNS.here, run: standalone },
  { file: 'README.md', first: 'npm test', by: RUNS.here, run: scripts },
  { file: 'docs/ensembles.md', first: 'zoosh start ensemble demo', by: RUNS.here, run: laptop },
  { file: 'docs/ensembles.md', first: 'head -c 48', by: RUNS.here, run: severalMachines },
  { file: 'docs/ensembles.md', first: 'openssl req', by: RUNS.withOpenssl, run: memberCertificates },
  { file: 'docs/migration.md', first: 'zoosh import-apache zookeeper --keep-sessions', by: RUNS.here, run: kept },
  { file: 'docs/operating.md', first: 'openssl req', by: RUNS.withOpenssl, run: clientCertificates },
  { file: 'docs/operating.md', first: 'zoosh shims', by: RUNS.here, run: shims },
];

export const fits = (play: Play, file: string, block: Block): boolean =>
  play.file === file && block.notRun?.includes(play.by) === true && (block.lines[0] ?? '').startsWith(play.first);

/** @throws Error when there is no such block, or more than one */
export async function perform(play: Play): Promise<void> {
  const blocks = blocksOf(play.file, readFileSync(join(ROOT, play.file), 'utf8'));
  const own = blocks.filter((block) => fits(play, play.file, block));
  assert.equal(own.length, 1, `${play.file}: ${own.length} blocks begin with ${play.first} and name ${play.by}`);
  await play.run(own[0] as Block);
}
