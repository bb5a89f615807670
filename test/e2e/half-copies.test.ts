/** What cannot be written to its end is not there: no part of a copy lies under the name of the whole, or in the way of the next. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { chopApacheLog } from '../../src/offline/chop-apache.ts';
import { exportApache, halfExport } from '../../src/offline/export-apache.ts';
import { chopOwnLog } from '../../src/offline/own-log.ts';
import { type OwnState, readOwnState } from '../../src/offline/own-state.ts';
import { writeWholeFile } from '../../src/operate/whole-file.ts';
import { nodeDisk } from '../../src/platform/disk.ts';
import { type Disk, DiskError, type DiskFile } from '../../src/ports/disk.ts';
import { goldenFiles } from '../apache/memory-disk.ts';
import { asNobody, BIN, openToAll, zoosh } from './cli.ts';
import { Home, until } from './home.ts';

/** The `left`th write and what comes after it find no room. */
function fullAfter(left: number): Disk {
  let writes = 0;
  return new Proxy(nodeDisk, {
    get(disk, key) {
      const own = Reflect.get(disk, key) as unknown;
      if (key !== 'open') return typeof own === 'function' ? own.bind(disk) : own;
      return async (...args: Parameters<Disk['open']>) => {
        const file = await disk.open(...args);
        const write = file.write.bind(file);
        file.write = async (bytes, at) => {
          if (writes++ >= left) throw new DiskError('ENOSPC', args[0], 'write');
          return write(bytes, at);
        };
        return file;
      };
    },
  });
}
const isFull = (error: unknown): boolean => error instanceof DiskError && error.code === 'ENOSPC';

/** The `left`th write and what comes after it are not done, and nothing is cleared away. */
function killedAfter(left: number): Disk {
  let writes = 0;
  let isDead = false;
  return new Proxy(nodeDisk, {
    get(real, key) {
      const plain = Reflect.get(real, key) as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        if (isDead) throw new Error('killed');
        const found = await plain.apply(real, args);
        if (key === 'open') {
          const file = found as DiskFile;
          const write = file.write.bind(file);
          file.write = async (bytes, at) => {
            isDead = isDead || writes++ === left;
            return isDead ? Promise.reject(new Error('killed')) : write(bytes, at);
          };
        }
        return found;
      };
    },
  });
}

/** Killed at each of its files: Apache's server starts from none such, and the same command does it anew. */
async function cutOffExports(own: OwnState, to: string): Promise<void> {
  const folder = join(to, 'version-2');
  const left = new Set<string>();
  for (let cut = 0; ; cut++) {
    const made = await exportApache(killedAfter(cut), own, folder).catch((error: Error) => error);
    if (!(made instanceof Error)) break;
    assert.equal(made.message, 'killed');
    const names = readdirSync(folder);
    for (const name of names) left.add(name.replace(/[0-9a-f]+00000001/, 'N'));
    assert.ok(
      names.some((name) => /^log\.[0-9a-f]+$/.test(name)),
      'an Apache server that finds a log and no snapshot does not start',
    );
    assert.ok(!names.some((name) => /^snapshot\.[0-9a-f]+$/.test(name)));
    assert.deepEqual(await halfExport(nodeDisk, folder), names);
  }
  assert.deepEqual([...left].sort(), ['acceptedEpoch', 'currentEpoch', 'log.N', 'snapshot.N.tmp']);
  const whole = readdirSync(folder).sort();
  assert.equal(whole.length, 4);
  assert.equal(await halfExport(nodeDisk, folder), undefined, 'a whole one is nobody’s to remove');
  // what another wrote is none of it
  const [snapshot = ''] = whole.filter((name) => name.startsWith('snapshot.'));
  renameSync(join(folder, snapshot), join(folder, `${snapshot}.tmp`));
  writeFileSync(join(folder, whole.find((name) => name.startsWith('log.')) ?? ''), Buffer.alloc(100));
  assert.equal(await halfExport(nodeDisk, folder), undefined);
  rmSync(to, { recursive: true });
}

test('a full disk leaves no part of a chopped log or of an export', async () => {
  const home = await Home.make();
  assert.equal((await home.server('start')).code, 0);
  {
    await using client = await connect(home.hosts);
    await client.create('/a', 'x');
  }
  assert.equal((await home.server('stop')).code, 0);
  const own = await readOwnState(nodeDisk, home.data, home.data);
  assert.ok(own !== undefined);

  const work = join(home.dir, 'work');
  mkdirSync(work);
  const folder = join(work, 'version-2');
  for (const left of [0, 1, 2]) {
    await assert.rejects(exportApache(fullAfter(left), own, folder), isFull);
    assert.deepEqual(readdirSync(folder), [], `${left}`);
  }
  await cutOffExports(own, join(home.dir, 'cut'));
  const ours = join(home.data, 'zoosh-1');
  const log = readdirSync(ours)
    .filter((name) => name.startsWith('log.'))
    .at(-1) as string;
  const last = (BigInt(own.last.zxid.hi) << 32n) | BigInt(own.last.zxid.lo >>> 0);
  const into = join(work, 'chopped');
  for (const left of [0, 1]) {
    await assert.rejects(chopOwnLog(fullAfter(left), join(ours, log), into, last), isFull);
    assert.deepEqual(readdirSync(work), ['version-2'], `${left}`);
  }
  // killed in the middle: what there is of it counts for nothing, and is in nobody's way
  await assert.rejects(chopOwnLog(killedAfter(1), join(ours, log), into, last), /killed/);
  assert.ok(!readdirSync(work).includes('chopped'));
  assert.ok((await chopOwnLog(fullAfter(9), join(ours, log), into, last)) > 0);
  assert.deepEqual(readdirSync(work), ['chopped', 'version-2']);

  const [name, bytes] = [...goldenFiles()].find(([each]) => each.startsWith('log.')) as [string, Buffer];
  const theirs = join(home.dir, name);
  writeFileSync(theirs, bytes);
  const first = BigInt(`0x${name.slice('log.'.length)}`);
  await assert.rejects(chopApacheLog(fullAfter(0), theirs, `${theirs}.chopped`, first), isFull);
  assert.ok(!readdirSync(home.dir).includes(`${name}.chopped`));
  await assert.rejects(chopApacheLog(killedAfter(0), theirs, `${theirs}.chopped`, first), /killed/);
  assert.deepEqual(
    readdirSync(home.dir).filter((each) => each.startsWith('log.')),
    [name],
    'no part of it is what a server takes for a log',
  );
  assert.ok((await chopApacheLog(fullAfter(9), theirs, `${theirs}.chopped`, first)) > 0);
});

/** As `zoosh`, where no byte can be written into any file. */
function withoutRoom(words: readonly string[], env: Record<string, string>): { code: number | null; stderr: string } {
  const ran = spawnSync('/bin/sh', ['-c', 'ulimit -f 0; exec "$@"', 'sh', process.execPath, BIN, ...words], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ZOOSH_CODE_CACHE: 'off', ZOOSH_HOME: '/nonexistent', ...env },
  });
  return { code: ran.status, stderr: ran.stderr };
}

test('of what from-env could not write nothing is taken for the whole by the next', async () => {
  const home = await Home.make();
  const conf = join(home.dir, 'made');
  const data = join(home.dir, 'made-data');
  const env = { ...home.env, ZOOCFGDIR: conf, ZOO_CFG_dataDir: data, ZOO_ENABLE_AUTH: 'yes' };
  const logins = { ...env, ZOO_SERVER_USERS: 'bob', ZOO_SERVER_PASSWORDS: 'canary' };
  const full = withoutRoom(['server', 'from-env'], logins);
  assert.equal(full.code, 40, full.stderr);
  assert.deepEqual(readdirSync(conf), []);
  // a file further on that cannot be made
  mkdirSync(join(conf, 'java.env'));
  const failed = await zoosh(['server', 'from-env'], '', logins);
  assert.deepEqual([failed.code, /java\.env cannot be written/.test(failed.stderr)], [40, true]);
  assert.ok(!readdirSync(conf).includes('zoo.cfg'), 'where zoo.cfg is, the rest is taken to be there');
  rmSync(join(conf, 'java.env'), { recursive: true });
  assert.equal((await zoosh(['server', 'from-env'], '', logins)).code, 0);
  assert.deepEqual(readdirSync(conf).sort(), ['java.env', 'zoo.cfg', 'zoo_jaas.conf']);
  assert.match(readFileSync(join(conf, 'java.env'), 'utf8'), /zoo_jaas\.conf/);
  assert.equal(readFileSync(join(data, 'myid'), 'utf8'), '1\n');
});

test('from-env --force lets nobody read passwords who could read what was there; a link stays one', async () => {
  const home = await Home.make();
  const conf = join(home.dir, 'made');
  mkdirSync(conf);
  const file = join(home.dir, 'elsewhere.cfg');
  writeFileSync(file, 'old\n', { mode: 0o666 });
  chmodSync(file, 0o666);
  symlinkSync(file, join(conf, 'zoo.cfg'));
  const env = {
    ...home.env,
    ZOO_CONF_DIR: conf,
    ZOO_DATA_DIR: home.data,
    ZOO_CFG_EXTRA: 'ssl.keyStore.password=canary',
  };
  const ran = await zoosh(['server', 'from-env', '--force'], '', env);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(readFileSync(file, 'utf8'), /^ssl\.keyStore\.password=canary$/m);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(lstatSync(join(conf, 'zoo.cfg')).isSymbolicLink());
  assert.deepEqual(
    readdirSync(home.dir).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('what a kill left of a file is not in the way of the next with the same number, as in a container', () => {
  const dir = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
  try {
    const file = join(dir, 'zoo.cfg');
    writeFileSync(`${file}.${process.pid}.tmp`, 'hal', { mode: 0o644 });
    writeWholeFile(file, 'whole\n', 0o600);
    assert.deepEqual(readdirSync(dir), ['zoo.cfg']);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a file that may be written in a folder that may not is written, as one that is mounted into it by itself', async () => {
  const home = await Home.make();
  openToAll(home.dir);
  const conf = join(home.dir, 'made');
  mkdirSync(conf);
  const file = join(conf, 'zoo.cfg');
  writeFileSync(file, 'old\n');
  chmodSync(file, 0o666);
  chmodSync(conf, 0o555);
  const data = join(home.dir, 'made-data');
  mkdirSync(data);
  chmodSync(data, 0o777);
  const ran = await asNobody(['server', 'from-env', '--force'], {
    ...home.env,
    ZOO_CONF_DIR: conf,
    ZOO_DATA_DIR: data,
  });
  chmodSync(conf, 0o755);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(readFileSync(file, 'utf8'), /^dataDir=/m);
});

test('a full disk leaves no part of a bundle', async () => {
  const home = await Home.make();
  const file = join(home.dir, 'b.tgz');
  const words = ['server', '--config', join(home.dir, 'conf'), 'bundle', file];
  const full = withoutRoom(words, home.env);
  assert.deepEqual([full.code, /b\.tgz cannot be written/.test(full.stderr)], [40, true], full.stderr);
  assert.ok(!readdirSync(home.dir).includes('b.tgz'));
  assert.equal((await zoosh(words, '', home.env)).code, 0);
  const size = statSync(file).size;
  assert.equal((await zoosh(words, '', home.env)).code, 40, 'one that is there is left');
  assert.equal(statSync(file).size, size);
});

test('a backup that is interrupted leaves nothing', async () => {
  const home = await Home.make();
  assert.equal((await home.server('start')).code, 0);
  try {
    const file = join(home.dir, 'b.zbak');
    const left = (): string[] => readdirSync(home.dir).filter((name) => name.startsWith('b.zbak'));
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      const words = [BIN, 'backup', file, '--config', join(home.dir, 'conf'), '--rate', '10'];
      const env = { PATH: process.env.PATH, ZOOSH_HOME: '/nonexistent' };
      const child = spawn(process.execPath, words, { stdio: 'ignore', env });
      const ended = once(child, 'exit');
      await until(() => left().length > 0, 'it did not begin');
      child.kill(signal);
      assert.deepEqual([await ended, left()], [[code, null], []], signal);
    }
    assert.equal((await zoosh(['backup', file, '--config', join(home.dir, 'conf')])).code, 0);
  } finally {
    assert.equal((await home.server('stop')).code, 0);
  }
});
