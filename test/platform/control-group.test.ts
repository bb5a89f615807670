/** What memory a control group lets a process have, by files of the test's own. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { groupLimit, systemMemory } from '../../src/platform/control-group.ts';
import { PATIENCE_MS } from '../patience.ts';

const MIB = 1 << 20;
const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let nr = 0;
/** A system on which this process is in these groups, and which has these files. */
function system(own: string, files: Readonly<Record<string, number | string>>): { own: string; root: string } {
  const root = join(folder, String(nr++));
  mkdirSync(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), `${text}\n`);
  }
  const file = `${root}.own`;
  writeFileSync(file, own);
  return { own: file, root };
}
const limitMib = (own: string, files: Readonly<Record<string, number | string>>): number | undefined => {
  const limit = groupLimit(system(own, files));
  return limit === undefined ? undefined : limit / MIB;
};

const V2 = '0::/a/b\n';
const V1 = '9:name=systemd:/\n4:cpu,memory:/a/b\n0::/\n';
/** What a group of version 1 has that nobody limited. */
const NONE = '9223372036854771712';

test('version 2: the limit of the own group, of the one above when it is less, none of max', () => {
  assert.equal(limitMib(V2, { 'a/b/memory.max': 512 * MIB, 'a/b/memory.high': 'max' }), 512);
  assert.equal(limitMib(V2, { 'a/b/memory.max': 512 * MIB, 'a/memory.max': 256 * MIB }), 256);
  assert.equal(limitMib(V2, { 'a/b/memory.max': 'max', 'a/memory.max': 'max', 'a/memory.high': 128 * MIB }), 128);
  assert.equal(limitMib(V2, { 'a/b/memory.max': 512 * MIB, 'a/c/memory.max': MIB, 'a/b/d/memory.max': MIB }), 512);
  assert.equal(limitMib(V2, { 'a/b/memory.max': 'max', 'a/memory.max': 'max' }), undefined);
  // in a container that sees only its own group
  assert.equal(limitMib('0::/\n', { 'memory.max': 512 * MIB }), 512);
  assert.equal(limitMib('0::/docker/x\n', { 'memory.max': 512 * MIB }), 512);
});

test('version 1: the same, below the folder of the controller', () => {
  assert.equal(limitMib(V1, { 'memory/a/b/memory.limit_in_bytes': 512 * MIB }), 512);
  const own = '4:memory:/a/b\n';
  assert.equal(limitMib(own, { 'memory/a/b/memory.limit_in_bytes': 512 * MIB }), 512);
  const above = { 'memory/a/b/memory.limit_in_bytes': NONE, 'memory/a/memory.limit_in_bytes': 256 * MIB };
  assert.equal(limitMib(own, above), 256);
  assert.equal(limitMib('4:memory:/docker/x\n', { 'memory/memory.limit_in_bytes': 64 * MIB }), 64);
  assert.equal(limitMib('5:cpu:/a/b\n', { 'memory/a/b/memory.limit_in_bytes': MIB }), undefined);
});

test('without groups, or with a limit above what there is, it is the memory of the machine', () => {
  assert.equal(groupLimit({ own: join(folder, 'none'), root: folder }), undefined);
  assert.equal(limitMib('nonsense\n', { 'memory.max': MIB }), undefined);
  const none = groupLimit(system('4:memory:/a\n', { 'memory/a/memory.limit_in_bytes': NONE }));
  assert.equal(systemMemory(none), totalmem());
  assert.equal(systemMemory(512 * MIB), 512 * MIB);
});

/** A mount namespace of its own, in which those files are where Linux has them; for the process that is asked alone. */
const IN_GROUP = 'mount --bind "$1" /proc/$$/cgroup && mount --bind "$2" /sys/fs/cgroup && shift 2 && exec "$@"';
const wordsWithin = ({ own, root }: { own: string; root: string }, command: readonly string[]): string[] => [
  ...['--mount', 'sh', '-c', IN_GROUP, 'sh', own, root],
  ...command,
];
const within = (place: { own: string; root: string }, ...command: string[]) =>
  spawnSync('unshare', wordsWithin(place, command), { encoding: 'utf8', timeout: PATIENCE_MS });
const skip = within(system(V2, {}), 'true').status === 0 ? false : 'no mount namespace may be made here';

test("V8's own limit is half of what the control group has, by either version", { skip }, () => {
  const heap = ['-p', 'Math.floor(v8.getHeapStatistics().heap_size_limit / 2 ** 20)'];
  const heapIn = (own: string, files: Readonly<Record<string, number | string>>): number =>
    Number(within(system(own, files), process.execPath, ...heap).stdout);
  const half = (mib: number): void => assert.ok(mib >= 256 && mib <= 270, `${mib} MiB`);
  half(heapIn(V2, { 'a/b/memory.max': 512 * MIB, 'a/b/memory.high': 'max' }));
  const v1 = { 'memory/a/b/memory.limit_in_bytes': 512 * MIB, 'memory/a/b/memory.soft_limit_in_bytes': NONE };
  half(heapIn('4:memory:/a/b\n', v1));
  const free = Number(spawnSync(process.execPath, heap, { encoding: 'utf8' }).stdout);
  assert.equal(heapIn(V2, { 'a/b/memory.max': 'max', 'a/b/memory.high': 'max' }), free);
});

test('a server refuses writes before a group above its own is full', { skip }, async () => {
  const bin = fileURLToPath(new URL('../../../bin/zoosh.js', import.meta.url));
  const words = [process.execPath, bin, 'start', 'standalone', '--memory', '--port', '0'];
  const files = { 'a/b/memory.max': 'max', 'a/memory.max': 40 * MIB };
  const server = spawn('unshare', wordsWithin(system(V2, files), words), { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  server.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const ended = once(server, 'close');
  for (const end = performance.now() + PATIENCE_MS; !/ memory: /.test(text) && performance.now() < end; )
    await sleep(20);
  server.kill('SIGTERM');
  await ended;
  assert.match(text, /memory: \d+ of 40 MiB of what the system lets it have are in use by this process/);
});
