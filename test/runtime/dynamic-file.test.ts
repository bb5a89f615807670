import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import type { Config } from '../../src/records/txns.ts';
import { readBeside } from '../../src/runtime/config-files.ts';
import { DynamicFiles, writeDynamicFile } from '../../src/runtime/dynamic-file.ts';
import { makeLogger } from '../../src/runtime/log.ts';
import { startServer } from '../../src/runtime/start.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import { checkConfig, type EnsembleConfig, parseProperties } from '../../src/server/config.ts';
import { ownBlock } from '../ports.ts';

const config = (more: string[]): Config => ({
  members: [1, 2, 3].map((sid) => ({
    sid,
    role: 'participant' as const,
    incarnation: `i${sid}`,
    addresses: [`127.0.0.1:${20 + sid}:${30 + sid}`, ...more],
    client: `127.0.0.1:${40 + sid}`,
  })),
  maxTxnBytes: 1e6,
});

test('a member that wrote its files starts with them: same members, the version in the name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-dynamic-'));
  try {
    const configFile = join(folder, 'zoo.cfg');
    const start = (): EnsembleConfig | undefined => {
      const settings = parseProperties(readFileSync(configFile, 'utf8'), configFile);
      return checkConfig(settings, readBeside(settings)).ensemble;
    };
    const first =
      `# ours\ndataDir=${folder}\ninitLimit=5\nsyncLimit=2\nclientPort=42\nclientPortAddress=127.0.0.1\n` +
      'server.1=127.0.0.1:21:31\nserver.2=127.0.0.1:22:32\nserver.3=127.0.0.1:23:33\n';
    writeFileSync(configFile, first);
    assert.throws(start, /myid is missing/);
    writeFileSync(join(folder, 'myid'), '2\n');
    assert.equal(start()?.linesVersion, 0n);

    await writeDynamicFile({ configFile, config: config([]), version: 0x100000001n, sid: 2 });
    const second = start();
    assert.equal(second?.linesVersion, 0x100000001n);
    assert.deepEqual(second?.own.client, { host: '127.0.0.1', port: 42 });
    assert.match(readFileSync(configFile, 'utf8'), /^# ours\n/);
    assert.equal(readFileSync(`${configFile}.bak`, 'utf8'), first);

    const later = { ...config([]), members: config([]).members.slice(0, 2) };
    await writeDynamicFile({ configFile, config: later, version: 0x200000007n, sid: 2 });
    assert.deepEqual([start()?.servers.length, start()?.linesVersion], [2, 0x200000007n]);
    assert.equal(readFileSync(`${configFile}.bak`, 'utf8'), first, 'what the operator wrote is kept');
    assert.deepEqual(readdirSync(folder).sort(), [
      ...['myid', 'zoo.cfg', 'zoo.cfg.bak', 'zoo.cfg.dynamic.100000001', 'zoo.cfg.dynamic.200000007'],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file beside zoo.cfg that cannot be read ends the start; one that is absent is for the check to judge', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-dynamic-'));
  try {
    const beside = (text: string, myid?: string) => readBeside(parseProperties(text, 'zoo.cfg'), myid);
    const { here, ...absent } = beside(`dataDir=${folder}/none\ndynamicConfigFile=${folder}/none`);
    assert.deepEqual(absent, { myid: undefined, dynamic: undefined, jaas: undefined });
    assert.ok(here?.includes(hostname().toLowerCase()), 'without an id it is told by which names this machine goes');
    assert.throws(
      () => beside(`dynamicConfigFile=${folder}`),
      (error) =>
        error instanceof StartError &&
        error.exitCode === 43 &&
        /: it is a folder, and a file is wanted$/.test(error.message),
    );
    assert.deepEqual(beside(`dataDir=${folder}`, '7').myid, { text: '7', from: { option: '--myid' } });
    writeFileSync(join(folder, 'myid'), '5');
    assert.deepEqual(beside(`zookeeper.dataDir=${folder}`).myid, {
      text: '5',
      from: { file: join(folder, 'myid'), line: 1 },
    });
    await assert.rejects(
      writeDynamicFile({ configFile: join(folder, 'zoo.cfg'), config: config([]), version: 1n, sid: 1 }),
      /ENOENT/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a reconfigured ensemble of one finds its members in its files again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-dynamic-'));
  try {
    const configFile = join(folder, 'zoo.cfg');
    writeFileSync(join(folder, 'myid'), '1');
    const superDigest = 'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=';
    const port = await ownBlock('127.0.0.1', 1);
    const own = `server.1=127.0.0.1:${port + 100}:${port + 200}:participant;127.0.0.1:${port}`;
    const lines = ['tickTime=500', 'initLimit=5', 'syncLimit=2', 'reconfigEnabled=true', 'standaloneEnabled=false'];
    writeFileSync(configFile, [`dataDir=${folder}`, ...lines, superDigest, own, ''].join('\n'));
    const text = (version: bigint): string => readFileSync(`${configFile}.dynamic.${version.toString(16)}`, 'utf8');
    const life = async (work: (client: Awaited<ReturnType<typeof connect>>) => Promise<void>): Promise<void> => {
      const settings = parseProperties(readFileSync(configFile, 'utf8'), configFile);
      const checked = checkConfig(settings, readBeside(settings));
      assert.ok(checked.ensemble !== undefined);
      const logger = makeLogger('error', 'text');
      const files = new DynamicFiles(configFile, checked.ensemble, logger);
      const onFailed = (error: Error): never => assert.fail(error);
      await using server = await startServer({ config: checked, logger, configured: files.configured, onFailed });
      await using client = await connect(`127.0.0.1:${server.port}`);
      await work(client);
      await files.idle();
    };
    const observer = 'server.2=127.0.0.1:1:2:observer;127.0.0.1:3';
    let version = 0n;
    await life(async (client) => {
      const found = await client.getConfig();
      await client.addAuth('digest', 'super:adminpass');
      const { data, stat } = await client.reconfig({ joining: observer });
      version = stat.mzxid;
      assert.equal(String(data), `${own}\n${observer}\nversion=${version.toString(16)}`);
      assert.equal(String(found.data), `${own}\nversion=${found.stat.mzxid.toString(16)}`);
    });
    assert.equal(text(version), `${own}\n${observer}`);
    assert.ok(
      readFileSync(configFile, 'utf8').endsWith(`dynamicConfigFile=${configFile}.dynamic.${version.toString(16)}\n`),
    );
    await life(async (client) => {
      assert.equal((await client.getConfig()).stat.mzxid, version, 'nothing changed by starting again');
      await client.addAuth('digest', 'super:adminpass');
      version = (await client.reconfig({ leaving: '2' })).stat.mzxid;
    });
    assert.equal(text(version), own);
    await life(async (client) => assert.equal((await client.getConfig()).stat.mzxid, version));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('who may read zoo.cfg stays so, and who may read what is written beside it follows it; a link stays a link', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-dynamic-'));
  const mask = process.umask(0o022);
  try {
    const isRoot = process.getuid?.() === 0;
    const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);
    for (const mode of [0o600, 0o640, 0o664]) {
      const real = join(folder, `real-${mode}`);
      const linked = join(folder, `linked-${mode}`);
      mkdirSync(real);
      mkdirSync(linked);
      const target = join(real, 'ours.cfg');
      const configFile = join(linked, 'zoo.cfg');
      writeFileSync(target, 'clientPort=42\nssl.keyStore.password=secret\nserver.1=127.0.0.1:21:31\n');
      chmodSync(target, mode);
      if (isRoot) chownSync(target, 12_345, 23_456);
      symlinkSync(`../real-${mode}/ours.cfg`, configFile);
      // left by a process that was killed, and readable by all
      writeFileSync(`${target}.tmp`, 'left', { mode: 0o666 });
      for (const version of [5n, 6n]) await writeDynamicFile({ configFile, config: config([]), version, sid: 1 });
      assert.ok(lstatSync(configFile).isSymbolicLink());
      assert.deepEqual(readdirSync(linked), ['zoo.cfg']);
      const names = ['ours.cfg', 'ours.cfg.bak', 'ours.cfg.dynamic.5', 'ours.cfg.dynamic.6'];
      assert.deepEqual(readdirSync(real).sort(), names);
      assert.match(readFileSync(configFile, 'utf8'), /^dynamicConfigFile=.*real-\d+\/ours\.cfg\.dynamic\.6$/m);
      for (const name of names) {
        assert.equal(modeOf(join(real, name)), mode.toString(8), name);
        const { uid, gid } = statSync(join(real, name));
        if (isRoot) assert.deepEqual([uid, gid], [12_345, 23_456], name);
      }
    }
  } finally {
    process.umask(mask);
    rmSync(folder, { recursive: true });
  }
});

test('files that cannot be written are remarked on, and a removed server keeps its last one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-dynamic-'));
  try {
    const warnings: string[] = [];
    const logger = { warn: (line: string) => void warnings.push(line) };
    const files = new DynamicFiles(
      join(folder, 'none', 'zoo.cfg'),
      { sid: 1, members: config([]).members, linesVersion: 5n },
      logger as never,
    );
    files.configured(config([]), 5n);
    const without = { ...config([]), members: config([]).members.slice(1) };
    files.configured(without, 6n);
    await files.idle();
    assert.deepEqual(warnings, []);
    files.configured(config([]), 7n);
    await files.idle();
    assert.match(warnings.join(), /the dynamic file of config 7 cannot be written: ENOENT/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
