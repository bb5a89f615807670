/** Debian's ZooKeeper and ours, alone, with the same settings, each in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SUPER_DIGEST } from '../../security/access/pure-wire.ts';
import { ApacheProcess } from '../apache-process.ts';

/** No syncs to disk, nothing that happens by the clock. */
const SETTINGS = [
  `DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`,
  'extendedTypesEnabled=true',
  'znode.container.checkIntervalMs=86400000',
  'forceSync=no',
];
export interface Served extends AsyncDisposable {
  readonly port: number;
}

export async function apacheServer(): Promise<Served> {
  const apache = new ApacheProcess(SETTINGS);
  await apache.start();
  return { port: apache.port, [Symbol.asyncDispose]: () => apache[Symbol.asyncDispose]() };
}

export async function ourServer(): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-differ-'));
  const config = join(folder, 'zoo.cfg');
  const lines = [
    'tickTime=2000',
    `dataDir=${folder}`,
    'clientPort=0',
    'clientPortAddress=127.0.0.1',
    'maxClientCnxns=0',
    ...SETTINGS,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child: ChildProcess = spawn(process.execPath, ['bin/zoosh.js', 'start', 'server', '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr?.on('data', (bytes) => {
    log = `${log}${bytes}`.slice(-4000);
  });
  const dispose = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const port = /^ready .*:(\d+)$/.exec(line)?.[1];
    if (port === undefined) continue;
    child.stdout?.resume();
    return { port: Number(port), [Symbol.asyncDispose]: dispose };
  }
  await dispose();
  throw new Error(`our server does not serve: ${log}`);
}
