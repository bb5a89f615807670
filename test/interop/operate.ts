/** What service managers and containers do with a server: a unit that systemd takes, and the entrypoint as PID 1. Linux, and root. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect } from '../../src/index.ts';
import { ownBlock } from '../ports.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BIN = join(ROOT, 'bin/zoosh.js');
const AS_ROOT = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
/** Nobody has it, and no name either. */
const UID = '54321';

const work = mkdtempSync(join(tmpdir(), 'zoosh-operate-'));
chmodSync(work, 0o755);
after(() => rmSync(work, { recursive: true, force: true }));

test('the unit is one that systemd takes', () => {
  // the program must be there: this one in the place of the installed one
  const program = join(work, 'zoosh');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`, { mode: 0o755 });
  const text = readFileSync(join(ROOT, 'docs/deploy/zoosh.service'), 'utf8');
  assert.ok(text.includes('ExecStart=/usr/bin/zoosh '));
  const unit = join(work, 'zoosh.service');
  writeFileSync(unit, text.replace('/usr/bin/zoosh', program));
  const verify = (): string => {
    const ran = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
    // what it has to say of the machine's other units is not about ours
    return `${ran.stderr}${ran.stdout}`
      .split('\n')
      .filter((line) => line.includes('zoosh'))
      .join('\n');
  };
  assert.equal(verify(), '');
  writeFileSync(unit, text.replace('/usr/bin/zoosh', program).replace('KillMode=mixed', 'KillMode=kindly'));
  assert.match(verify(), /kindly/, 'a unit that is wrong is seen to be');
});

/** Runs the rest of its words where no other families of sockets than those can be had, as systemd's RestrictAddressFamilies does it. */
const FAMILIES = `
import ctypes, errno, os, platform, socket, struct, sys
nr = {'x86_64': 41, 'aarch64': 198}[platform.machine()]
allowed = [getattr(socket, name) for name in sys.argv[1].split()]
put = lambda code, yes, no, k: struct.pack('HBBI', code, yes, no, k)
rules = [put(0x20, 0, 0, 0), put(0x15, 0, len(allowed) + 2, nr), put(0x20, 0, 0, 16)]
rules += [put(0x15, len(allowed) - at, 0, family) for at, family in enumerate(allowed)]
rules += [put(0x06, 0, 0, 0x00050000 | errno.EAFNOSUPPORT), put(0x06, 0, 0, 0x7fff0000)]
text = ctypes.create_string_buffer(b''.join(rules))
program = ctypes.create_string_buffer(struct.pack('HxxxxxxP', len(rules), ctypes.addressof(text)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, ctypes.get_errno()
os.execvp(sys.argv[2], sys.argv[2:])
`;

test('a server alone starts with the families of sockets that the unit leaves it', async () => {
  const unit = readFileSync(join(ROOT, 'docs/deploy/zoosh.service'), 'utf8');
  const families = /^RestrictAddressFamilies=(.*)$/m.exec(unit)?.[1] ?? '';
  const dir = mkdtempSync(join(work, 'f-'));
  const port = await freePort();
  writeFileSync(join(dir, 'zoo.cfg'), `dataDir=${dir}/data\nclientPort=${port}\nclientPortAddress=127.0.0.1\n`);
  const words = [BIN, 'server', '--config', join(dir, 'zoo.cfg'), 'start-foreground'];
  const child = spawn('/usr/bin/python3', ['-c', FAMILIES, families, process.execPath, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: dir },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  const ended = once(child, 'exit');
  try {
    const end = performance.now() + 60_000;
    while (!/^ready /m.test(text)) {
      assert.ok(child.exitCode === null && performance.now() < end, `it does not serve: ${text}`);
      await sleep(50);
    }
  } finally {
    child.kill('SIGTERM');
  }
  assert.deepEqual(await ended, [0, null]);
});

/**
 * Becomes PID 1 of a namespace, with a root file system that is mounted read-only but for a small one, as a uid that the
 * system does not know, without any capability; then the entrypoint of the image.
 */
const CONTAINER = `
set -eu
mount --make-rprivate /
mkdir -p "$WORK/root"
mount --rbind / "$WORK/root"
mount -t proc proc "$WORK/root/proc"
mount -t tmpfs tmpfs "$WORK/root/mnt"
mkdir "$WORK/root/mnt/conf" "$WORK/root/mnt/data"
chown -R ${UID}:${UID} "$WORK/root/mnt"
mount -o remount,ro,bind "$WORK/root"
exec chroot "$WORK/root" setpriv --reuid ${UID} --regid ${UID} --clear-groups --bounding-set=-all --no-new-privs \\
  env -i PATH="$WORK/bin:$PATH" HOME=/nonexistent ZOO_CONF_DIR=/mnt/conf ZOOCFGDIR=/mnt/conf ZOO_DATA_DIR=/mnt/data \\
  ZOO_DATA_LOG_DIR=/mnt/data/log ZOO_LOG_DIR=/mnt/logs ZOO_SERVERS="server.1=127.0.0.1:2888:3888;127.0.0.1:$PORT" "$@" \\
  "$ROOT/docs/deploy/entrypoint.sh" zkServer.sh start-foreground
`;

const freePort = (): Promise<number> => ownBlock('127.0.0.1', 1);

for (const [name, env] of [
  ["Node's own memory limit", []],
  ['ZK_SERVER_HEAP', ['ZK_SERVER_HEAP=200']],
] as const)
  test(`the entrypoint as PID 1, as an unknown uid, with a read-only root; ${name}`, async () => {
    const dir = mkdtempSync(join(work, 'c-'));
    chmodSync(dir, 0o755);
    mkdirSync(join(dir, 'bin'));
    const program = join(dir, 'bin/zoosh');
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`, { mode: 0o755 });
    const shims = spawnSync(process.execPath, [BIN, 'shims', join(dir, 'bin')], { encoding: 'utf8' });
    assert.equal(shims.status, 0, shims.stderr);
    chmodSync(join(ROOT, 'docs/deploy/entrypoint.sh'), 0o755);
    const port = await freePort();
    const words = [
      'unshare',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '--',
      'env',
      `WORK=${dir}`,
      `PORT=${port}`,
      `ROOT=${ROOT.replace(/\/$/, '')}`,
      'sh',
      '-c',
      CONTAINER,
      'sh',
      ...env,
    ];
    const [command = '', ...args] = [...AS_ROOT, ...words];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'exit');
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        text += chunk;
      });
    try {
      const end = performance.now() + 60_000;
      while (!/^ready /m.test(text)) {
        assert.ok(child.exitCode === null && performance.now() < end, `it does not serve: ${text}`);
        await sleep(50);
      }
      // what it is, from inside: found by its port among all processes of this machine
      const inside = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' });
      const pid = inside.stdout.trim().split('\n')[0] ?? '';
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      assert.match(status, /^NSpid:\t\d+\t1$/m, 'it is not PID 1');
      assert.match(status, new RegExp(`^Uid:\t${UID}\t`, 'm'));
      assert.match(status, /^CapEff:\t0+$/m);
      assert.match(readFileSync(`/proc/${pid}/mounts`, 'utf8'), /^\S+ \/ \S+ ro[, ]/m, 'its root can be written');
      {
        await using client = await connect(`127.0.0.1:${port}`);
        await client.create('/in', 'container');
        assert.equal((await client.get('/in')).data?.toString(), 'container');
      }
      spawnSync(AS_ROOT[0] ?? 'kill', [...AS_ROOT.slice(1), ...(AS_ROOT.length === 0 ? [] : ['kill']), '-TERM', pid]);
      const [code] = (await ended) as [number | null];
      assert.equal(code, 0, text);
    } finally {
      if (child.exitCode === null) child.kill('SIGKILL');
    }
  });
