/** What the shell's checks share: the server, a folder of nodes and of files, other eyes to look with. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type Client, connect, type Stat } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { LiveShell, note, run, zoosh } from './live-shell.ts';

export const SERVER = process.env.ZOOKEEPER ?? '';
assert.match(SERVER, /^127\.0\.0\.1:\d+$/, 'set ZOOKEEPER=127.0.0.1:port');
export const ROOT = `/shell-${randomBytes(4).toString('hex')}`;
export const HOME = mkdtempSync(join(tmpdir(), 'zoosh-interop-'));
export const ENV: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME,
  ZOOSH_HOME: join(HOME, 'zoosh'),
  LC_ALL: 'C.UTF-8',
  TERM: 'dumb',
  WHO: 'al:pw',
};
export const digest = (text: string): string => createHash('sha1').update(text).digest('base64');
export const BOB = `digest:bob:${digest('bob:secret')}`;
export const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, at) => at));

/** Sees the server with other eyes than the shell under test. */
export let client: Client;
before(async () => {
  // it may be starting
  client = await connect(SERVER, { connectTimeoutMs: 2 * PATIENCE_MS });
  await client.create(ROOT);
});
after(async () => {
  await client.close();
  rmSync(HOME, { recursive: true, force: true });
});

export const shell = (...options: string[]): LiveShell => new LiveShell(SERVER, options, ENV);
/** One command as a process of its own. */
export const one = (...words: string[]) => {
  note(words.join(' '));
  return zoosh([SERVER, ...words], ENV);
};
export const base = async (name: string): Promise<string> => (await client.create(`${ROOT}/${name}`)).path;
export const dataOf = async (path: string): Promise<Buffer | null> => (await client.get(path)).data;
export const statOf = async (path: string): Promise<Stat> => {
  const stat = await client.exists(path);
  assert.ok(stat, path);
  return stat;
};
export const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;
export const statJson = (stat: Stat) => ({
  czxid: hex(stat.czxid),
  mzxid: hex(stat.mzxid),
  pzxid: hex(stat.pzxid),
  ctime: new Date(stat.ctime).toISOString(),
  mtime: new Date(stat.mtime).toISOString(),
  version: stat.version,
  cversion: stat.cversion,
  aversion: stat.aversion,
  ephemeralOwner: hex(stat.ephemeralOwner),
  dataLength: stat.dataLength,
  numChildren: stat.numChildren,
});
export const statText = (stat: Stat): string =>
  Object.entries(statJson(stat))
    .map(([name, value]) => `${name}\t${value}\n`)
    .join('');
/** Runs Python with kazoo; `zk` is connected. */
export async function kazoo(code: string, ...args: string[]): Promise<string> {
  const text = `import sys\nfrom kazoo.client import KazooClient\nzk = KazooClient(sys.argv[1], timeout=30)\nzk.start(60)\n${code}\nzk.stop()\nzk.close()\n`;
  const { out, err, status } = await run('/usr/bin/python3', ['-c', text, SERVER, ...args], ENV);
  assert.equal(status, 0, err);
  return out.toString();
}
export const zkCli = async (script: string): Promise<string> => {
  const { out } = await run('/usr/share/zookeeper/bin/zkCli.sh', ['-server', SERVER], ENV, `${script}quit\n`);
  return out.toString();
};
