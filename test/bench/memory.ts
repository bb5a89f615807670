/**
 * Resident memory and start time with many nodes, ours beside Apache ZooKeeper from Debian's package (without it, ours alone).
 * By hand: `node dist/test/bench/memory.js [NODES] [SETS] [zoosh|apache]`. Both run with their default heap limits; Java with its serial
 * collector. A figure each: it runs for minutes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hello, load, makeParent, replies } from './load.ts';

const BIN = fileURLToPath(new URL('../../../bin/zoosh.js', import.meta.url));
const JARS = '/usr/share/java';
const [nodes = 1_000_000, sets = 5_000_000] = process.argv.slice(2, 4).map(Number);
const only = process.argv[4];

const rssMb = (child: ChildProcess): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024);

/** True when the server at `port` opens a session. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(hello()));
    const end = (good: boolean): void => {
      socket.destroy();
      resolve(good);
    };
    replies(
      socket,
      () => end(true),
      () => {},
      () => {},
    );
    socket.setTimeout(500, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => resolve(false));
  });
}

async function start(argv: readonly string[], cwd: string, port: number): Promise<{ child: ChildProcess; ms: number }> {
  const began = performance.now();
  const child = spawn(argv[0] as string, argv.slice(1), { cwd, stdio: 'ignore' });
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${argv[0]} ended with ${child.exitCode}`);
    if (performance.now() - began > 120_000) throw new Error('not ready within two minutes');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { child, ms: performance.now() - began };
}
async function stop(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

async function measure(name: string, port: number, argv: (cfg: string) => string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-memory-'));
  const cfg = join(folder, 'zoo.cfg');
  mkdirSync(join(folder, 'data'));
  const lines = [
    'tickTime=2000',
    `dataDir=${folder}/data`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'maxClientCnxns=0',
    'admin.enableServer=false',
  ];
  writeFileSync(cfg, `${lines.join('\n')}\n`);
  let { child } = await start(argv(cfg), folder, port);
  try {
    const empty = rssMb(child);
    await makeParent(port);
    const made = await load('create', port, nodes);
    const loaded = rssMb(child);
    const written = sets === 0 ? undefined : await load('set', port, sets, nodes);
    const after = rssMb(child);
    await stop(child);
    const again = await start(argv(cfg), folder, port);
    child = again.child;
    console.log(
      `${name}: empty ${empty} MB; ${nodes} nodes ${loaded} MB (${made.seconds.toFixed(0)} s, ${made.refused} refused); ` +
        `${sets} sets ${after} MB (${(written?.seconds ?? 0).toFixed(0)} s, ${written?.refused ?? 0} refused); ` +
        `start ${Math.round(again.ms)} ms, ${rssMb(child)} MB then`,
    );
  } finally {
    await stop(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

if (only !== 'apache')
  await measure('zoosh', 23_471, (cfg) => [process.execPath, BIN, 'start', 'server', '--config', cfg]);
const jars = ['zookeeper', 'slf4j-log4j12', 'log4j-1.2', 'servlet-api'].map((jar) => `${JARS}/${jar}.jar`);
if (only !== 'zoosh' && existsSync(jars[0] as string))
  await measure('apache', 23_472, (cfg) => [
    'java',
    '-XX:+UseSerialGC',
    '-cp',
    jars.join(':'),
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    cfg,
  ]);
else if (only !== 'zoosh') console.log(`apache: ${jars[0]} is not there`);
process.exit();
